import type { mongo } from "mongoose";
import type { Announcement, AnnouncementChange, AnnouncementRecord, AnnouncementStore, Settled } from "../../announcements/types.js";
import { DEADLINE } from "./connection.js";
import { type Read, reader } from "./elections.js";
import { DUPLICATE_KEY, guard, serverCode } from "./errors.js";
import { type AnnouncementDoc, driverCollection, type Models, type SettledDoc } from "./schemas.js";
import { MongoWatermarks } from "./watermarks.js";

/** Announcements in MongoDB. Those that make an entry, and what members settle, are written with the entry, by companion.ts. */
export class MongoAnnouncements implements AnnouncementStore {
  readonly #models: Models;
  readonly #announcements: mongo.Collection<AnnouncementDoc>;
  readonly #settled: mongo.Collection<SettledDoc>;
  readonly pass: AnnouncementStore["pass"];
  readonly watermarks: AnnouncementStore["watermarks"];
  readonly #read: Read;

  constructor(models: Models) {
    this.#read = reader(models);
    this.#models = models;
    this.#announcements = driverCollection(models.announcements);
    this.#settled = driverCollection(models.settled);
    const watermarks = new MongoWatermarks(models);
    this.pass = watermarks.pass.bind(watermarks);
    this.watermarks = watermarks.of.bind(watermarks);
  }

  find(id: string): Promise<AnnouncementRecord | null> {
    return this.#read(async () => {
      const doc = await this.#announcements.findOne({ _id: id }, DEADLINE);
      return doc === null ? null : toRecord(doc);
    });
  }

  current(): Promise<AnnouncementRecord[]> {
    return this.#read(async () => {
      const filter: mongo.Filter<AnnouncementDoc> = { s: { $in: ["scheduled", "live"] } };
      return (await this.#announcements.find(filter, { ...DEADLINE, sort: { c: 1, _id: 1 } }).toArray()).map(toRecord);
    });
  }

  page(before: { createdAt: number; id: string } | null, limit: number): Promise<AnnouncementRecord[]> {
    return this.#read(async () => {
      // A limit of 0 means "all" to MongoDB.
      if (limit <= 0) return [];
      const filter: mongo.Filter<AnnouncementDoc> =
        before === null ? {} : { $or: [{ c: { $lt: before.createdAt } }, { c: before.createdAt, _id: { $lt: before.id } }] };
      const docs = await this.#announcements.find(filter, { ...DEADLINE, sort: { c: -1, _id: -1 }, limit, batchSize: limit }).toArray();
      return docs.map(toRecord);
    });
  }

  save(record: AnnouncementRecord): Promise<boolean> {
    return guard(() => writeRecord(this.#models, record));
  }

  settledOf(user: string, announcements: string[]): Promise<Map<string, Settled>> {
    return this.#findSettled(
      announcements.map((a) => ({ u: user, a })),
      ({ a }) => a,
    );
  }

  settledBy(announcement: string, users: string[]): Promise<Map<string, Settled>> {
    return this.#findSettled(
      users.map((u) => ({ u, a: announcement })),
      ({ u }) => u,
    );
  }

  #findSettled(ids: Array<SettledDoc["_id"]>, name: (id: SettledDoc["_id"]) => string): Promise<Map<string, Settled>> {
    return this.#read(async () => {
      const docs = await this.#settled.find({ _id: { $in: ids } }, DEADLINE).toArray();
      return new Map(docs.map(({ _id, d, k }) => [name(_id), { dismissedAt: d ?? null, acknowledgedAt: k ?? null }]));
    });
  }
}

/** Stores a record where the stored revision is one less, or there is none before the first. Resolves with whether it was stored. */
export async function writeRecord(models: Models, record: AnnouncementRecord, session?: mongo.ClientSession): Promise<boolean> {
  const announcements = driverCollection(models.announcements);
  const options = session === undefined ? DEADLINE : { ...DEADLINE, session };
  const doc = toDoc(record);
  if (record.revision > 1) {
    const { matchedCount } = await announcements.replaceOne({ _id: doc._id, v: doc.v - 1 }, doc, options);
    return matchedCount === 1;
  }
  try {
    await announcements.insertOne(doc, options);
    return true;
  } catch (error) {
    if (serverCode(error) !== DUPLICATE_KEY) throw error;
    return false;
  }
}

/** Merges what a member has settled, within the transaction of its entry. */
export async function writeSettled(
  models: Models,
  { user, announcement, settled }: Extract<AnnouncementChange, { of: "settled" }>,
  session: mongo.ClientSession,
): Promise<void> {
  const $set: Pick<SettledDoc, "d" | "k"> = {};
  if (settled.dismissedAt !== null) $set.d = settled.dismissedAt;
  if (settled.acknowledgedAt !== null) $set.k = settled.acknowledgedAt;
  const _id = { u: user, a: announcement };
  await driverCollection(models.settled).updateOne({ _id }, { $set }, { ...DEADLINE, session, upsert: true });
}

function toDoc({ id, revision, state, announcement, createdAt, startsAt, expiresAt, endedAt, why, seq }: AnnouncementRecord) {
  const doc: AnnouncementDoc = { _id: id, v: revision, s: state, o: JSON.stringify(announcement), c: createdAt };
  if (startsAt !== null) doc.f = startsAt;
  if (expiresAt !== null) doc.u = expiresAt;
  if (endedAt !== null) doc.e = endedAt;
  if (why !== null) doc.w = why;
  if (seq !== null) doc.n = seq;
  return doc;
}

function toRecord({ _id, v, s, o, c, f, u, e, w, n }: AnnouncementDoc): AnnouncementRecord {
  return {
    id: _id,
    revision: v,
    state: s,
    announcement: JSON.parse(o) as Announcement,
    createdAt: c,
    startsAt: f ?? null,
    expiresAt: u ?? null,
    endedAt: e ?? null,
    why: w ?? null,
    seq: n ?? null,
  };
}
