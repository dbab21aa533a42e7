import type { mongo } from "mongoose";
import type { LeaseStore } from "../../lease/types.js";
import { DEADLINE } from "./connection.js";
import { contend } from "./contend.js";
import { guard } from "./errors.js";
import { driverCollection, type LeaseDoc, type Models } from "./schemas.js";

/** Leases in MongoDB. The primary's clock decides; after an election that of another server, so theirs must agree to a few seconds. */
export class MongoLeases implements LeaseStore {
  readonly #leases: mongo.Collection<LeaseDoc>;

  constructor(models: Models) {
    this.#leases = driverCollection(models.leases);
  }

  take(name: string, holder: string, ttlMs: number): Promise<boolean> {
    // Decided by the server, in one step. A literal, because a text that begins with "$" would name a field.
    const mine = { $literal: holder };
    const isFree = { $or: [{ $eq: ["$h", mine] }, { $lte: ["$u", "$$NOW"] }] };
    const update = [
      { $set: { h: { $cond: [isFree, mine, "$h"] }, u: { $cond: [isFree, { $add: ["$$NOW", { $literal: ttlMs }] }, "$u"] } } },
    ];
    return contend(async () => {
      const doc = await this.#leases.findOneAndUpdate({ _id: name }, update, { ...DEADLINE, upsert: true, returnDocument: "after" });
      return doc?.h === holder;
    });
  }

  release(name: string, holder: string): Promise<void> {
    return guard(async () => {
      await this.#leases.deleteOne({ _id: name, h: holder }, DEADLINE);
    });
  }
}
