import { hash, randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { MAX_MESSAGE_CHARS, RUBBISH_LOG_MS } from "./limits.js";
import type { ClusterObserver } from "./observer.js";
import { type Bus, type Link, Rubbish } from "./types.js";

/** The version of the envelope and of every kind's shape. A node ignores others' messages, and looks at the store as long as there are any. */
const VERSION = 1;

/** The kind of the message that a node also hears from itself. */
export const BEAT = "beat";

const NODE_ID = /^[\w-]{16}$/;

/** The channel that a message came by: of all nodes, or this node's own. */
export type Way = "all" | "own";

type Listener = (data: unknown, from: string) => void;

/** Who keeps account of messages, so that a loss is noticed. */
export interface BusWatcher {
  /** An own beat has come back. */
  echo(data: unknown): void;
  /** The node's message number `n` on this way was taken. Messages may come late, doubled and in any order. */
  received(from: string, way: Way, n: number): void;
  /** Something came that this version does not understand. */
  foreign(): void;
}

export interface MessageBusOptions {
  link: Link;
  /** What `deploymentOf` gives. */
  deployment: string;
  observer: ClusterObserver;
  logger: Logger;
}

/** Names the nodes that share a store, by its epoch, so that several such groups can share one Redis. 16 hexadecimal digits. */
export function deploymentOf(epoch: string): string {
  return hash("sha256", epoch).slice(0, 16);
}

/** Numbered messages in JSON on two channels, one of all nodes and one of each. */
export class MessageBus implements Bus {
  readonly node = randomBytes(12).toString("base64url");
  readonly #link: Link;
  readonly #observer: ClusterObserver;
  readonly #logger: Logger;
  readonly #prefix: string;
  /** What every own message begins with. */
  readonly #start = `{"v":${VERSION},"from":"${this.node}","n":`;
  readonly #listeners = new Map<string, Set<Listener>>();
  #watcher: BusWatcher | null = null;
  #sentToAll = 0;
  readonly #sentTo = new Map<string, number>();
  /** The highest number that was used on the channel of a node that is forgotten. */
  #floor = 0;
  #rubbish = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor({ link, deployment, observer, logger }: MessageBusOptions) {
    this.#link = link;
    this.#observer = observer;
    this.#logger = logger;
    this.#prefix = `belfry:${deployment}:`;
  }

  /** Begins to hear. To be called once, when all listeners are there. */
  start(watcher: BusWatcher): void {
    this.#watcher = watcher;
    this.#link.subscribe(`${this.#prefix}all`, (text) => this.#receive(text, "all"));
    this.#link.subscribe(`${this.#prefix}node:${this.node}`, (text) => this.#receive(text, "own"));
  }

  /** Returns false where the message is certain to be lost. */
  toAll(kind: string, data: unknown): boolean {
    return this.#send("all", kind, ++this.#sentToAll, data);
  }

  /** As `toAll`. What is for a node that was not met is dropped. */
  toNode(node: string, kind: string, data: unknown): boolean {
    const sent = this.#sentTo.get(node);
    if (sent === undefined) return false;
    this.#sentTo.set(node, sent + 1);
    return this.#send(`node:${node}`, kind, sent + 1, data);
  }

  /**
   * The node is there. If it was forgotten, its numbers go on above all that it may remember, since lower ones would look like repeats to it.
   */
  meet(node: string): void {
    this.#sentTo.set(node, this.#floor);
  }

  /** The node is gone. */
  forget(node: string): void {
    this.#floor = Math.max(this.#floor, this.#sentTo.get(node) ?? 0);
    this.#sentTo.delete(node);
  }

  /** For each node that is there, the number of the last message to it, be it lost or not. */
  sent(): Record<string, number> {
    return Object.fromEntries(this.#sentTo);
  }

  on(kind: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  #send(channel: string, kind: string, n: number, data: unknown): boolean {
    // A number is used up even by what is not sent: the others must notice that something is missing.
    const text = `${this.#start}${n},"k":"${kind}","d":${JSON.stringify(data) ?? null}}`;
    if (text.length > MAX_MESSAGE_CHARS || !this.#link.publish(this.#prefix + channel, text)) {
      this.#observer.dropped();
      return false;
    }
    this.#observer.message("out", kind);
    return true;
  }

  #receive(text: string, way: Way): void {
    try {
      if (text.startsWith(this.#start)) this.#echo(text);
      else this.#take(text, way);
    } catch (error) {
      this.#ignore(error);
    }
  }

  /** Of what comes back, only beats are worth reading. */
  #echo(text: string): void {
    if (text.startsWith(`,"k":"${BEAT}",`, text.indexOf(",", this.#start.length))) {
      this.#watcher?.echo((JSON.parse(text) as { d: unknown }).d);
    }
  }

  #take(text: string, way: Way): void {
    const { from, n, kind, data } = this.#open(text);
    const listeners = this.#listeners.get(kind);
    if (listeners === undefined || listeners.size === 0) {
      this.#watcher?.received(from, way, n);
      throw new Rubbish("a message of a kind that is not known here");
    }
    for (const listener of listeners) listener(data, from);
    this.#observer.message("in", kind);
    // Not where a listener refused it: it is then missing like a lost one.
    this.#watcher?.received(from, way, n);
  }

  #open(text: string): { from: string; n: number; kind: string; data: unknown } {
    if (text.length > MAX_MESSAGE_CHARS) throw new Rubbish(`a message of more than ${MAX_MESSAGE_CHARS} characters`);
    const envelope: unknown = parse(text);
    if (typeof envelope !== "object" || envelope === null) throw new Rubbish("a message that is no object");
    const { v, from, n, k, d } = envelope as Record<string, unknown>;
    if (v !== VERSION) {
      this.#watcher?.foreign();
      throw new Rubbish("a message of another version");
    }
    if (typeof from !== "string" || !NODE_ID.test(from)) throw new Rubbish("a message without a sender");
    if (!Number.isSafeInteger(n) || (n as number) < 1) throw new Rubbish("a message without a number");
    if (typeof k !== "string") throw new Rubbish("a message without a kind");
    return { from, n: n as number, kind: k, data: d };
  }

  #ignore(err: unknown): void {
    this.#observer.rubbish();
    this.#rubbish++;
    const now = performance.now();
    if (now - this.#loggedAt < RUBBISH_LOG_MS) return;
    this.#logger.warn(
      { err, count: this.#rubbish },
      "messages on the bus were ignored, of which this is the last: another version, or no node",
    );
    this.#loggedAt = now;
    this.#rubbish = 0;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    throw new Rubbish("a message that is not JSON");
  }
}
