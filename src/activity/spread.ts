import type { Spread } from "./types.js";

/** A histogram's reading, as telemetry keeps it. Bounds are seconds, ascending; what is above the last one is only in `count`. */
export interface Reading {
  readonly bounds: readonly number[];
  readonly count: number;
  cumulative(): number[];
}

/** What a histogram has counted until now. */
export function spreadOf(reading: Reading): Spread {
  const { bounds, count } = reading;
  const spread: Spread = {};
  let before = 0;
  for (const [index, upTo] of reading.cumulative().entries()) {
    const isLast = index === bounds.length - 1;
    const inBucket = (isLast ? count : upTo) - before;
    before = upTo;
    if (inBucket > 0) spread[String(Math.round((bounds[index] as number) * 1000))] = inBucket;
  }
  return spread;
}

/** What was counted since. */
export function since(now: Spread, before: Spread): Spread {
  return Object.fromEntries(
    Object.entries(now)
      .map(([bound, count]): [string, number] => [bound, count - (before[bound] ?? 0)])
      .filter(([, count]) => count > 0),
  );
}

export function sum(spreads: Spread[]): Spread {
  const total: Spread = {};
  for (const spread of spreads) for (const [bound, count] of Object.entries(spread)) total[bound] = (total[bound] ?? 0) + count;
  return total;
}

/** Within how many milliseconds that share (0 to 1) of the durations was: a bucket's upper bound. Null where there are none. */
export function quantile(spread: Spread, share: number): number | null {
  const buckets = Object.entries(spread)
    .map(([bound, count]): [number, number] => [Number(bound), count])
    .sort(([one], [other]) => one - other);
  const wanted = share * buckets.reduce((total, [, count]) => total + count, 0);
  let reached = 0;
  for (const [bound, count] of buckets) {
    reached += count;
    if (reached >= wanted) return bound;
  }
  return null;
}
