import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { createClient } from "redis";
import { ClusterNodes } from "../support/cluster-nodes.js";
import { until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { notify } from "../support/notify.js";
import { type RedisProcess, startRedis } from "../support/redis.js";
import { startService } from "../support/service.js";

/** For processes to start and to stop, on a machine that does much else. Milliseconds. */
const START_MS = 120_000;

/** By when something is on a screen of another node while all is well. Milliseconds. */
const SOON_MS = 5_000;

/** What no node says, each on every channel that there is. */
const RUBBISH = [
  "",
  "rubbish",
  "{",
  "null",
  "[]",
  '"text"',
  "{}",
  '{"v":1}',
  '{"v":2,"from":"AAAAAAAAAAAAAAAA","n":1,"k":"entries","d":{}}',
  '{"v":1,"from":"AAAAAAAAAAAAAAAA","n":1,"k":"entries","d":null}',
  '{"v":1,"from":"AAAAAAAAAAAAAAAA","n":2,"k":"entries","d":{"p":[],"e":[["inbox:ada",1e300]]}}',
  '{"v":1,"from":"AAAAAAAAAAAAAAAA","n":3,"k":"told:progress","d":{"user":"ada"}}',
  '{"v":1,"from":"AAAAAAAAAAAAAAAA","n":4,"k":"no-such-kind","d":1}',
  '{"v":1,"from":"AAAAAAAAAAAAAAAA","n":5,"k":"beat","d":{"at":"now"}}',
  '{"uid":"another","type":6,"data":["value",{"topic":"score","seq":1000000,"at":1,"data":"{","access":"public"}]}',
  '{"uid":"another","type":6,"data":["replaced",{"user":"ada"}]}',
  '{"uid":"another","type":6,"data":["connection",{}]}',
  '{"uid":"another","type":4,"opts":{"rooms":[],"except":[]},"close":true}',
  '{"uid":"another","type":5,"requestId":"x","opts":{"rooms":[],"except":[]}}',
  "x".repeat(2_000_000),
  `[${"[".repeat(50_000)}`,
];

let redis: RedisProcess;
let cluster: ClusterNodes;
let other: ClusterNodes;
/** Somebody who has the way into Redis, and is no node. */
let stranger: ReturnType<typeof createClient>;

beforeAll(async () => {
  redis = await startRedis();
  stranger = createClient({ url: redis.url });
  await stranger.connect();
  cluster = await ClusterNodes.start({ count: 2, mongodbUrl: mongoUrl("rubbish"), redis });
  other = await ClusterNodes.start({ count: 1, mongodbUrl: mongoUrl("other"), redis });
}, START_MS);

afterEach(() => {
  cluster.leave();
  other.leave();
});

afterAll(async () => {
  await Promise.all([cluster?.stop(), other?.stop()]);
  stranger.destroy();
  await redis.stop();
}, START_MS);

const rubbishOf = async (): Promise<number[]> => Promise.all(cluster.nodes.map((node) => node.metric("belfry_bus_rubbish_total")));

describe("rubbish on the bus", () => {
  it("is ignored and counted, on whichever channel it comes", async () => {
    const [here, there] = [await cluster.member("ada", 0), await cluster.member("ada", 1)];
    const board = await cluster.board("ada", 1, "score");
    const channels = await stranger.pubSubChannels();
    // Of each node its own and the one of all; of each namespace two of all nodes, one of each, and a pattern with a channel for packets.
    expect(channels.length).toBeGreaterThan(10);
    const packets = channels.filter((name) => name.includes("-request#")).map((name) => name.replace("-request", ""));
    const before = await rubbishOf();
    for (const channel of [...channels, ...packets]) for (const text of RUBBISH) await stranger.publish(channel, text);
    await until("it is counted", async () =>
      (await rubbishOf()).every((count, node) => count >= (before[node] as number) + RUBBISH.length),
    );

    await notify(cluster.at(0).service, ["ada"], "all is well");
    for (const device of [here, there]) await until("the entry", () => device.applied.size === 1, SOON_MS);
    await cluster.put(0, "/v1/topics/score", { data: { score: 1 } });
    await until("the value", () => board.shows("score") !== undefined, SOON_MS);
    expect(board.stale).toEqual([]);
    for (const device of [here, there]) expect([device.connected, device.farewells, device.doubled]).toEqual([true, [], 0]);
    // Once a minute at most, and no node has met one that does not exist.
    for (const node of cluster.nodes) {
      expect(node.logged("were ignored").length).toBeLessThanOrEqual(2);
      expect(await node.metric("belfry_peers")).toBe(1);
    }
  }, 60_000);

  it("may be an old hint, one of what is to come, or one that was heard already", async () => {
    const [here, there] = [await cluster.member("bruno", 0), await cluster.member("bruno", 1)];
    const heard: Array<{ channel: string; text: string }> = [];
    const tap = stranger.duplicate();
    await tap.connect();
    await tap.pSubscribe("*", (text, channel) => heard.push({ channel, text }));
    try {
      for (const text of ["1", "2", "3"]) await notify(cluster.at(0).service, ["bruno"], text);
      await until("three entries", () => there.applied.size === 3, SOON_MS);
      const hints = heard.filter(({ text }) => text.includes('"k":"entries"') && text.includes("bruno"));
      expect(hints.length).toBeGreaterThan(0);
      for (const { channel, text } of [...hints, ...hints].reverse()) await stranger.publish(channel, text);
      await notify(cluster.at(0).service, ["bruno"], "4");
      for (const device of [here, there]) {
        await until("four entries", () => device.applied.size === 4, SOON_MS);
        expect([device.doubled, device.unread]).toEqual([0, 4]);
      }
    } finally {
      tap.destroy();
    }
  });
});

describe("two services on one Redis", () => {
  it("do not hear each other", async () => {
    const [ours, theirs] = [await cluster.member("ada", 1), await other.member("ada", 0)];
    const board = await other.board("ada", 0, "score");
    for (const service of [cluster.at(0).service, cluster.at(1).service]) await notify(service, ["ada"], "of ours");
    await cluster.put(0, "/v1/topics/score", { data: { score: 2 } });
    await until("our member", () => ours.unread > 0 && [...ours.applied.values()].length === 2, SOON_MS);
    await notify(other.at(0).service, ["ada"], "of theirs");
    await until("their member", () => theirs.applied.size === 1, SOON_MS);
    expect(theirs.unread).toBe(1);
    expect(board.shows("score")).toBeUndefined();
    expect(await other.at(0).metric("belfry_peers")).toBe(0);
    expect(await other.at(0).online()).toEqual({ users: 1, sessions: 1 });
  });
});

describe("a node that starts while Redis is away", () => {
  it("serves, says so, and joins the others when it is back", async () => {
    const alone = await ClusterNodes.start({ count: 0, mongodbUrl: mongoUrl("away"), redis });
    try {
      const first = await alone.add();
      const port = first.way.port;
      first.way.refuse();
      await first.service.restart();
      first.service.keys = cluster.at(0).service.keys;
      expect(await first.ready()).toEqual({ status: 200, body: { status: "ready", bus: "down" } });
      // Once by the process that was ended, at most, and once by this one.
      expect([1, 2]).toContain(first.logged("redis cannot be used").length);
      expect(first.way.port).toBe(port);
      await alone.add();
      const [here, there] = [await alone.member("ada", 0), await alone.member("ada", 1)];
      await notify(first.service, ["ada"], "one");
      await until("here at once", () => here.applied.size === 1, 1_000);
      await until("there in time", () => there.applied.size === 1, 3_000);
      first.way.heal();
      await alone.met();
      await notify(alone.at(1).service, ["ada"], "two");
      for (const device of [here, there]) await until("both", () => device.applied.size === 2, SOON_MS);
    } finally {
      await alone.stop();
    }
  }, 120_000);
});

describe("a node whose REDIS_URL names something that is no Redis", () => {
  it("ends with status 78 and says what to do", async () => {
    const web = createServer((_request, response) => response.end("a web page")).listen(0, "127.0.0.1");
    await once(web, "listening");
    try {
      const { port } = web.address() as AddressInfo;
      const env = { MONGODB_URL: mongoUrl("no-redis"), REDIS_URL: `redis://127.0.0.1:${port}` };
      await expect(startService({ env })).rejects.toThrow(/ended \(78\).*REDIS_URL: what answers there does not speak as Redis does/s);
    } finally {
      web.closeAllConnections();
      web.close();
    }
  }, 30_000);
});
