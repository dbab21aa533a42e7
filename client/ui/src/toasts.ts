import type { Arrival, Belfry, Notification, Status } from "belfry-client";
import { html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { BelfryElement } from "./base.js";
import { addressOf, personOf, sentence } from "./list/person.js";
import { personStyle } from "./list/row-style.js";
import { icon } from "./looks/icons.js";
import { shared, tokens } from "./looks/tokens.js";
import { chime } from "./page/chime.js";
import { lower, raise } from "./page/layer.js";
import { OpenEvent, opensElsewhere } from "./page/open-event.js";
import { stopOf } from "./page/states.js";
import { Voice } from "./page/voice.js";
import { toastsStyle } from "./toasts-style.js";

/** Toasts on the screen at once: what comes beyond is a number. */
const MAX_TOASTS = 3;

/** Milliseconds that a toast stays while nobody points at it or stands on it. */
const STAYS_MS = 7_000;

/** A corner of the window. */
export type Corner = "top-start" | "top-end" | "bottom-start" | "bottom-end";

/**
 * `<belfry-toasts>`: what has just come, for a few seconds, in one tab of the browser.
 * @fires belfry-open when a toast is chosen; cancel it to lead there yourself
 */
export class BelfryToasts extends BelfryElement {
  static override properties: PropertyDeclarations = {
    position: { reflect: true },
    sound: { type: Boolean },
    quiet: { type: Boolean },
  };
  static override styles = [tokens, shared, personStyle, toastsStyle];

  declare position: Corner;
  /** Rings softly with each toast. */
  declare sound: boolean;
  /** Shows none: the member is looking at the list. */
  declare quiet: boolean;

  readonly #voice = new Voice(this);
  #shown: Notification[] = [];
  #more = 0;
  /** Why the session has ended, until it is put away. */
  #stop: Status | null = null;
  #wasOnline = false;
  #last: Status | null = null;
  #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #isHeld = false;

  constructor() {
    super();
    this.position = "bottom-end";
    this.sound = false;
    this.quiet = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#clear();
  }

  protected override followed(client: Belfry): () => void {
    this.#clear();
    this.#stop = null;
    this.#last = null;
    this.#wasOnline = false;
    const endings = [this.#voice.follow(client, "arrivals"), client.onArrival((arrival) => this.#take(arrival))];
    return () => {
      for (const end of endings) end();
    };
  }

  protected override clientChanged(): void {
    const { client } = this;
    if (client === null) return;
    this.#watchStatus(client.status);
    if (this.#shown.length === 0) return;
    // Read on another device, or taken back: it is not news any more.
    const present = new Map(client.notifications.slice(0, 200).map((item) => [item.id, item]));
    for (const { id } of this.#shown) if (present.get(id)?.readAt !== null) this.#remove(id);
  }

  override willUpdate(changed: PropertyValues<this>): void {
    super.willUpdate(changed);
    if (this.quiet) this.#clear();
  }

  override updated(): void {
    const layer = this.renderRoot.querySelector<HTMLElement>(".layer");
    if (layer === null) return;
    if (layer.querySelector(".toast") !== null) raise(layer);
    else lower(layer);
  }

  protected override render(): TemplateResult {
    const { language } = this;
    return html`${this.#voice.region(language)}
      <div
        class="layer"
        part="toasts"
        popover="manual"
        role="region"
        aria-label=${language.say("toasts")}
        dir=${this.direction ?? nothing}
        lang=${language.code}
        @pointerenter=${() => this.#hold(true)}
        @pointerleave=${() => this.#hold(false)}
        @focusin=${() => this.#hold(true)}
        @focusout=${() => this.#hold(false)}
      >
        ${this.#stopped()}
        ${repeat(
          this.#shown,
          ({ id }) => id,
          (item) => this.#toast(item),
        )}
        ${this.#more === 0 ? nothing : html`<p class="more" part="toast-more">${language.say("moreToasts", {}, this.#more)}</p>`}
      </div>`;
  }

  #toast(item: Notification): TemplateResult {
    const { language } = this;
    const address = addressOf(item);
    const content = html`${personOf(item)}
      <span class="what">
        <span class="sentence" id="toast-${item.id}">${sentence([item], language)}</span>
        ${item.text ? html`<span class="excerpt" dir="auto">${item.text}</span>` : nothing}
      </span>`;
    const onClick = (event: MouseEvent): void => this.#choose(item, address, event);
    return html`<div class="toast" part="toast">
      ${
        address === null
          ? html`<button type="button" class="main" @click=${onClick}>${content}</button>`
          : html`<a class="main" href=${address} @click=${onClick}>${content}</a>`
      }
      ${this.#closer(`toast-${item.id}`, () => this.#remove(item.id))}
    </div>`;
  }

  #stopped(): TemplateResult | typeof nothing {
    if (this.#stop === null || this.quiet) return nothing;
    const { title, why } = stopOf(this.#stop, this.language);
    return html`<div class="toast stopped" part="toast toast-stopped" role="alert">
      <div class="main">
        ${icon("stopped")}
        <span class="what"><strong id="stop">${title}</strong>${why.map((text) => html`<span dir="auto">${text}</span>`)}</span>
      </div>
      ${this.#closer("stop", () => {
        this.#stop = null;
        this.requestUpdate();
      })}
    </div>`;
  }

  #closer(label: string, act: () => void): TemplateResult {
    const words = this.language.say("dismissToast");
    return html`<button type="button" class="tool" part="toast-close" aria-label=${words} aria-describedby=${label} @click=${act}>
      ${icon("close")}
    </button>`;
  }

  #watchStatus(status: Status): void {
    if (status === this.#last) return;
    this.#last = status;
    if (status.is === "stopped") {
      if (status.code !== "closed" && (this.#wasOnline || status.code === "banned")) this.#stop = status;
    } else this.#stop = null;
    this.#wasOnline ||= status.is === "online";
    this.requestUpdate();
  }

  #take({ notification, loud }: Arrival): void {
    if (!loud || this.quiet) return;
    if (this.sound) chime();
    if (this.#shown.length < MAX_TOASTS) {
      this.#shown = [...this.#shown, notification];
      if (!this.#isHeld) this.#count(notification.id);
    } else this.#more++;
    this.requestUpdate();
  }

  #choose(item: Notification, address: string | null, event: MouseEvent): void {
    this.client?.read(item.id).catch(() => {});
    if (!opensElsewhere(address, event) && !this.dispatchEvent(new OpenEvent(item, address))) event.preventDefault();
    this.#remove(item.id);
  }

  #count(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.set(
      id,
      setTimeout(() => this.#remove(id), STAYS_MS),
    );
  }

  #hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    for (const { id } of this.#shown) {
      if (isHeld) clearTimeout(this.#timers.get(id));
      else this.#count(id);
    }
  }

  #remove(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.#shown = this.#shown.filter((item) => item.id !== id);
    if (this.#shown.length === 0) {
      this.#more = 0;
      this.#isHeld = false;
    }
    this.requestUpdate();
  }

  #clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#shown = [];
    this.#more = 0;
    this.#isHeld = false;
  }
}
