/** A redis-server process with a folder of its own. */
export interface RedisProcess {
  readonly port: number;
  /** Where a program connects: `redis://127.0.0.1:PORT`. */
  readonly url: string;
  readonly pid: number;
  /** The folder in which it runs; gone after `stop`. */
  readonly dir: string;
  /** False once it has ended. */
  readonly runs: boolean;
  /** Ends it as a power cut would. */
  kill9(): Promise<void>;
  /** Stops it with SIGSTOP: it keeps its connections and answers nothing. */
  freeze(): void;
  /** Lets it go on after `freeze`. */
  thaw(): void;
  /** Ends it, where it still runs, and starts it again on the same port and folder; waits until it answers. */
  restart(): Promise<void>;
  /** What the command answers; an error it answers is thrown. */
  command(...args: string[]): Promise<unknown>;
  /** Ends it, frozen or not, and removes its folder. Harmless when called again. */
  stop(): Promise<void>;
}

export interface Sentinels {
  /** `redis+sentinel://…/NAME`, with all Sentinels. */
  readonly url: string;
  readonly name: string;
  /** The two servers; the first began as the master. */
  readonly servers: RedisProcess[];
  readonly sentinels: RedisProcess[];
  /** The server that the Sentinels hold for the master now. */
  master(): Promise<RedisProcess>;
  stop(): Promise<void>;
}

export interface RedisCluster {
  /** `redis+cluster://…`, with all nodes. */
  readonly url: string;
  readonly nodes: RedisProcess[];
  /** The nodes that began as masters. */
  readonly masters: RedisProcess[];
  /** Waits until the nodes that run agree that all slots are served. */
  ok(): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisOptions {
  /** A free one unless given. */
  port?: number;
  /** Further options of redis-server. */
  args?: string[];
  /** What clients must give; it stands in the `url` too. */
  password?: string;
}

export interface SentinelOptions {
  args?: string[];
  /** Of both servers; the Sentinels ask for none. */
  password?: string;
}

export function launchRedis(binary: string, options?: RedisOptions): Promise<RedisProcess>;
export function launchSentinels(binary: string, options?: SentinelOptions): Promise<Sentinels>;
export function launchRedisCluster(binary: string, options?: { replicas?: boolean }): Promise<RedisCluster>;
