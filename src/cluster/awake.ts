import { STANDSTILL_MS } from "./limits.js";

/**
 * A clock for silences: milliseconds that this process has been running, from an arbitrary start. It is not set by anybody, and the time in
 * which the process itself stood still (frozen, or its event loop blocked) does not count: whoever hears nobody then has not listened. For
 * that it must be read more often than every `STANDSTILL_MS`.
 */
export class AwakeClock {
  #last = performance.now();
  #standstill = 0;

  now(): number {
    const now = performance.now();
    const passed = now - this.#last;
    this.#last = now;
    if (passed > STANDSTILL_MS) this.#standstill += passed;
    return now - this.#standstill;
  }
}
