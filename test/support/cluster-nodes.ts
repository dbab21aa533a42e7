import { AnnouncementDevice } from "./announcement-device.js";
import { Announcer } from "./announcing.js";
import { Board } from "./board.js";
import { call, tokenOf } from "./call.js";
import { Channel } from "./channel.js";
import { FaultProxy } from "./fault-proxy.js";
import { Member, until } from "./member.js";
import { type Environment, type Service, startService } from "./service.js";

/** All nodes of all tests have these keys. */
const KEYS = { JWT_SECRET: "of-all-nodes-".repeat(4), API_KEYS: "key-of-all-nodes-".repeat(3) };

export interface NodesOptions {
  count: number;
  mongodbUrl: string;
  redis: { port: number };
  env?: Environment;
}

/** One node: a process of the service, and its own way to Redis. */
export class ClusterNode {
  constructor(
    readonly service: Service,
    readonly way: FaultProxy,
  ) {}

  /** What Prometheus reads; NaN where it is not shown. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.service.url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  }

  async ready(): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${this.service.url}/ready`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  async bus(): Promise<unknown> {
    return (await this.ready()).body.bus;
  }

  async online(): Promise<{ users: number; sessions: number }> {
    const { status, body, text } = await call(this.service, "GET", "/v1/online", this.service.apiKey);
    if (status !== 200) throw new Error(text);
    return body as unknown as { users: number; sessions: number };
  }

  /** The lines of the log with this text in them. */
  logged(text: string): string[] {
    return this.service.output.split("\n").filter((line) => line.includes(text));
  }
}

/** Nodes on one MongoDB database and one Redis, and the clients that a test connects to them. */
export class ClusterNodes {
  readonly nodes: ClusterNode[] = [];
  readonly #clients: Array<() => void> = [];

  private constructor(private readonly options: NodesOptions) {}

  /** Resolves when all nodes know of each other. */
  static async start(options: NodesOptions): Promise<ClusterNodes> {
    const cluster = new ClusterNodes(options);
    try {
      // One after the other: together, each takes as long as all, which a busy machine may not have in time.
      while (cluster.nodes.length < options.count) await cluster.add();
      await cluster.met();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  at(index: number): ClusterNode {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`There is no node ${index}.`);
    return node;
  }

  /** Starts one more node. */
  async add(env: Environment = {}): Promise<ClusterNode> {
    const way = await FaultProxy.start(this.options.redis.port);
    const { mongodbUrl } = this.options;
    const own = {
      MONGODB_URL: mongodbUrl,
      REDIS_URL: `redis://127.0.0.1:${way.port}`,
      ...KEYS,
      LOG_LEVEL: "info",
      // Its guardian would end a node that a busy machine does not let run for a while.
      WATCHDOG: "0",
    };
    const service = await startService({ env: { ...own, ...this.options.env, ...env } }).catch(async (error) => {
      await way.stop();
      throw error;
    });
    service.keys = { apiKey: KEYS.API_KEYS, jwtSecret: KEYS.JWT_SECRET, discourseSecret: "" };
    const node = new ClusterNode(service, way);
    this.nodes.push(node);
    return node;
  }

  /** Resolves when each of these nodes hears itself and knows of so many others. */
  async met(nodes = this.nodes, others = nodes.length - 1): Promise<void> {
    for (const [index, node] of nodes.entries()) {
      await until(
        () => `node ${index} to know of ${others} others\n${node.service.output.slice(-1_000)}`,
        async () => (await node.metric("belfry_bus_up")) === 1 && (await node.metric("belfry_peers")) === others,
      );
    }
  }

  /** A device of the member on a node, brought up to date. */
  async member(user: string, node: number): Promise<Member> {
    return this.arriving(user, node).ready();
  }

  /** A device that has only begun to connect. */
  arriving(user: string, node: number): Member {
    const { url, jwtSecret } = this.at(node).service;
    const member = new Member(user, { url, secret: jwtSecret });
    this.#clients.push(() => member.disconnect());
    return member.connect();
  }

  async reader(user: string, node: number): Promise<AnnouncementDevice> {
    const device = new AnnouncementDevice(user, this.at(node).service);
    this.#clients.push(() => device.disconnect());
    return device.connect().ready();
  }

  async board(user: string, node: number, ...topics: string[]): Promise<Board> {
    const { service } = this.at(node);
    const board = new Board(service, tokenOf(service, user));
    this.#clients.push(() => board.leave());
    await board.settled();
    if (topics.length > 0) await board.join(...topics);
    return board;
  }

  async moderator(user: string, node: number): Promise<Channel> {
    const { service } = this.at(node);
    const channel = new Channel(service, "/moderation", { token: tokenOf(service, user, "moderator") });
    this.#clients.push(() => channel.leave());
    return channel.settled();
  }

  announcer(node: number): Announcer {
    return new Announcer(this.at(node).service);
  }

  /** A server's call of a node; it must succeed. */
  async put(node: number, path: string, body: object): Promise<void> {
    const { service } = this.at(node);
    const { status, text } = await call(service, "PUT", path, service.apiKey, body);
    if (status !== 200) throw new Error(`PUT ${path}: ${status} ${text}`);
  }

  /** Disconnects all clients. */
  leave(): void {
    for (const leave of this.#clients.splice(0)) leave();
  }

  async stop(): Promise<void> {
    this.leave();
    await Promise.all(this.nodes.map(({ service }) => service.stop()));
    await Promise.all(this.nodes.splice(0).map(({ way }) => way.stop()));
  }
}
