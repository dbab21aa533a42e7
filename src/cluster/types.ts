/** The ports of the room `cluster`: the way to Redis, and what its parts say to each other over it. */

/** Fire-and-forget channels. Nothing here throws or rejects because Redis is away. */
export interface Link {
  /** Gives text to a channel. False where it was dropped: not connected, or too much waits already. */
  publish(channel: string, text: string): boolean;
  /**
   * Calls the listener with each text on the channel, for as long as the link lives, over reconnections. A listener that throws is the
   * link's to survive.
   */
  subscribe(channel: string, listener: (text: string) => void): void;
  /** Calls the listener whenever the publisher is connected and ALL subscriptions are confirmed, first and after every reconnection. */
  onReady(listener: () => void): void;
  /** Lets go of connections that may be dead without saying so (half-open) and makes new ones. */
  renew(): void;
  close(): Promise<void>;
}

/** Messages between nodes. Any of them may be lost, and none is waited for. */
export interface Bus {
  /** This process among the nodes: random, new at every start. */
  readonly node: string;
  /** To all other nodes. Dropped while Redis is away. */
  toAll(kind: string, data: unknown): void;
  /** To one other node. Dropped while Redis is away. */
  toNode(node: string, kind: string, data: unknown): void;
  /**
   * Calls the listener with what other nodes send, never with this node's own messages (but for membership's probe). The listener checks the
   * shape and throws `Rubbish` where it is wrong: that is counted, logged once a minute and ignored. Returns what ends it.
   */
  on(kind: string, listener: (data: unknown, from: string) => void): () => void;
}

/** What another node sent has not the shape that its kind has: a fault, or a node of another version. */
export class Rubbish extends Error {
  override readonly name = "Rubbish";
}

/**
 * Redis cannot be used as REDIS_URL says, and waiting does not help: another password, another kind of server. The message starts with
 * `REDIS_URL: ` and says what to do; the program prints it and ends.
 */
export class RedisRefused extends Error {
  override readonly name = "RedisRefused";
}

/**
 * What @socket.io/redis-adapter calls of a client of `redis`, and no more. The promises are fulfilled at once and never rejected: what is
 * subscribed is so over reconnections, and what cannot be published is dropped.
 */
export interface AdapterClient {
  publish(channel: string, message: string | Uint8Array): Promise<number>;
  subscribe(channels: string | string[], listener: AdapterListener, bufferMode?: boolean): Promise<void>;
  unsubscribe(channels: string | string[], listener?: AdapterListener, bufferMode?: boolean): Promise<void>;
  pSubscribe(patterns: string | string[], listener: AdapterListener, bufferMode?: boolean): Promise<void>;
  pUnsubscribe(patterns: string | string[], listener?: AdapterListener, bufferMode?: boolean): Promise<void>;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  listenerCount(event: string): number;
}

/** Called with the message and its channel, as Buffers where the subscription is in buffer mode. */
export type AdapterListener = (message: Buffer, channel: Buffer) => void;
