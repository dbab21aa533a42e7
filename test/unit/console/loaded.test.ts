import { describe, expect, it } from "@jest/globals";
import { Loaded } from "../../../client/console/loaded.js";
import { Refusal } from "../../../client/console/refusal.js";

/** A service whose answers come when the test says so. */
class Slow {
  readonly waiting: Array<{ answer: (value: string) => void; refuse: (error: unknown) => void }> = [];
  readonly arrived: string[] = [];
  changes = 0;
  readonly loaded = new Loaded<string>(
    () => new Promise((answer, refuse) => this.waiting.push({ answer, refuse })),
    () => this.changes++,
    (value) => this.arrived.push(value),
  );

  /** The questions so far, and what is shown. */
  get now(): [number, string | null] {
    return [this.waiting.length, this.loaded.value];
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("what a page of the console shows of the service", () => {
  it("appears however long an answer takes and however often it is polled meanwhile, and polls do not pile up", async () => {
    const slow = new Slow();
    void slow.loaded.run();
    for (let n = 0; n < 10; n++) void slow.loaded.poll();
    expect(slow.now).toEqual([1, null]);
    slow.waiting[0]?.answer("first");
    await settled();
    expect([slow.now, slow.loaded.busy]).toEqual([[1, "first"], false]);
    void slow.loaded.poll();
    void slow.loaded.poll();
    slow.waiting[1]?.answer("second");
    await settled();
    expect([slow.now, slow.arrived]).toEqual([
      [2, "second"],
      ["first", "second"],
    ]);
  });

  it("is asked for once more after the answer under way, when something has changed since it was asked", async () => {
    const slow = new Slow();
    void slow.loaded.poll();
    for (let n = 0; n < 10; n++) void slow.loaded.refresh();
    slow.waiting[0]?.answer("older");
    await settled();
    expect(slow.now).toEqual([2, "older"]);
    slow.waiting[1]?.answer("newer");
    await settled();
    expect([slow.now, slow.loaded.busy]).toEqual([[2, "newer"], false]);
  });

  it("is what was asked for last by hand, whatever comes first", async () => {
    const slow = new Slow();
    void slow.loaded.poll();
    void slow.loaded.run();
    slow.waiting[1]?.answer("after the act");
    await settled();
    slow.waiting[0]?.answer("before the act");
    await settled();
    expect([slow.now, slow.arrived]).toEqual([[2, "after the act"], ["after the act"]]);
  });

  it("stays where the service is not reached unasked, and gives way to every other refusal", async () => {
    const slow = new Slow();
    void slow.loaded.run();
    slow.waiting[0]?.answer("shown");
    await settled();
    void slow.loaded.poll();
    slow.waiting[1]?.refuse(new Refusal("unreachable", "no answer"));
    await settled();
    expect([slow.loaded.value, slow.loaded.failure]).toEqual(["shown", null]);
    void slow.loaded.poll();
    slow.waiting[2]?.refuse(new Refusal("not_found", "gone"));
    await settled();
    expect(slow.loaded.failure?.code).toBe("not_found");
  });

  it("is nothing once it is forgotten, and what was on its way does not count", async () => {
    const slow = new Slow();
    void slow.loaded.run();
    void slow.loaded.refresh();
    slow.loaded.forget();
    slow.waiting[0]?.answer("of another search");
    await settled();
    expect([slow.now, slow.arrived]).toEqual([[1, null], []]);
  });
});
