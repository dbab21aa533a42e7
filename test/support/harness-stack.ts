import { randomUUID } from "node:crypto";
import mongoose from "mongoose";
import { FaultProxy } from "./fault-proxy.js";
import { type MongodProcess, startMongod } from "./mongod.js";
import { SET } from "./mongod-process.mjs";
import { type RedisProcess, startRedis, startRedisCluster, startSentinels } from "./redis.js";
import { ReplicaSet } from "./replica-set.js";

/** How long a primary may be silent before the others elect one, and how often members tell each other that they are there. Milliseconds. */
const ELECTION = { electionTimeoutMillis: 2_000, heartbeatIntervalMillis: 500 };

const MEMBERS = 3;

export type RedisKind = "redis" | "sentinel" | "cluster";

/** The Redis of a run, whichever kind it is. */
export interface RedisStack {
  readonly kind: RedisKind;
  /** All servers, Sentinels aside. */
  readonly servers: readonly RedisProcess[];
  /**
   * Where a node connects, and the proxy on its way there. There is none where clients learn the servers' addresses from the servers
   * themselves (Sentinel, Cluster).
   */
  way(): Promise<{ url: string; proxy: FaultProxy | null }>;
  /** A server whose end is felt: the one there is, the master, or one of the masters. */
  target(random: () => number): Promise<RedisProcess>;
  stop(): Promise<void>;
}

/** MongoDB and Redis for runs, one after the other; each run has a database of its own. */
export class Stack {
  private constructor(
    readonly mongo: ReplicaSet,
    readonly redis: RedisStack,
    /** On the way to each member of the replica set, in its order: for the nodes and for the other members. */
    readonly ways: readonly FaultProxy[],
  ) {}

  static async start(kind: RedisKind): Promise<Stack> {
    const [redis, set] = await Promise.all([startRedisStack(kind), startProxiedSet()]);
    return new Stack(set.mongo, redis, set.ways);
  }

  /** The address of a database that no other run has. */
  databaseUrl(): string {
    const hosts = this.ways.map(({ port }) => `127.0.0.1:${port}`);
    return `mongodb://${hosts.join(",")}/run-${randomUUID().slice(0, 8)}?replicaSet=${SET}`;
  }

  /** The way to the primary. */
  async primaryWay(): Promise<FaultProxy> {
    const primary = await this.mongo.primary();
    return this.ways[this.mongo.members.indexOf(primary)] as FaultProxy;
  }

  async stop(): Promise<void> {
    await Promise.all([this.redis.stop(), this.mongo.stop()]);
    await Promise.all(this.ways.map((way) => way.stop()));
  }
}

/**
 * A replica set whose members know each other, and are known to the nodes, by the addresses of proxies. A member finds itself in the
 * configuration all the same, because it asks the addresses there who they are.
 */
async function startProxiedSet(): Promise<{ mongo: ReplicaSet; ways: FaultProxy[] }> {
  const processes: MongodProcess[] = await Promise.all(Array.from({ length: MEMBERS }, () => startMongod("uninitiated")));
  const mongo = new ReplicaSet(processes);
  const ways = await Promise.all(processes.map(({ port }) => FaultProxy.start(port)));
  const members = ways.map(({ port }, _id) => ({ _id, host: `127.0.0.1:${port}` }));
  const client = new mongoose.mongo.MongoClient(`mongodb://127.0.0.1:${processes[0]?.port}/?directConnection=true`);
  try {
    await client.db("admin").command({ replSetInitiate: { _id: SET, members, settings: ELECTION } });
  } finally {
    await client.close();
  }
  await mongo.secondaries();
  return { mongo, ways };
}

async function startRedisStack(kind: RedisKind): Promise<RedisStack> {
  if (kind === "redis") {
    const server = await startRedis();
    const way = async () => {
      const proxy = await FaultProxy.start(server.port);
      return { url: `redis://127.0.0.1:${proxy.port}`, proxy };
    };
    return { kind, servers: [server], way, target: async () => server, stop: () => server.stop() };
  }
  if (kind === "sentinel") {
    const { url, servers, master, stop } = await startSentinels();
    return { kind, servers, way: async () => ({ url, proxy: null }), target: () => master(), stop: () => stop() };
  }
  const { url, masters, stop } = await startRedisCluster();
  const target = async (random: () => number) => masters[Math.floor(random() * masters.length)] as RedisProcess;
  return { kind, servers: masters, way: async () => ({ url, proxy: null }), target, stop: () => stop() };
}
