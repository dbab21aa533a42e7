import type { mongo } from "mongoose";
import {
  type AppendBatch,
  type AppendResult,
  type EntryRow,
  OutcomeUnknown,
  type PublicationOutcome,
  type PublicationRecord,
  type RowOutcome,
  type Write,
} from "../../stream/types.js";
import type { Companion } from "../types.js";
import { storeWithCompanion } from "./companion.js";
import { toEntryDoc, toPublication, toPublicationDoc } from "./documents.js";
import { answered, outlast, writeFailure } from "./errors.js";
import { type Inserted, insert } from "./insert.js";
import { ELECTION_MS, UNANSWERED_MS } from "./limits.js";
import { Orphans } from "./orphans.js";
import { database, driverCollection, type EntryDoc, type Models, type PublicationDoc } from "./schemas.js";

/** Transactions of one batch under way together. Threat: a batch of marks that takes the whole pool of connections from the readers. */
const TRANSACTIONS_AT_ONCE = 8;

/** What the names in a document add to its texts, roughly, in characters. */
const DOCUMENT_OVERHEAD = 200;

/**
 * Stores batches. First the publications, then the rows in one unordered insert, then the rows with companions, a transaction each:
 *
 *   publications ─ acknowledged ─► rows ─ durable ─► proof that the publications are durable ─► rows with companions
 *
 * A majority that has a row has everything that the same primary wrote before it, so publications that are followed by a row need no wait
 * of their own: one wait for the journal instead of two (27 % of mongod's time in batches of ten). The proof is a row stored in the same
 * term; where it is missing, the publications are read back at majority.
 */
export class Appender {
  readonly #models: Models;
  readonly #db: mongo.Db;
  readonly #entries: mongo.Collection<EntryDoc>;
  readonly #publications: mongo.Collection<PublicationDoc>;
  readonly #orphans: Orphans;

  constructor(models: Models) {
    this.#models = models;
    this.#db = database(models.entries);
    this.#entries = driverCollection(models.entries);
    this.#publications = driverCollection(models.publications);
    this.#orphans = Orphans.of(models.entries.db);
  }

  /** Stores the batch; while there is no primary and nothing of it was stored, again. */
  append(batch: AppendBatch<Companion>): Promise<AppendResult> {
    return this.#orphans.during(() => outlast(ELECTION_MS, () => this.#append(batch)));
  }

  async #append({ publications, writes }: AppendBatch<Companion>): Promise<AppendResult> {
    const outcomes: RowOutcome[] = new Array(writes.length);
    const hasPlainRows = writes.some(({ companion }) => companion === undefined);
    const first = await this.#insertPublications(publications, !hasPlainRows);

    const duplicates = new Set<string>();
    for (const [index, outcome] of first.outcomes.entries()) {
      if (!outcome.stored) duplicates.add((publications[index] as PublicationRecord).id);
    }
    const plain: number[] = [];
    const accompanied: number[] = [];
    for (const [index, { row, companion }] of writes.entries()) {
      if (row.publication !== null && duplicates.has(row.publication)) outcomes[index] = { is: "skipped" };
      else if (companion === undefined) plain.push(index);
      else accompanied.push(index);
    }

    let sent = publications.length > 0;
    const proof = await this.#insertRows(writes, plain, outcomes, sent);
    if (first.inserted !== null && hasPlainRows && (proof === null || proof !== first.inserted.term)) {
      await this.#confirm(publications, first.outcomes, first.inserted.time);
    }
    sent ||= plain.length > 0;
    await this.#storeAccompanied(writes, accompanied, outcomes, sent);
    return { publications: first.outcomes, rows: outcomes };
  }

  async #insertPublications(
    records: PublicationRecord[],
    durable: boolean,
  ): Promise<{ outcomes: PublicationOutcome[]; inserted: Inserted | null }> {
    if (records.length === 0) return { outcomes: [], inserted: null };
    const documents = records.map(toPublicationDoc);
    const inserted = await insert(this.#db, this.#publications.collectionName, documents, publicationChars, { durable, sentBefore: false });
    const outcomes: PublicationOutcome[] = records.map(() => ({ stored: true }));
    if (inserted.duplicates.length > 0) {
      const refused = inserted.duplicates.map((index) => records[index] as PublicationRecord);
      const existing = await this.#findExisting(refused, inserted.time);
      for (const [position, index] of inserted.duplicates.entries()) {
        const record = existing[position] as PublicationRecord;
        if (record.attempt !== refused[position]?.attempt) outcomes[index] = { stored: false, existing: record };
      }
    }
    return { outcomes, inserted };
  }

  /** The stored publications that the refused ones collided with, in their order. */
  async #findExisting(refused: PublicationRecord[], time: mongo.Timestamp | undefined): Promise<PublicationRecord[]> {
    const ids = refused.map(({ id }) => id);
    const aliases = refused.flatMap(({ alias }) => alias ?? []);
    const found = await this.#readAfter(time, (options) =>
      this.#publications.find({ $or: [{ _id: { $in: ids } }, { a: { $in: aliases } }] }, options).toArray(),
    );
    const byId = new Map(found.map((doc) => [doc._id, doc]));
    const byAlias = new Map(found.map((doc) => [doc.a, doc]));
    return refused.map(({ id, alias }) => {
      const doc = byId.get(id) ?? (alias === null ? undefined : byAlias.get(alias));
      // It was there a moment ago: a failover took it back, or trimming took it away. Either way the writer has to look again.
      if (doc === undefined) throw new OutcomeUnknown(`The publication that ${JSON.stringify(id)} collided with is gone.`);
      return toPublication(doc);
    });
  }

  /** Returns the term in which a row was stored, or null where none was. */
  async #insertRows(writes: Write<Companion>[], which: number[], outcomes: RowOutcome[], sentBefore: boolean): Promise<string | null> {
    if (which.length === 0) return null;
    const documents = which.map((index) => toEntryDoc((writes[index] as Write<Companion>).row));
    const inserted = await insert(this.#db, this.#entries.collectionName, documents, entryChars, { durable: true, sentBefore });
    for (const index of which) outcomes[index] = { is: "stored" };
    if (inserted.duplicates.length > 0) {
      const refused = inserted.duplicates.map((position) => which[position] as number);
      const rows = refused.map((index) => (writes[index] as Write<Companion>).row);
      const resolved = await this.#resolveRows(rows, inserted.time);
      for (const [position, index] of refused.entries()) outcomes[index] = resolved[position] as RowOutcome;
    }
    return inserted.duplicates.length < which.length ? inserted.term : null;
  }

  /** A row was refused by its seq or by its key; what counts is whether its stream has the key. */
  async #resolveRows(rows: EntryRow[], time: mongo.Timestamp | undefined): Promise<RowOutcome[]> {
    const byKey = new Map<string, string[]>();
    for (const { key, stream } of rows) {
      const streams = byKey.get(key);
      if (streams === undefined) byKey.set(key, [stream]);
      else streams.push(stream);
    }
    const $or = [...byKey].map(([k, streams]) => ({ k, "_id.s": { $in: streams } }));
    const found = await this.#readAfter(time, (options) =>
      this.#entries.find({ $or }, { ...options, projection: { k: 1, p: 1 } }).toArray(),
    );
    return rows.map(({ key, stream }): RowOutcome => {
      const doc = found.find((one) => one.k === key && one._id.s === stream);
      return doc === undefined ? { is: "conflict" } : { is: "repeat", seq: doc._id.n, publication: doc.p ?? null };
    });
  }

  /** @throws OutcomeUnknown unless a majority has every publication that was stored just now. */
  async #confirm(records: PublicationRecord[], outcomes: PublicationOutcome[], time: mongo.Timestamp | undefined): Promise<void> {
    const ids = records.filter((_, index) => outcomes[index]?.stored).map(({ id }) => id);
    if (ids.length === 0) return;
    const found = await this.#readAfter(time, (options) => this.#publications.countDocuments({ _id: { $in: ids } }, options));
    if (found < new Set(ids).size) throw new OutcomeUnknown("A failover took publications back.");
  }

  async #storeAccompanied(writes: Write<Companion>[], which: number[], outcomes: RowOutcome[], sentBefore: boolean): Promise<void> {
    const queue = [...which];
    const faults: unknown[] = [];
    const work = async () => {
      for (let index = queue.shift(); index !== undefined && faults.length === 0; index = queue.shift()) {
        const { row, companion } = writes[index] as Required<Write<Companion>>;
        try {
          const end = await answered(storeWithCompanion(this.#models, toEntryDoc(row), companion), UNANSWERED_MS);
          if (!end.stored && end.time === undefined) this.#orphans.suspect();
          outcomes[index] = end.stored ? { is: "stored" } : ((await this.#resolveRows([row], end.time))[0] as RowOutcome);
        } catch (error) {
          faults.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(TRANSACTIONS_AT_ONCE, which.length) }, work));
    if (faults.length > 0) throw writeFailure(faults[0], sentBefore || which.length > 1);
  }

  /** Reads at majority what stood at `time`; something was sent before, so a failure leaves the outcome unknown. */
  async #readAfter<T>(time: mongo.Timestamp | undefined, read: (options: { session: mongo.ClientSession }) => Promise<T>): Promise<T> {
    const session = this.#models.entries.db.getClient().startSession({ causalConsistency: true });
    try {
      if (time !== undefined) session.advanceOperationTime(time);
      return await answered(read({ session }), UNANSWERED_MS);
    } catch (error) {
      throw writeFailure(error, true);
    } finally {
      // Not waited for: the driver may never answer this either.
      void session.endSession().catch(() => {});
    }
  }
}

function entryChars({ _id, k, o }: EntryDoc): number {
  return DOCUMENT_OVERHEAD + _id.s.length + k.length + o.length;
}

function publicationChars({ c, r, n }: PublicationDoc): number {
  return DOCUMENT_OVERHEAD + c.length + r.length + n.length;
}
