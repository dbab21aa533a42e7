import { IDEMPOTENCY_WINDOW_MS } from "./limits.js";
import type { StreamStore } from "./types.js";

const DAY_MS = 24 * 3_600_000;

/** Streams looked at between two breaths of the event loop. Threat: a sweep over a million streams that starves the sessions. */
const STREAMS_A_STEP = 200;

/** Records deleted in one statement. Threat: as above. */
const RECORDS_A_STEP = 1_000;

/** How often trimming runs. Retention is counted in days, so an hour is exact enough. Milliseconds. */
const EVERY_MS = 3_600_000;

/** How often a node looks whether it is the one to trim: one that lives for less than an hour, or takes over, trims too. Milliseconds. */
const LOOK_MS = 60_000;

export interface TrimmerOptions<C> {
  store: StreamStore<C>;
  /** An entry older than this many days goes; 0 keeps for ever. */
  keepDays: number;
  /** Entries kept of one stream; 0 keeps all. */
  keepEntries: number;
  /** Moves a stream's base; the room whose stream it is knows what else that changes. */
  trim: (stream: string, base: number) => Promise<void>;
  /** What else is kept as long as entries: each deletes up to `limit` records older than a time (ms) and resolves with their number. */
  forget: Array<(olderThan: number, limit: number) => Promise<number>>;
  /** Whether this node trims, now; another does where it is not. Where two do, nothing is trimmed twice. */
  isMine?: () => boolean;
  clock?: () => number;
  onError: (error: unknown) => void;
}

/** Trims all streams by age and by count. The last entry stays on disk whatever its age: it carries the numbering and the counter. */
export class Trimmer<C> {
  readonly #options: TrimmerOptions<C>;
  readonly #clock: () => number;
  readonly #isMine: () => boolean;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<unknown> | null = null;
  #stopped = false;

  constructor(options: TrimmerOptions<C>) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
    this.#isMine = options.isMine ?? (() => true);
  }

  start(): void {
    this.#sweepIn(LOOK_MS);
  }

  #sweepIn(ms: number): void {
    this.#timer = setTimeout(() => {
      if (!this.#isMine()) {
        this.#sweepIn(LOOK_MS);
        return;
      }
      this.#running = this.run()
        .catch(this.#options.onError)
        .finally(() => {
          this.#running = null;
          if (!this.#stopped) this.#sweepIn(this.#isMine() ? EVERY_MS : LOOK_MS);
        });
    }, ms);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }

  /** One sweep over all streams, until this node is to trim no more. Resolves with the number of streams whose base moved. */
  async run(): Promise<number> {
    const { store, keepDays } = this.#options;
    let moved = 0;
    let after: string | null = null;
    for (;;) {
      const step: Awaited<ReturnType<typeof store.streams>> = await store.streams(after, STREAMS_A_STEP);
      const tails = await store.tails(step.map((one) => one.stream));
      for (const { stream, oldest, oldestAt } of step) {
        if (this.#isOver) return moved;
        const tail = tails.get(stream);
        if (tail !== undefined && (await this.#trimOne(stream, oldest, oldestAt, tail.base, tail.head))) moved++;
      }
      const last = step.at(-1);
      if (last === undefined) break;
      after = last.stream;
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (keepDays > 0) await this.#forget(keepDays);
    return moved;
  }

  get #isOver(): boolean {
    return this.#stopped || !this.#isMine();
  }

  async #trimOne(stream: string, oldest: number, oldestAt: number, base: number, head: number): Promise<boolean> {
    const { store, keepDays, keepEntries, trim } = this.#options;
    let target = keepEntries > 0 ? head - keepEntries + 1 : 1;
    const cutoff = this.#clock() - keepDays * DAY_MS;
    if (keepDays > 0 && oldestAt < cutoff) target = Math.max(target, (await store.lastBefore(stream, cutoff)) + 1);
    if (target > base) {
      await trim(stream, target);
      return true;
    }
    if (oldest < base) await store.deleteBelowBase(stream, this.#clock() - IDEMPOTENCY_WINDOW_MS);
    return false;
  }

  /**
   * Publications and what else entries rest on outlive every entry that refers to them: an interrupted publication is finished within the
   * window, its entries live `keepDays`.
   */
  async #forget(keepDays: number): Promise<void> {
    const cutoff = this.#clock() - keepDays * DAY_MS - 2 * IDEMPOTENCY_WINDOW_MS;
    const { store, forget } = this.#options;
    for (const step of [(olderThan: number, limit: number) => store.deletePublications(olderThan, limit), ...forget]) {
      while (!this.#isOver && (await step(cutoff, RECORDS_A_STEP)) === RECORDS_A_STEP) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}
