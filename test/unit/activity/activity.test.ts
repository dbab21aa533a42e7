import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { Activity } from "../../../src/activity/index.js";
import type { ActivityStore, MinuteRow } from "../../../src/activity/types.js";
import { BelfryError } from "../../../src/errors.js";
import { Distribution } from "../../../src/telemetry/distribution.js";

const MINUTE = 60_000;
/** A minute begins. */
const T0 = Date.UTC(2026, 10, 21, 12, 0);

/** A store in memory, which can be away. */
class Rows implements ActivityStore {
  readonly rows = new Map<string, MinuteRow>();
  fault: Error | null = null;
  saves = 0;

  async save(rows: MinuteRow[]): Promise<void> {
    this.saves++;
    if (this.fault !== null) throw this.fault;
    for (const row of rows) this.rows.set(`${row.at} ${row.process}`, structuredClone(row));
  }

  async since(from: number): Promise<MinuteRow[]> {
    return [...this.rows.values()].filter(({ at }) => at >= from);
  }

  async forget(before: number): Promise<void> {
    for (const [key, { at }] of this.rows) if (at < before) this.rows.delete(key);
  }
}

/** A process whose counters the test moves. */
function node(store: Rows, process: string) {
  const counts = { events: 0, entries: 0, delivered: 0, replayed: 0 };
  const ingest = new Distribution([0.001, 0.01]);
  const delivery = new Distribution([0.001, 0.005, 0.05]);
  const state = { sessions: 0 };
  const errors: unknown[] = [];
  const activity = new Activity({
    store,
    process,
    totals: () => ({ ...counts, ingest, delivery }),
    sessions: () => state.sessions,
    onError: (error) => errors.push(error),
  });
  activity.start();
  return { activity, counts, ingest, delivery, state, errors };
}

let store: Rows;
beforeEach(() => {
  jest.useFakeTimers({ now: T0 });
  store = new Rows();
});
afterEach(() => {
  jest.useRealTimers();
});

const last = async (activity: Activity, back = 0) => (await activity.lastHour()).at(-1 - back);

describe("activity", () => {
  it("tells sixty minutes, oldest first, and of those that nobody wrote that nothing is known", async () => {
    const { activity } = node(store, "a");
    const minutes = await activity.lastHour();
    expect(minutes.map(({ at }) => Date.parse(at))).toEqual(Array.from({ length: 60 }, (_, index) => T0 + (index - 59) * MINUTE));
    expect(minutes[58]).toEqual({
      at: "2026-11-21T11:59:00.000Z",
      events: 0,
      entries: 0,
      delivered: 0,
      replayed: 0,
      sessions: 0,
      processes: 0,
      ingestMs: null,
      deliveryMs: null,
    });
    expect(minutes[59]).toMatchObject({ processes: 1, events: 0 });
  });

  it("tells at once what this process has done this minute, and counts each thing in its minute only", async () => {
    const { activity, counts } = node(store, "a");
    counts.events = 5;
    counts.entries = 7;
    expect(await last(activity)).toMatchObject({ events: 5, entries: 7 });
    await jest.advanceTimersByTimeAsync(MINUTE);
    counts.events = 6;
    expect([await last(activity, 1), await last(activity)]).toMatchObject([
      { events: 5, entries: 7 },
      { events: 1, entries: 0 },
    ]);
  });

  it("does not count what was there before it began", async () => {
    const counts = { events: 100, entries: 0, delivered: 0, replayed: 0 };
    const [ingest, delivery] = [new Distribution([1]), new Distribution([1])];
    delivery.observe(0.5, 10);
    const activity = new Activity({
      store,
      process: "a",
      totals: () => ({ ...counts, ingest, delivery }),
      sessions: () => 0,
      onError: () => {},
    });
    expect(await last(activity)).toMatchObject({ events: 0, deliveryMs: null });
  });

  it("adds up all processes, as late as they write, and keeps what one wrote that is gone", async () => {
    const [one, other] = [node(store, "a"), node(store, "b")];
    one.counts.delivered = 3;
    one.state.sessions = 2;
    other.counts.delivered = 4;
    other.state.sessions = 1;
    expect(await last(one.activity)).toMatchObject({ delivered: 3, processes: 1 });
    await jest.advanceTimersByTimeAsync(5_000);
    expect(await last(one.activity)).toMatchObject({ delivered: 7, sessions: 3, processes: 2 });
    other.state.sessions = 0;
    await other.activity.stop();
    expect(await last(one.activity)).toMatchObject({ delivered: 7, sessions: 2 });
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(await last(one.activity, 1)).toMatchObject({ delivered: 7 });
    expect(await last(one.activity)).toMatchObject({ delivered: 0, processes: 1 });
  });

  it("says within how many milliseconds half, and 99 of 100, were, over all processes", async () => {
    const [one, other] = [node(store, "a"), node(store, "b")];
    one.delivery.observe(0.0004, 98);
    one.ingest.observe(20);
    other.delivery.observe(0.004, 1);
    other.delivery.observe(0.04, 2);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(await last(one.activity)).toMatchObject({ deliveryMs: { p50: 1, p99: 50 }, ingestMs: { p50: 10, p99: 10 } });
    await jest.advanceTimersByTimeAsync(MINUTE);
    one.delivery.observe(0.004);
    expect(await last(one.activity)).toMatchObject({ deliveryMs: { p50: 5, p99: 5 }, ingestMs: null });
  });

  it("writes every five seconds where something has changed, and once a minute where nothing has", async () => {
    const { counts } = node(store, "a");
    await jest.advanceTimersByTimeAsync(5_000);
    const begun = store.saves;
    await jest.advanceTimersByTimeAsync(50_000);
    expect(store.saves).toBe(begun);
    counts.events++;
    await jest.advanceTimersByTimeAsync(4_999);
    expect(store.saves).toBe(begun);
    await jest.advanceTimersByTimeAsync(1);
    expect(store.saves).toBe(begun + 1);
    expect([...store.rows.values()].map(({ at, events }) => [at - T0, events])).toContainEqual([0, 1]);
  });

  it("writes what a store that was away has missed, and complains of an outage once", async () => {
    const { activity, counts, errors } = node(store, "a");
    store.fault = new BelfryError("unavailable");
    for (let minute = 1; minute <= 3; minute++) {
      counts.events += minute;
      await jest.advanceTimersByTimeAsync(MINUTE);
    }
    expect(errors).toHaveLength(1);
    expect(store.rows.size).toBe(0);
    expect((await activity.lastHour()).slice(-4).map(({ events }) => events)).toEqual([1, 2, 3, 0]);
    store.fault = null;
    await jest.advanceTimersByTimeAsync(5_000);
    expect([...store.rows.values()].map(({ events }) => events)).toEqual([1, 2, 3, 0]);
    store.fault = new BelfryError("unavailable");
    counts.events++;
    await jest.advanceTimersByTimeAsync(5_000);
    expect(errors).toHaveLength(2);
  });

  it("forgets what is a day old", async () => {
    node(store, "a");
    for (const age of [24 * 60 + 2, 23 * 60]) {
      const at = T0 - age * MINUTE;
      await store.save([{ at, process: "old", events: 1, entries: 0, delivered: 0, replayed: 0, sessions: 0, ingest: {}, delivery: {} }]);
    }
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect([...store.rows.values()].filter(({ process }) => process === "old").map(({ at }) => (T0 - at) / MINUTE)).toEqual([23 * 60]);
  });

  it("writes the last of it when it stops, and nothing after", async () => {
    const { activity, counts } = node(store, "a");
    counts.events = 9;
    await activity.stop();
    expect([...store.rows.values()]).toMatchObject([{ at: T0, events: 9 }]);
    counts.events = 10;
    await jest.advanceTimersByTimeAsync(2 * MINUTE);
    expect(store.saves).toBe(1);
  });
});
