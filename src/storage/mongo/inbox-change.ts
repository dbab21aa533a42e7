import type { mongo } from "mongoose";
import type { InboxChange, Mark } from "../../inbox/types.js";
import { serverError } from "./errors.js";
import type { InsertReply } from "./insert.js";
import { database, type MarkDoc, type Models, type StateDoc } from "./schemas.js";

/** Stores the marks and the state that go with an entry, within its transaction. */
export async function writeInbox(models: Models, { stream, marks, state, base }: InboxChange, session: mongo.ClientSession): Promise<void> {
  const db = database(models.entries);
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
