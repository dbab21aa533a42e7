import { describe, expect, it } from "@jest/globals";
import { SENDS_TO_ONE, STRANGERS_AT_ONCE, STRANGERS_TO_ONE } from "../../../src/push/limits.js";
import { Turns } from "../../../src/push/turns.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Work that hangs until `end` is called, and how much of it has begun for each name. */
function hangingWork(turns: Turns) {
  const begun = new Map<string, number>();
  const ends: Array<() => void> = [];
  const all: Array<Promise<void>> = [];
  return {
    begun: (name: string) => begun.get(name) ?? 0,
    enter(name: string, times: number): void {
      for (let count = 0; count < times; count++) {
        const work = () => {
          begun.set(name, (begun.get(name) ?? 0) + 1);
          return new Promise<void>((resolve) => ends.push(resolve));
        };
        all.push(turns.run(name, work));
      }
    },
    release(): void {
      for (const end of ends.splice(0)) end();
    },
    async end(): Promise<void> {
      while (ends.length > 0) {
        this.release();
        await settled();
      }
      await Promise.all(all);
    },
  };
}

describe("the turns of push services", () => {
  it("give all that nobody knows a small part together, and each that is known its own", async () => {
    const turns = new Turns();
    turns.prove("known");
    const work = hangingWork(turns);
    const strangers = Array.from({ length: 50 }, (_, index) => `stranger-${index}`);
    for (const name of strangers) work.enter(name, 2 * STRANGERS_TO_ONE);
    work.enter("known", 2 * SENDS_TO_ONE);
    await settled();
    expect(strangers.reduce((sum, name) => sum + work.begun(name), 0)).toBe(STRANGERS_AT_ONCE);
    expect(Math.max(...strangers.map(work.begun))).toBeLessThanOrEqual(STRANGERS_TO_ONE);
    expect(work.begun("known")).toBe(SENDS_TO_ONE);
    await work.end();
  });

  it("let those who waited go on with the others once their push service has proven itself", async () => {
    const turns = new Turns();
    const work = hangingWork(turns);
    let first = () => {};
    const proving = turns.run("new", () => new Promise<void>((resolve) => (first = resolve)));
    work.enter("new", STRANGERS_TO_ONE + SENDS_TO_ONE);
    await settled();
    expect(work.begun("new")).toBe(STRANGERS_TO_ONE - 1);
    turns.prove("new");
    first();
    await proving;
    await settled();
    expect(work.begun("new")).toBe(STRANGERS_TO_ONE - 1 + SENDS_TO_ONE);
    await work.end();
  });

  it("make a stranger again of one that could not take a message, also for those who wait for it", async () => {
    const turns = new Turns();
    turns.prove("shaky");
    const work = hangingWork(turns);
    work.enter("shaky", 5 * SENDS_TO_ONE);
    await settled();
    expect(work.begun("shaky")).toBe(SENDS_TO_ONE);
    turns.doubt("shaky");
    work.release();
    await settled();
    expect(work.begun("shaky")).toBe(SENDS_TO_ONE + STRANGERS_TO_ONE);
    await work.end();
  });
});
