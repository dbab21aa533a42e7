import { setTimeout as pause } from "node:timers/promises";
import type { Cluster, ClusterNode } from "./harness-cluster.js";
import type { FaultName, PlannedFault } from "./schedule.js";

/** What is slow is slower by this, least and most. Milliseconds. */
const SLOW_MS: [least: number, most: number] = [50, 800];

/** Of these a node has one at a time. */
const ENDS_NODE: ReadonlySet<FaultName> = new Set(["node:killed", "node:drained"]);

/** Makes all well again. */
type Heal = () => void | Promise<void>;

/** Where a fault is done. */
interface Scene {
  cluster: Cluster;
  node: ClusterNode;
  luck: number;
}

const nothing: Heal = () => {};

/** How each fault begins, and how it is healed. */
const FAULTS: Record<FaultName, (scene: Scene) => Heal | Promise<Heal>> = {
  "node:killed": async ({ node }) => {
    await node.kill9();
    return () => node.start();
  },
  "node:frozen": ({ node }) => {
    node.freeze();
    return () => node.thaw();
  },
  "node:drained": async ({ node }) => {
    await node.drain();
    return () => node.start();
  },
  "redis:killed": async ({ cluster, luck }) => {
    const server = await cluster.stack.redis.target(() => luck);
    await server.kill9();
    return () => server.restart();
  },
  "redis:frozen": async ({ cluster, luck }) => {
    const server = await cluster.stack.redis.target(() => luck);
    server.freeze();
    return () => server.thaw();
  },
  "redis:subscribers-killed": (scene) => killClients(scene, "pubsub"),
  "redis:clients-killed": (scene) => killClients(scene, "normal"),
  "bus:cut": ({ node }) => {
    node.bus?.cut();
    return nothing;
  },
  "bus:refused": ({ node }) => {
    node.bus?.refuse();
    return () => node.bus?.heal();
  },
  "bus:paused": ({ node }) => {
    node.bus?.pause();
    return () => node.bus?.heal();
  },
  "bus:half-open": ({ node }) => {
    node.bus?.deafen();
    return () => node.bus?.heal();
  },
  "bus:partly-half-open": ({ node, luck }) => {
    node.bus?.deafen((connection) => connection % 2 === Math.round(luck));
    return () => node.bus?.heal();
  },
  "bus:slow": ({ node, luck }) => {
    node.bus?.slow(slowness(luck));
    return () => node.bus?.heal();
  },
  "primary:killed": async ({ cluster }) => {
    const primary = await cluster.stack.mongo.primary();
    await primary.kill9();
    return () => primary.restart();
  },
  "primary:frozen": async ({ cluster }) => {
    const primary = await cluster.stack.mongo.primary();
    primary.freeze();
    return () => primary.thaw();
  },
  "primary:stepped-down": async ({ cluster }) => {
    await cluster.stack.mongo.stepDown();
    return nothing;
  },
  "primary:cut": async ({ cluster }) => {
    (await cluster.stack.primaryWay()).cut();
    return nothing;
  },
  "primary:slow": async ({ cluster, luck }) => {
    const way = await cluster.stack.primaryWay();
    way.slow(slowness(luck));
    return () => way.heal();
  },
  "devices:cut": ({ node }) => {
    node.front.cut();
    return nothing;
  },
  "devices:refused": ({ node }) => {
    node.front.refuse();
    return () => node.front.heal();
  },
  "devices:paused": ({ node }) => {
    node.front.pause();
    return () => node.front.heal();
  },
  "devices:half-open": ({ node }) => {
    node.front.deafen();
    return () => node.front.heal();
  },
  "devices:slow": ({ node, luck }) => {
    node.front.slow(slowness(luck));
    return () => node.front.heal();
  },
};

/**
 * Does what the schedule says; a node that is to be ended while it starts is ended when it has started, as one that is not yet there has
 * nothing to lose. Resolves when everything is healed. @throws Error when something could not be done.
 */
export async function play(faults: PlannedFault[], cluster: Cluster): Promise<void> {
  const ends = new Map<number, Promise<void>>();
  const done = await Promise.allSettled(
    faults.map(async ({ name, at, forMs, node, luck }) => {
      const fault = async () => {
        const heal = await FAULTS[name]({ cluster, node: cluster.nodes[node] as ClusterNode, luck });
        await pause(forMs);
        await heal();
      };
      await pause(at);
      if (!ENDS_NODE.has(name)) return fault();
      const ended = (ends.get(node) ?? Promise.resolve()).then(fault);
      ends.set(node, ended);
      return ended;
    }),
  );
  const failed = done.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

async function killClients({ cluster }: Scene, type: "pubsub" | "normal"): Promise<Heal> {
  // One that is away at the moment has no clients.
  await Promise.allSettled(cluster.stack.redis.servers.map((server) => server.command("CLIENT", "KILL", "TYPE", type)));
  return nothing;
}

function slowness(luck: number): number {
  const [least, most] = SLOW_MS;
  return least + luck * (most - least);
}
