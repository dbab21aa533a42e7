import { afterEach, describe, expect, it } from "@jest/globals";
import type { RedisLink } from "../../src/cluster/redis/link.js";
import { until } from "../support/member.js";
import { type RedisCluster, type RedisProcess, type Sentinels, startRedisCluster, startSentinels } from "../support/redis.js";
import { Links, untilCarried } from "../support/redis-links.js";

/** Starting several servers and a failover take seconds, more on a busy machine. Milliseconds. */
const SLOW = 150_000;

/** Within this a link works again after the servers have settled. Milliseconds. */
const BACK_MS = 30_000;

const links = new Links();

async function untilBothCarry(one: RedisLink, other: RedisLink): Promise<void> {
  await until("both links are ready", () => one.isReady && other.isReady, BACK_MS);
  await untilCarried(one, other, BACK_MS);
  await untilCarried(other, one, BACK_MS);
}

/** Names of this test's connections at a server. */
async function clientsOf(server: RedisProcess): Promise<string[]> {
  return String(await server.command("CLIENT", "LIST")).match(/(?<= name=belfry-)(publisher|subscriber)/g) ?? [];
}

describe("a link by Sentinels", () => {
  let sentinels: Sentinels;
  afterEach(async () => {
    await links.closeAll();
    await sentinels.stop();
  });

  it.each(["killed", "frozen"])(
    "finds the new master when the old one is %s, and leaves the old one alone when that is back",
    async (fault) => {
      sentinels = await startSentinels({ password: "pass word" });
      const [one, other] = [await links.open(sentinels.url), await links.open(sentinels.url)];
      await untilBothCarry(one, other);
      const old = await sentinels.master();
      if (fault === "killed") await old.kill9();
      else old.freeze();
      await until("the replica is promoted", async () => (await sentinels.master()) !== old);
      await untilBothCarry(one, other);
      const master = await sentinels.master();
      expect((await clientsOf(master)).sort()).toEqual(["publisher", "publisher", "subscriber", "subscriber"]);

      if (fault === "killed") await old.restart();
      else old.thaw();
      // Sentinels also end the connections of those who ask, when they make it a replica.
      const role = () => old.command("INFO", "replication").catch(() => "");
      await until("the old master follows", async () => String(await role()).includes("role:slave"), 30_000);
      expect(await clientsOf(old)).toEqual([]);
      await untilBothCarry(one, other);
    },
    SLOW,
  );

  it(
    "moves when the Sentinels agree on another master while the old one still answers, and works with one Sentinel left",
    async () => {
      sentinels = await startSentinels();
      const [one, other] = [await links.open(sentinels.url), await links.open(sentinels.url)];
      await untilBothCarry(one, other);
      const [old, next] = sentinels.servers as [RedisProcess, RedisProcess];
      await next.command("REPLICAOF", "NO", "ONE");
      for (const sentinel of sentinels.sentinels) {
        await sentinel.command("SENTINEL", "REMOVE", sentinels.name);
        await sentinel.command("SENTINEL", "MONITOR", sentinels.name, "127.0.0.1", String(next.port), "2");
      }
      await until("all have moved", async () => (await clientsOf(next)).length === 4 && (await clientsOf(old)).length === 0);
      await untilBothCarry(one, other);

      for (const sentinel of sentinels.sentinels.slice(1)) await sentinel.kill9();
      one.renew();
      await untilBothCarry(one, other);
    },
    SLOW,
  );
});

describe("a link to a Redis Cluster", () => {
  let cluster: RedisCluster;
  afterEach(async () => {
    await links.closeAll();
    await cluster.stop();
  });

  it(
    "carries between any nodes, and publishes on another node than it listens to",
    async () => {
      cluster = await startRedisCluster();
      const all = [];
      for (let index = 0; index < 4; index++) all.push(await links.open(cluster.url));
      for (const one of all) for (const other of all) await untilCarried(one, other);
      for (const node of cluster.nodes) {
        const clients = await clientsOf(node);
        expect(clients.length).toBeLessThan(8);
      }
    },
    SLOW,
  );

  it(
    "works when all that it was told of is one node, and that one dies",
    async () => {
      cluster = await startRedisCluster({ replicas: true });
      const [seed] = cluster.nodes as [RedisProcess];
      const url = seed.url.replace("redis://", "redis+cluster://");
      const [one, other] = [await links.open(url), await links.open(url)];
      await untilBothCarry(one, other);
      await seed.kill9();
      one.renew();
      other.renew();
      await untilBothCarry(one, other);
    },
    SLOW,
  );

  it.each(["killed", "frozen"])(
    "is ready again when a master and the node with its subscriptions are %s, and when they are back",
    async (fault) => {
      cluster = await startRedisCluster({ replicas: true });
      const [one, other] = [await links.open(cluster.url), await links.open(cluster.url)];
      await untilBothCarry(one, other);
      let carrier: RedisProcess | undefined;
      for (const node of cluster.nodes) if ((await clientsOf(node)).includes("subscriber")) carrier = node;
      const [master] = cluster.masters.filter((node) => node !== carrier) as [RedisProcess];
      const victims = [master, carrier as RedisProcess];
      for (const victim of victims) {
        if (fault === "killed") await victim.kill9();
        else victim.freeze();
      }
      const rest = cluster.nodes.filter((node) => !victims.includes(node)) as [RedisProcess];
      await untilBothCarry(one, other);
      await until("the rest have noticed", async () => String(await rest[0].command("CLUSTER", "NODES")).includes("fail"));
      await untilBothCarry(one, other);
      for (const victim of victims) {
        if (fault === "killed") await victim.restart();
        else victim.thaw();
      }
      await cluster.ok();
      await untilBothCarry(one, other);
    },
    SLOW,
  );

  it(
    "works while slots are not served",
    async () => {
      cluster = await startRedisCluster();
      const [one, other] = [await links.open(cluster.url), await links.open(cluster.url)];
      await untilBothCarry(one, other);
      const [victim, witness] = cluster.masters as [RedisProcess, RedisProcess];
      await victim.kill9();
      await until("the others have noticed", async () => String(await witness.command("CLUSTER", "INFO")).includes("cluster_state:fail"));
      one.renew();
      other.renew();
      await untilBothCarry(one, other);
    },
    SLOW,
  );
});
