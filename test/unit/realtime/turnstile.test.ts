import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Turnstile } from "../../../src/realtime/turnstile.js";

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("a turnstile", () => {
  it("has never more than its places busy, lets in by order, and does all of the work, whichever of it fails", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.record({ fails: fc.boolean(), endsAt: fc.nat(50) }), { maxLength: 20 }),
        async (places, jobs) => {
          const turnstile = new Turnstile(places);
          const begun: number[] = [];
          const ends: Array<() => void> = [];
          let busy = 0;
          let most = 0;
          const results = jobs.map(({ fails }, index) =>
            turnstile
              .run(async () => {
                begun.push(index);
                most = Math.max(most, ++busy);
                await new Promise<void>((end) => {
                  ends[index] = end;
                });
                busy--;
                if (fails) throw new Error(`job ${index}`);
                return index;
              })
              .catch((error: Error) => error.message),
          );
          const ended = new Set<number>();
          while (ended.size < jobs.length) {
            await settle();
            const running = begun.filter((index) => !ended.has(index));
            expect(running.length).toBe(Math.min(places, jobs.length - ended.size));
            const next = running[(jobs[ended.size]?.endsAt ?? 0) % running.length] as number;
            ended.add(next);
            ends[next]?.();
          }
          expect(await Promise.all(results)).toEqual(jobs.map(({ fails }, index) => (fails ? `job ${index}` : index)));
          expect(begun).toEqual(jobs.map((_job, index) => index));
          expect(most).toBeLessThanOrEqual(places);
        },
      ),
      { numRuns: 60 },
    );
  });
});
