import type { mongo } from "mongoose";
import type { Acquaintance, MemberChange, MemberRecord, MemberStore, Registration, Sanction } from "../../members/types.js";
import { DEADLINE } from "./connection.js";
import { contend } from "./contend.js";
import { type Read, reader } from "./elections.js";
import { driverCollection, type Models, type ProfileDoc, type SanctionDoc } from "./schemas.js";

/** Who is known, in MongoDB. Sanctions are written with their entry of the audit log, by companion.ts. */
export class MongoMembers implements MemberStore {
  readonly #profiles: mongo.Collection<ProfileDoc>;
  readonly #read: Read;

  constructor(models: Models) {
    this.#read = reader(models);
    this.#profiles = driverCollection(models.profiles);
  }

  find(users: string[]): Promise<Map<string, MemberRecord>> {
    return this.#read(async () => {
      const docs = await this.#profiles.find({ _id: { $in: users } }, DEADLINE).toArray();
      return new Map(docs.map((doc) => [doc._id, toRecord(doc)]));
    });
  }

  async meet(members: Acquaintance[]): Promise<void> {
    if (members.length === 0) return;
    // The writes go unordered, so each member is once in them.
    const merged = new Map<string, Acquaintance>();
    for (const member of members) {
      const before = merged.get(member.user);
      merged.set(member.user, before === undefined ? member : { ...before, ...given(member), at: Math.min(before.at, member.at) });
    }
    const writes = [...merged.values()].map(({ user, at, name, roles }) => ({
      updateOne: { filter: { _id: user }, update: { $min: { j: at }, ...knownOf(name, roles) }, upsert: true },
    }));
    await contend(() => this.#profiles.bulkWrite(writes, { ...DEADLINE, ordered: false }));
  }

  register({ user, name, roles, joinedAt }: Registration, at: number): Promise<MemberRecord> {
    const { $set, $setOnInsert } = knownOf(name, roles);
    const update =
      joinedAt === undefined ? { $set, $setOnInsert: { ...$setOnInsert, j: at } } : { $set: { ...$set, j: joinedAt }, $setOnInsert };
    return contend(async () => {
      const doc = await this.#profiles.findOneAndUpdate({ _id: user }, update, { ...DEADLINE, upsert: true, returnDocument: "after" });
      return toRecord(doc as ProfileDoc);
    });
  }

  page(after: string | null, limit: number): Promise<MemberRecord[]> {
    return this.#read(async () => {
      // A limit of 0 means "all" to MongoDB.
      if (limit <= 0) return [];
      const filter = after === null ? {} : { _id: { $gt: after } };
      const docs = await this.#profiles.find(filter, { ...DEADLINE, sort: { _id: 1 }, limit, batchSize: limit }).toArray();
      return docs.map(toRecord);
    });
  }
}

/** Lays a mute or ban on a member, or takes it away, within the transaction of its entry. One who is not known stays unknown. */
export async function writeSanctions(models: Models, { user, mute, ban }: MemberChange, session: mongo.ClientSession): Promise<void> {
  const $set: Partial<ProfileDoc> = {};
  const $unset: { m?: true; b?: true } = {};
  if (mute === null) $unset.m = true;
  else if (mute !== undefined) $set.m = toSanctionDoc(mute);
  if (ban === null) $unset.b = true;
  else if (ban !== undefined) $set.b = toSanctionDoc(ban);
  await driverCollection(models.profiles).updateOne({ _id: user }, { $set, $unset }, { ...DEADLINE, session });
}

/** What replaces the name and the roles where they are given; a new member has no roles otherwise. */
function knownOf(name: string | undefined, roles: string[] | undefined) {
  const $set: Partial<ProfileDoc> = {};
  if (name !== undefined) $set.n = name;
  if (roles !== undefined) $set.r = roles;
  const $setOnInsert: Partial<ProfileDoc> = roles === undefined ? { r: [] } : {};
  return { $set, $setOnInsert };
}

function given({ name, roles }: Acquaintance): Partial<Acquaintance> {
  return { ...(name === undefined ? {} : { name }), ...(roles === undefined ? {} : { roles }) };
}

function toRecord({ _id, n, r, j, m, b }: ProfileDoc): MemberRecord {
  return { user: _id, name: n ?? null, roles: r, joinedAt: j, mute: toSanction(m), ban: toSanction(b) };
}

function toSanction(doc: SanctionDoc | undefined): Sanction | null {
  return doc === undefined ? null : { until: doc.u ?? null, why: doc.w, by: doc.b, at: doc.t };
}

function toSanctionDoc({ until, why, by, at }: Sanction): SanctionDoc {
  return until === null ? { w: why, b: by, t: at } : { u: until, w: why, b: by, t: at };
}
