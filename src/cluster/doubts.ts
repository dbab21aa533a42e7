import { ALL_DOUBT_GAP_MS, DOUBT_GAP_MS } from "./limits.js";

type Listener = (since: number) => void;

/**
 * Says when hints may have been lost: sessions that began at or after `since` (milliseconds since the Unix epoch; 0: all) must look at the
 * store. Doubts in quick succession become one.
 */
export class Doubts {
  readonly #listeners = new Set<Listener>();
  #pending = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #toldAt = Number.NEGATIVE_INFINITY;
  #allToldAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  on(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  raise(since: number): void {
    if (this.#stopped || since >= this.#pending) return;
    this.#pending = since;
    const due = since === 0 ? this.#allToldAt + ALL_DOUBT_GAP_MS : this.#toldAt + DOUBT_GAP_MS;
    const wait = due - performance.now();
    if (wait <= 0) {
      this.#tell();
      return;
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), wait).unref();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #tell(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const since = this.#pending;
    this.#pending = Number.POSITIVE_INFINITY;
    this.#toldAt = performance.now();
    if (since === 0) this.#allToldAt = this.#toldAt;
    for (const listener of this.#listeners) listener(since);
  }
}
