import type { mongo } from "mongoose";
import type { Companion } from "../types.js";
import { writeRecord, writeSettled } from "./announcements.js";
import { TRANSACTION } from "./connection.js";
import { DUPLICATE_KEY, notStored, serverCode, serverError, WRITE_CONFLICT, writeFailure } from "./errors.js";
import { writeInbox } from "./inbox-change.js";
import type { InsertReply } from "./insert.js";
import { writeSanctions } from "./members.js";
import { database, type EntryDoc, type Models } from "./schemas.js";

/** `time`: the server's time of the refusal; what refused the row stands in a read after it. */
type Stored = { stored: true } | { stored: false; time: mongo.Timestamp | undefined };

/**
 * Stores an entry and what goes with it in one transaction. The entry goes first: where it is refused, nothing else is written. Where its
 * companion is refused, the entry is not stored either.
 * @throws OutcomeUnknown when the commit was not answered; BelfryError `unavailable` when it was not reached.
 */
export async function storeWithCompanion(models: Models, entry: EntryDoc, companion: Companion): Promise<Stored> {
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
    if (fault !== undefined && fault.code !== DUPLICATE_KEY) throw serverError(fault);
    if (fault !== undefined || !(await write(models, companion, session))) {
      await session.abortTransaction();
      return { stored: false, time: reply.operationTime };
    }
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

/** False where the companion was decided on what does not hold any more. */
async function write(models: Models, companion: Companion, session: mongo.ClientSession): Promise<boolean> {
  switch (companion.of) {
    case "inbox":
      await writeInbox(models, companion, session);
      return true;
    case "member":
      await writeSanctions(models, companion, session);
      return true;
    case "settled":
      await writeSettled(models, companion, session);
      return true;
    case "announcement":
      return writeRecord(models, companion.record, session);
  }
}
