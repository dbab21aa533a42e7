import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { Departure, type Leaver } from "../../../src/realtime/departure.js";
import { DRAIN_EACH_MS, DRAIN_SPREAD_MS, LAST_ANSWERS_MS } from "../../../src/realtime/limits.js";
import type { Farewell } from "../../../src/realtime/outlet.js";

class Visitor implements Leaver {
  toldAt: number | null = null;
  farewell: Farewell | null = null;
  times = 0;

  constructor(
    readonly connection: object = {},
    private readonly answers: Promise<void> = Promise.resolve(),
  ) {}

  settled(): Promise<void> {
    return this.answers;
  }

  end(farewell: Farewell): void {
    this.toldAt = performance.now();
    this.farewell = farewell;
    this.times++;
  }
}

const visitors = (count: number) => Array.from({ length: count }, () => new Visitor());

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

/** Resolves with how long it took by the faked clock. */
async function spread(departure: Departure): Promise<number> {
  const began = performance.now();
  let ms: number | null = null;
  void departure.spread().then(() => {
    ms = performance.now() - began;
  });
  while (ms === null) await jest.advanceTimersByTimeAsync(10);
  return ms;
}

describe("the departure of a stopping node's sessions", () => {
  it("takes a little time for each, so that few are gone at once", async () => {
    const few = visitors(3);
    expect(await spread(new Departure(() => few))).toBeLessThan(10 * DRAIN_EACH_MS);
    expect(few.every(({ times, farewell }) => times === 1 && farewell?.code === "draining" && farewell.reconnect)).toBe(true);
  });

  it("spreads many evenly, in an order of chance, over a time that is bounded", async () => {
    const many = visitors(5_000);
    const took = await spread(new Departure(() => many));
    expect(took).toBeGreaterThan(0.9 * DRAIN_SPREAD_MS);
    expect(took).toBeLessThan(1.1 * DRAIN_SPREAD_MS);
    expect(many.every(({ times }) => times === 1)).toBe(true);
    const first = Math.min(...many.map(({ toldAt }) => toldAt as number));
    for (let tenth = 1; tenth < 10; tenth++) {
      const count = many.filter(({ toldAt }) => (toldAt as number) - first < (tenth / 10) * took).length;
      expect(Math.abs(count - tenth * 500)).toBeLessThan(50);
    }
    // Not in the order in which they came: of neighbours about half are told the other way round.
    const turned = many.filter(({ toldAt }, index) => (toldAt as number) > (many[index + 1]?.toldAt ?? 0)).length;
    expect(turned).toBeGreaterThan(2_000);
  });

  it("tells the sessions of one connection together, and whoever comes meanwhile too", async () => {
    const connection = {};
    const all = [new Visitor(connection), ...visitors(20), new Visitor(connection)];
    const departure = new Departure(() => all);
    const took = spread(departure);
    all.push(new Visitor());
    await took;
    expect(all.every(({ times }) => times === 1)).toBe(true);
    expect(all[0]?.toldAt).toBe(all[21]?.toldAt);
    expect(all[0]?.farewell).toBe(all[21]?.farewell);
    all.push(new Visitor());
    departure.rest();
    await jest.advanceTimersByTimeAsync(0);
    expect(all.map(({ times }) => times)).toEqual(new Array(24).fill(1));
  });

  it("waits for answers, but not for ever", async () => {
    let answer: () => void = () => {};
    const asking = new Visitor(
      {},
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    const hanging = new Visitor({}, new Promise(() => {}));
    const done = spread(new Departure(() => [asking, hanging]));
    await jest.advanceTimersByTimeAsync(100);
    expect([asking.times, hanging.times]).toEqual([0, 0]);
    answer();
    await jest.advanceTimersByTimeAsync(1);
    expect([asking.times, hanging.times]).toEqual([1, 0]);
    expect(await done).toBeGreaterThanOrEqual(LAST_ANSWERS_MS);
    expect(hanging.times).toBe(1);
  });
});
