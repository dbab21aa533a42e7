import type { mongo } from "mongoose";
import type { Access, TopicStore, TopicValue } from "../../topics/types.js";
import { DEADLINE } from "./connection.js";
import { contend } from "./contend.js";
import { type Read, reader } from "./elections.js";
import { driverCollection, type Models, type TopicDoc } from "./schemas.js";

/** The latest values of topics, in MongoDB. */
export class MongoTopics implements TopicStore {
  readonly #topics: mongo.Collection<TopicDoc>;
  readonly #read: Read;

  constructor(models: Models) {
    this.#read = reader(models);
    this.#topics = driverCollection(models.topics);
  }

  write(topic: string, data: string, access: Access | undefined, at: number): Promise<TopicValue> {
    const value = { t: at, o: data };
    const update: mongo.UpdateFilter<TopicDoc> =
      access === undefined
        ? { $inc: { n: 1 }, $set: value, $setOnInsert: { a: "members" } }
        : { $inc: { n: 1 }, $set: { ...value, a: access } };
    return contend(async () => {
      const doc = await this.#topics.findOneAndUpdate({ _id: topic }, update, { ...DEADLINE, upsert: true, returnDocument: "after" });
      return toValue(doc as TopicDoc);
    });
  }

  read(topics: string[]): Promise<Map<string, TopicValue>> {
    return this.#read(async () => {
      const docs = await this.#topics.find({ _id: { $in: topics } }, DEADLINE).toArray();
      return new Map(docs.map((doc) => [doc._id, toValue(doc)]));
    });
  }

  count(): Promise<number> {
    return this.#read(() => this.#topics.countDocuments({}, DEADLINE));
  }
}

function toValue({ _id, n, t, o, a }: TopicDoc): TopicValue {
  return { topic: _id, seq: n, at: t, data: o, access: a };
}
