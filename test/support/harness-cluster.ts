import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultProxy } from "./fault-proxy.js";
import type { Stack } from "./harness-stack.js";
import { type Environment, type Exit, Service, type ServiceKeys } from "./service.js";

/** Of all nodes of all runs. */
const KEYS: ServiceKeys = { apiKey: "a".repeat(32), jwtSecret: "b".repeat(32), discourseSecret: "c".repeat(32) };

/**
 * Why a node may end before it serves, and be started again as a supervisor does: a connection of this machine has got its port while nobody
 * listened on it, or MongoDB has no primary at the moment. How often, and the pause before.
 */
const STARTS_AGAIN = /the port is in use|MongoDB does not answer|no usable MongoDB answered/;
const STARTS = 20;
const START_PAUSE_MS = 200;

/** What a node writes that is no line of its log. */
const GREETING = /^Belfry is listening on /;

/** A line of a node's log. */
export interface LogLine extends Record<string, unknown> {
  level: number;
  msg: string;
}

/** One process of the service, the way by which devices and servers reach it, and its own way to Redis. */
export class ClusterNode {
  /** Everything that it has written, of all its lives. */
  output = "";
  /** How often it ended before it served, and was started again. */
  startsAgain = 0;
  readonly #service: Service;
  #front: FaultProxy | null = null;
  #isFrozen = false;
  /** Whether it should run: what ended otherwise has died. */
  #isWanted = false;

  constructor(
    readonly name: string,
    dataDir: string,
    env: Environment,
    /** Its way to Redis; null where there is no proxy on it. */
    readonly bus: FaultProxy | null,
  ) {
    this.#service = new Service(dataDir, { ...env, NODE_NAME: name }, false, (text) => {
      this.output += text;
    });
  }

  /** Where it listens, past the proxy. */
  get url(): string {
    return this.#service.url;
  }

  /** The way by which everybody else reaches it. */
  get front(): FaultProxy {
    if (this.#front === null) throw new Error(`${this.name} was never started`);
    return this.#front;
  }

  get pid(): number {
    return this.#service.pid;
  }

  /** Whether it has ended although nobody has ended it. */
  get hasDied(): boolean {
    return this.#isWanted && !this.#runs;
  }

  async start(): Promise<void> {
    for (let left = STARTS; ; left--) {
      try {
        await this.#service.start();
        break;
      } catch (error) {
        if (left === 0 || !STARTS_AGAIN.test(String(error))) throw error;
        this.startsAgain++;
        await new Promise((resolve) => setTimeout(resolve, START_PAUSE_MS));
      }
    }
    this.#isWanted = true;
    this.#front ??= await FaultProxy.start(Number(new URL(this.url).port));
  }

  async kill9(): Promise<void> {
    this.#isWanted = false;
    await this.#service.kill9();
  }

  /** Asks it to stop, and waits until it has. */
  async drain(): Promise<Exit> {
    this.#isWanted = false;
    return this.#service.stop();
  }

  freeze(): void {
    process.kill(this.pid, "SIGSTOP");
    this.#isFrozen = true;
  }

  thaw(): void {
    if (this.#isFrozen && this.#runs) process.kill(this.pid, "SIGCONT");
    this.#isFrozen = false;
  }

  /** The lines of its log, and what it wrote besides: no right node does. */
  log(): { lines: LogLine[]; rest: string[] } {
    const lines: LogLine[] = [];
    const rest: string[] = [];
    for (const text of this.output.split("\n")) {
      if (text === "" || GREETING.test(text)) continue;
      try {
        lines.push(JSON.parse(text) as LogLine);
      } catch {
        // A line that a kill has cut is the last of its life, and has no end.
        if (!/^\{"level":\d/.test(text)) rest.push(text);
      }
    }
    return { lines, rest };
  }

  /** Ends it and its ways, whatever state it is in. */
  async dispose(): Promise<void> {
    this.thaw();
    await this.kill9();
    await Promise.all([this.#front?.stop(), this.bus?.stop()]);
  }

  get #runs(): boolean {
    try {
      return this.#service.pid > 0;
    } catch {
      return false;
    }
  }
}

/** Several nodes on one stack, with a database of their own. */
export class Cluster {
  readonly keys = KEYS;

  private constructor(
    readonly stack: Stack,
    readonly nodes: readonly ClusterNode[],
    private readonly dir: string,
  ) {}

  static async start(stack: Stack, { size = 3, env = {} }: { size?: number; env?: Environment } = {}): Promise<Cluster> {
    const dir = await mkdtemp(join(tmpdir(), "belfry-cluster-"));
    const shared: Environment = {
      NODE_ENV: "production",
      LOG_LEVEL: "info",
      WATCHDOG: "0",
      MONGODB_URL: stack.databaseUrl(),
      API_KEYS: KEYS.apiKey,
      JWT_SECRET: KEYS.jwtSecret,
      DISCOURSE_SECRET: KEYS.discourseSecret,
      ...env,
    };
    const nodes = await Promise.all(
      Array.from({ length: size }, async (_, index) => {
        const { url, proxy } = await stack.redis.way();
        return new ClusterNode(`node-${index}`, join(dir, String(index)), { ...shared, REDIS_URL: url }, proxy);
      }),
    );
    const cluster = new Cluster(stack, nodes, dir);
    try {
      // The first makes the collections and indexes; beside it the others would only wait for its locks.
      await nodes[0]?.start();
      const started = await Promise.allSettled(nodes.slice(1).map((node) => node.start()));
      for (const one of started) if (one.status === "rejected") throw one.reason;
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Where devices and servers go. */
  get urls(): string[] {
    return this.nodes.map(({ front }) => `http://127.0.0.1:${front.port}`);
  }

  /** Ends what still runs, and removes what it kept. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.dispose()));
    await rm(this.dir, { recursive: true, force: true });
  }
}
