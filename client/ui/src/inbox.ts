import type { Belfry, Filter, Notification } from "belfry-client";
import { html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { BelfryElement } from "./base.js";
import { inboxStyle } from "./inbox-style.js";
import { KeptUnread } from "./list/kept.js";
import { addressOf } from "./list/person.js";
import { Roving } from "./list/roving.js";
import { rowOf } from "./list/row.js";
import { personStyle, rowStyle } from "./list/row-style.js";
import { type Row, rowsOf, unreadIn } from "./list/rows.js";
import { FILTERS, tabsOf } from "./list/tabs.js";
import { ViewReader } from "./list/view-reader.js";
import { VirtualList } from "./list/virtual.js";
import { icon } from "./looks/icons.js";
import { shared, tokens } from "./looks/tokens.js";
import { OpenEvent, opensElsewhere } from "./page/open-event.js";
import { connectionNotice, emptyState, refusalNotice, skeleton } from "./page/states.js";
import { Voice } from "./page/voice.js";

/** Older ones are asked for when so few rows are left below. */
const ROWS_AHEAD = 10;

/**
 * `<belfry-inbox>`: the list of notifications with its tabs.
 * @fires belfry-open when a notification is opened; cancel it to lead there yourself
 */
export class BelfryInbox extends BelfryElement {
  static override properties: PropertyDeclarations = { filter: { reflect: true } };
  static override styles = [tokens, shared, personStyle, rowStyle, inboxStyle];

  /** The tab that is shown. */
  declare filter: Filter;

  readonly #voice = new Voice(this);
  readonly #virtual = new VirtualList(this, () => this.renderRoot?.querySelector<HTMLElement>(".scroller") ?? null);
  readonly #roving = new Roving(this, this.#virtual);
  readonly #kept = new KeptUnread();
  readonly #reader = new ViewReader((rows) => this.#readSeen(rows));
  /** Marked because they were seen: once each, or what the service refuses would be tried for ever. */
  readonly #readByView = new Set<string>();
  #open = new Set<string>();
  #rows: Row[] = [];
  /** Why older ones could not be loaded. */
  #problem: string | null = null;
  /** Why the service did not do what was asked for last. */
  #refusal: string | null = null;
  /** The newest that the service was told of as seen, by seq. */
  #seen = 0;
  #isLoading = false;
  /** The filters whose newest were asked for since the client came. */
  #asked = new Set<Filter>();

  constructor() {
    super();
    this.filter = "all";
  }

  /** Puts the focus on the list's active row, or on the first one. */
  override focus(options?: FocusOptions): void {
    if (!this.#roving.enter()) this.renderRoot.querySelector<HTMLElement>("[data-rest]")?.focus(options);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#reader.stop();
    this.#kept.clear();
  }

  protected override followed(client: Belfry): () => void {
    this.#asked = new Set();
    this.#problem = null;
    this.#refusal = null;
    this.#seen = 0;
    this.#kept.clear();
    this.#readByView.clear();
    return this.#voice.follow(client, "arrivals");
  }

  override willUpdate(changed: PropertyValues<this>): void {
    super.willUpdate(changed);
    if (changed.has("filter")) {
      this.#kept.clear();
      this.#problem = null;
      if (changed.get("filter") !== undefined) this.#virtual.toTop();
    }
    this.#rows = rowsOf(this.#items(), this.#open);
    const active = this.#roving.setRows(this.#rows);
    this.#virtual.setRows(
      this.#rows.map(({ key }) => key),
      active,
    );
  }

  override updated(): void {
    const scroller = this.renderRoot.querySelector(".scroller");
    if (scroller === null || this.client === null) return;
    this.#reader.watch(scroller, this.renderRoot.querySelectorAll("li.unread"));
    this.#saySeen(this.client);
    this.#loadAhead();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { client, language } = this;
    if (client === null) return nothing;
    return html`<div class="inbox" part="inbox" dir=${this.direction ?? nothing} lang=${language.code}>
      ${tabsOf(this.#tab, client.unreadNotifications, language, (filter) => this.#show(filter), this.#tools(client))}
      ${connectionNotice(client.status, language, () => client.reconnect())}
      ${this.#refusal === null ? nothing : refusalNotice(this.#refusal, language, () => this.#dismissRefusal())}
      <div class="scroller" id="list" part="list" role="tabpanel" aria-labelledby="tab-${this.#tab}" tabindex="-1" data-rest>
        ${this.#rows.length > 0 ? this.#list() : this.#blank(client)}
        ${this.#end(client)}
      </div>
      ${this.#voice.region(language)}
    </div>`;
  }

  /** The tab, also where a page names none that there is, or takes its choice away. */
  get #tab(): Filter {
    return FILTERS.includes(this.filter) ? this.filter : "all";
  }

  #list(): TemplateResult {
    const { items, height } = this.#virtual.drawn;
    const now = Date.now();
    const active = this.#roving.setRows(this.#rows);
    return html`<ul
      role="list"
      .style=${`height: ${height}px`}
      @keydown=${this.#roving.onKeydown}
      @focusin=${this.#roving.onFocusin}
    >
      ${repeat(
        items,
        ({ key }) => key,
        (item) => {
          const row = this.#rows[item.index];
          if (row === undefined) return nothing;
          const place = { item, count: this.#rows.length, isActive: item.index === active };
          return rowOf(row, place, this.language, this.#acts, now);
        },
      )}
    </ul>`;
  }

  #tools(client: Belfry): TemplateResult {
    const none = client.unreadNotifications === 0;
    const label = this.language.say("markAllRead");
    return html`<button
      type="button"
      class="tool read-all"
      part="read-all"
      aria-label=${label}
      title=${label}
      aria-disabled=${none ? "true" : "false"}
      @click=${() => (none ? undefined : this.#try(client.readAll()))}
    >
      ${icon("checkAll")}
    </button>`;
  }

  #blank(client: Belfry): TemplateResult {
    const { language } = this;
    const filter = this.#tab;
    const isComing = client.status.is === "connecting" || (client.status.is === "online" && (!client.status.synced || this.#isLoading));
    if (isComing) return skeleton(language);
    const isKnown = client.status.synced || (filter === "unread" && client.notifications.length > 0);
    // Nothing is said of what has not come, or is not all here.
    if (!isKnown || (filter === "unread" && client.unreadNotifications > 0)) return emptyState("inbox", language.say("notifications"), "");
    if (filter === "unread") return emptyState("check", language.say("emptyUnread"), language.say("emptyUnreadMore"));
    if (filter === "archived") return emptyState("archive", language.say("emptyArchived"), language.say("emptyArchivedMore"));
    return emptyState("bell", language.say("emptyAll"), language.say("emptyAllMore"));
  }

  #end(client: Belfry): TemplateResult | typeof nothing {
    const { language } = this;
    if (this.#problem !== null) {
      return html`<div class="end" role="alert">
        <p><strong>${language.say("failed")}</strong> <span dir="auto">${this.#problem}</span></p>
        <button type="button" class="act" part="button" @click=${() => this.#retry()}>${language.say("tryAgain")}</button>
      </div>`;
    }
    if (this.#rows.length === 0 || !client.view(this.#tab).more) return nothing;
    return html`<div class="end" role="status">${this.#isLoading ? language.say("loadingOlder") : nothing}</div>`;
  }

  #items(): readonly Notification[] {
    const { client } = this;
    const filter = this.#tab;
    if (client === null) return [];
    const { items } = client.view(filter);
    return filter === "unread" ? this.#kept.take(items, client.view("all")) : items;
  }

  #show(filter: Filter): void {
    this.#asked.delete(filter);
    this.filter = filter;
  }

  /** What is here is seen on a page in front, also what comes meanwhile. A page that comes to the front is drawn within half a minute. */
  #saySeen(client: Belfry): void {
    const newest = client.notifications[0]?.seq ?? 0;
    if (newest <= this.#seen || !client.status.synced || document.visibilityState !== "visible") return;
    this.#seen = newest;
    client.seen().catch(() => {});
  }

  #loadAhead(): void {
    const { client } = this;
    const filter = this.#tab;
    if (client === null || this.#isLoading || this.#problem !== null || client.status.is !== "online" || !client.status.synced) return;
    if (!client.view(filter).more) return;
    const last = this.#virtual.drawn.items.at(-1)?.index ?? 0;
    const isFirst = filter !== "all" && !this.#asked.has(filter);
    if (!isFirst && last < this.#rows.length - ROWS_AHEAD) return;
    this.#asked.add(filter);
    this.#isLoading = true;
    this.requestUpdate();
    client
      .more(filter)
      .catch((error: unknown) => {
        // While there is no connection the notice above says so; it goes on by itself when it is back.
        if (client.status.is === "online") this.#problem = wordsOf(error);
      })
      .finally(() => {
        this.#isLoading = false;
        this.requestUpdate();
      });
  }

  #retry(): void {
    this.#problem = null;
    this.requestUpdate();
  }

  /** An action that the service may refuse: then it is taken back, and said why until it is put away or something else is done. */
  #try(action: Promise<unknown>): void {
    this.#refusal = null;
    this.requestUpdate();
    action.catch((error: unknown) => {
      if (!this.isConnected) return;
      this.#refusal = wordsOf(error);
      this.requestUpdate();
    });
  }

  #dismissRefusal(): void {
    this.#refusal = null;
    this.requestUpdate();
    // The button goes with the notice.
    this.focus();
  }

  #readSeen(rows: Element[]): void {
    const keys = new Set(rows.map((row) => (row instanceof HTMLElement ? row.dataset.key : undefined)));
    const ids = this.#rows.filter(({ key }) => keys.has(key)).flatMap(unreadIn);
    const fresh = [...new Set(ids)].filter((id) => !this.#readByView.has(id));
    for (const id of fresh) this.#readByView.add(id);
    if (fresh.length > 0) this.client?.read(fresh).catch(() => {});
  }

  readonly #acts = {
    open: (row: Row, event: MouseEvent): void => {
      const ids = unreadIn(row);
      if (ids.length > 0) this.#try(this.client?.read(ids) ?? Promise.resolve());
      const url = addressOf(row.items[0]);
      if (!opensElsewhere(url, event) && !this.dispatchEvent(new OpenEvent(row.items[0], url))) event.preventDefault();
    },
    toggleRead: (row: Row): void => {
      const unread = unreadIn(row);
      const ids = row.items.map(({ id }) => id);
      // What somebody marks as unread is not marked as read because they still look at it.
      for (const id of ids) this.#readByView.add(id);
      if (this.client !== null) this.#try(unread.length > 0 ? this.client.read(unread) : this.client.markUnread(ids));
    },
    toggleArchived: (row: Row): void => {
      const ids = row.items.map(({ id }) => id);
      for (const id of ids) this.#kept.forget(id);
      if (this.client !== null) this.#try(row.items[0].archivedAt === null ? this.client.archive(ids) : this.client.unarchive(ids));
    },
    toggleOpen: (row: Row): void => {
      const open = new Set(this.#open);
      if (!open.delete(row.key)) open.add(row.key);
      this.#open = open;
      this.requestUpdate();
    },
  };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
