import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import mongoose from "mongoose";
import pino from "pino";
import { openMongoStore } from "../../src/storage/mongo/index.js";
import type { Companion, Stores } from "../../src/storage/types.js";
import { StreamLog } from "../../src/stream/index.js";
import { mongoUrl } from "../support/mongo-url.js";
import { fresh } from "../support/rows.js";

const url = mongoUrl("orphans");

/**
 * Each write would wait for a minute, which is how long MongoDB keeps such a transaction, and be given up after ten seconds at the most: so
 * that it is stored at all is the promise.
 */
describe("MongoDB, where a process was killed in the midst of a transaction", () => {
  let stores: Stores;
  let log: StreamLog<Companion>;
  let dead: mongoose.mongo.MongoClient;
  beforeAll(async () => {
    stores = await openMongoStore(url, pino({ level: "silent" }));
    log = new StreamLog<Companion>({ store: stores.streams });
    dead = await new mongoose.mongo.MongoClient(url, { appName: "belfry" }).connect();
  });
  afterAll(async () => {
    await log.close();
    await stores.close();
    await dead.db().dropDatabase();
    await dead.close(true);
  });

  /** Writes in a transaction that never ends, as far as its own process is concerned. */
  async function leave(write: (db: mongoose.mongo.Db, session: mongoose.mongo.ClientSession) => Promise<unknown>): Promise<void> {
    const session = dead.startSession();
    session.startTransaction();
    await write(dead.db(), session);
  }

  const leaveEntry = (stream: string, seq: number) =>
    leave((db, session) =>
      db
        .collection<{ _id: object }>("entries")
        .insertOne({ _id: { s: stream, n: seq }, k: "dead", d: "x", t: 1, u: 0, o: "{}" } as never, { session }),
    );

  it("stores what is decided on the stream whose next place it held", async () => {
    const stream = fresh("audit");
    await leaveEntry(stream, 1);
    const { seq } = await log.transact(stream, async () => ({
      draft: { key: "act", kind: "act", own: "{}", count: 0 },
      companion: { of: "member", user: "nobody", mute: null },
    }));
    expect(seq).toBe(1);
  }, 40_000);

  it("stores a plain entry there, and those of other streams with it", async () => {
    const stream = fresh("inbox");
    await leaveEntry(stream, 1);
    const draft = (key: string) => ({ key, kind: "notification", own: "{}", count: 1 });
    const appended = await Promise.all([log.append(stream, draft("one")), log.append(fresh("inbox"), draft("other"))]);
    expect(appended.map(({ seq, repeated }) => [seq, repeated])).toEqual([
      [1, false],
      [1, false],
    ]);
  }, 40_000);

  it("stores a setting, although it held the counter of their versions", async () => {
    await stores.preferences.setLevel({ user: "u", scope: "all", id: "", level: "normal", until: null });
    await leave((db, session) =>
      db.collection<{ _id: string }>("counters").updateOne({ _id: "preferences" }, { $inc: { n: 1 } }, { session }),
    );
    const version = await stores.preferences.setLevel({ user: "u", scope: "all", id: "", level: "muted", until: null });
    expect(version).toBe(2);
  }, 40_000);
});
