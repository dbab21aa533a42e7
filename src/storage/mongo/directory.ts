import type { DirectoryStore, KnownMember, KnownPost } from "../../community/types.js";
import { DEADLINE } from "./connection.js";
import { type Read, reader } from "./elections.js";
import { guard } from "./errors.js";
import type { MemberDoc, Models, PostDoc } from "./schemas.js";

/** What was learned of the forum's members and posts, in MongoDB. */
export class MongoDirectory implements DirectoryStore {
  readonly #models: Models;
  readonly #read: Read;

  constructor(models: Models) {
    this.#read = reader(models);
    this.#models = models;
  }

  learn(members: KnownMember[], posts: KnownPost[]): Promise<void> {
    return guard(async () => {
      await Promise.all([this.#learnMembers(members), this.#learnPosts(posts)]);
    });
  }

  membersByUsername(usernames: string[]): Promise<Map<string, string>> {
    return this.#read(async () => {
      const docs = await this.#readMembers(usernames.map((username) => username.toLowerCase()));
      return new Map(docs.map(({ _id, u }) => [_id, u]));
    });
  }

  postAuthors(topic: string, numbers: number[]): Promise<Map<number, string>> {
    return this.#read(async () => {
      const ids = numbers.map((n) => ({ t: topic, n }));
      const docs = await this.#models.posts.find({ _id: { $in: ids } }, null, DEADLINE).lean<PostDoc[]>();
      return new Map(docs.map(({ _id, u }) => [_id.n, u]));
    });
  }

  /** Every post of a member names the member, so most of what is learned is known: reading it is cheaper than a durable write. */
  async #learnMembers(members: KnownMember[]): Promise<void> {
    const latest = new Map(members.map((member) => [member.username.toLowerCase(), member]));
    if (latest.size === 0) return;
    const known = new Map((await this.#readMembers([...latest.keys()])).map((doc) => [doc._id, doc]));
    const changed: MemberDoc[] = [];
    for (const [_id, { id, name, avatar }] of latest) {
      const doc = known.get(_id);
      if (doc !== undefined && doc.u === id && doc.n === name && doc.a === avatar) continue;
      const next: MemberDoc = { _id, u: id };
      if (name !== undefined) next.n = name;
      if (avatar !== undefined) next.a = avatar;
      changed.push(next);
    }
    if (changed.length === 0) return;
    const writes = changed.map((doc) => ({ replaceOne: { filter: { _id: doc._id }, replacement: doc, upsert: true } }));
    await this.#models.members.bulkWrite(writes, { ordered: false });
  }

  async #learnPosts(posts: KnownPost[]): Promise<void> {
    const latest = new Map(posts.map((post) => [JSON.stringify([post.topic, post.number]), post]));
    if (latest.size === 0) return;
    const writes = [...latest.values()].map(({ topic, number, author }) => ({
      updateOne: { filter: { _id: { t: topic, n: number } }, update: { $set: { u: author } }, upsert: true },
    }));
    await this.#models.posts.bulkWrite(writes, { ordered: false });
  }

  #readMembers(usernames: string[]): Promise<MemberDoc[]> {
    return this.#models.members.find({ _id: { $in: usernames } }, null, DEADLINE).lean<MemberDoc[]>();
  }
}
