import { BelfryError } from "../errors.js";
import { APPEND_DEADLINE_MS, RETRY_MAX_MS } from "./limits.js";

/** A caller who waits for the store. `until`: milliseconds, of the clock. */
interface Caller {
  until: number;
  reject: (error: unknown) => void;
}

/**
 * Ends the wait of every caller in time, whatever the store does meanwhile with what is in flight: that may be stored yet, so the caller is
 * told to send it again. All may wait equally long, so the first to come is the first to go.
 */
export class Deadlines {
  readonly #clock: () => number;
  readonly #onLate: () => void;
  readonly #callers = new Set<Caller>();
  #timer: NodeJS.Timeout | null = null;
  #late = false;

  /** `onLate` is called after the wait of some has ended. */
  constructor(clock: () => number, onLate: () => void) {
    this.#clock = clock;
    this.#onLate = onLate;
  }

  /** A caller waits from now on, until one of the returned functions is called or the time is over. */
  add<T>(resolve: (value: T) => void, reject: (error: unknown) => void) {
    const caller: Caller = { until: this.#clock() + APPEND_DEADLINE_MS, reject };
    this.#callers.add(caller);
    this.#timer ??= setInterval(() => this.#look(), RETRY_MAX_MS).unref();
    return {
      resolve: (value: T) => {
        this.#callers.delete(caller);
        resolve(value);
      },
      reject: (error: unknown) => {
        this.#callers.delete(caller);
        reject(error);
      },
    };
  }

  /** Whether the wait of some has ended since this was asked last: what they wanted need not be begun any more. */
  takeLate(): boolean {
    const late = this.#late;
    this.#late = false;
    return late;
  }

  #look(): void {
    const now = this.#clock();
    const before = this.#callers.size;
    for (const caller of this.#callers) {
      if (caller.until >= now) break;
      this.#callers.delete(caller);
      caller.reject(unconfirmed());
    }
    if (this.#callers.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
    if (this.#callers.size === before) return;
    this.#late = true;
    this.#onLate();
  }
}

/** The caller's time is over, and nobody knows yet what became of the write. */
export function unconfirmed(cause?: unknown): BelfryError {
  const message = "The store did not confirm the write in time; send it again with the same id or key.";
  return new BelfryError("unavailable", message, cause === undefined ? {} : { cause });
}
