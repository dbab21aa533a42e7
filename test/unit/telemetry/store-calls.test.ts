import { describe, expect, it } from "@jest/globals";
import { Registry } from "prom-client";
import { BelfryError } from "../../../src/errors.js";
import { registerDistributions } from "../../../src/telemetry/distribution.js";
import { StoreCalls } from "../../../src/telemetry/store-calls.js";
import { registerTallies } from "../../../src/telemetry/tally.js";

/** A port as stores are made: a class with state of its own, answers that come at once, and calls that call each other. */
class Streams {
  readonly concurrency = 1;
  #known = new Set(["a"]);
  fault: Error | null = null;
  release: () => void = () => {};

  get size(): number {
    return this.#known.size;
  }

  mayBeGone(name: string): boolean {
    return this.#known.has(name);
  }

  async tails(names: string[]): Promise<number> {
    if (this.fault !== null) throw this.fault;
    return names.filter((name) => this.mayBeGone(name)).length;
  }

  append(): Promise<{ rows: Array<{ is: string }> }> {
    this.#known.add("b");
    return new Promise((resolve) => {
      this.release = () => resolve({ rows: [{ is: "stored" }, { is: "stored" }, { is: "conflict" }] });
    });
  }
}

function watch() {
  const registry = new Registry();
  const calls = new StoreCalls({
    seconds: registerDistributions(registry, { name: "seconds", help: "x", bounds: [1] }, ["operation"]),
    errors: registerTallies(registry, "errors", "x", ["operation", "error"]),
    rows: registerTallies(registry, "rows", "x", ["outcome"]),
  });
  const streams = new Streams();
  const stores = calls.observed({ kind: "sqlite", streams, close: async () => "closed" });
  const text = async () => (await registry.metrics()).split("\n").filter((line) => !/^#|_sum|_bucket/.test(line));
  return { calls, streams, stores, text };
}

describe("a watched store", () => {
  it("answers as it does unwatched", async () => {
    const { stores, streams } = watch();
    expect([stores.kind, await stores.close(), stores.streams.concurrency, stores.streams.size]).toEqual(["sqlite", "closed", 1, 1]);
    expect([stores.streams.mayBeGone("a"), await stores.streams.tails(["a", "c"])]).toEqual([true, 1]);
    const appended = stores.streams.append();
    expect(stores.streams.size).toBe(2);
    streams.release();
    expect((await appended).rows).toHaveLength(3);
    streams.fault = new Error("gone");
    await expect(stores.streams.tails([])).rejects.toBe(streams.fault);
  });

  it("is timed by its operations, but for what it knows without waiting", async () => {
    const { stores, text } = watch();
    stores.streams.mayBeGone("a");
    await stores.streams.tails([]);
    await stores.streams.tails([]);
    expect(await text()).toContain('seconds_count{operation="streams.tails"} 2');
    expect((await text()).join()).not.toContain("mayBeGone");
  });

  it("shows what is under way, and what became of rows", async () => {
    const { calls, stores, streams, text } = watch();
    const appended = stores.streams.append();
    expect(calls.running).toBe(1);
    streams.release();
    await appended;
    expect(calls.running).toBe(0);
    expect(await text()).toEqual(expect.arrayContaining(['rows{outcome="stored"} 2', 'rows{outcome="conflict"} 1']));
  });

  it("counts errors by what they mean, never by what they say", async () => {
    const { calls, stores, streams, text } = watch();
    const faults = [
      new BelfryError("unavailable", "The disk of hunter2 is full."),
      Object.assign(new Error("x"), { name: "OutcomeUnknown" }),
      new Error("E11000 dup key: hunter2"),
    ];
    for (const fault of faults) {
      streams.fault = fault;
      await expect(stores.streams.tails([])).rejects.toBe(fault);
    }
    const lines = await text();
    for (const error of ["unavailable", "outcome_unknown", "internal"]) {
      expect(lines).toContain(`errors{operation="streams.tails",error="${error}"} 1`);
    }
    expect([calls.running, lines.join().includes("hunter2")]).toEqual([0, false]);
  });
});
