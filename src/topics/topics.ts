import { setImmediate as breath } from "node:timers/promises";
import { BelfryError } from "../errors.js";
import { parseTopics, parseValue, parseWrite, type TopicWrite } from "./requests.js";
import type { Access, TopicStore, TopicValue } from "./types.js";

/** Topics that the service keeps. Threat: a server that makes up names until the disk is full; each may hold 64 KiB. */
const MAX_TOPICS_KEPT = 100_000;

/** Who wants to look; a guest is null. */
export interface Viewer {
  roles: string[];
}

/** The answer to a write. `at` is RFC 3339. */
interface Written {
  topic: string;
  seq: number;
  at: string;
  data: unknown;
  access: Access;
}

type Listener = (value: TopicValue) => void;

/** A write that waits for the one before it, and what it will be answered. */
interface Waiting {
  write: TopicWrite;
  answer: Promise<Written>;
}

/** The writes of one topic that is being written. */
interface Lane {
  waiting: Waiting | null;
  /** Settles after the last write that was taken. Never rejects. */
  idle: Promise<unknown>;
}

/**
 * Names with a latest value each. The store is the truth; those who listen hear of a value that is written here once it is durable, in the
 * order of seqs.
 */
export class Topics {
  readonly #store: TopicStore;
  readonly #clock: () => number;
  readonly #lanes = new Map<string, Lane>();
  readonly #listeners = new Set<Listener>();
  /** Names that the store has; topics are never deleted. At most as many as are kept. */
  readonly #known = new Set<string>();
  #creating = 0;

  constructor(options: { store: TopicStore; clock?: () => number }) {
    this.#store = options.store;
    this.#clock = options.clock ?? Date.now;
  }

  /**
   * Stores a new value; resolves once it is durable. Writes of a topic that arrive while one is under way share the next: the newest wins,
   * and all are answered with it.
   * @throws BelfryError `bad_request`, `too_large`, or the store's.
   */
  async write(name: unknown, body: unknown): Promise<Written> {
    const write = parseWrite(name, body);
    const lane: Lane = this.#lanes.get(write.topic) ?? { waiting: null, idle: Promise.resolve() };
    if (lane.waiting !== null) {
      // What was not said the last time stays as the time before said it, as if both had been stored.
      lane.waiting.write = { ...lane.waiting.write, ...write };
      return lane.waiting.answer;
    }
    // First whatever else has arrived by now: of a store that writes at once, each value would cost a write of its own.
    const answer = lane.idle.then(breath).then(async () => {
      lane.waiting = null;
      return answerOf(await this.#save(waiting.write));
    });
    const waiting: Waiting = { write, answer };
    lane.waiting = waiting;
    const idle = answer
      .catch(() => {})
      .then(() => {
        if (lane.idle === idle) this.#lanes.delete(write.topic);
      });
    lane.idle = idle;
    this.#lanes.set(write.topic, lane);
    return answer;
  }

  /**
   * The topic's latest value, whoever may look at it: for servers.
   * @throws BelfryError `bad_request`, `not_found`, or the store's.
   */
  async read(name: unknown): Promise<Written> {
    const topics = parseTopics({ topics: [name] });
    const [value] = (await this.#store.read(topics)).values();
    if (value === undefined) throw new BelfryError("not_found", "The topic was never written.");
    return answerOf(value);
  }

  /**
   * The latest values of these topics; those never written are left out.
   * @throws BelfryError `forbidden` that names the first topic that the viewer may not look at, or the store's.
   */
  async look(names: string[], viewer: Viewer | null): Promise<Map<string, TopicValue>> {
    const values = await this.#store.read(names);
    for (const { topic, access } of values.values()) {
      if (this.mayLook(access, viewer)) continue;
      throw new BelfryError("forbidden", `The topic ${topic} is not for ${viewer === null ? "guests" : "this member's roles"}.`);
    }
    return values;
  }

  /**
   * The latest values of these topics, whoever may look at them: for those who ask `mayLook` before they show one.
   * @throws the store's
   */
  latest(names: string[]): Promise<Map<string, TopicValue>> {
    return this.#store.read(names);
  }

  mayLook(access: Access, viewer: Viewer | null): boolean {
    if (access === "public") return true;
    if (viewer === null) return false;
    return access === "members" || access.some((role) => viewer.roles.includes(role));
  }

  /** Calls the listener with every value that is written here or heard of. Returns how to stop that. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Gives a value that another node has stored to those who listen: late, doubled or out of order, so they go by its seq.
   * @throws BelfryError `bad_request` where it is no such value; then nobody hears of it
   */
  hear(value: unknown): void {
    const heard = parseValue(value);
    for (const listener of this.#listeners) listener(heard);
  }

  async #save({ topic, data, access }: TopicWrite): Promise<TopicValue> {
    const value = this.#known.has(topic)
      ? await this.#store.write(topic, data, access, this.#clock())
      : await this.#create(topic, () => this.#store.write(topic, data, access, this.#clock()));
    for (const listener of this.#listeners) listener(value);
    return value;
  }

  async #create(topic: string, write: () => Promise<TopicValue>): Promise<TopicValue> {
    this.#creating++;
    try {
      if (!(await this.#store.read([topic])).has(topic) && (await this.#store.count()) + this.#creating > MAX_TOPICS_KEPT) {
        throw new BelfryError("bad_request", `There are ${MAX_TOPICS_KEPT} topics already; write to one that exists.`);
      }
      const value = await write();
      if (this.#known.size < MAX_TOPICS_KEPT) this.#known.add(topic);
      return value;
    } finally {
      this.#creating--;
    }
  }
}

function answerOf({ topic, seq, at, data, access }: TopicValue): Written {
  return { topic, seq, at: new Date(at).toISOString(), data: JSON.parse(data) as unknown, access };
}
