import { type Announcement, type Belfry, webAddress } from "belfry-client";
import { css, html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { BelfryElement } from "./base.js";
import { icon } from "./looks/icons.js";
import { levelOf } from "./looks/level.js";
import { shared, tokens } from "./looks/tokens.js";
import { standing } from "./page/standing.js";
import { Voice } from "./page/voice.js";

/** Longer texts scroll in their own box, which the Tab key must then reach. */
const LONG_TEXT = 280;

/**
 * `<belfry-banner>`: the announcements, to dismiss or to acknowledge.
 * @fires belfry-left when the last one that had the focus has gone
 */
export class BelfryBanner extends BelfryElement {
  static override properties: PropertyDeclarations = {
    max: { type: Number },
    closable: { type: Boolean },
  };

  /** How many stand there at once, newest first; the others follow. */
  declare max: number;
  /** Leaves out those that nothing takes away before they end: for a place where they would be in the way. */
  declare closable: boolean;

  readonly #voice = new Voice(this);
  readonly #problems = new Map<string, string>();
  /** Where the focus stands: so that it can be kept when an announcement goes. */
  #place = -1;

  constructor() {
    super();
    this.max = Number.POSITIVE_INFINITY;
    this.closable = false;
  }

  protected override followed(client: Belfry): () => void {
    return this.#voice.follow(client, "announcements");
  }

  override willUpdate(changed: PropertyValues<this>): void {
    super.willUpdate(changed);
    const items = this.renderRoot?.querySelectorAll("li") ?? [];
    this.#place = [...items].findIndex((item) => item.contains((this.renderRoot as ShadowRoot).activeElement));
  }

  override updated(): void {
    if (this.#place < 0 || (this.renderRoot as ShadowRoot).activeElement !== null) return;
    const buttons = this.renderRoot.querySelectorAll<HTMLElement>("li .act");
    const next = buttons[Math.min(this.#place, buttons.length - 1)];
    if (next !== undefined) next.focus();
    else this.dispatchEvent(new Event("belfry-left", { bubbles: true, composed: true }));
  }

  protected override render(): TemplateResult {
    const { client, language } = this;
    const all = client === null ? [] : standing(client).filter(({ ask }) => ask !== null || !this.closable);
    // A property that a page takes away is null, or undefined.
    const items = all.slice(0, this.max ?? Number.POSITIVE_INFINITY);
    // What is hidden when the first one comes cannot tell of it: the voice, which is never hidden, does.
    return html`<div dir=${this.direction ?? nothing} lang=${language.code}>
      <div role="region" aria-label=${language.say("announcements")} part="announcements" ?hidden=${items.length === 0}>
        <ul role="list">
          ${repeat(
            items,
            ({ id }) => id,
            (item) => this.#item(item),
          )}
        </ul>
      </div>
      ${this.#voice.region(language)}
    </div>`;
  }

  #item(item: Announcement): TemplateResult {
    const { language } = this;
    const { code, name, picture } = levelOf(item);
    const address = webAddress(item.url);
    const problem = this.#problems.get(item.id);
    return html`<li class=${code} part="announcement announcement-${code}">
      ${icon(picture)}
      <div class="what">
        <h3><span class="level">${language.say(name)}</span> <span dir="auto" id="title-${item.id}">${item.title}</span></h3>
        ${
          item.text === ""
            ? nothing
            : html`<p class="text" dir="auto" tabindex=${item.text.length > LONG_TEXT ? 0 : nothing}>${item.text}</p>`
        }
        ${item.mandatory ? html`<p class="must">${language.say("mustAcknowledge")}</p>` : nothing}
        ${problem === undefined ? nothing : html`<p class="problem" role="alert">${language.say("failed")} <span dir="auto">${problem}</span></p>`}
        ${address === null && item.ask === null ? nothing : this.#acts(item, address)}
      </div>
    </li>`;
  }

  #acts({ id, ask }: Announcement, address: string | null): TemplateResult {
    const { language } = this;
    return html`<div class="acts">
      ${
        ask === null
          ? nothing
          : html`<button
              type="button"
              class="act ${ask === "acknowledge" ? "main" : ""}"
              part="button"
              aria-describedby="title-${id}"
              @click=${() => this.#settle(id, ask)}
            >
              ${language.say(ask)}
            </button>`
      }
      ${
        address === null
          ? nothing
          : html`<a href=${address} target="_blank" rel="noopener noreferrer" aria-describedby="title-${id}">${language.say("readMore")}</a>`
      }
    </div>`;
  }

  #settle(id: string, ask: "dismiss" | "acknowledge"): void {
    this.#problems.delete(id);
    this.client?.[ask](id).catch((error: unknown) => {
      this.#problems.set(id, error instanceof Error ? error.message : String(error));
      this.requestUpdate();
    });
  }

  static override styles = [
    tokens,
    shared,
    css`
      :host {
        display: block;
      }

      li {
        --_level: var(--_accent);
        display: flex;
        gap: 0.75rem;
        padding: 0.85rem 1rem;
        background: color-mix(in srgb, var(--_level) 9%, var(--_surface));
        border-block-end: 1px solid color-mix(in srgb, var(--_level) 20%, var(--_line));
      }

      .warning {
        --_level: var(--_warning);
      }

      .critical {
        --_level: var(--_critical);
      }

      li > .icon {
        inline-size: 1.4em;
        block-size: 1.4em;
        color: var(--_level);
      }

      .what {
        flex: 1;
        min-inline-size: 0;
        display: grid;
        gap: 0.25rem;
        overflow-wrap: anywhere;
      }

      h3 {
        font-size: 1em;
        font-weight: 650;
        line-height: 1.4;
      }

      .level {
        margin-inline-end: 0.35em;
        color: var(--_level);
      }

      .text {
        max-block-size: 9rem;
        overflow-y: auto;
        white-space: pre-line;
      }

      .must {
        color: var(--_soft);
        font-size: 0.9333em;
      }

      .problem {
        color: var(--_critical);
      }

      .acts {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.5rem 1rem;
        margin-block-start: 0.4rem;
      }

      .acts a {
        color: var(--_accent);
        font-weight: 600;
        font-size: 0.9333em;
        text-underline-offset: 0.2em;
      }
    `,
  ];
}
