import { asRefusal, type Refusal } from "./refusal.js";

/** Something of the service, or why it could not be had. Of several answers only that to the last question counts. */
export class Loaded<T> {
  value: T | null = null;
  failure: Refusal | null = null;
  busy = false;
  readonly #load: () => Promise<T>;
  readonly #changed: () => void;
  readonly #arrived: (value: T) => void;
  #asked = 0;
  #again = false;

  /** `changed` is called whenever there is something else to show, `arrived` before that with every answer that counts. */
  constructor(load: () => Promise<T>, changed: () => void, arrived: (value: T) => void = () => {}) {
    this.#load = load;
    this.#changed = changed;
    this.#arrived = arrived;
  }

  /** Asks, because somebody wants it now: an answer that is still awaited does not count. */
  run(): Promise<void> {
    return this.#ask(false);
  }

  /**
   * Asks because something is known to have changed. An answer that is awaited may be older than that, so it is asked once more after it; not
   * at once, as changes that come faster than answers would let none count. Where the service is not reached, which is said elsewhere, what is
   * shown stays.
   */
  async refresh(): Promise<void> {
    if (this.busy) this.#again = true;
    else await this.#ask(true);
  }

  /** As `refresh`, in case something has changed: where an answer is awaited already, it will do. */
  async poll(): Promise<void> {
    if (!this.busy) await this.#ask(true);
  }

  async #ask(isUnasked: boolean): Promise<void> {
    const asked = ++this.#asked;
    this.#again = false;
    this.busy = true;
    this.#changed();
    try {
      const value = await this.#load();
      if (asked !== this.#asked) return;
      this.value = value;
      this.failure = null;
      this.#arrived(value);
    } catch (error) {
      if (asked !== this.#asked) return;
      const failure = asRefusal(error);
      const isShown = this.value !== null || this.failure !== null;
      if (!isUnasked || !isShown || failure.code !== "unreachable") this.failure = failure;
    }
    this.busy = false;
    this.#changed();
    if (this.#again) await this.#ask(true);
  }

  /** Whatever is answered now does not count any more. */
  forget(): void {
    this.#asked++;
    this.#again = false;
    this.value = null;
    this.failure = null;
    this.busy = false;
  }
}
