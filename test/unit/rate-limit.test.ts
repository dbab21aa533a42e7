import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { RateLimit, RateLimits } from "../../src/rate-limit.js";

describe("a token bucket", () => {
  it("gives its burst at once, then so many a second, and says when the next one is there", () => {
    const limit = new RateLimit(3, 2, 0);
    expect([1, 2, 3].map(() => limit.take(0))).toEqual([0, 0, 0]);
    expect(limit.take(0)).toBe(500);
    expect(limit.take(250)).toBe(250);
    expect(limit.take(500)).toBe(0);
    expect(limit.isFull(1_999)).toBe(false);
    expect(limit.isFull(2_000)).toBe(true);
  });

  it("never gives more than the burst and what time brings, whatever the clock does", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -100, max: 2_000 }), { maxLength: 200 }), (steps) => {
        const limit = new RateLimit(5, 1, 0);
        let now = 0;
        let passed = 0;
        let taken = 0;
        for (const step of steps) {
          now += step;
          passed += Math.max(0, step);
          if (limit.take(now) === 0) taken++;
          expect(taken).toBeLessThanOrEqual(5 + passed / 1_000);
        }
      }),
    );
  });
});

describe("buckets by key", () => {
  it("are apart from each other", () => {
    const limits = new RateLimits({ burst: 1, perSecond: 1, maxKeys: 10 });
    expect([limits.take("a", 0), limits.take("b", 0), limits.take("a", 0)]).toEqual([0, 0, 1_000]);
  });

  it("are forgotten once they are full again", () => {
    const limits = new RateLimits({ burst: 1, perSecond: 1, maxKeys: 1_000 });
    for (let n = 0; n < 100; n++) limits.take(`k${n}`, 0);
    expect(limits.size).toBe(100);
    for (let n = 0; n < 60; n++) limits.take("other", 1_000);
    expect(limits.size).toBe(1);
  });

  it("are bounded in number: the longest unused goes, however empty", () => {
    const limits = new RateLimits({ burst: 1, perSecond: 1, maxKeys: 3 });
    for (const key of ["a", "b", "c", "a", "d"]) limits.take(key, 0);
    expect(limits.size).toBe(3);
    expect(limits.take("a", 0)).toBe(1_000);
    expect(limits.take("b", 0)).toBe(0);
  });
});
