import type { mongo } from "mongoose";
import type { ActivityStore, MinuteRow } from "../../activity/types.js";
import { DEADLINE } from "./connection.js";
import { contend } from "./contend.js";
import { type Read, reader } from "./elections.js";
import { guard } from "./errors.js";
import { type ActivityDoc, driverCollection, type Models } from "./schemas.js";

/** What was done in each minute, in MongoDB. */
export class MongoActivity implements ActivityStore {
  readonly #activity: mongo.Collection<ActivityDoc>;
  readonly #read: Read;

  constructor(models: Models) {
    this.#read = reader(models);
    this.#activity = driverCollection(models.activity);
  }

  save(rows: MinuteRow[]): Promise<void> {
    const replacements = rows.map(({ at, process, ...said }) => ({
      replaceOne: { filter: { _id: { t: at, p: process } }, replacement: { o: JSON.stringify(said) }, upsert: true },
    }));
    return contend(async () => {
      if (replacements.length > 0) await this.#activity.bulkWrite(replacements, { ...DEADLINE, ordered: false });
    });
  }

  since(from: number, limit: number): Promise<MinuteRow[]> {
    return this.#read(async () => {
      const newest: mongo.FindOptions = { ...DEADLINE, sort: { "_id.t": -1 }, limit, batchSize: limit };
      const docs = await this.#activity.find({ "_id.t": { $gte: from } }, newest).toArray();
      return docs.map(({ _id, o }) => ({ at: _id.t, process: _id.p, ...(JSON.parse(o) as Omit<MinuteRow, "at" | "process">) }));
    });
  }

  forget(before: number): Promise<void> {
    return guard(async () => {
      await this.#activity.deleteMany({ "_id.t": { $lt: before } }, DEADLINE);
    });
  }
}
