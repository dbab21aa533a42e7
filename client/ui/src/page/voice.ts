import type { Announcement, Arrival, Belfry } from "belfry-client";
import { html, type ReactiveController, type ReactiveControllerHost, type TemplateResult } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { levelOf } from "../looks/level.js";
import type { Language } from "../text/language.js";
import { spoken } from "../text/sentence.js";

/** Milliseconds in which arrivals become one sentence: a screen reader told fifty times a second would tell nothing. */
const GATHER_MS = 1_000;

/** What a voice tells of. */
export type Subject = "arrivals" | "announcements";

/** A page may have several elements of one client; one of them speaks of each subject. */
const speakers: { readonly [subject in Subject]: WeakMap<Belfry, Voice> } = { arrivals: new WeakMap(), announcements: new WeakMap() };

/** Tells those who listen of what is new, in a live region that its element draws. */
export class Voice implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #subjects: readonly Subject[] = [];
  #arrivals: Arrival[] = [];
  #announcements: Announcement[] = [];
  #words: ((language: Language) => string) | null = null;
  /** Counts what was said: the same words again are another element, or a screen reader would not say them. */
  #said = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#arrivals = [];
    this.#announcements = [];
  }

  /** Speaks of these subjects for a client, unless another element does. @returns ends that */
  follow(client: Belfry, ...subjects: Subject[]): () => void {
    this.#subjects = subjects;
    const endings = subjects.map((subject) => {
      this.#speaksOf(subject, client);
      return subject === "arrivals" ? this.#followArrivals(client) : this.#followAnnouncements(client);
    });
    return () => {
      for (const end of endings) end();
      for (const subject of subjects) if (speakers[subject].get(client) === this) speakers[subject].delete(client);
    };
  }

  /** The region. It must be in the document, and not hidden, before there is something to say. */
  region(language: Language): TemplateResult {
    const label = language.say(this.#subjects.includes("announcements") && this.#subjects.length === 1 ? "announcements" : "toasts");
    const words = this.#words && keyed(this.#said, html`<p>${this.#words(language)}</p>`);
    return html`<div class="spoken" role="log" aria-live="polite" aria-relevant="additions text" aria-label=${label}>${words}</div>`;
  }

  #followArrivals(client: Belfry): () => void {
    return client.onArrival((arrival) => {
      if (!this.#speaksOf("arrivals", client)) return;
      this.#arrivals.push(arrival);
      this.#gather();
    });
  }

  /** What stood when the page was opened is no news. */
  #followAnnouncements(client: Belfry): () => void {
    const idsNow = (): Set<string> => new Set(client.announcements.map(({ id }) => id));
    let known = idsNow();
    let isCurrent = client.status.synced;
    return client.subscribe(() => {
      const fresh = client.announcements.filter(({ id }) => !known.has(id));
      known = idsNow();
      const isNews = isCurrent;
      isCurrent ||= client.status.synced;
      if (!isNews || fresh.length === 0 || !this.#speaksOf("announcements", client)) return;
      this.#announcements.push(...fresh);
      this.#gather();
    });
  }

  /** Whether this is the one to speak now. Where the one that did has gone, the first to ask takes over. */
  #speaksOf(subject: Subject, client: Belfry): boolean {
    const speaker = speakers[subject].get(client) ?? this;
    speakers[subject].set(client, speaker);
    return speaker === this && document.visibilityState === "visible";
  }

  #gather(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      const arrivals = this.#arrivals.splice(0);
      const announcements = this.#announcements.splice(0);
      this.#words = (language) => [...announcements.map((one) => titleOf(one, language)), ...summaryOf(arrivals, language)].join(". ");
      this.#said++;
      this.#host.requestUpdate();
    }, GATHER_MS);
  }
}

const titleOf = (announcement: Announcement, language: Language): string =>
  `${language.say(levelOf(announcement).name)} ${announcement.title}`;

/** One sentence, or none where nothing has come. */
function summaryOf(arrivals: readonly Arrival[], language: Language): string[] {
  const newest = arrivals.at(-1)?.notification;
  return newest === undefined ? [] : [language.say("arrived", { what: spoken([newest], language) }, arrivals.length)];
}
