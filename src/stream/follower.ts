import { FOLLOW_EVERY_MS } from "./limits.js";
import type { StreamReader } from "./log.js";
import type { StoredEntry } from "./types.js";

/** Entries read at once while catching up. */
const PAGE_ENTRIES = 100;

export interface FollowerOptions {
  log: StreamReader;
  stream: string;
  /** Gets every entry after the start, each once, in order of seq. */
  onEntry: (entry: StoredEntry) => void;
  onError: (error: unknown) => void;
}

/**
 * Gives one stream's entries to this process, whichever node has written them. Those of this node come with their hint; the store is looked
 * at every second for the others, so a follower on any node is at most that much behind.
 */
export class Follower {
  readonly #options: FollowerOptions;
  #seq = 0;
  /** The highest seq heard of. */
  #heard = 0;
  #running: Promise<void> | null = null;
  #unsubscribe: (() => void) | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** The last seq given to `onEntry`, or the one started from. */
  get seq(): number {
    return this.#seq;
  }

  /** Follows from `from`, the last entry that is known already. */
  start(from: number): void {
    this.#seq = from;
    this.#unsubscribe = this.#options.log.subscribe(
      (stream, entry) => {
        if (stream === this.#options.stream) this.#onHint(entry);
      },
      (stream, seq) => {
        if (stream === this.#options.stream) this.#onHead(seq);
      },
    );
    this.#timer = setInterval(() => this.#look(), FOLLOW_EVERY_MS);
  }

  /** Resolves once everything up to `seq` was given. @throws what the store throws; `reset` where the stream was trimmed past it. */
  async reach(seq: number): Promise<void> {
    while (this.#seq < seq) await this.#catchUp();
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.();
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#running?.catch(() => {});
  }

  #onHint(entry: StoredEntry): void {
    if (this.#running === null && entry.seq === this.#seq + 1) this.#give(entry);
    else this.#onHead(entry.seq);
  }

  #onHead(seq: number): void {
    if (seq > this.#heard) this.#heard = seq;
    if (seq > this.#seq) this.#look();
  }

  #look(): void {
    this.#catchUp().catch(this.#options.onError);
  }

  /** One pass at a time; who comes while one is under way waits for it. */
  #catchUp(): Promise<void> {
    this.#running ??= this.#read().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #read(): Promise<void> {
    const { log, stream } = this.#options;
    for (;;) {
      const heard = this.#heard;
      const { head, base } = await log.tail(stream);
      if (head <= this.#seq) {
        // What was heard of while the store was asked may be newer than its answer.
        if (this.#heard > heard) continue;
        return;
      }
      // What was trimmed cannot be given; it is over for everybody.
      if (this.#seq < base - 1) this.#seq = base - 1;
      for (const entry of await log.page(stream, this.#seq, PAGE_ENTRIES)) this.#give(entry);
    }
  }

  #give(entry: StoredEntry): void {
    if (entry.seq <= this.#seq) return;
    this.#seq = entry.seq;
    this.#options.onEntry(entry);
  }
}
