import { setTimeout as pause } from "node:timers/promises";
import { isoTime } from "../inbox/index.js";
import type { Topics, TopicValue, Viewer } from "../topics/index.js";
import { REREAD_GAP_MS, TOPICS_A_READ } from "./limits.js";
import { Packet } from "./packet.js";

/** Somebody who is told that a topic has a new value. */
export interface Watcher {
  changed(topic: string): void;
}

/** A value in its forms on the wire, each made once for all who are shown it. */
class Shown {
  readonly value: TopicValue;
  #update: Packet | undefined;
  #answer: { seq: number; at: string; data: unknown } | undefined;

  constructor(value: TopicValue) {
    this.value = value;
  }

  get seq(): number {
    return this.value.seq;
  }

  get update(): Packet {
    const { topic, seq, at, data } = this.value;
    this.#update ??= new Packet("/live", `["update",{"topic":"${topic}","seq":${seq},"at":"${isoTime(at)}","data":${data}}]`);
    return this.#update;
  }

  /** What `join` answers of the topic. */
  get answer(): { seq: number; at: string; data: unknown } {
    const { seq, at, data } = this.value;
    this.#answer ??= { seq, at: isoTime(at), data: JSON.parse(data) as unknown };
    return this.#answer;
  }
}

/** A topic that somebody here looks at. */
interface Board {
  latest: Shown | null;
  readonly watchers: Set<Watcher>;
}

/** The topics that sessions of this node look at, with the newest value that is known here. Whoever begins to look reads the store. */
export class Boards {
  readonly #topics: Topics;
  readonly #boards = new Map<string, Board>();
  readonly #unsubscribe: () => void;
  readonly #onError: (error: unknown) => void;
  #rereading = false;
  /** Whether all is to be read again when the read that is under way is done. */
  #again = false;
  #closed = false;

  /** `onError`: the store failed where nobody waits for its answer. */
  constructor(topics: Topics, onError: (error: unknown) => void) {
    this.#topics = topics;
    this.#onError = onError;
    this.#unsubscribe = topics.subscribe((value) => this.#learn(value));
  }

  /** The watcher hears of new values from now on. */
  watch(names: Iterable<string>, watcher: Watcher): void {
    for (const name of names) {
      const board = this.#boards.get(name);
      if (board === undefined) this.#boards.set(name, { latest: null, watchers: new Set([watcher]) });
      else board.watchers.add(watcher);
    }
  }

  unwatch(names: Iterable<string>, watcher: Watcher): void {
    for (const name of names) {
      const board = this.#boards.get(name);
      board?.watchers.delete(watcher);
      if (board?.watchers.size === 0) this.#boards.delete(name);
    }
  }

  /**
   * Reads the topics' values, which are watched already, so that none falls between this read and the first update.
   * @throws BelfryError `forbidden` that names a topic which the viewer may not look at, or the store's.
   */
  async read(names: string[], viewer: Viewer | null): Promise<void> {
    for (const value of (await this.#topics.look(names, viewer)).values()) this.#learn(value);
  }

  /** The topic's newest value; null where there is none, or none that the viewer may see. */
  latest(name: string, viewer: Viewer | null): Shown | null {
    const shown = this.#boards.get(name)?.latest ?? null;
    return shown !== null && this.#topics.mayLook(shown.value.access, viewer) ? shown : null;
  }

  /** Reads again what is watched, since something may have been missed; soon, where that was done a moment ago. */
  reread(): void {
    this.#again = true;
    if (!this.#rereading) void this.#rereadAll();
  }

  close(): void {
    this.#closed = true;
    this.#unsubscribe();
  }

  async #rereadAll(): Promise<void> {
    this.#rereading = true;
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        const names = [...this.#boards.keys()];
        while (names.length > 0) {
          for (const value of (await this.#topics.latest(names.splice(0, TOPICS_A_READ))).values()) this.#learn(value);
        }
      } catch (error) {
        this.#onError(error);
        this.#again = true;
      }
      await pause(REREAD_GAP_MS, undefined, { ref: false });
    }
    this.#rereading = false;
  }

  /** What is read can be older than what was heard meanwhile, and newer where another node has written. */
  #learn(value: TopicValue): void {
    const board = this.#boards.get(value.topic);
    if (board === undefined || value.seq <= (board.latest?.seq ?? 0)) return;
    board.latest = new Shown(value);
    for (const watcher of board.watchers) watcher.changed(value.topic);
  }
}
