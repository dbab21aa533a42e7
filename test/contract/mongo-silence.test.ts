import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import mongoose from "mongoose";
import { StreamLog } from "../../src/stream/index.js";
import { openTemporaryMongo } from "../support/open-stores.js";
import type { StoreUnderTest } from "./stores/under-test.js";

/** The driver waits for ever for a socket that was reset in the wrong moment; here it does so for the next command. */
function silenceOnce(method: "command", which: (command: object) => boolean) {
  const real = mongoose.mongo.Db.prototype[method];
  let isOver = false;
  return jest.spyOn(mongoose.mongo.Db.prototype, method).mockImplementation(function (this: mongoose.mongo.Db, ...args) {
    if (isOver || !which(args[0])) return real.apply(this, args);
    isOver = true;
    return new Promise(() => {});
  });
}

describe("MongoDB, where the driver never answers a call", () => {
  let store: StoreUnderTest;
  let log: StreamLog;
  beforeAll(async () => {
    store = await openTemporaryMongo();
    log = new StreamLog({ store: store.stores.streams });
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  afterAll(async () => {
    await log.close();
    await store.destroy();
  });

  const append = (key: string) => log.append("s", { key, kind: "notification", own: "{}", count: 1 });

  it("stores what was to be written after all, once, and goes on writing", async () => {
    await append("before");
    const spy = silenceOnce("command", (command) => "insert" in command);
    expect(await append("unanswered")).toMatchObject({ seq: 2, repeated: false });
    expect(spy).toHaveBeenCalled();
    expect(await append("after")).toMatchObject({ seq: 3 });
  });

  it("ends the wait for an election that nobody tells the end of", async () => {
    const other = await store.reopen();
    const spy = silenceOnce("command", (command) => "hello" in command);
    const read = other.streams.tails(["s"]);
    await read.catch(() => {});
    expect(spy).toHaveBeenCalled();
    expect((await other.streams.tails(["s"])).get("s")).toMatchObject({ head: 3 });
  });
});
