import { type Belfry, connect } from "belfry-client";
import { html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from "lit";
import { BelfryElement } from "./base.js";
import { panelOf } from "./bell-panel.js";
import { bellStyle } from "./bell-style.js";
import { icon } from "./looks/icons.js";
import { shared, tokens } from "./looks/tokens.js";
import { lower, placeAt, placeBelow, raise } from "./page/layer.js";
import type { OpenEvent } from "./page/open-event.js";
import { PushOffer } from "./page/push-offer.js";
import { standing } from "./page/standing.js";
import { fetchToken } from "./page/token.js";
import { Voice } from "./page/voice.js";
import type { Corner } from "./toasts.js";

/** Announcements that float over the page at once. */
const MAX_FLOATING = 2;

/** What gives a member's token; a text where it never changes. */
export type TokenSource = string | (() => string | Promise<string>);

/**
 * `<belfry-bell>`: the bell with its count, the panel under it, toasts and announcements. All that a page needs.
 * @fires belfry-open when a notification is chosen; cancel it to lead there yourself
 * @fires belfry-client when it has a client, or another one
 */
export class BelfryBell extends BelfryElement {
  static override properties: PropertyDeclarations = {
    url: {},
    token: { converter: (text: string | null) => text },
    tokenUrl: { attribute: "token-url" },
    position: { reflect: true },
    hide: {},
    sound: { type: Boolean },
    push: {},
    open: { type: Boolean, reflect: true },
  };
  static override styles = [tokens, shared, bellStyle];

  /** The service; empty: the page's own origin. */
  declare url: string;
  declare token: TokenSource | null;
  /** Where the forum gives the signed-in member's token, as text or as JSON `{ "token" }`; it is asked with cookies. */
  declare tokenUrl: string | null;
  /** A corner of the window, where the bell then floats; without it, it stands where it is written. */
  declare position: Corner | null;
  /** Names of what the bell leaves out, with spaces between: `banner`, `toasts`, `tasks`. */
  declare hide: string;
  declare sound: boolean;
  /**
   * Offers web push, with this address of the service worker on the page's own origin; empty: `/client/belfry-sw.js` where the page is the
   * service's, else `/belfry-sw.js`. Null: no web push.
   */
  declare push: string | null;
  /** Whether the panel is open. */
  declare open: boolean;

  readonly #voice = new Voice(this);
  readonly #offer = new PushOffer(this, () => this.#toPanel());
  /** The client that this element has made, and has to close. */
  #own: Belfry | null = null;
  #rings = false;
  #lastUnread = 0;
  #placed = 0;

  constructor() {
    super();
    this.url = "";
    this.token = null;
    this.tokenUrl = null;
    this.position = null;
    this.hide = "";
    this.sound = false;
    this.push = null;
    this.open = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("pointerdown", this.#onOutside);
    window.addEventListener("resize", this.#onMoved);
    window.addEventListener("scroll", this.#onMoved, { capture: true, passive: true });
    if (this.hasUpdated && this.client === null) this.#renew();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("pointerdown", this.#onOutside);
    window.removeEventListener("resize", this.#onMoved);
    window.removeEventListener("scroll", this.#onMoved, { capture: true });
    cancelAnimationFrame(this.#placed);
    // An element that is only moved is back at once.
    queueMicrotask(() => {
      if (this.isConnected || this.#own === null) return;
      if (this.client === this.#own) this.client = null;
      this.#own.close();
      this.#own = null;
    });
  }

  /** Opens the panel and moves the focus into it. */
  show(): void {
    this.open = true;
  }

  /** Closes the panel. `returnFocus`: back to the bell. */
  close(returnFocus = false): void {
    this.open = false;
    if (returnFocus) this.focus();
  }

  override focus(options?: FocusOptions): void {
    this.renderRoot.querySelector<HTMLElement>(".bell")?.focus(options);
  }

  protected override followed(client: Belfry): () => void {
    this.#lastUnread = client.unread;
    const silence = this.#hides("banner")
      ? this.#voice.follow(client, "arrivals")
      : this.#voice.follow(client, "arrivals", "announcements");
    const leave = this.push === null ? () => {} : this.#offer.follow(client, this.url, this.push);
    return () => {
      silence();
      leave();
    };
  }

  protected override clientChanged(): void {
    const unread = this.client?.unread ?? 0;
    if (unread > this.#lastUnread && this.client?.status.synced) this.#rings = true;
    this.#lastUnread = unread;
    this.requestUpdate();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const isOwn = this.client === null || this.client === this.#own;
    if (isOwn && (changed.has("url") || changed.has("token") || changed.has("tokenUrl"))) this.#renew();
    else if (!isOwn && this.#own !== null) this.#closeOwn();
    super.willUpdate(changed);
  }

  override updated(changed: PropertyValues<this>): void {
    const panel = this.renderRoot.querySelector<HTMLElement>(".panel");
    const floating = this.renderRoot.querySelector<HTMLElement>(".floating");
    if (panel !== null && changed.has("open") && (this.open || changed.get("open") === true)) this.#toggled(panel);
    if (floating === null) return;
    if (floating.hidden) lower(floating);
    else {
      placeBelow(floating, this);
      raise(floating);
    }
  }

  protected override render(): TemplateResult {
    const { client, language, open } = this;
    const unread = client?.unread ?? 0;
    const is = client?.status.is ?? "stopped";
    const floats = client !== null && standing(client).some(({ ask }) => ask !== null) && !open && !this.#hides("banner");
    return html`<div class="root" dir=${this.direction ?? nothing} lang=${language.code}>
      <button
        type="button"
        class="bell ${is === "online" ? "" : is}"
        part="bell"
        aria-haspopup="dialog"
        aria-expanded=${open ? "true" : "false"}
        aria-controls="panel"
        aria-label=${unread > 0 ? language.say("bell", {}, unread) : language.say("bellNone")}
        title=${language.say(is === "offline" ? "unreachable" : is === "stopped" ? "stopped" : "notifications")}
        @click=${() => (open ? this.close() : this.show())}
      >
        <span class="ringing ${this.#rings ? "rings" : ""}" @animationend=${this.#rung}>${icon("bell")}</span>
        ${unread > 0 ? html`<span class="badge" part="badge">${unread > 99 ? "99+" : language.number(unread)}</span>` : nothing}
        <span class="mark" part="mark"></span>
      </button>
      <div
        id="panel"
        class="panel"
        part="panel"
        popover="manual"
        role="dialog"
        aria-label=${language.say("notifications")}
        tabindex="-1"
        @keydown=${this.#onKeydown}
        @focusout=${this.#onFocusout}
      >
        ${open ? this.#panel() : nothing}
      </div>
      <div class="floating" part="floating" popover="manual" ?hidden=${!floats}>
        ${
          this.#hides("banner")
            ? nothing
            : html`<belfry-banner
                exportparts="announcements, announcement, announcement-info, announcement-warning, announcement-critical, button"
                closable
                .max=${MAX_FLOATING}
                .client=${open ? null : client}
                theme=${this.theme}
                lang=${language.code}
                @belfry-left=${() => this.focus()}
              ></belfry-banner>`
        }
      </div>
      ${
        this.#hides("toasts")
          ? nothing
          : html`<belfry-toasts
              exportparts="toasts, toast, toast-stopped, toast-close, toast-more"
              .client=${client}
              .quiet=${open}
              .sound=${this.sound}
              position=${this.position ?? "bottom-end"}
              theme=${this.theme}
              lang=${language.code}
            ></belfry-toasts>`
      }
      ${this.#voice.region(language)}
    </div>`;
  }

  #panel(): TemplateResult {
    return panelOf({
      client: this.client,
      language: this.language,
      theme: this.theme,
      offer: this.#offer.template(this.language),
      hides: (name) => this.#hides(name),
      onClose: () => this.close(true),
      onOpen: this.#onOpen,
      onLeft: this.#toPanel,
    });
  }

  #hides(name: string): boolean {
    return (this.hide ?? "").split(/\s+/).includes(name);
  }

  #renew(): void {
    this.#closeOwn();
    const { token, tokenUrl } = this;
    const source: TokenSource | null = token || (tokenUrl ? () => fetchToken(tokenUrl) : null);
    this.#own = source === null ? null : connect({ url: this.url, token: source });
    this.client = this.#own;
  }

  #closeOwn(): void {
    this.#own?.close();
    this.#own = null;
  }

  #toggled(panel: HTMLElement): void {
    if (!this.open) {
      lower(panel);
      return;
    }
    placeAt(panel, this);
    raise(panel);
    panel.focus({ preventScroll: true });
    if ((this.client?.notifications.length ?? 0) > 0) void this.#offer.look();
  }

  readonly #rung = (): void => {
    this.#rings = false;
    this.requestUpdate();
  };

  readonly #toPanel = (): void => {
    this.renderRoot.querySelector<HTMLElement>(".panel")?.focus({ preventScroll: true });
  };

  readonly #onMoved = (): void => {
    cancelAnimationFrame(this.#placed);
    this.#placed = requestAnimationFrame(() => {
      const panel = this.renderRoot.querySelector<HTMLElement>(".panel");
      const floating = this.renderRoot.querySelector<HTMLElement>(".floating");
      if (panel !== null && this.open) placeAt(panel, this);
      if (floating !== null && !floating.hidden) placeBelow(floating, this);
    });
  };

  readonly #onKeydown = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.close(true);
  };

  readonly #onOutside = (event: PointerEvent): void => {
    if (this.open && !event.composedPath().includes(this)) this.close();
  };

  /** Whoever goes on by Tab to the page has left the panel, which must not cover what they stand on. */
  readonly #onFocusout = ({ relatedTarget }: FocusEvent): void => {
    if (relatedTarget instanceof Node && !this.contains(relatedTarget) && !this.renderRoot.contains(relatedTarget)) this.close();
  };

  readonly #onOpen = (event: Event): void => {
    const { url } = event as OpenEvent;
    // After the page has had its say, and the browser its click.
    if (url !== null || event.defaultPrevented) setTimeout(() => this.close(), 0);
  };
}
