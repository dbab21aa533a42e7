import type { Acquaintance, MemberStore } from "./types.js";

/** Members remembered as known. Threat: memory, with millions of them; one who is forgotten costs one more write when heard of again. */
const MAX_KNOWN = 200_000;

/** Members who wait to be written. Threat: memory while the store is away. Others are let go: whoever is there is heard of again. */
const MAX_WAITING = 50_000;

/** Members written at once. Threat: a long transaction, which delays the appends that wait behind it. */
const MAX_TOGETHER = 1_000;

/** How long the first of a batch waits for others, and how long a failed write for the next try. Milliseconds. */
const GATHER_MS = 500;
const RETRY_MS = 1_000;

export interface AcquaintancesOptions {
  store: Pick<MemberStore, "meet">;
  clock: () => number;
  onError: (error: unknown) => void;
}

/**
 * Members who were heard of in passing, on their way to the store. Every event names a dozen, nearly always known ones: those cost a look into
 * a set. The others are written together, soon after.
 */
export class Acquaintances {
  readonly #options: AcquaintancesOptions;
  /** Those who are in the store, the longest known first. */
  readonly #known = new Set<string>();
  readonly #waiting = new Map<string, Acquaintance>();
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  #closed = false;

  constructor(options: AcquaintancesOptions) {
    this.#options = options;
  }

  /** Takes note that these were there at `at` (ms). What lies ahead of this node's clock counts as now: nobody was there in the future. */
  hear(users: Iterable<string>, at: number): void {
    for (const user of users) if (!this.#known.has(user)) this.#wait(user, at);
  }

  /** When somebody who is not written yet was there first; null where nobody of that name waits. */
  waitingSince(user: string): number | null {
    return this.#waiting.get(user)?.at ?? null;
  }

  /** The member is in the store and need not be heard of again. What waits of them goes on waiting: it may be of an earlier time. */
  remember(user: string): void {
    if (this.#known.has(user)) return;
    for (const oldest of this.#known) {
      if (this.#known.size < MAX_KNOWN) break;
      this.#known.delete(oldest);
    }
    this.#known.add(user);
  }

  /** Resolves when the member, if they wait, is written, and no write under way has them in it. @throws what the store throws */
  async settle(user: string): Promise<void> {
    if (!this.#waiting.has(user)) return;
    // It may have this member in it, and would then come after whatever is done next.
    await this.#writing;
    const heard = this.#waiting.get(user);
    if (heard === undefined) return;
    await this.#options.store.meet([heard]);
    this.#written([heard]);
  }

  /** Writes what waits, and hears nothing more. A failure is told and ends it: there will be no later. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#writing;
    for (let left = -1; this.#waiting.size > 0 && this.#waiting.size !== left; ) {
      left = this.#waiting.size;
      await this.#write();
    }
  }

  #wait(user: string, at: number): void {
    if (this.#closed) return;
    const heard = this.#waiting.get(user);
    if (heard === undefined) {
      if (this.#waiting.size >= MAX_WAITING) return;
      this.#waiting.set(user, { user, at: Math.min(at, this.#options.clock()) });
      this.#writeIn(GATHER_MS);
    } else if (at < heard.at) {
      // Another object, so that a write under way does not take the earlier time for written.
      this.#waiting.set(user, { user, at });
    }
  }

  #writeIn(ms: number): void {
    if (this.#closed || this.#timer !== null || this.#writing !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#writing = this.#write().then((pause) => {
        this.#writing = null;
        if (this.#waiting.size > 0) this.#writeIn(pause);
      });
    }, ms);
    this.#timer.unref();
  }

  /** Writes the next batch. Resolves with the milliseconds after which there may be another. */
  async #write(): Promise<number> {
    const batch: Acquaintance[] = [];
    for (const heard of this.#waiting.values()) {
      if (batch.push(heard) === MAX_TOGETHER) break;
    }
    try {
      await this.#options.store.meet(batch);
      this.#written(batch);
      return 0;
    } catch (error) {
      this.#options.onError(error);
      return RETRY_MS;
    }
  }

  #written(batch: Acquaintance[]): void {
    for (const heard of batch) {
      if (this.#waiting.get(heard.user) === heard) this.#waiting.delete(heard.user);
      this.remember(heard.user);
    }
  }
}
