import { afterEach, describe, expect, it } from "@jest/globals";
import { until } from "../../support/member.js";
import type { RawSocket } from "../../support/raw.js";
import { type LiveServer, startLive, type Viewer } from "./live-server.js";

let server: LiveServer;

afterEach(() => server.stop());

/** Seqs of the updates that a connection by hand has heard. */
function seqsOf(raw: RawSocket): number[] {
  return raw.heard.flatMap((text) => {
    const seq = /^42\/live,\["update",\{"topic":"board","seq":(\d+),/.exec(text)?.[1];
    return seq === undefined ? [] : [Number(seq)];
  });
}

async function writeMany(values: number): Promise<number> {
  let seq = 0;
  for (let value = 0; value < values; value++) ({ seq } = await server.topics.write("board", { data: value }));
  return seq;
}

/** Writes until the viewer has got so many updates. Resolves with the seq of the last write. */
async function writeUntil(viewer: Viewer, updates: number): Promise<number> {
  let seq = 0;
  await until(`${updates} updates`, async () => {
    seq = await writeMany(10);
    return viewer.updates.length >= updates;
  });
  return seq;
}

function expectNewestWon({ updates }: Viewer, last: number): void {
  const seqs = updates.map(({ seq }) => seq);
  expect(seqs).toEqual([...new Set(seqs)].sort((one, other) => one - other));
  expect(seqs.at(-1)).toBe(last);
}

describe("a board that changes all the time", () => {
  it("costs a client that does not read one update, whatever the buffers on the way could hold; then it gets the last value", async () => {
    server = await startLive();
    const raw = await server.raw("ada", ["board"]);
    const fast = server.view("bruno");
    await fast.ask("join", { topics: ["board"] });
    let last = 0;
    for (let round = 0; round < 5; round++) {
      const before = seqsOf(raw).length;
      raw.pause();
      // Long enough for several batches: the fast client's are the clock.
      last = await writeUntil(fast, fast.updates.length + 5);
      raw.resume();
      await until("the last value", () => seqsOf(raw).at(-1) === last);
      expect(seqsOf(raw).length - before).toBeLessThanOrEqual(2);
    }
    await until("the last value, fast", () => fast.updates.at(-1)?.seq === last);
    expectNewestWon(fast, last);
  });

  it.each([
    ["websocket", ["websocket"]],
    ["polling", ["polling"]],
    ["polling that becomes a websocket meanwhile", ["polling", "websocket"]],
  ])("reaches a client over %s, through many heartbeats", async (_title, transports) => {
    server = await startLive({ pingInterval: 100, pingTimeout: 1_000 });
    const viewer = server.view("ada", { transports });
    await viewer.ask("join", { topics: ["board"] });
    const heartbeats = { heard: 0 };
    viewer.socket.io.engine.on("ping", () => {
      heartbeats.heard++;
    });
    const last = await writeUntil(viewer, 20);
    await until("the last value", () => viewer.updates.at(-1)?.seq === last);
    expectNewestWon(viewer, last);
    if (transports.includes("websocket")) await until("the transport", () => viewer.socket.io.engine.transport.name === "websocket");
    // Without updates, the engine's own heartbeat goes on as before.
    const before = heartbeats.heard;
    await until("three heartbeats", () => heartbeats.heard >= before + 3);
    const next = await writeUntil(viewer, viewer.updates.length + 5);
    await until("the last value again", () => viewer.updates.at(-1)?.seq === next);
    expect(viewer.socket.connected).toBe(true);
  });

  it("does not keep a dead connection alive", async () => {
    server = await startLive({ pingInterval: 200, pingTimeout: 200 });
    const raw = await server.raw("ada", ["board"]);
    raw.pause();
    await until("the engine gives it up", async () => {
      await writeMany(10);
      return server.live.count === 0;
    });
  });

  it("goes on for a client that left /live with a batch under way and joined again on the same connection", async () => {
    server = await startLive();
    const viewer = server.view("ada");
    const other = viewer.socket.io.socket("/other", {});
    other.connect();
    await viewer.ask("join", { topics: ["board"] });
    await until("the other namespace", () => other.connected);
    for (let round = 0; round < 5; round++) {
      await writeMany(5);
      viewer.socket.disconnect();
      await until("the session is gone", () => server.live.count === 0);
      viewer.socket.connect();
      await viewer.ask("join", { topics: ["board"] });
    }
    const last = await writeUntil(viewer, viewer.updates.length + 10);
    await until("the last value", () => viewer.updates.at(-1)?.seq === last);
  });
});
