import { COMPLAINTS_MS, MAX_COMPLAINTS } from "./limits.js";

/** Which push services the operator was told of: each once in an hour, and so many at most. */
export class Complaints {
  readonly #told = new Set<string>();
  #since = Number.NEGATIVE_INFINITY;

  /** Whether this one is to be told of. `now`: milliseconds. */
  isNew(origin: string, now: number): boolean {
    if (now - this.#since >= COMPLAINTS_MS) {
      this.#told.clear();
      this.#since = now;
    }
    if (this.#told.has(origin) || this.#told.size >= MAX_COMPLAINTS) return false;
    this.#told.add(origin);
    return true;
  }
}
