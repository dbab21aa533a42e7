import type { mongo } from "mongoose";
import type { Burial, SubjectStore } from "../../community/types.js";
import { DEADLINE } from "./connection.js";
import { type Read, reader } from "./elections.js";
import { guard } from "./errors.js";
import { type BurialDoc, driverCollection, type Models } from "./schemas.js";

/** Which subjects are gone, in MongoDB. Read concern and write concern are those of the connection: a majority. */
export class MongoSubjects implements SubjectStore {
  readonly #burials: mongo.Collection<BurialDoc>;
  readonly #read: Read;

  constructor(models: Models) {
    this.#read = reader(models);
    this.#burials = driverCollection(models.burials);
  }

  bury(key: string, { why, at, learnedAt }: Burial): Promise<void> {
    return guard(async () => {
      await this.#burials.replaceOne({ _id: key }, { w: why, a: at, t: learnedAt }, { ...DEADLINE, upsert: true });
    });
  }

  revive(key: string): Promise<void> {
    return guard(async () => {
      await this.#burials.deleteOne({ _id: key }, DEADLINE);
    });
  }

  /** Another node may have buried it a moment ago. */
  mayBeGone(): boolean {
    return true;
  }

  buried(keys: string[]): Promise<Map<string, Burial>> {
    return this.#read(async () => {
      const docs = await this.#burials.find({ _id: { $in: keys } }, DEADLINE).toArray();
      return new Map(docs.map(({ _id, w, a, t }) => [_id, { why: w, at: a, learnedAt: t }]));
    });
  }

  forget(olderThan: number, limit: number): Promise<number> {
    return guard(async () => {
      const old = { t: { $lt: olderThan } };
      const docs = await this.#burials.find(old, { ...DEADLINE, sort: { t: 1 }, limit, projection: { _id: 1 } }).toArray();
      if (docs.length === 0) return 0;
      // The time again: one that was buried anew meanwhile stays.
      const { deletedCount } = await this.#burials.deleteMany({ _id: { $in: docs.map(({ _id }) => _id) }, ...old }, DEADLINE);
      return deletedCount;
    });
  }
}
