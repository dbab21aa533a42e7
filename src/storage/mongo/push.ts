import type { mongo } from "mongoose";
import type { Progress, PushStore, Subscription, VapidKeys } from "../../push/types.js";
import { DEADLINE } from "./connection.js";
import { contend } from "./contend.js";
import { type Read, reader } from "./elections.js";
import { guard } from "./errors.js";
import type { PushDeviceDoc, PushKeysDoc } from "./push-schemas.js";
import { driverCollection, type Models } from "./schemas.js";

/** The id of the one document of keys. */
const KEYS = "vapid";

/** Devices that are told by push, in MongoDB, and the keys by which push services know this service, whichever node it is. */
export class MongoPush implements PushStore {
  readonly #devices: mongo.Collection<PushDeviceDoc>;
  readonly #keys: mongo.Collection<PushKeysDoc>;
  readonly #read: Read;

  constructor(models: Models) {
    this.#read = reader(models);
    this.#devices = driverCollection(models.pushDevices);
    this.#keys = driverCollection(models.pushKeys);
  }

  keys({ publicKey, privateKey }: VapidKeys): Promise<VapidKeys> {
    const update = { $setOnInsert: { p: publicKey, s: privateKey } };
    return contend(async () => {
      // Most often they are there. A start then writes nothing, and needs no server that takes writes.
      const known = await this.#keys.findOne({ _id: KEYS }, DEADLINE);
      const doc =
        known ?? (await this.#keys.findOneAndUpdate({ _id: KEYS }, update, { ...DEADLINE, upsert: true, returnDocument: "after" }));
      const { p, s } = doc as PushKeysDoc;
      return { publicKey: p, privateKey: s };
    });
  }

  async put(subscription: Subscription, max: number): Promise<Subscription> {
    const { id, user, endpoint, keys, createdAt, userAgent, cursor, failures, retryAt } = subscription;
    // Decided by the server, in one step. Literals, because a text that begins with "$" would name a field.
    const isSame = { $eq: ["$u", { $literal: user }] };
    const kept = (field: string, value: number) => ({ $cond: [isSame, field, { $literal: value }] });
    const said = { u: user, e: endpoint, p: keys.p256dh, a: keys.auth, g: userAgent };
    const literals = Object.fromEntries(Object.entries(said).map(([name, value]) => [name, { $literal: value }]));
    const state = { c: kept("$c", createdAt), n: kept("$n", cursor), f: kept("$f", failures), r: kept("$r", retryAt) };
    const update = [{ $set: { ...literals, ...state } }];
    const stored = await contend(async () => {
      const doc = await this.#devices.findOneAndUpdate({ _id: id }, update, { ...DEADLINE, upsert: true, returnDocument: "after" });
      return toSubscription(doc as PushDeviceDoc);
    });
    await guard(async () => {
      const options = { ...DEADLINE, sort: { c: -1, _id: 1 }, skip: Math.max(0, max - 1), projection: { _id: 1 } } as const;
      const old = await this.#devices.find({ u: user, _id: { $ne: id } }, options).toArray();
      if (old.length > 0) await this.#devices.deleteMany({ _id: { $in: old.map(({ _id }) => _id) }, u: user }, DEADLINE);
    });
    return stored;
  }

  find(id: string): Promise<Subscription | null> {
    return this.#read(async () => {
      const doc = await this.#devices.findOne({ _id: id }, DEADLINE);
      return doc === null ? null : toSubscription(doc);
    });
  }

  of(user: string): Promise<Subscription[]> {
    return this.#read(async () => {
      const docs = await this.#devices.find({ u: user }, { ...DEADLINE, sort: { c: 1, _id: -1 } }).toArray();
      return docs.map(toSubscription);
    });
  }

  remove(user: string, id: string): Promise<boolean> {
    return guard(async () => (await this.#devices.deleteOne({ _id: id, u: user }, DEADLINE)).deletedCount === 1);
  }

  page(after: string | null, limit: number): Promise<Subscription[]> {
    return this.#read(async () => {
      // A limit of 0 means "all" to MongoDB.
      if (limit <= 0) return [];
      const filter = after === null ? {} : { _id: { $gt: after } };
      return (await this.#devices.find(filter, { ...DEADLINE, sort: { _id: 1 }, limit, batchSize: limit }).toArray()).map(toSubscription);
    });
  }

  async progress(changes: Progress[]): Promise<void> {
    if (changes.length === 0) return;
    const writes = changes.map(({ id, user, cursor, failures, retryAt }) => ({
      updateOne: { filter: { _id: id, u: user }, update: { $set: { n: cursor, f: failures, r: retryAt } } },
    }));
    await guard(() => this.#devices.bulkWrite(writes, { ...DEADLINE, ordered: true }));
  }
}

function toSubscription({ _id, u, e, p, a, c, g, n, f, r }: PushDeviceDoc): Subscription {
  return { id: _id, user: u, endpoint: e, keys: { p256dh: p, auth: a }, createdAt: c, userAgent: g, cursor: n, failures: f, retryAt: r };
}
