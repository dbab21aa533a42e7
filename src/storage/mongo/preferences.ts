import type { mongo } from "mongoose";
import type { BlockSetting, Level, LevelSetting, PreferenceChange, PreferenceStore, Scope } from "../../preferences/types.js";
import { DEADLINE, TRANSACTION } from "./connection.js";
import { contend } from "./contend.js";
import { type Read, reader } from "./elections.js";
import { Orphans } from "./orphans.js";
import { type CounterDoc, driverCollection, type Models, type PreferenceDoc } from "./schemas.js";

/** The counter that gives out the versions. */
const COUNTER = "preferences";

/** Changes stored by one transaction. Threat: a flood of settings that makes one transaction too long for the deadline of a call. */
const MAX_BATCH = 200;

/** A change that waits for its transaction. */
interface Waiting {
  _id: PreferenceDoc["_id"];
  setting: Pick<PreferenceDoc, "l" | "t" | "b">;
  resolve: (version: number) => void;
  reject: (error: unknown) => void;
}

/**
 * Watch levels and blocks in MongoDB. A version is given out in the transaction that stores the change: the counter's document lets only one
 * such transaction through at a time, so whoever reads a version finds every change up to it.
 */
export class MongoPreferences implements PreferenceStore {
  readonly exclusive = false;
  readonly #models: Models;
  readonly #preferences: mongo.Collection<PreferenceDoc>;
  readonly #counters: mongo.Collection<CounterDoc>;
  readonly #orphans: Orphans;
  readonly #waiting: Waiting[] = [];
  #writing = false;
  readonly #read: Read;

  constructor(models: Models) {
    this.#read = reader(models);
    this.#models = models;
    this.#preferences = driverCollection(models.preferences);
    this.#counters = driverCollection(models.counters);
    this.#orphans = Orphans.of(models.preferences.db);
  }

  version(): Promise<number> {
    return this.#read(async () => (await this.#counters.findOne({ _id: COUNTER }, DEADLINE))?.n ?? 0);
  }

  changesSince(version: number, limit: number): Promise<PreferenceChange[]> {
    return this.#read(async () => {
      // A limit of 0 means "all" to MongoDB.
      if (limit <= 0) return [];
      const filter = { v: { $gt: version } };
      const docs = await this.#preferences.find(filter, { ...DEADLINE, sort: { v: 1 }, limit, batchSize: limit }).toArray();
      return docs.map(toChange);
    });
  }

  setLevel({ user, scope, id, level, until }: LevelSetting): Promise<number> {
    return this.#replace({ u: user, s: scope, i: id }, until === null ? { l: level } : { l: level, t: until });
  }

  setBlock({ user, other, blocked }: BlockSetting): Promise<number> {
    return this.#replace({ u: user, s: "block", i: other }, { b: blocked });
  }

  #replace(_id: PreferenceDoc["_id"], setting: Waiting["setting"]): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ _id, setting, resolve, reject });
      if (!this.#writing) void this.#writeAll();
    });
  }

  /** What arrives while a transaction is under way shares the next one: those of one node would only get in each other's way. */
  async #writeAll(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      try {
        const last = await contend(() => this.#orphans.during(() => this.#store(batch)));
        for (const [index, { resolve }] of batch.entries()) resolve(last - batch.length + 1 + index);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#writing = false;
  }

  /** Stores the changes in their order; returns the version of the last one. */
  async #store(changes: Waiting[]): Promise<number> {
    const session = this.#models.preferences.db.getClient().startSession();
    try {
      session.startTransaction(TRANSACTION);
      // The counter first: whoever comes second at it has written nothing yet.
      const inc = { $inc: { n: changes.length } };
      const options = { ...DEADLINE, session, upsert: true, returnDocument: "after" } as const;
      const { n: last } = (await this.#counters.findOneAndUpdate({ _id: COUNTER }, inc, options)) as CounterDoc;
      const writes = changes.map(({ _id, setting }, index) => {
        const replacement = { ...setting, v: last - changes.length + 1 + index };
        return { replaceOne: { filter: { _id }, replacement, upsert: true } };
      });
      await this.#preferences.bulkWrite(writes, { ...DEADLINE, session, ordered: true });
      await session.commitTransaction();
      return last;
    } finally {
      if (session.inTransaction()) await session.abortTransaction();
      await session.endSession();
    }
  }
}

function toChange({ _id: { u, s, i }, l, t, b, v }: PreferenceDoc): PreferenceChange {
  if (s === "block") return { of: "block", user: u, other: i, blocked: b === true, version: v };
  return { of: "level", user: u, scope: s satisfies Scope, id: i, level: l as Level, until: t ?? null, version: v };
}
