import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { BelfryError } from "../../../src/errors.js";
import { Admission, type Opening } from "../../../src/realtime/admission.js";
import {
  MAX_WAITING_OPENINGS,
  OPENING_MS,
  OPENING_WAIT_MS,
  OPENINGS_AT_ONCE,
  RETRY_OPENING_MAX_MS,
  RETRY_OPENING_MIN_MS,
} from "../../../src/realtime/limits.js";

/** One who comes to the gate. */
class Guest {
  opening: Opening | null = null;
  refusal: BelfryError | null = null;
  leave: () => void = () => {};

  constructor(gate: Admission) {
    gate
      .enter((left) => {
        this.leave = left;
      })
      .then(
        (opening) => {
          this.opening = opening;
        },
        (error: BelfryError) => {
          this.refusal = error;
        },
      );
  }
}

const crowd = (gate: Admission, count: number) => Array.from({ length: count }, () => new Guest(gate));
const inside = (guests: Guest[]) => guests.filter(({ opening }) => opening !== null);
const refused = (guests: Guest[]) => guests.filter(({ refusal }) => refusal !== null);

/** Time passes, and all that is ready runs. */
const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe("the gate in front of sessions", () => {
  it("lets in so many at once, the others in the order in which they came", async () => {
    const gate = new Admission();
    const guests = crowd(gate, OPENINGS_AT_ONCE + 3);
    await pass(0);
    expect(inside(guests)).toEqual(guests.slice(0, OPENINGS_AT_ONCE));
    expect(gate.waiting).toBe(3);
    guests[5]?.opening?.done();
    guests[5]?.opening?.done();
    await pass(0);
    expect(inside(guests)).toEqual(guests.slice(0, OPENINGS_AT_ONCE + 1));
    guests[1]?.leave();
    guests[2]?.opening?.done();
    await pass(0);
    expect(inside(guests)).toEqual(guests);
    expect(gate.waiting).toBe(0);
    for (const { opening } of guests) opening?.done();
    expect(inside(crowd(gate, 0))).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it("forgets who leaves while they wait", async () => {
    const gate = new Admission();
    const guests = crowd(gate, OPENINGS_AT_ONCE + 2);
    await pass(0);
    guests[OPENINGS_AT_ONCE]?.leave();
    await pass(0);
    expect(gate.waiting).toBe(1);
    expect(refused(guests)).toEqual([guests[OPENINGS_AT_ONCE]]);
    guests[0]?.opening?.done();
    await pass(0);
    expect(guests[OPENINGS_AT_ONCE + 1]?.opening).not.toBeNull();
  });

  it("gives no place to whoever left in the moment of their turn", async () => {
    const gate = new Admission();
    const guests = crowd(gate, OPENINGS_AT_ONCE + 1);
    await pass(0);
    const last = guests.at(-1) as Guest;
    guests[0]?.opening?.done();
    last.leave();
    await pass(0);
    const [next] = crowd(gate, 1);
    await pass(0);
    expect(next?.opening).not.toBeNull();
  });

  it("is not held up by an opening that hangs", async () => {
    const gate = new Admission();
    const guests = crowd(gate, OPENINGS_AT_ONCE + 1);
    await pass(OPENING_MS - 1);
    expect(inside(guests)).toHaveLength(OPENINGS_AT_ONCE);
    await pass(1);
    expect(inside(guests)).toHaveLength(OPENINGS_AT_ONCE + 1);
  });

  it("refuses who would wait too long, at once where that is certain", async () => {
    const gate = new Admission();
    const guests = crowd(gate, OPENINGS_AT_ONCE + MAX_WAITING_OPENINGS + 500);
    await pass(0);
    const atOnce = refused(guests).length;
    expect(atOnce).toBeGreaterThanOrEqual(500);
    expect(gate.waiting).toBeLessThanOrEqual(MAX_WAITING_OPENINGS);
    // Nobody is done: all places are given up again and again, each time after the longest that an opening may take.
    await pass(OPENING_WAIT_MS);
    expect(gate.waiting).toBe(0);
    expect(inside(guests).length + refused(guests).length).toBe(guests.length);
    expect(refused(guests).every(({ refusal }) => refusal?.code === "overloaded")).toBe(true);
  });

  it("tells those whom it refuses to come back later the more they are, spread over the time that all before them need", async () => {
    const gate = new Admission();
    const guests = crowd(gate, 20_000);
    await pass(0);
    const waits = refused(guests).map(({ refusal }) => refusal?.retryAfterMs as number);
    expect(waits.length).toBeGreaterThan(15_000);
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(RETRY_OPENING_MIN_MS);
      expect(wait).toBeLessThanOrEqual(RETRY_OPENING_MIN_MS + RETRY_OPENING_MAX_MS);
    }
    const mean = (some: number[]) => some.reduce((sum, wait) => sum + wait, 0) / some.length;
    expect(mean(waits.slice(-1_000))).toBeGreaterThan(1.5 * mean(waits.slice(0, 1_000)));
    // No second in which they all come.
    const bySecond = new Map<number, number>();
    for (const wait of waits) bySecond.set(Math.floor(wait / 1_000), (bySecond.get(Math.floor(wait / 1_000)) ?? 0) + 1);
    expect(Math.max(...bySecond.values())).toBeLessThan(waits.length / 8);
  });

  it("lets fewer wait where openings take long", async () => {
    const gate = new Admission();
    const slow = crowd(gate, 200);
    await pass(OPENING_MS);
    await pass(OPENING_MS);
    expect(inside(slow).length).toBeGreaterThan(2 * OPENINGS_AT_ONCE);
    const more = crowd(gate, 2_000);
    await pass(0);
    // Fewer than at first: what an opening takes is known by now.
    expect(gate.waiting).toBeLessThan(MAX_WAITING_OPENINGS / 2);
    expect(refused(more).length).toBeGreaterThan(0);
  });

  it("refuses all when the node stops, whoever waits too", async () => {
    const gate = new Admission();
    const guests = crowd(gate, OPENINGS_AT_ONCE + 2);
    await pass(0);
    gate.close();
    const [late] = crowd(gate, 1);
    await pass(0);
    expect(refused([...guests, late as Guest]).map(({ refusal }) => refusal?.code)).toEqual(["draining", "draining", "draining"]);
    for (const { opening } of guests) opening?.done();
    expect(jest.getTimerCount()).toBe(0);
  });
});
