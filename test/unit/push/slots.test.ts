import { describe, expect, it } from "@jest/globals";
import { Slots } from "../../../src/push/slots.js";

/** Work that ends when the test says so. */
function work() {
  let end = () => {};
  const done = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { done, end: () => end() };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("slots", () => {
  it("let in so many of one name, and others past them", async () => {
    const slots = new Slots(3, 2);
    const begun: string[] = [];
    const hanging = work();
    const enter = (name: string, until: Promise<void>) =>
      slots.run(name, async () => {
        begun.push(name);
        await until;
      });
    const all = [1, 2, 3].map((number) =>
      enter(
        "slow",
        hanging.done.then(() => void number),
      ),
    );
    all.push(enter("quick", Promise.resolve()), enter("quick", Promise.resolve()));
    await settled();
    expect(begun).toEqual(["slow", "slow", "quick", "quick"]);
    hanging.end();
    await Promise.all(all);
    expect(begun).toEqual(["slow", "slow", "quick", "quick", "slow"]);
  });

  it("give the names turns", async () => {
    const slots = new Slots(1);
    const begun: string[] = [];
    const all = ["a", "a", "a", "b", "b", "c"].map((name) => slots.run(name, async () => void begun.push(name)));
    await Promise.all(all);
    expect(begun).toEqual(["a", "a", "b", "c", "a", "b"]);
  });

  it("are free again after what has failed", async () => {
    const slots = new Slots(1);
    await expect(slots.run("a", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await slots.run("a", async () => 7)).toBe(7);
  });
});
