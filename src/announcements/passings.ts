import { setImmediate as breath } from "node:timers/promises";
import type { AnnouncementStore, Passing, Watermarks } from "./types.js";

/** Members in one write. Threat: a transaction over all who are connected that holds the event loop. */
const MEMBERS_A_WRITE = 1_000;

type Mark = keyof Watermarks;

/** Members on their way: up to where each has passed since the last write, and when the first of them did (ms). */
interface Waiting {
  at: number;
  upTo: Map<string, number>;
}

/**
 * How far members were reached and have seen, on its way to the store: collected, and written by `flush`, all who passed the same seq
 * together. However many announcements come between two writes, each member is written once, with the time of the first: times are exact
 * to the second. What the store does not take waits for the next flush.
 */
export class Passings {
  readonly #store: AnnouncementStore;
  readonly #clock: () => number;
  readonly #waiting: Record<Mark, Waiting> = { reached: { at: 0, upTo: new Map() }, seen: { at: 0, upTo: new Map() } };
  #flushing: Promise<void> = Promise.resolve();

  constructor(store: AnnouncementStore, clock: () => number) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The last seq up to which the member was reached, as stored. */
  async reachedBy(user: string): Promise<number> {
    return lastOf((await this.#store.watermarks([user])).get(user)?.reached);
  }

  /** Everything up to `upTo` was sent to the member. */
  reached(user: string, upTo: number): void {
    this.#note("reached", user, upTo, this.#clock());
  }

  /** The member has laid eyes on all that reached them. Resolves once that is stored. */
  async seen(user: string): Promise<void> {
    // What is being written is neither waiting nor stored for certain.
    await this.#flushing;
    const stored = (await this.#store.watermarks([user])).get(user);
    const reached = Math.max(lastOf(stored?.reached), this.#waiting.reached.upTo.get(user) ?? 0);
    const seen = Math.max(lastOf(stored?.seen), this.#waiting.seen.upTo.get(user) ?? 0);
    if (reached <= seen) return;
    this.#note("seen", user, reached, this.#clock());
    await this.flush();
  }

  /** Writes what waits. @throws what the store throws; what it did not take then waits on */
  flush(): Promise<void> {
    const flushed = this.#flushing.then(() => this.#write());
    this.#flushing = flushed.catch(() => {});
    return flushed;
  }

  async #write(): Promise<void> {
    for (const mark of ["reached", "seen"] as const) {
      const { at, upTo } = this.#waiting[mark];
      this.#waiting[mark] = { at: 0, upTo: new Map() };
      try {
        await this.#writeAll(mark, at, upTo);
      } catch (error) {
        for (const [user, seq] of upTo) this.#note(mark, user, seq, at);
        throw error;
      }
    }
  }

  /** What is written leaves the map. */
  async #writeAll(mark: Mark, at: number, upTo: Map<string, number>): Promise<void> {
    const groups = new Map<number, string[]>();
    for (const [user, seq] of upTo) {
      const group = groups.get(seq);
      if (group === undefined) groups.set(seq, [user]);
      else group.push(user);
    }
    for (const [seq, all] of groups) {
      for (let start = 0; start < all.length; start += MEMBERS_A_WRITE) {
        const users = all.slice(start, start + MEMBERS_A_WRITE);
        await this.#store.pass(mark, seq, at, users);
        // A store that writes at once would hold the sessions up with all of them.
        await breath();
        for (const user of users) upTo.delete(user);
      }
    }
  }

  #note(mark: Mark, user: string, upTo: number, at: number): void {
    const waiting = this.#waiting[mark];
    if (waiting.upTo.size === 0 || at < waiting.at) waiting.at = at;
    const known = waiting.upTo.get(user);
    if (known === undefined || upTo > known) waiting.upTo.set(user, upTo);
  }
}

function lastOf(passings: Passing[] | undefined): number {
  return passings?.at(-1)?.upTo ?? 0;
}
