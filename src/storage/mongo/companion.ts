import type { mongo } from "mongoose";
import type { InboxChange, Mark } from "../../inbox/types.js";
import { CALL_DEADLINE_MS } from "./connection.js";
import { DUPLICATE_KEY, notStored, serverCode, serverError, WRITE_CONFLICT, writeFailure } from "./errors.js";
import type { InsertReply } from "./insert.js";
import { database, type EntryDoc, type MarkDoc, type Models, type StateDoc } from "./schemas.js";

const TRANSACTION: mongo.TransactionOptions = {
  readConcern: { level: "local" },
  writeConcern: { w: "majority", journal: true, wtimeoutMS: CALL_DEADLINE_MS },
  maxCommitTimeMS: CALL_DEADLINE_MS,
};

/** `time`: the server's time of the refusal; what refused the row stands in a read after it. */
type Stored = { stored: true } | { stored: false; time: mongo.Timestamp | undefined };

/**
 * Stores an entry, the marks and the state that go with it in one transaction. The entry goes first: where it is refused, nothing else is
 * written.
 * @throws OutcomeUnknown when the commit was not answered; BelfryError `unavailable` when it was not reached.
 */
export async function storeWithCompanion(models: Models, entry: EntryDoc, { stream, marks, state, base }: InboxChange): Promise<Stored> {
  const db = database(models.entries);
  const session = models.entries.db.getClient().startSession();
  let committing = false;
  try {
    session.startTransaction(TRANSACTION);
    const reply = (await db.command(
      { insert: models.entries.collection.collectionName, documents: [entry] },
      { session },
    )) as unknown as InsertReply;
    const fault = reply.writeErrors?.[0];
    if (fault !== undefined) {
      if (fault.code !== DUPLICATE_KEY) throw serverError(fault);
      await session.abortTransaction();
      return { stored: false, time: reply.operationTime };
    }
    if (marks.length > 0)
      await replaceAll(
        db,
        models.marks.collection.collectionName,
        marks.map((mark) => toMarkDoc(stream, mark)),
        session,
      );
    if (state !== undefined) {
      const doc: StateDoc = { _id: stream, r: state.readAll, s: state.seenUpTo };
      await replaceAll(db, models.states.collection.collectionName, [doc], session);
    }
    if (base !== undefined) await moveBase(models, stream, base, session);
    committing = true;
    await session.commitTransaction();
    return { stored: true };
  } catch (error) {
    if (session.inTransaction()) await session.abortTransaction();
    // Another writer was faster at this place; its own outcome is not durable yet, so the row is resolved by a later read.
    if (!committing && serverCode(error) === WRITE_CONFLICT) return { stored: false, time: undefined };
    throw committing ? writeFailure(error, true) : notStored(error);
  } finally {
    await session.endSession();
  }
}

/** Moves the stream's base up, and takes the marks below it away. */
async function moveBase(models: Models, stream: string, base: number, session: mongo.ClientSession): Promise<void> {
  await models.bases.collection.updateOne({ _id: stream as never }, { $max: { b: base } }, { session, upsert: true });
  const below = { _id: { $gte: { s: stream, n: 0 }, $lt: { s: stream, n: base } } };
  await models.marks.collection.deleteMany(below as never, { session });
}

async function replaceAll(
  db: mongo.Db,
  collection: string,
  documents: Array<MarkDoc | StateDoc>,
  session: mongo.ClientSession,
): Promise<void> {
  const updates = documents.map((document) => ({ q: { _id: document._id }, u: document, upsert: true }));
  const reply = (await db.command({ update: collection, updates }, { session })) as unknown as InsertReply;
  const fault = reply.writeErrors?.[0];
  if (fault !== undefined) throw serverError(fault);
}

/** Fields without a value are left out, so that the partial indexes hold only what they are for. */
function toMarkDoc(stream: string, { seq, readSeq, readAt, archivedAt, rescinded }: Mark): MarkDoc {
  const doc: MarkDoc = { _id: { s: stream, n: seq }, r: readSeq };
  if (readAt !== null) doc.t = readAt;
  if (archivedAt !== null) doc.a = archivedAt;
  if (rescinded !== null) doc.x = rescinded;
  if (readSeq > 0 && readAt === null) doc.u = true;
  return doc;
}
