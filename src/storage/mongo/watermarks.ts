import type { mongo } from "mongoose";
import { MAX_PASSINGS, type Watermarks } from "../../announcements/types.js";
import { DEADLINE } from "./connection.js";
import { contend } from "./contend.js";
import { type Read, reader } from "./elections.js";
import { driverCollection, type Models, type WatermarkDoc } from "./schemas.js";

/** Members whose watermarks one command moves. Threat: an update of a hundred thousand documents that does not end within its deadline. */
const MEMBERS_A_COMMAND = 5_000;

/** How far members were reached and have seen, in MongoDB. */
export class MongoWatermarks {
  readonly #watermarks: mongo.Collection<WatermarkDoc>;
  readonly #read: Read;

  constructor(models: Models) {
    this.#read = reader(models);
    this.#watermarks = driverCollection(models.watermarks);
  }

  /** As `AnnouncementStore.watermarks`. */
  of(users: string[]): Promise<Map<string, Watermarks>> {
    return this.#read(async () => {
      const docs = await this.#watermarks.find({ _id: { $in: users } }, DEADLINE).toArray();
      return new Map(docs.map(({ _id, r, s }) => [_id, { reached: toPassings(r), seen: toPassings(s) }]));
    });
  }

  /** As `AnnouncementStore.pass`. */
  async pass(mark: keyof Watermarks, upTo: number, at: number, users: string[]): Promise<void> {
    const field = mark === "reached" ? "r" : "s";
    for (let from = 0; from < users.length; from += MEMBERS_A_COMMAND) {
      const some = users.slice(from, from + MEMBERS_A_COMMAND);
      await contend(() => this.#passSome(field, { n: upTo, t: at }, some));
    }
  }

  /** Most members have watermarks and are behind, so the update goes first. Those whom it does not find are ahead or new. */
  async #passSome(field: "r" | "s", passing: { n: number; t: number }, users: string[]): Promise<void> {
    if ((await this.#move(field, passing, users)) === users.length) return;
    const docs = await this.#watermarks.find({ _id: { $in: users } }, { ...DEADLINE, projection: { _id: 1 } }).toArray();
    const known = new Set(docs.map(({ _id }) => _id));
    const writes = users
      .filter((user) => !known.has(user))
      .map((_id) => ({ insertOne: { document: { _id, [field]: [passing] } as WatermarkDoc } }));
    // Another node may make one of them known at this moment: then all of it again.
    if (writes.length > 0) await this.#watermarks.bulkWrite(writes, { ...DEADLINE, ordered: false });
    // Or it did so between the update and the look.
    if (known.size > 0) await this.#move(field, passing, [...known]);
  }

  /** Adds the passing to those who are behind it; returns how many. Clocks of nodes differ, the times of a member ascend all the same. */
  async #move(field: "r" | "s", { n, t }: { n: number; t: number }, users: string[]): Promise<number> {
    const before = { $ifNull: [`$${field}`, []] };
    const passing = { n, t: { $max: [t, { $last: `$${field}.t` }] } };
    const filter = { _id: { $in: users }, [`${field}.n`]: { $not: { $gte: n } } } as mongo.Filter<WatermarkDoc>;
    const update = [{ $set: { [field]: { $slice: [{ $concatArrays: [before, [passing]] }, -MAX_PASSINGS] } } }];
    return (await this.#watermarks.updateMany(filter, update, DEADLINE)).matchedCount;
  }
}

function toPassings(passings: Array<{ n: number; t: number }> | undefined) {
  return (passings ?? []).map(({ n, t }) => ({ upTo: n, at: t }));
}
