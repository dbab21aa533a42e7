import type { TemplateResult } from "lit/html.js";
import type { Api } from "./api.js";
import { Refusal } from "./api.js";
import type { AuditEntry } from "./shapes.js";
import type { Claims } from "./token.js";

/** What a page of the console works with. */
export interface Desk {
  readonly api: Api;
  readonly me: Claims;
  /** Draws everything anew, soon. */
  update(): void;
  /** Goes to another page: `/members/ada`. */
  go(path: string): void;
  /** Says in passing that something was done. */
  done(text: string): void;
  /** Calls the listener with every act as it is done. Returns the way to stop it. */
  onAudit(listener: (entry: AuditEntry) => void): () => void;
  /** Calls the listener when the live connection is there again after it was away. Returns the way to stop it. */
  onReturn(listener: () => void): () => void;
}

/** A page of the console. It is made when it is gone to, and closed when it is left. */
export interface Page {
  /** Its title, also of the browser's tab. */
  title(): string;
  view(): TemplateResult;
  close?(): void;
}

/** Something of the service, or why it could not be had. Of several answers only that to the last question counts. */
export class Loaded<T> {
  value: T | null = null;
  failure: Refusal | null = null;
  busy = false;
  readonly #load: () => Promise<T>;
  readonly #changed: () => void;
  #asked = 0;

  constructor(load: () => Promise<T>, changed: () => void) {
    this.#load = load;
    this.#changed = changed;
  }

  run(): Promise<void> {
    return this.#ask(false);
  }

  /** The same, unasked: where the service is not reached, which is said elsewhere, what is shown stays. */
  refresh(): Promise<void> {
    return this.#ask(true);
  }

  async #ask(isUnasked: boolean): Promise<void> {
    const asked = ++this.#asked;
    this.busy = true;
    this.#changed();
    try {
      const value = await this.#load();
      if (asked !== this.#asked) return;
      this.value = value;
      this.failure = null;
    } catch (error) {
      if (asked !== this.#asked) return;
      const failure = asRefusal(error);
      const isShown = this.value !== null || this.failure !== null;
      if (!isUnasked || !isShown || failure.code !== "unreachable") this.failure = failure;
    }
    this.busy = false;
    this.#changed();
  }

  /** Whatever is answered now does not count any more. */
  forget(): void {
    this.#asked++;
    this.value = null;
    this.failure = null;
    this.busy = false;
  }
}

export function asRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal("internal", error instanceof Error ? error.message : String(error));
}

/** Does something every so often while the page can be seen. Returns the way to stop it. */
export function every(ms: number, work: () => void): () => void {
  const timer = setInterval(() => {
    if (document.visibilityState === "visible") work();
  }, ms);
  return () => clearInterval(timer);
}
