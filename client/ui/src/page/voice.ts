import type { Arrival, Belfry } from "belfry-client";
import { html, type ReactiveController, type ReactiveControllerHost, type TemplateResult } from "lit";
import type { Language } from "../text/language.js";
import { spoken } from "../text/sentence.js";

/** Milliseconds in which arrivals become one sentence: a screen reader told fifty times a second would tell nothing. */
const GATHER_MS = 1_000;

/** A page may have several elements of one client; one of them speaks. */
const speakers = new WeakMap<Belfry, Voice>();

/** Tells those who listen of new notifications, in a live region that its element draws. */
export class Voice implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #gathered: Arrival[] = [];
  #words: ((language: Language) => string) | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#gathered = [];
  }

  /** Speaks for a client, unless another element does. @returns ends that */
  follow(client: Belfry): () => void {
    if (!speakers.has(client)) speakers.set(client, this);
    const end = client.onArrival((arrival) => {
      if (!speakers.has(client)) speakers.set(client, this);
      if (speakers.get(client) === this && document.visibilityState === "visible") this.#hear(arrival);
    });
    return () => {
      end();
      if (speakers.get(client) === this) speakers.delete(client);
    };
  }

  /** The region. It must be in the document before there is something to say. */
  region(language: Language): TemplateResult {
    return html`<div class="spoken" role="log" aria-live="polite" aria-relevant="additions text" aria-label=${language.say("toasts")}>${this.#words?.(language)}</div>`;
  }

  #hear(arrival: Arrival): void {
    this.#gathered.push(arrival);
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      const heard = this.#gathered.splice(0);
      const newest = heard.at(-1)?.notification;
      if (newest === undefined) return;
      this.#words = (language) => language.say("arrived", { what: spoken([newest], language) }, heard.length);
      this.#host.requestUpdate();
    }, GATHER_MS);
  }
}
