import { setImmediate as breath } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { type StreamStore, Trimmer } from "../../../src/stream/index.js";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Streams of two entries each, of which one is kept. */
const STREAMS = Array.from({ length: 450 }, (_, index) => `stream-${String(index).padStart(3, "0")}`);

/** Bases of the streams, as all nodes have them. */
let bases: Map<string, number>;
let sweeps: number;
const trimmers: Trimmer<unknown>[] = [];

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ["setImmediate"] });
  bases = new Map(STREAMS.map((stream) => [stream, 1]));
  sweeps = 0;
});
afterEach(async () => {
  for (const trimmer of trimmers.splice(0)) await trimmer.stop();
  jest.useRealTimers();
});

const store: Partial<StreamStore> = {
  async streams(after, limit) {
    if (after === null) sweeps++;
    const from = after === null ? 0 : STREAMS.indexOf(after) + 1;
    return STREAMS.slice(from, from + limit).map((stream) => ({ stream, oldest: bases.get(stream) as number, oldestAt: Date.now() }));
  },
  tails: async (streams) => new Map(streams.map((stream) => [stream, { head: 2, base: bases.get(stream) as number, unread: 0 }])),
};

/** A node that trims while it is the one to do it. `trimmed` are the streams that it has trimmed; `onTrim` hears how many. */
function node(isMine?: () => boolean, onTrim?: (count: number) => void) {
  const trimmed: string[] = [];
  const errors: unknown[] = [];
  const trimmer = new Trimmer({
    store: store as StreamStore,
    keepDays: 0,
    keepEntries: 1,
    trim: async (stream, base) => {
      bases.set(stream, base);
      trimmed.push(stream);
      onTrim?.(trimmed.length);
    },
    forget: [],
    ...(isMine === undefined ? {} : { isMine }),
    onError: (error) => errors.push(error),
  });
  trimmers.push(trimmer);
  trimmer.start();
  return { trimmer, trimmed, errors };
}

/** Time goes by, and a sweep that has begun by then ends: it breathes between its steps. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= MINUTE_MS) {
    await jest.advanceTimersByTimeAsync(Math.min(left, MINUTE_MS));
    for (let steps = 0; steps < 10; steps++) await breath();
  }
}

describe("trimming", () => {
  it("runs a minute after the start and every hour then, on a node that is alone", async () => {
    const { trimmed } = node();
    await pass(MINUTE_MS - 1);
    expect(sweeps).toBe(0);
    await pass(1);
    expect([sweeps, trimmed]).toEqual([1, STREAMS]);
    await pass(10 * HOUR_MS);
    expect([sweeps, trimmed.length]).toEqual([11, STREAMS.length]);
  });

  it("runs on the one node that is to do it, and on another within a minute of its taking over", async () => {
    let holder = 0;
    const nodes = [0, 1].map((index) => node(() => holder === index));
    await pass(10 * HOUR_MS + 30_000);
    expect([sweeps, nodes.map(({ trimmed }) => trimmed.length)]).toEqual([10, [STREAMS.length, 0]]);
    holder = 1;
    bases.set("stream-007", 1);
    await pass(MINUTE_MS);
    expect([sweeps, nodes[1]?.trimmed]).toEqual([11, ["stream-007"]]);
    await pass(2 * HOUR_MS);
    expect(sweeps).toBe(13);
  });

  it("ends where the node is no longer the one, and is finished by the next", async () => {
    const lost = 300;
    let holder = 0;
    const one = node(() => holder === 0 && one.trimmed.length < lost);
    const two = node(() => holder === 1);
    await pass(MINUTE_MS);
    expect(one.trimmed).toHaveLength(lost);
    holder = 1;
    await pass(MINUTE_MS);
    expect([...one.trimmed, ...two.trimmed]).toEqual(STREAMS);
    expect([...one.errors, ...two.errors]).toEqual([]);
  });

  it("goes on within a minute where the node lost its turn for a moment only", async () => {
    let isMine = true;
    const one = node(
      () => isMine,
      (count) => {
        isMine = count !== 5;
      },
    );
    await pass(MINUTE_MS);
    expect(one.trimmed).toHaveLength(5);
    isMine = true;
    await pass(MINUTE_MS);
    expect([sweeps, one.trimmed]).toEqual([2, STREAMS]);
  });

  it("ends when it is stopped, and does not begin again", async () => {
    const { trimmer, trimmed } = node(
      () => true,
      (count) => {
        if (count === 10) void trimmer.stop();
      },
    );
    await pass(HOUR_MS * 2);
    expect([sweeps, trimmed.length]).toEqual([1, 10]);
  });
});
