import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { ClusterNodes } from "../support/cluster-nodes.js";
import { until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { type RedisProcess, startRedis } from "../support/redis.js";

/** For processes to start and to stop, on a machine that does much else. Milliseconds. */
const START_MS = 120_000;

const AHEAD_MS = 300_000;
const SHIFT = new URL("../support/shift-clock.mjs", import.meta.url).href;

let redis: RedisProcess;
let cluster: ClusterNodes;

beforeAll(async () => {
  redis = await startRedis();
  cluster = await ClusterNodes.start({ count: 1, mongodbUrl: mongoUrl("clocks"), redis });
  await cluster.add({ NODE_OPTIONS: `--import=${SHIFT}`, CLOCK_AHEAD_MS: String(AHEAD_MS) });
  await cluster.met();
}, START_MS);

afterEach(() => cluster.leave());

afterAll(async () => {
  await cluster?.stop();
  await redis.stop();
}, START_MS);

describe("two nodes whose clocks are five minutes apart", () => {
  it("say so: of the store's when they start, and of each other's", async () => {
    const [right, ahead] = [cluster.at(0), cluster.at(1)];
    expect(ahead.logged("the clock of MongoDB is behind this machine's")).toHaveLength(1);
    expect(right.logged("the clock of MongoDB")).toEqual([]);
    await until("the one that is right tells of the other", () => right.logged("another node's clock is ahead").length === 1);
    expect(await right.metric("belfry_clock_skew_seconds")).toBeGreaterThan(AHEAD_MS / 1_000 - 5);
  });

  it("bring their members everything at once, in one order, whichever of them took it", async () => {
    const devices = [await cluster.member("ada", 0), await cluster.member("ada", 1)];
    const texts: string[] = [];
    for (let n = 0; n < 10; n++) {
      const text = `told ${n} by node ${n % 2}`;
      texts.push(text);
      const { apiKey, url } = cluster.at(n % 2).service;
      const answer = await fetch(`${url}/v1/notifications`, {
        method: "POST",
        headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
        body: JSON.stringify({ to: ["ada"], type: "note", text }),
      });
      expect(answer.status).toBe(202);
    }
    for (const device of devices) {
      await until("all has come", () => device.applied.size === texts.length);
      expect([...device.applied.values()].map(({ data }) => data.text)).toEqual(texts);
    }
    for (const node of cluster.nodes) {
      await until("each counts one member, twice", async () => {
        const { users, sessions } = await node.online();
        return users === 1 && sessions === 2;
      });
    }
  });

  it("bring a scheduled announcement once", async () => {
    const reader = await cluster.reader("bruno", 0);
    const { id } = await cluster.announcer(0).must("POST", "/v1/announcements", {
      title: "Soon",
      text: "…",
      startsAt: new Date(Date.now() + 1_500).toISOString(),
    });
    await until("it is there", () => reader.ids.includes(id as string));
    expect([...reader.applied.values()].filter(({ data }) => data.id === id)).toHaveLength(1);
  });
});
