import type { mongo } from "mongoose";
import type {
  AppendBatch,
  AppendResult,
  EntryPlace,
  FoundKey,
  PublicationRecord,
  StoredEntry,
  StreamStore,
  Tail,
} from "../../stream/types.js";
import type { Companion } from "../types.js";
import { Appender } from "./append.js";
import { DEADLINE } from "./connection.js";
import { toEntry, toPublication } from "./documents.js";
import { type Read, reader } from "./elections.js";
import { guard } from "./errors.js";
import { readEpoch } from "./migrations.js";
import { type BaseDoc, database, driverCollection, type EntryDoc, type Models, type Place, type PublicationDoc } from "./schemas.js";

/**
 * Streams whose tails are read by one command: a stage of a pipeline each. 13 µs of the client's time a stream instead of 180 with a query
 * each. Threat: the server refuses pipelines above 200 stages (of its newest versions).
 */
const TAILS_A_COMMAND = 50;

/** Entries that one command looks for: a look into an index each. Threat: a command of a megabyte. */
const PLACES_A_COMMAND = 1_000;

/** Entries deleted by one command. Threat: a first trimming of a long stream that does not end within the deadline of a call. */
const DELETE_STEP = 1_000;

/**
 * Publications looked at to find old ones. They lie in the order of their arrival, so old ones come first and no index is needed, which
 * every event would pay for; the window allows for clocks that differ and for one that was wrong.
 */
const PUBLICATION_WINDOW = 10_000;

/** How long the epoch is remembered. It changes by an operator's hand, after a restore; every packet of entries names it. Milliseconds. */
const EPOCH_FOR_MS = 1_000;

/** The streams in MongoDB. Any number of nodes may share it: the unique indexes decide who was first. */
export class MongoStreams implements StreamStore<Companion> {
  readonly concurrency = 1;
  readonly #models: Models;
  readonly #appender: Appender;
  readonly #db: mongo.Db;
  readonly #entries: mongo.Collection<EntryDoc>;
  readonly #publications: mongo.Collection<PublicationDoc>;
  readonly #bases: mongo.Collection<BaseDoc>;
  #epoch: { value: Promise<string>; until: number } | null = null;
  readonly #read: Read;

  constructor(models: Models) {
    this.#read = reader(models);
    this.#models = models;
    this.#appender = new Appender(models);
    this.#db = database(models.entries);
    this.#entries = driverCollection(models.entries);
    this.#publications = driverCollection(models.publications);
    this.#bases = driverCollection(models.bases);
  }

  epoch(): Promise<string> {
    if (this.#epoch === null || this.#epoch.until < Date.now()) {
      const value = guard(() => readEpoch(this.#models));
      this.#epoch = { value, until: Date.now() + EPOCH_FOR_MS };
      value.catch(() => this.forgetEpoch());
    }
    return this.#epoch.value;
  }

  /** The epoch was changed, or could not be read. */
  forgetEpoch(): void {
    this.#epoch = null;
  }

  append(batch: AppendBatch<Companion>): Promise<AppendResult> {
    return this.#appender.append(batch);
  }

  async tails(streams: string[]): Promise<Map<string, Tail>> {
    const tails = new Map<string, Tail>(streams.map((stream) => [stream, { head: 0, base: 1, unread: 0 }]));
    const names = [...tails.keys()];
    // A read for each command: thousands of streams may take longer than one read may.
    for (let from = 0; from < names.length; from += TAILS_A_COMMAND) {
      const some = names.slice(from, from + TAILS_A_COMMAND);
      for (const doc of await this.#read(() => this.#readTails(some))) {
        if ("b" in doc) (tails.get(doc._id) as Tail).base = doc.b;
        else Object.assign(tails.get(doc._id.s) as Tail, { head: doc._id.n, unread: doc.u });
      }
    }
    return tails;
  }

  async look(places: EntryPlace[]): Promise<Array<EntryPlace & { unread: number }>> {
    const found: Array<EntryPlace & { unread: number }> = [];
    for (let from = 0; from < places.length; from += PLACES_A_COMMAND) {
      const $in = places.slice(from, from + PLACES_A_COMMAND).map(({ stream, seq }): Place => ({ s: stream, n: seq }));
      const options = { ...DEADLINE, projection: { u: 1 }, batchSize: PLACES_A_COMMAND };
      for (const { _id, u } of await this.#read(() => this.#entries.find({ _id: { $in } }, options).toArray())) {
        found.push({ stream: _id.s, seq: _id.n, unread: u });
      }
    }
    return found;
  }

  async read(stream: string, after: number, upTo: number, limit: number): Promise<StoredEntry[]> {
    const entries = await this.#find({ _id: { $gt: { s: stream, n: after }, $lte: { s: stream, n: upTo } } }, 1, limit);
    // A long read is no snapshot: entries that trimming deletes meanwhile can be missing in its middle. What is before the hole is whole.
    const hole = entries.findIndex(({ seq }, index) => index > 0 && seq !== (entries[index - 1] as StoredEntry).seq + 1);
    return hole === -1 ? entries : entries.slice(0, hole);
  }

  readBack(stream: string, kind: string, from: number, before: number, limit: number): Promise<StoredEntry[]> {
    return this.#find({ _id: { $gte: { s: stream, n: from }, $lt: { s: stream, n: before } }, d: kind }, -1, limit);
  }

  readAt(stream: string, seqs: number[]): Promise<StoredEntry[]> {
    return this.#find({ _id: { $in: seqs.map((n) => ({ s: stream, n })) } }, 1, seqs.length);
  }

  find(key: string, streams?: string[]): Promise<FoundKey[]> {
    return this.#read(async () => {
      const filter = streams === undefined ? { k: key } : { k: key, "_id.s": { $in: streams } };
      const found = await this.#entries.find(filter as mongo.Filter<EntryDoc>, { ...DEADLINE, projection: { p: 1 } }).toArray();
      return found.map(({ _id, p }) => ({ stream: _id.s, seq: _id.n, publication: p ?? null }));
    });
  }

  publication(name: string): Promise<PublicationRecord | null> {
    return this.#read(async () => {
      const found = await this.#publications.find({ $or: [{ _id: name }, { a: name }] }, DEADLINE).toArray();
      const doc = found.find(({ _id }) => _id === name) ?? found[0];
      return doc === undefined ? null : toPublication(doc);
    });
  }

  setBase(stream: string, base: number): Promise<void> {
    return guard(async () => void (await this.#bases.updateOne({ _id: stream }, { $max: { b: base } }, { ...DEADLINE, upsert: true })));
  }

  deleteBelowBase(stream: string, olderThan: number): Promise<number> {
    return guard(async () => {
      const { head, base } = (await this.tails([stream])).get(stream) as Tail;
      // The last entry stays whatever its age: it carries the numbering and the counter.
      const filter = { _id: { $gte: first(stream), $lt: { s: stream, n: Math.min(base, head) } }, t: { $lt: olderThan } };
      let deleted = 0;
      for (;;) {
        const some = await this.#entries
          .find(filter, { ...DEADLINE, projection: { _id: 1 }, sort: { _id: 1 }, limit: DELETE_STEP })
          .toArray();
        if (some.length === 0) return deleted;
        const { deletedCount } = await this.#entries.deleteMany({ _id: { $in: some.map(({ _id }) => _id) } }, DEADLINE);
        deleted += deletedCount;
      }
    });
  }

  streams(after: string | null, limit: number): Promise<Array<{ stream: string; oldest: number; oldestAt: number }>> {
    return guard(async () => {
      const found: Array<{ stream: string; oldest: number; oldestAt: number }> = [];
      let filter: mongo.Filter<EntryDoc> = after === null ? {} : { _id: { $gt: last(after) } };
      while (found.length < limit) {
        const doc = await this.#entries.findOne(filter, { ...DEADLINE, sort: { _id: 1 }, projection: { t: 1 } });
        if (doc === null) break;
        found.push({ stream: doc._id.s, oldest: doc._id.n, oldestAt: doc.t });
        filter = { _id: { $gt: last(doc._id.s) } };
      }
      return found;
    });
  }

  lastBefore(stream: string, olderThan: number): Promise<number> {
    return guard(async () => {
      // From the oldest up: what is older than the limit is soon deleted, what is newer may be long.
      const filter = { _id: { $gte: first(stream), $lt: last(stream) }, t: { $gte: olderThan } };
      const newer = await this.#entries.findOne(filter, { ...DEADLINE, sort: { _id: 1 }, projection: { _id: 1 } });
      const older = { _id: { $gte: first(stream), $lt: newer?._id ?? last(stream) } };
      const doc = await this.#entries.findOne(older, { ...DEADLINE, sort: { _id: -1 }, projection: { _id: 1 } });
      return doc?._id.n ?? 0;
    });
  }

  deletePublications(olderThan: number, limit: number): Promise<number> {
    return guard(async () => {
      const options = { ...DEADLINE, projection: { t: 1 }, sort: { $natural: 1 }, limit: limit + PUBLICATION_WINDOW } as const;
      const oldest = await this.#publications.find({}, options).toArray();
      const ids = oldest.filter(({ t }) => t < olderThan).map(({ _id }) => _id);
      if (ids.length === 0) return 0;
      const { deletedCount } = await this.#publications.deleteMany({ _id: { $in: ids.slice(0, limit) } }, DEADLINE);
      return deletedCount;
    });
  }

  ping(): Promise<void> {
    // Read preference primary: a set without one cannot take writes, so it does not count as answering.
    return guard(async () => void (await this.#db.command({ ping: 1, ...DEADLINE }, { readPreference: "primary" })));
  }

  /**
   * The bases, then the last entries, in one command. In this order: a base that is read later than the head could lie past it.
   */
  async #readTails(streams: string[]): Promise<Array<BaseDoc | Pick<EntryDoc, "_id" | "u">>> {
    const coll = this.#entries.collectionName;
    const heads = streams.map((stream) => ({
      $unionWith: {
        coll,
        pipeline: [
          { $match: { _id: { $gte: first(stream), $lt: last(stream) } } },
          { $sort: { _id: -1 } },
          { $limit: 1 },
          { $project: { u: 1 } },
        ],
      },
    }));
    return this.#bases.aggregate<BaseDoc | EntryDoc>([{ $match: { _id: { $in: streams } } }, ...heads], DEADLINE).toArray();
  }

  #find(filter: mongo.Filter<EntryDoc>, direction: 1 | -1, limit: number): Promise<StoredEntry[]> {
    return this.#read(async () => {
      // A limit of 0 means "all" to MongoDB.
      if (limit <= 0) return [];
      const docs = await this.#entries.find(filter, { ...DEADLINE, sort: { _id: direction }, limit, batchSize: limit }).toArray();
      const shared = await this.#readShared(docs);
      return docs.map((doc) => toEntry(doc, doc.p === undefined ? null : (shared.get(doc.p) ?? null)));
    });
  }

  async #readShared(docs: EntryDoc[]): Promise<Map<string, string>> {
    const ids = new Set(docs.flatMap(({ p }) => p ?? []));
    if (ids.size === 0) return new Map();
    const found = await this.#publications.find({ _id: { $in: [...ids] } }, { ...DEADLINE, projection: { c: 1 } }).toArray();
    return new Map(found.map(({ _id, c }) => [_id, c]));
  }
}

/** Before and after all entries of a stream. */
function first(stream: string): Place {
  return { s: stream, n: 0 };
}
function last(stream: string): Place {
  return { s: stream, n: Number.POSITIVE_INFINITY };
}
