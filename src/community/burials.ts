import type { Burial, SubjectStore } from "./types.js";

/**
 * Subjects asked for in one call of the store. Threat: a full queue that becomes one long statement, which holds up the event loop (SQLite)
 * or the other commands (MongoDB).
 */
const KEYS_A_CALL = 500;

interface Ask {
  key: string;
  answer: (burial: Burial | null) => void;
  fail: (error: unknown) => void;
}

/**
 * Asks the store whether subjects are gone, many in one call: every event asks twice, and a call of its own for each would double what an
 * event costs. What is asked while a call is under way goes into the next one: a store that answers at once (SQLite) delays nobody, and one
 * at the other end of a connection (MongoDB) is asked for many at a time. Answers come in the order of the questions, so whoever goes on
 * with the answer keeps that order.
 */
export class Burials {
  readonly #store: Pick<SubjectStore, "buried" | "mayBeGone">;
  readonly #waiting: Ask[] = [];
  #busy = false;

  constructor(store: Pick<SubjectStore, "buried" | "mayBeGone">) {
    this.#store = store;
  }

  /**
   * The subject's burial as of some moment after the call, or null. Where the store knows at once that there is none, and nobody waits who
   * could be overtaken, so does the caller: the answer is then no promise. @throws what the store throws.
   */
  of(key: string): Promise<Burial | null> | null {
    if (!this.#busy && this.#waiting.length === 0 && !this.#store.mayBeGone(key)) return null;
    return new Promise((answer, fail) => {
      this.#waiting.push({ key, answer, fail });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#busy || this.#waiting.length === 0) return;
    this.#busy = true;
    void this.#ask();
  }

  async #ask(): Promise<void> {
    const asks = this.#waiting.splice(0, KEYS_A_CALL);
    try {
      const found = await this.#store.buried([...new Set(asks.map(({ key }) => key))]);
      for (const { key, answer } of asks) answer(found.get(key) ?? null);
    } catch (error) {
      for (const { fail } of asks) fail(error);
    }
    this.#busy = false;
    this.#schedule();
  }
}
