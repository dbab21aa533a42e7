import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, it } from "@jest/globals";
import { deploymentOf } from "../../src/cluster/bus.js";
import type { RedisLink } from "../../src/cluster/redis/link.js";
import { TestNode } from "../support/cluster-node.js";
import { until } from "../support/member.js";
import { startOwn, stopOwn } from "../support/redis.js";
import { Links } from "../support/redis-links.js";

/** Faults are noticed and repaired within seconds, more on a busy machine. Milliseconds. */
const SLOW = 60_000;

describe("nodes on a real Redis", () => {
  const links = new Links();
  const nodes: TestNode<RedisLink>[] = [];

  afterEach(async () => {
    for (const node of nodes.splice(0)) node.cluster.stop();
    await links.closeAll();
    await stopOwn();
  });

  /** Nodes that know each other. */
  async function start(url: string, count: number): Promise<TestNode<RedisLink>[]> {
    const deployment = deploymentOf(randomUUID());
    for (let index = 0; index < count; index++) {
      const node = new TestNode(await links.open(url), { deployment });
      nodes.push(node);
      node.cluster.start();
    }
    await until("they know each other", () => nodes.every(({ cluster }) => cluster.isUp && cluster.peers === count - 1), SLOW);
    return nodes;
  }

  function isKnown(node: TestNode<RedisLink> | undefined, user: string): boolean {
    return [...(node?.presence.nodesOf(user) ?? [])].length > 0;
  }

  it(
    "know who is where, bring entries there, and let go of a node that says goodbye",
    async () => {
      const [a, b, c] = await start((await startOwn()).url, 3);
      for (let member = 0; member < 12_000; member++) b?.enter(`member-${member}`);
      c?.enter("ada");
      await until("all know who is where", () => nodes.every(({ presence }) => presence.users === 12_001), SLOW);
      a?.append("inbox:ada", 1, { own: JSON.stringify({ text: "ä → 🎈" }), origin: { request: "request-1", trace: null } });
      a?.append("announcements", 2);
      await until("both have come", () => c?.heard.length === 2);
      expect(c?.heard.map(({ what }) => what.stream).sort()).toEqual(["announcements", "inbox:ada"]);
      const own = c?.heard.find(({ what }) => what.stream === "inbox:ada")?.what.entry;
      expect(own).toMatchObject({ own: '{"text":"ä → 🎈"}', origin: { request: "request-1" } });
      expect(b?.heard.map(({ what }) => what.stream)).toEqual(["announcements"]);
      b?.cluster.stop();
      await until("it is gone", () => a?.cluster.peers === 1 && a.presence.users === 1);
      expect(nodes.map(({ counts }) => counts.rubbishes)).toEqual([0, 0, 0]);
    },
    SLOW,
  );

  it(
    "look at the store while Redis is killed or frozen, and find each other again when it is back, each with who came meanwhile",
    async () => {
      const redis = await startOwn();
      const [a, b] = await start(redis.url, 2);
      a?.enter("early");
      await until("who is there is known", () => isKnown(b, "early"));
      for (const round of ["killed", "frozen"]) {
        const goneAt = Date.now();
        if (round === "killed") await redis.kill9();
        else redis.freeze();
        await until("both have noticed", () => nodes.every(({ cluster }) => !cluster.isUp), SLOW);
        a?.enter(`while-${round}`);
        const lookedAt = Date.now();
        await until("both look", () => nodes.every(({ doubts }) => doubts.some(({ at, what }) => what === 0 && at > lookedAt)), SLOW);
        await until("an outage of some seconds", () => Date.now() - goneAt > 6_000, SLOW);
        if (round === "killed") await redis.restart();
        else redis.thaw();
        await until("all is well", () => nodes.every(({ cluster }) => cluster.isUp && cluster.peers === 1), SLOW);
        await until("who came meanwhile is known", () => isKnown(b, `while-${round}`), SLOW);
        expect(isKnown(b, "early")).toBe(true);
        const seq = b?.heard.length ?? 0;
        a?.append("announcements", seq + 1);
        await until("hints flow", () => b?.heard.length === seq + 1, SLOW);
      }
      expect(nodes.map(({ counts }) => counts.rubbishes)).toEqual([0, 0]);
    },
    SLOW,
  );
});
