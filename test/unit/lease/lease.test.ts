import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { BelfryError } from "../../../src/errors.js";
import { Lease, type LeaseStore } from "../../../src/lease/index.js";

/** How long a lease holds in the store, and for how long its holder trusts it. Milliseconds. */
const TTL_MS = 10_000;
const TRUSTED_MS = 9_000;

/** By when another holder has a lease that was not given back. Milliseconds. */
const TAKEOVER_MS = 13_400;

/** Leases in memory, by the clock of the test. */
class MemoryLeases implements LeaseStore {
  holder: string | null = null;
  until = 0;
  takes = 0;
  releases = 0;
  /** Awaited before and after the store decides. */
  before: () => Promise<void> = async () => {};
  after: () => Promise<void> = async () => {};

  async take(_name: string, holder: string, ttlMs: number): Promise<boolean> {
    this.takes++;
    await this.before();
    const taken = this.holder === null || this.holder === holder || this.until <= Date.now();
    if (taken) [this.holder, this.until] = [holder, Date.now() + ttlMs];
    await this.after();
    return taken;
  }

  async release(_name: string, holder: string): Promise<void> {
    this.releases++;
    if (this.holder === holder) this.holder = null;
  }
}

let store: MemoryLeases;
const leases: Lease[] = [];

beforeEach(() => {
  jest.useFakeTimers();
  store = new MemoryLeases();
});
afterEach(async () => {
  for (const lease of leases.splice(0)) await lease.stop();
  jest.useRealTimers();
});

/** A process that wants the lease. `ahead` is added to its clocks, as if it had stood still for so long. */
function want(holder: string, on: LeaseStore = store) {
  const errors: unknown[] = [];
  const changes: boolean[] = [];
  const ahead = { steady: 0, wall: 0 };
  const lease = new Lease({
    store: on,
    name: "upkeep",
    holder,
    onChange: (held) => changes.push(held),
    onError: (error) => errors.push(error),
    clocks: { steady: () => performance.now() + ahead.steady, wall: () => Date.now() + ahead.wall },
  });
  leases.push(lease);
  return { lease, errors, changes, ahead };
}

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const away = () => Promise.reject(new BelfryError("unavailable"));

describe("a lease", () => {
  it("is held from the first attempt on by whoever comes first, and kept for as long as that one lives", async () => {
    const [one, two] = [want("one"), want("two")];
    expect(one.lease.isHeld).toBe(false);
    await one.lease.start();
    await two.lease.start();
    for (let minute = 0; minute < 10; minute++) {
      expect([one.lease.isHeld, two.lease.isHeld]).toEqual([true, false]);
      await pass(60_000);
    }
    expect([one.changes, two.changes]).toEqual([[true], []]);
    expect(store.takes).toBeLessThan(400);
  });

  it("goes to another at its next attempt where it is given back, and is held no more from that moment on", async () => {
    const [one, two] = [want("one"), want("two")];
    await one.lease.start();
    await two.lease.start();
    const stopped = one.lease.stop();
    expect(one.lease.isHeld).toBe(false);
    await stopped;
    await one.lease.stop();
    await pass(TTL_MS / 3);
    expect([one.lease.isHeld, two.lease.isHeld]).toEqual([false, true]);
    expect([one.changes, store.releases]).toEqual([[true, false], 1]);
  });

  it("goes to another where its holder is dead", async () => {
    await store.take("upkeep", "of the dead", TTL_MS);
    const two = want("two");
    await two.lease.start();
    expect(two.lease.isHeld).toBe(false);
    await pass(TAKEOVER_MS);
    expect(two.lease.isHeld).toBe(true);
  });

  it("is held while the store is away for a moment, and no longer than it surely holds; that is told once", async () => {
    const one = want("one");
    await one.lease.start();
    store.before = away;
    await pass(TRUSTED_MS - 1);
    expect(one.lease.isHeld).toBe(true);
    await pass(1);
    expect(one.lease.isHeld).toBe(false);
    await pass(60_000);
    expect(one.errors).toHaveLength(1);
    store.before = async () => {};
    await pass(TTL_MS / 3);
    expect(one.lease.isHeld).toBe(true);
    expect(one.changes).toEqual([true, false, true]);
    store.before = away;
    await pass(TTL_MS);
    expect(one.errors).toHaveLength(2);
  });

  it.each(["steady", "wall"] as const)("is not held by a process that stood still, as its %s clock tells at once", async (clock) => {
    const one = want("one");
    await one.lease.start();
    one.ahead[clock] += TRUSTED_MS;
    expect(one.lease.isHeld).toBe(false);
    await pass(TTL_MS / 3);
    expect(one.lease.isHeld).toBe(true);
  });

  it("is not held by a process that stood still while it asked for it", async () => {
    const one = want("one");
    store.after = async () => {
      one.ahead.steady += TRUSTED_MS;
    };
    await one.lease.start();
    expect([one.lease.isHeld, store.holder]).toEqual([false, "one"]);
  });

  it("is given back where it was taken while the process was told to stop", async () => {
    const one = want("one");
    let answer = () => {};
    store.after = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const started = one.lease.start();
    await pass(0);
    const stopped = one.lease.stop();
    answer();
    await Promise.all([started, stopped]);
    expect([one.lease.isHeld, store.holder, store.takes]).toEqual([false, null, 1]);
    await pass(TTL_MS);
    expect(store.takes).toBe(1);
  });

  it("is left to run out where it cannot be given back", async () => {
    const one = want("one");
    await one.lease.start();
    store.release = away;
    await one.lease.stop();
    expect(one.errors).toHaveLength(1);
  });

  it("is held by one process at a time, however late answers come and whichever are lost, and by one again when all is well", async () => {
    const fault = fc.record({ before: fc.integer({ min: 0, max: 8_000 }), after: fc.integer({ min: 0, max: 8_000 }), lost: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { minLength: 1, maxLength: 20 }), async (faults) => {
        const shared = new MemoryLeases();
        const waiting = [...faults];
        const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
        const late: LeaseStore = {
          async take(name, holder, ttlMs) {
            const { before, after, lost } = waiting.shift() ?? { before: 0, after: 0, lost: false };
            await wait(before);
            const taken = await shared.take(name, holder, ttlMs);
            await wait(after);
            return lost ? away() : taken;
          },
          release: (name, holder) => shared.release(name, holder),
        };
        const three = ["one", "two", "three"].map((holder) => want(holder, late).lease);
        for (const lease of three) void lease.start();
        const holders = () => three.filter(({ isHeld }) => isHeld).length;
        for (let time = 0; time < 120_000; time += 500) {
          expect(holders()).toBeLessThanOrEqual(1);
          await pass(500);
        }
        while (waiting.length > 0) await pass(1_000);
        await pass(2 * TAKEOVER_MS + 16_000);
        expect(holders()).toBe(1);
        await Promise.all([...three.map((lease) => lease.stop()), pass(20_000)]);
      }),
      { numRuns: 50 },
    );
  });
});
