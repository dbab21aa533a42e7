import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type Circumstances, decide, dueAt, type Noted } from "../../../src/push/due.js";
import { MAX_AGE_MS, MAX_AHEAD_MS, MAX_BURST, SETTLE_MS } from "../../../src/push/limits.js";

const NOW = Date.UTC(2026, 10, 21);
const AFTER_MS = 60_000;

function stand(over: Partial<Circumstances> = {}): Circumstances {
  return { now: NOW, isConnected: false, afterMs: AFTER_MS, settledAt: 0, ...over };
}

/** Notifications of so many milliseconds ago, the oldest first. */
function noted(ages: number[], isUnseen: (index: number) => boolean = () => true): Noted[] {
  return ages.toSorted((one, other) => other - one).map((age, index) => ({ seq: index + 1, at: NOW - age, isUnseen: isUnseen(index) }));
}

describe("what is pushed", () => {
  it("to a member who is away: what has come, once they had a moment to come back", () => {
    expect(decide(noted([SETTLE_MS]), stand())).toEqual({ due: [1], upTo: 1, lookAt: null });
    expect(decide(noted([SETTLE_MS - 1]), stand())).toEqual({ due: [], upTo: null, lookAt: NOW + 1 });
  });

  it("to a connected member: what they have left unseen for a minute", () => {
    expect(decide(noted([AFTER_MS]), stand({ isConnected: true }))).toEqual({ due: [1], upTo: 1, lookAt: null });
    expect(decide(noted([AFTER_MS - 1]), stand({ isConnected: true }))).toEqual({ due: [], upTo: null, lookAt: NOW + 1 });
  });

  it("never: what was seen, however long ago it came, and it holds nothing up", () => {
    const seen = noted([AFTER_MS, 10_000, 5_000], (index) => index === 2);
    expect(decide(seen, stand())).toEqual({ due: [3], upTo: 3, lookAt: null });
    expect(
      decide(
        noted([AFTER_MS, 0], () => false),
        stand(),
      ),
    ).toEqual({ due: [], upTo: 2, lookAt: null });
  });

  it("in the stream's order: what waits holds up what came after it", () => {
    const three = noted([70_000, 30_000, 10_000], (index) => index !== 2);
    expect(decide(three, stand({ isConnected: true }))).toEqual({ due: [1], upTo: 1, lookAt: NOW + 30_000 });
  });

  it("after a start: nobody is away until all had the time to come back, but for what is unseen for a minute", () => {
    const starting = stand({ settledAt: NOW + 8_000 });
    expect(decide(noted([5_000]), starting)).toEqual({ due: [], upTo: null, lookAt: NOW + 8_000 });
    expect(decide(noted([AFTER_MS]), starting).due).toEqual([1]);
  });

  it("not what is a day old, and of much the newest only", () => {
    expect(decide(noted([MAX_AGE_MS, MAX_AGE_MS - 1]), stand())).toEqual({ due: [2], upTo: 2, lookAt: null });
    const many = decide(noted(Array.from({ length: MAX_BURST + 5 }, (_, index) => 5_000 + index)), stand());
    expect(many.due).toEqual(Array.from({ length: MAX_BURST }, (_, index) => index + 6));
    expect(many.upTo).toBe(MAX_BURST + 5);
  });

  it("also where the clock that stored it was hours ahead", () => {
    expect(decide([{ seq: 1, at: NOW + MAX_AHEAD_MS + 1, isUnseen: true }], stand()).due).toEqual([1]);
  });

  const circumstances = fc.record({
    now: fc.constant(NOW),
    isConnected: fc.boolean(),
    afterMs: fc.integer({ min: 1, max: 2 * AFTER_MS }),
    settledAt: fc.integer({ min: NOW - AFTER_MS, max: NOW + AFTER_MS }),
  });
  const stream = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 * AFTER_MS }), fc.boolean()), { maxLength: 30 }).map((entries) => {
    const sorted = entries.toSorted(([one], [other]) => other - one);
    return sorted.map(([age, isUnseen], index): Noted => ({ seq: index + 1, at: NOW - age, isUnseen }));
  });

  it("is decided up to one place, with nothing due behind it and nothing forgotten before it", () => {
    fc.assert(
      fc.property(stream, circumstances, (entries, stand) => {
        const { due, upTo, lookAt } = decide(entries, stand);
        const decided = entries.filter(({ seq }) => seq <= (upTo ?? 0));
        const owed = decided.filter(({ isUnseen }) => isUnseen).map(({ seq }) => seq);
        expect(due).toEqual(owed.slice(-MAX_BURST));
        const next = entries.find(({ seq }) => seq > (upTo ?? 0));
        expect(lookAt).toBe(next === undefined ? null : dueAt(next.at, stand));
        if (next !== undefined) expect([next.isUnseen, (lookAt as number) > NOW]).toEqual([true, true]);
      }),
    );
  });

  it("is due when it was said that it would be, if nothing changes until then", () => {
    fc.assert(
      fc.property(stream, circumstances, (entries, stand) => {
        const { lookAt, upTo } = decide(entries, stand);
        if (lookAt === null) return;
        const left = entries.filter(({ seq }) => seq > (upTo ?? 0));
        expect(decide(left, { ...stand, now: lookAt - 1 }).due).toEqual([]);
        expect(decide(left, { ...stand, now: lookAt }).due).toContain(left[0]?.seq);
      }),
    );
  });

  it("waits no longer for a member who is away than for one who is connected, but for the moment to come back", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: AFTER_MS }), circumstances, (age, stand) => {
        const at = NOW - age;
        const away = dueAt(at, { ...stand, isConnected: false });
        expect(away).toBeLessThanOrEqual(Math.max(dueAt(at, { ...stand, isConnected: true }), at + SETTLE_MS));
        expect(away).toBeGreaterThanOrEqual(at + SETTLE_MS);
      }),
    );
  });
});
