import type { Preferences } from "./ports.js";
import type { Burial, SubjectStore } from "./types.js";

/**
 * Subjects asked for in one call of the store. Threat: a full queue that becomes one long statement, which holds up the event loop (SQLite)
 * or the other commands (MongoDB).
 */
const KEYS_A_CALL = 500;

interface Ask {
  key: string;
  /** Whether what members want must be known too. */
  decides: boolean;
  answer: (burial: Burial | null) => void;
  fail: (error: unknown) => void;
}

/**
 * Asks the store what an event must know, many in one call: whether its subject is gone and, before it is decided who is told, what members
 * want to be told. Every event asks twice, and calls of its own for each would double what an event costs. What is asked while a call is
 * under way goes into the next one: a store that answers at once (SQLite) delays nobody, and one at the other end of a connection (MongoDB)
 * is asked for many at a time. Answers come in the order of the questions, so whoever goes on with the answer keeps that order.
 */
export class Inquiry {
  readonly #subjects: Pick<SubjectStore, "buried" | "mayBeGone">;
  readonly #preferences: Pick<Preferences, "refresh">;
  readonly #waiting: Ask[] = [];
  #busy = false;

  constructor(subjects: Pick<SubjectStore, "buried" | "mayBeGone">, preferences: Pick<Preferences, "refresh">) {
    this.#subjects = subjects;
    this.#preferences = preferences;
  }

  /**
   * The subject's burial as of some moment after the call, or null; by then all that members had set before the call is known. Where that is
   * known at once, and nobody waits who could be overtaken, so does the caller: the answer is then no promise. @throws what the store throws.
   */
  beforeTelling(key: string): Promise<Burial | null> | null {
    return this.#of(key, true);
  }

  /** The subject's burial alone, in the same way. */
  burial(key: string): Promise<Burial | null> | null {
    return this.#of(key, false);
  }

  #of(key: string, decides: boolean): Promise<Burial | null> | null {
    let refreshing: Promise<void> | null = null;
    if (!this.#busy && this.#waiting.length === 0 && !this.#subjects.mayBeGone(key)) {
      refreshing = decides ? this.#preferences.refresh() : null;
      if (refreshing === null) return null;
    }
    return new Promise((answer, fail) => {
      this.#waiting.push({ key, decides, answer, fail });
      this.#schedule(refreshing);
    });
  }

  #schedule(refreshing: Promise<void> | null): void {
    if (this.#busy || this.#waiting.length === 0) return;
    this.#busy = true;
    void this.#ask(refreshing);
  }

  /** `refreshing` was begun for the one that asks here, so it need not begin again. */
  async #ask(refreshing: Promise<void> | null): Promise<void> {
    const asks = this.#waiting.splice(0, KEYS_A_CALL);
    try {
      const fresh = refreshing ?? (asks.some(({ decides }) => decides) ? this.#preferences.refresh() : null);
      const looking = this.#subjects.buried([...new Set(asks.map(({ key }) => key))]);
      const [found] = fresh === null ? [await looking] : await Promise.all([looking, fresh]);
      for (const { key, answer } of asks) answer(found.get(key) ?? null);
    } catch (error) {
      for (const { fail } of asks) fail(error);
    }
    this.#busy = false;
    this.#schedule(null);
  }
}
