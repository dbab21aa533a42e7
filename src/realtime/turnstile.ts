/** Lets so many pieces of work be under way at once. The others wait, in order. */
export class Turnstile {
  readonly #places: number;
  #busy = 0;
  readonly #waiting = new Set<() => void>();

  constructor(places: number) {
    this.#places = places;
  }

  /** Does the work when its turn has come; settles as it does. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy < this.#places) this.#busy++;
    else await new Promise<void>((enter) => this.#waiting.add(enter));
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** A place that is left goes to the next at once: nobody who comes meanwhile gets in before. */
  #leave(): void {
    for (const enter of this.#waiting) {
      this.#waiting.delete(enter);
      enter();
      return;
    }
    this.#busy--;
  }
}
