import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import mongoose from "mongoose";
import pino from "pino";
import { openMongoStore } from "../../src/storage/mongo/index.js";
import { mongoUrl } from "../support/mongo-url.js";
import { append, fresh, row } from "../support/rows.js";

const log = pino({ level: "silent" });

/** The collections that a version made which had taken so many steps, besides those of the steps before. */
const MADE = [
  ["entries", "publications", "bases", "marks", "inbox_states", "device_cursors", "members", "posts", "burials", "meta"],
  ["profiles", "preferences", "counters", "announcements", "settled", "watermarks", "tasks", "topics"],
  ["leases"],
  ["activity"],
  ["push_devices", "push_keys"],
];

describe("MongoDB, a database that an earlier version wrote", () => {
  let url: string;
  let connection: mongoose.Connection;
  let db: mongoose.mongo.Db;
  beforeEach(async () => {
    url = mongoUrl("migrations");
    connection = await mongoose.createConnection(url).asPromise();
    db = connection.db as mongoose.mongo.Db;
  });
  afterEach(async () => {
    await db.dropDatabase();
    await connection.close();
  });

  /** Collections and their indexes, by name. */
  async function layout(): Promise<Record<string, string[]>> {
    const collections = await db.collections();
    const indexes = collections.map(async (one) => [one.collectionName, (await one.indexes()).map(({ name }) => String(name)).sort()]);
    return Object.fromEntries(await Promise.all(indexes));
  }

  /** Takes away what the steps after `schema` made. */
  async function takeBack(schema: number): Promise<void> {
    for (const name of MADE.slice(schema).flat()) await db.dropCollection(name);
    await db.collection("meta").updateMany({}, { $set: { schema } });
  }

  it("is opened although the primary goes away in the middle", async () => {
    const { Collection, MongoNetworkError } = mongoose.mongo;
    const cut = () => {
      throw new MongoNetworkError("cut");
    };
    const spies = [
      jest.spyOn(Collection.prototype, "findOneAndUpdate").mockImplementationOnce(cut),
      jest.spyOn(Collection.prototype, "updateOne").mockImplementationOnce(cut),
    ];
    const store = await openMongoStore(url, log);
    try {
      for (const spy of spies) {
        expect(spy).toHaveBeenCalled();
        spy.mockRestore();
      }
      expect(Object.keys(await layout()).sort()).toEqual(MADE.flat().sort());
    } finally {
      await store.close();
    }
  });

  it("is opened although a write waits in vain for the other servers, and then without a write", async () => {
    const { Collection, MongoServerError } = mongoose.mongo;
    const spy = jest.spyOn(Collection.prototype, "findOneAndUpdate").mockImplementationOnce(() => {
      throw new MongoServerError({ message: "waiting for replication timed out", code: 64 });
    });
    try {
      await (await openMongoStore(url, log)).close();
      expect(spy).toHaveBeenCalledTimes(2);
      await (await openMongoStore(url, log)).close();
      expect(spy).toHaveBeenCalledTimes(2);
    } finally {
      spy.mockRestore();
    }
  });

  it.each([1, 2, 3, 4])("of schema %d gets what is new of a new database, and keeps what it has and its epoch", async (schema) => {
    const first = await openMongoStore(url, log);
    const expected = await layout();
    const epoch = await first.streams.epoch();
    const stream = fresh("s");
    await append(first.streams, row(stream, 1));
    await first.close();
    expect(Object.keys(expected).sort()).toEqual(MADE.flat().sort());
    await takeBack(schema);
    expect(Object.keys(await layout()).sort()).toEqual(MADE.slice(0, schema).flat().sort());

    const again = await openMongoStore(url, log);
    try {
      expect(await layout()).toEqual(expected);
      expect(await again.streams.epoch()).toBe(epoch);
      expect(await again.streams.read(stream, 0, 1, 1)).toHaveLength(1);
      expect(await again.preferences.setBlock({ user: "a", other: "b", blocked: true })).toBe(1);
    } finally {
      await again.close();
    }
  });

  it("is the same whoever comes first, where several nodes bring it up to date at once, and one begins again", async () => {
    await (await openMongoStore(url, log)).close();
    const expected = await layout();
    const meta = await db.collection("meta").findOne({});
    await takeBack(1);
    for (const schema of [1, 0]) {
      await db.collection("meta").updateMany({}, { $set: { schema } });
      const nodes = await Promise.all(Array.from({ length: 4 }, () => openMongoStore(url, log)));
      await Promise.all(nodes.map((node) => node.close()));
      expect(await layout()).toEqual(expected);
      expect(await db.collection("meta").findOne({})).toEqual(meta);
    }
  });
});
