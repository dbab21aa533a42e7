import type { Logger } from "pino";
import type { HostPort, RedisTarget } from "../../config/types.js";
import { type AdapterClient, type Link, RedisRefused } from "../types.js";
import { adapterClientsOf } from "./adapter-clients.js";
import { Dialer, reasonOf } from "./connection.js";
import { Pair } from "./pair.js";
import { tlsRefusalOf } from "./refusals.js";
import { finderFor, firstOf, type ServerFinder } from "./servers.js";
import { type RubbishListener, Subscriptions } from "./subscriptions.js";

/** The state of which the log was told when there is no fault. */
const CONNECTED = "connected";

/** How long the start waits for a Redis; the node serves without one after that. Milliseconds. */
const START_WAIT_MS = 5_000;

/** The longest pause before the first attempt after a fault, which doubles with each that fails. Milliseconds. */
const FIRST_PAUSE_MS = 100;

/**
 * The longest pause between two attempts. Threat: all nodes come to a Redis that has just come back in the same moment; the real pause is
 * anything up to this. Milliseconds.
 */
const MAX_PAUSE_MS = 1_000;

/**
 * A connection that ends sooner counts as an attempt that failed. Threat: a server that lets everybody in and drops them again is asked many
 * times a second. Milliseconds.
 */
const LASTING_MS = 10_000;

/**
 * Connects, and keeps connected for ever. Resolves when everything is connected, or after `START_WAIT_MS` without a Redis (`isReady` tells).
 * @throws RedisRefused where waiting cannot help: other credentials, another kind of server, a certificate that is not accepted.
 */
export async function openRedisLink(target: RedisTarget, options: { log: Logger }): Promise<RedisLink> {
  const link = new RedisLink(target, options.log);
  await link.start();
  return link;
}

/**
 * A `Link` over Redis, a Redis behind Sentinels, or a Redis Cluster. Every fault ends both connections, and new ones are made to the servers
 * that are right then: one way back for a restart, a failover, a half-open connection and `renew`.
 */
export class RedisLink implements Link {
  readonly #log: Logger;
  readonly #dialer: Dialer;
  readonly #finder: ServerFinder;
  readonly #first: HostPort;
  readonly #subscriptions = new Subscriptions();
  readonly #readyListeners: Array<() => void> = [];
  readonly #adapterClients: { pub: AdapterClient; sub: AdapterClient };
  #pair: Pair | null = null;
  #running: Promise<void> = Promise.resolve();
  #isClosed = false;
  #dropped = 0;
  /** Ends the pause before the next attempt. */
  #wake: () => void = () => {};
  /** What the log says of the connection; null: nothing yet. */
  #told: string | null = null;
  /** While it starts: what ends the waiting, and what looks into a fault that waiting would end, or so it seems. */
  #onFirst: (refused: RedisRefused | null) => void = () => {};
  #onFirstFault: () => void = () => {};

  constructor(target: RedisTarget, log: Logger) {
    this.#log = log;
    this.#dialer = new Dialer(target);
    this.#finder = finderFor(target, this.#dialer);
    this.#first = firstOf(target);
    this.#adapterClients = adapterClientsOf({
      publish: (channel, message) => this.#publish(channel, message),
      subscriptions: this.#subscriptions,
      onAdded: () => this.#pair?.subscribe(),
    });
  }

  /** Begins to connect. Resolves and rejects as `openRedisLink` does. */
  async start(): Promise<void> {
    const refused = await new Promise<RedisRefused | null>((resolve) => {
      let diagnosis: Promise<RedisRefused | null> = Promise.resolve(null);
      const timer = setTimeout(() => resolve(diagnosis), START_WAIT_MS);
      this.#onFirst = (result) => {
        clearTimeout(timer);
        resolve(result);
      };
      this.#onFirstFault = () => {
        this.#onFirstFault = () => {};
        diagnosis = tlsRefusalOf(this.#dialer, this.#first);
        void diagnosis.then((found) => {
          if (found !== null) this.#onFirst(found);
        });
      };
      this.#running = this.#run();
    });
    this.#onFirst = () => {};
    this.#onFirstFault = () => {};
    if (refused === null) return;
    await this.close();
    throw refused;
  }

  /** Whether the publisher is connected and all subscriptions are confirmed. */
  get isReady(): boolean {
    return this.#pair?.isReady ?? false;
  }

  /** Messages that were not given to Redis. */
  get dropped(): number {
    return this.#dropped;
  }

  publish(channel: string, text: string): boolean {
    return this.#publish(channel, text);
  }

  subscribe(channel: string, listener: (text: string) => void): void {
    this.#subscriptions.add("channel", channel, (message) => listener(message.toString()));
    this.#pair?.subscribe();
  }

  /** Also calls the listener soon where everything is ready already. */
  onReady(listener: () => void): void {
    this.#readyListeners.push(listener);
    queueMicrotask(() => {
      if (this.isReady) this.#call(listener);
    });
  }

  /** Calls the listener for each message that the one it was for could not take. */
  onRubbish(listener: RubbishListener): void {
    this.#subscriptions.onRubbish(listener);
  }

  /** What @socket.io/redis-adapter is made with, once: these outlive every connection. */
  adapterClients(): { pub: AdapterClient; sub: AdapterClient } {
    return this.#adapterClients;
  }

  renew(): void {
    // One that is just being opened is new, and bounded in time.
    if (this.#pair?.isOpen) this.#pair.end(new Renewed("the connections were renewed"));
    this.#wake();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pair?.flush();
    this.#pair?.end(new Error("the link is closed"));
    this.#wake();
    await Promise.all([this.#running, this.#dialer.close()]);
  }

  #publish(channel: string, message: string | Buffer): boolean {
    const published = this.#pair?.publish(channel, message) ?? false;
    if (!published) this.#dropped++;
    return published;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#isClosed) {
      const begun = performance.now();
      await this.#live();
      failures = performance.now() - begun < LASTING_MS ? failures + 1 : 0;
      if (!this.#isClosed) await this.#pause(Math.random() * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures));
    }
  }

  /** One pair, from its opening to its end. */
  async #live(): Promise<void> {
    let end: (reason: Error) => void = () => {};
    const ended = new Promise<Error>((resolve) => {
      end = resolve;
    });
    const [dialer, finder, subscriptions] = [this.#dialer, this.#finder, this.#subscriptions];
    const pair = new Pair({ dialer, finder, subscriptions, onReady: () => this.#onReady(), onEnd: end });
    this.#pair = pair;
    try {
      await pair.open();
    } catch (error) {
      pair.end(error instanceof Error ? error : new Error(String(error)));
      this.#onFault(error);
      return;
    }
    this.#onFault(await ended);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #onReady(): void {
    if (this.#told !== CONNECTED) this.#log.info("redis connected");
    this.#told = CONNECTED;
    this.#onFirst(null);
    for (const listener of this.#readyListeners) this.#call(listener);
  }

  #onFault(error: unknown): void {
    if (this.#isClosed || error instanceof Renewed) return;
    const reason = reasonOf(error);
    const refused = error instanceof RedisRefused;
    // Once for each outage, and again where it turns out that waiting will not end it.
    if (this.#told === null || this.#told === CONNECTED || (refused && this.#told !== reason)) {
      this.#log.warn({ reason }, "redis cannot be used; this node goes on without it and tries again");
      this.#told = reason;
    } else {
      this.#log.debug({ reason }, "redis cannot be used yet");
    }
    if (refused) this.#onFirst(error);
    else this.#onFirstFault();
  }

  #call(listener: () => void): void {
    try {
      listener();
    } catch (err) {
      this.#log.error({ err }, "a listener to the state of redis failed");
    }
  }
}

/** Why a pair ended that was ended on purpose. */
class Renewed extends Error {}
