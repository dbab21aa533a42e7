import { mongo } from "mongoose";
import type { InboxState, InboxStore, Mark } from "../../inbox/types.js";
import type { Cursor } from "../../stream/types.js";
import { DEADLINE } from "./connection.js";
import { type Read, reader } from "./elections.js";
import { guard } from "./errors.js";
import { type CursorDoc, driverCollection, type MarkDoc, type Models, type StateDoc } from "./schemas.js";

/** One device's position in one stream, as the device reports it. */
type Save = Parameters<InboxStore["saveDeviceCursors"]>[0][number];

/** Marks, watermarks and device cursors in MongoDB. Marks and watermarks are written with their entry, by companion.ts. */
export class MongoInbox implements InboxStore {
  readonly #models: Models;
  readonly #marks: mongo.Collection<MarkDoc>;
  readonly #cursors: mongo.Collection<CursorDoc>;
  readonly #read: Read;

  constructor(models: Models) {
    this.#read = reader(models);
    this.#models = models;
    this.#marks = driverCollection(models.marks);
    this.#cursors = driverCollection(models.cursors);
  }

  state(stream: string): Promise<InboxState> {
    return this.#read(async () => {
      const doc = await this.#models.states.findById(stream, null, DEADLINE).lean<StateDoc | null>();
      return doc === null ? { readAll: [], seenUpTo: 0 } : { readAll: doc.r, seenUpTo: doc.s };
    });
  }

  marks(stream: string, seqs: number[]): Promise<Mark[]> {
    return this.#find({ _id: { $in: seqs.map((n) => ({ s: stream, n })) } }, seqs.length);
  }

  archived(stream: string, from: number, before: number, limit: number): Promise<Mark[]> {
    return this.#find({ "_id.s": stream, "_id.n": { $gte: from, $lt: before }, a: { $exists: true } }, limit);
  }

  markedUnread(stream: string, from: number, before: number, limit: number): Promise<Mark[]> {
    return this.#find({ "_id.s": stream, "_id.n": { $gte: from, $lt: before }, u: true }, limit);
  }

  deleteMarks(stream: string, base: number): Promise<void> {
    return guard(async () => {
      await this.#marks.deleteMany({ _id: { $gte: { s: stream, n: 0 }, $lt: { s: stream, n: base } } }, DEADLINE);
    });
  }

  deviceCursors(user: string, device: string): Promise<Record<string, Cursor> | null> {
    return this.#read(async () => {
      const docs = await this.#cursors.find(ofDevice(user, device), DEADLINE).toArray();
      if (docs.length === 0) return null;
      return Object.fromEntries(docs.map(({ _id, e, n }) => [_id.s, { epoch: e, seq: n }]));
    });
  }

  saveDeviceCursors(saves: Save[], maxDevices: number): Promise<void> {
    return guard(async () => {
      if (saves.length === 0) return;
      // Of two saves for one place the later counts; the writes themselves go unordered.
      const newest = new Map(saves.map((save) => [JSON.stringify([save.user, save.device, save.stream]), save]));
      const kept = [...newest.values()];
      const result = await this.#cursors.bulkWrite(
        kept.map(({ user, device, stream, epoch, seq, at }) => ({
          replaceOne: { filter: { _id: { u: user, d: device, s: stream } }, replacement: { e: epoch, n: seq, t: at }, upsert: true },
        })),
        { ...DEADLINE, ordered: false },
      );
      // Only a place that is new can put a member over the limit.
      const grown = new Set(Object.keys(result.upsertedIds).map((index) => (kept[Number(index)] as Save).user));
      for (const user of grown) await this.#forgetOldDevices(user, maxDevices);
    });
  }

  async #forgetOldDevices(user: string, maxDevices: number): Promise<void> {
    const docs = await this.#cursors.find(ofUser(user), { ...DEADLINE, projection: { t: 1 } }).toArray();
    const lastUse = new Map<string, number>();
    for (const { _id, t } of docs) lastUse.set(_id.d, Math.max(t, lastUse.get(_id.d) ?? 0));
    const devices = [...lastUse].sort(([, one], [, other]) => other - one).map(([device]) => device);
    for (const device of devices.slice(maxDevices)) await this.#cursors.deleteMany(ofDevice(user, device), DEADLINE);
  }

  #find(filter: mongo.Filter<MarkDoc>, limit: number): Promise<Mark[]> {
    return this.#read(async () => {
      // A limit of 0 means "all" to MongoDB.
      if (limit <= 0) return [];
      const docs = await this.#marks.find(filter, { ...DEADLINE, sort: { "_id.n": -1 }, limit }).toArray();
      return docs.map(toMark);
    });
  }
}

function toMark({ _id, r, t, a, x }: MarkDoc): Mark {
  return { seq: _id.n, readSeq: r, readAt: t ?? null, archivedAt: a ?? null, rescinded: x ?? null };
}

/** Ranges of ids: documents compare field by field, and a shorter one comes before the longer ones that begin like it. */
function ofUser(user: string): mongo.Filter<CursorDoc> {
  return { _id: { $gte: { u: user }, $lt: { u: user, d: new mongo.MaxKey() } } } as unknown as mongo.Filter<CursorDoc>;
}
function ofDevice(user: string, device: string): mongo.Filter<CursorDoc> {
  return {
    _id: { $gte: { u: user, d: device }, $lt: { u: user, d: device, s: new mongo.MaxKey() } },
  } as unknown as mongo.Filter<CursorDoc>;
}
