import { MAX_PROVEN, SENDS_AT_ONCE, SENDS_TO_ONE, STRANGERS_AT_ONCE, STRANGERS_TO_ONE } from "./limits.js";
import { Slots } from "./slots.js";

/**
 * Whose turn it is to be sent something. Push services that have taken a message have most of the room; those that never have, or that did not
 * answer in time the last time, share the little that is left: members make services up, any number of them, and all may hang.
 */
export class Turns {
  readonly #proven = new Set<string>();
  readonly #known = new Slots(SENDS_AT_ONCE - STRANGERS_AT_ONCE, SENDS_TO_ONE);
  readonly #strangers = new Slots(STRANGERS_AT_ONCE, STRANGERS_TO_ONE);

  /** Runs `work` for this push service when there is room for it. */
  async run<T>(origin: string, work: () => Promise<T>): Promise<T> {
    for (;;) {
      const isKnown = this.#proven.has(origin);
      // Where that has changed by the time that it is their turn, they wait with the others.
      const turn = async () => (this.#proven.has(origin) === isKnown ? { result: await work() } : null);
      const done = await (isKnown ? this.#known : this.#strangers).run(origin, turn);
      if (done !== null) return done.result;
    }
  }

  /** A push service has taken a message. */
  prove(origin: string): void {
    if (this.#proven.size >= MAX_PROVEN) this.#proven.clear();
    this.#proven.add(origin);
  }

  /** A push service could not take one. */
  doubt(origin: string): void {
    this.#proven.delete(origin);
  }
}
