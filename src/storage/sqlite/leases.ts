import type { LeaseStore } from "../../lease/types.js";

interface Held {
  holder: string;
  /** Milliseconds, of this process's steady clock. */
  until: number;
}

/**
 * Leases beside SQLite. One process owns the file, so all who want one are in it, and none outlives it: a lease that was kept in the file
 * would keep the next process waiting for one that is gone.
 */
export class SqliteLeases implements LeaseStore {
  readonly #held = new Map<string, Held>();

  async take(name: string, holder: string, ttlMs: number): Promise<boolean> {
    const now = performance.now();
    const held = this.#held.get(name);
    if (held !== undefined && held.holder !== holder && held.until > now) return false;
    this.#held.set(name, { holder, until: now + ttlMs });
    return true;
  }

  async release(name: string, holder: string): Promise<void> {
    if (this.#held.get(name)?.holder === holder) this.#held.delete(name);
  }
}
