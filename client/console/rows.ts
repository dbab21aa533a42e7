import { asRefusal, type Refusal } from "./refusal.js";
import type { Listing } from "./shapes.js";

export interface RowsOptions<T> {
  /** What tells one row from another, and names the place after which a page is asked for. */
  idOf: (row: T) => string;
  /** The page after that place. @throws Refusal */
  load: (after: string) => Promise<Listing<T>>;
  /** There is something else to show. */
  changed: () => void;
}

/** A list as far as it was read, each row once: its first page, which is read anew every so often, and those after it, which are asked for. */
export class Rows<T> {
  items: T[] = [];
  /** Whether there are further ones. */
  more = false;
  /** Why the last further page could not be had. */
  failure: Refusal | null = null;
  readonly #options: RowsOptions<T>;
  /** Where a search has to go on; null: after the last row. */
  #next: string | null = null;
  #isExtended = false;
  /** A page is on its way. */
  #busy = false;
  /** Raised when what is on its way would not fit on any more. */
  #begun = 0;

  constructor(options: RowsOptions<T>) {
    this.#options = options;
  }

  /** Whether there is, or comes, more than a first page. */
  get isExtended(): boolean {
    return this.#isExtended;
  }

  /** Takes the first page, for the first time or anew; rows that came after it stay, in the place where the two meet. */
  first({ items, more, next }: Listing<T>): void {
    const ids = new Set(items.map(this.#options.idOf));
    const meeting = this.items.findLastIndex((row) => ids.has(this.#options.idOf(row)));
    if (this.#isExtended && more && meeting >= 0) {
      this.items = [...items, ...this.items.slice(meeting + 1)];
      return;
    }
    // It is all there is, or so much is new that rows between the two are not known.
    this.forget();
    this.items = [...items];
    this.more = more;
    this.#next = next ?? null;
  }

  /** Reads on. Where that is under way already, nothing is done. */
  async readOn(): Promise<void> {
    const last = this.items.at(-1);
    const after = this.#next ?? (last === undefined ? null : this.#options.idOf(last));
    if (this.#busy || after === null) return;
    const begun = this.#begun;
    this.#busy = true;
    this.#isExtended = true;
    this.failure = null;
    try {
      const page = await this.#options.load(after);
      if (begun === this.#begun) this.#append(page);
    } catch (error) {
      if (begun === this.#begun) this.failure = asRefusal(error);
    }
    if (begun === this.#begun) this.#busy = false;
    this.#options.changed();
  }

  /** A row that has just come to be. At most `max` are kept. Returns whether it is new. */
  prepend(row: T, max: number): boolean {
    const { idOf } = this.#options;
    if (this.items.some((one) => idOf(one) === idOf(row))) return false;
    this.items = [row, ...this.items];
    this.#isExtended = true;
    if (this.items.length > max) {
      this.items.length = max;
      this.more = true;
      this.#next = null;
      this.#drop();
    }
    return true;
  }

  /** It is another list from now on. */
  forget(): void {
    this.items = [];
    this.more = false;
    this.failure = null;
    this.#next = null;
    this.#isExtended = false;
    this.#drop();
  }

  #append({ items, more, next }: Listing<T>): void {
    const known = new Set(this.items.map(this.#options.idOf));
    this.items = [...this.items, ...items.filter((row) => !known.has(this.#options.idOf(row)))];
    this.more = more;
    this.#next = next ?? null;
  }

  #drop(): void {
    this.#begun++;
    this.#busy = false;
  }
}
