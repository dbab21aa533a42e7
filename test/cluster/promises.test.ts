import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { Device } from "../support/device.js";
import { Cluster, type ClusterNode } from "../support/harness-cluster.js";
import { Load } from "../support/harness-load.js";
import { Stack } from "../support/harness-stack.js";
import { until } from "../support/member.js";

/** Starting MongoDB, Redis and nodes takes a while on a busy machine. Milliseconds. */
const SLOW = 120_000;

/** By when the members of a node that is gone are elsewhere. Milliseconds. */
const ELSEWHERE_MS = 5_000;

/** By when members on other nodes have what one node took while Redis hangs, and by when all is as before once it is back. Milliseconds. */
const LOOK_MS = 3_000;
const BACK_MS = 5_000;

/** By hints an entry is on the other node's screens much sooner than by a look at the store, which comes once a second. Milliseconds. */
const BY_HINT_MS = 400;

/** By when a request is answered, whatever the store does. Milliseconds. */
const ANSWER_MS = 20_000;

/** By when a node that was told to stop has ended. Milliseconds. */
const EXIT_MS = 20_000;

const MEMBERS = 12;

let stack: Stack;
let cluster: Cluster;
let load: Load;

beforeAll(async () => {
  stack = await Stack.start("redis");
}, SLOW);

afterAll(() => stack.stop(), SLOW);

afterEach(async () => {
  for (const node of cluster.nodes) node.thaw();
  for (const server of stack.redis.servers) server.thaw();
  for (const member of stack.mongo.members) member.thaw();
  await load.end();
  await cluster.stop();
}, SLOW);

async function begin({ size = 3, watchdog = 0, attemptMs }: { size?: number; watchdog?: number; attemptMs?: number } = {}): Promise<void> {
  cluster = await Cluster.start(stack, { size, env: { WATCHDOG: String(watchdog) } });
  load = await new Load(cluster, { members: MEMBERS, ...(attemptMs === undefined ? {} : { attemptMs }) }).begin();
}

function node(index: number): ClusterNode {
  return cluster.nodes[index] as ClusterNode;
}

/** Those devices have settled somewhere else since. */
async function areElsewhere(devices: Device[], since: number, from: number, ms: number): Promise<void> {
  const left = () => devices.filter(({ isUp, link }) => !isUp || link.place === from || link.lastSettledAt < since);
  await until(
    () => `${left().map(({ user }) => user)} are elsewhere`,
    () => left().length === 0,
    ms,
  );
}

/** How long after the answer the device has what its member is told at a node. Milliseconds. */
async function delay(at: number, device: Device, text: string): Promise<number> {
  await load.tell(at, device.user, text);
  const answered = Date.now();
  const has = () => [...device.screen.inbox.values()].some((item) => item.text === text);
  await until(`${device.user} is told ${text}`, has, LOOK_MS * 2);
  return Date.now() - answered;
}

describe("of three nodes", () => {
  it(
    "one that is killed has its members elsewhere within 5 s, and nothing is lost or doubled",
    async () => {
      await begin();
      load.talk();
      await pause(500);
      const members = load.at(0);
      expect(members.length).toBeGreaterThan(2);
      const since = Date.now();
      await node(0).kill9();
      await areElsewhere(members, since, 0, ELSEWHERE_MS);
      await pause(500);
      await node(0).start();
      await load.fallSilent();
      expect(await load.findings()).toEqual([]);
    },
    SLOW,
  );

  it(
    "one that is frozen for 20 s and woken, without a watchdog, loses and doubles nothing",
    async () => {
      await begin();
      load.talk();
      await pause(500);
      node(1).freeze();
      await pause(20_000);
      node(1).thaw();
      await pause(500);
      await load.fallSilent();
      expect(await load.findings()).toEqual([]);
    },
    SLOW,
  );

  it(
    "one that is frozen with WATCHDOG=3 is ended, and its members are elsewhere within 5 s",
    async () => {
      await begin({ watchdog: 3 });
      load.talk();
      await pause(500);
      const members = load.at(2);
      const since = Date.now();
      node(2).freeze();
      await areElsewhere(members, since, 2, ELSEWHERE_MS);
      await until("the process has ended", () => node(2).hasDied);
      await node(2).start();
      await load.fallSilent();
      expect(await load.findings()).toEqual([]);
    },
    SLOW,
  );

  it(
    "each can be restarted in turn under load, and all that members notice is that they reconnect",
    async () => {
      await begin();
      load.talk();
      for (const one of cluster.nodes) {
        const began = Date.now();
        expect(await one.drain()).toEqual({ code: 0, signal: null });
        expect(Date.now() - began).toBeLessThan(EXIT_MS);
        await one.start();
        await pause(1_000);
      }
      await load.fallSilent();
      expect(await load.findings()).toEqual([]);
      for (const { link } of load.devices) {
        expect(new Set(link.farewells)).toEqual(new Set(["draining"]));
        expect(link.refusals).toEqual([]);
      }
    },
    SLOW,
  );
});

describe("Redis that hangs", () => {
  it(
    "delays entries for members of other nodes by 3 s at most, nobody else's, and 5 s after its return nothing any more",
    async () => {
      await begin({ size: 2 });
      const here = load.at(0)[0] as Device;
      const elsewhere = load.at(1)[0] as Device;
      expect(await delay(0, elsewhere, "before")).toBeLessThan(BY_HINT_MS);
      stack.redis.servers[0]?.freeze();
      for (let n = 0; n < 6; n++) {
        expect(await delay(0, elsewhere, `elsewhere ${n}`)).toBeLessThan(LOOK_MS);
        expect(await delay(0, here, `here ${n}`)).toBeLessThan(BY_HINT_MS);
        await pause(500);
      }
      stack.redis.servers[0]?.thaw();
      await pause(BACK_MS);
      for (let n = 0; n < 10; n++) expect(await delay(n % 2, n % 2 === 0 ? elsewhere : here, `after ${n}`)).toBeLessThan(BY_HINT_MS);
      expect(await load.findings()).toEqual([]);
      for (const { link } of load.devices) expect(link.settledTimes).toBe(1);
    },
    SLOW,
  );
});

describe("the primary of a replica set of three", () => {
  it.each(["killed", "frozen"])(
    "%s under load: requests wait or are told to come again, sessions stay, and whatever was answered is there",
    async (how) => {
      await begin({ attemptMs: ANSWER_MS });
      load.talk();
      await pause(1_000);
      const primary = await stack.mongo.primary();
      if (how === "killed") await primary.kill9();
      else primary.freeze();
      await pause(6_000);
      if (how === "killed") await primary.restart();
      else primary.thaw();
      await pause(2_000);
      await load.fallSilent();
      expect(await load.findings()).toEqual([]);
      // An attempt that takes longer than it may counts as a fault of the service here, and so does a broken connection.
      expect(load.caller.broken).toEqual([]);
      for (const { link } of load.devices) expect([link.settledTimes, link.farewells]).toEqual([1, []]);
    },
    SLOW,
  );
});
