import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { BelfryError } from "../../../src/errors.js";
import type { InboxChange } from "../../../src/inbox/index.js";
import { OutcomeUnknown, StreamLog } from "../../../src/stream/index.js";
import { type Embedded, openEmbedded, tell } from "../../support/embedded.js";
import { faulty } from "../../support/faulty-store.js";

let embedded: Embedded;

beforeEach(async () => {
  embedded = await openEmbedded();
});

afterEach(async () => {
  await embedded.close();
});

describe("an entry whose insert arrives after the writer has sent it again", () => {
  it("is stored once, and whoever listens learns that it is there", async () => {
    const log = new StreamLog({ store: faulty(embedded.stores.streams, ["late"]) });
    const heard: number[] = [];
    log.subscribe(
      (_stream, entry) => heard.push(entry.seq),
      (_stream, seq) => heard.push(seq),
    );
    const request = { id: "event-1", alias: null, key: "comment:1", kind: "notification", shared: "{}", note: "[]" };
    const published = await log.publish({ ...request, plan: [{ stream: "inbox:ada", own: "{}" }] });
    expect(published.results).toEqual([{ stream: "inbox:ada", seq: 1, mine: true }]);
    expect((await log.tail("inbox:ada")).head).toBe(1);
    expect(heard).toEqual([1]);
    await log.close();
  });
});

describe("a decision to write nothing", () => {
  it("is taken anew when another writer has gone on since the tail was read", async () => {
    const { log, inbox, stores } = embedded;
    const other = new StreamLog<InboxChange>({ store: stores.streams });
    await tell(embedded, "ada", "1");
    await inbox.markUpTo("ada", "read_all", undefined);
    await other.append("inbox:ada", { key: "elsewhere", kind: "notification", own: '{"reason":"direct"}', count: 1 });
    expect(await inbox.markUpTo("ada", "read_all", undefined)).toEqual({ seq: 4, unread: 0 });
    await other.append("inbox:ada", { key: "elsewhere-2", kind: "notification", own: '{"reason":"direct"}', count: 1 });
    expect(await inbox.markUpTo("ada", "read_all", 5)).toEqual({ seq: 6, unread: 0 });
    expect((await log.tail("inbox:ada")).head).toBe(6);
    await other.close();
  });
});

describe("a store that never tells what became of a write", () => {
  it("gets an end: the caller is told that nothing is confirmed, and closing does not hang", async () => {
    const clock = { now: 0 };
    const store = new Proxy(embedded.stores.streams, {
      get(target, name) {
        if (name === "append") {
          return () => {
            clock.now += 4_000;
            return Promise.reject(new OutcomeUnknown("lost"));
          };
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const log = new StreamLog({ store, clock: () => clock.now });
    const request = { id: "event-1", alias: null, key: "comment:1", kind: "notification", shared: "{}", note: "[]" };
    await expect(log.publish({ ...request, plan: [{ stream: "inbox:ada", own: "{}" }] })).rejects.toMatchObject({ code: "unavailable" });
    await expect(log.publish({ ...request, plan: [] })).rejects.toMatchObject({ code: "unavailable" });
    await log.close();
    await log.close();
  });
});

describe("a store that cannot be read", () => {
  it("fails everybody who has waited too long at once, not one after the other", async () => {
    const clock = { now: 0 };
    const away = () => {
      clock.now += 6_000;
      return Promise.reject(new BelfryError("unavailable", "away"));
    };
    const store = new Proxy(embedded.stores.streams, { get: (target, name) => (name === "tails" ? away : Reflect.get(target, name)) });
    const log = new StreamLog({ store, clock: () => clock.now });
    const waiting = Array.from({ length: 20 }, (_, index) => log.append("s", { key: `${index}`, kind: "read", own: "{}", count: 0 }));
    const settled = await Promise.allSettled(waiting);
    expect(settled.every(({ status }) => status === "rejected")).toBe(true);
    expect(clock.now).toBeLessThan(30_000);
    await log.close();
  });
});

describe("closing", () => {
  it("settles what was taken and refuses what comes later", async () => {
    const { log } = embedded;
    const taken = Array.from({ length: 500 }, (_, index) =>
      log.append(`inbox:${index % 7}`, { key: `key-${index}`, kind: "notification", own: "{}", count: 1 }),
    );
    const closed = log.close();
    const refused = log.append("inbox:late", { key: "late", kind: "notification", own: "{}", count: 1 });
    await expect(refused).rejects.toMatchObject({ code: "unavailable" });
    await closed;
    expect((await Promise.all(taken)).every(({ repeated }) => !repeated)).toBe(true);
    expect((await log.tail("inbox:0")).head).toBe(72);
  });
});
