import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Desk, Page } from "../desk.js";
import { Loaded } from "../loaded.js";
import { asRefusal } from "../refusal.js";
import { Rows } from "../rows.js";
import type { AuditEntry, Listing } from "../shapes.js";
import { say, sayOr } from "../words/index.js";
import { auditTable } from "./audit-table.js";
import { empty, failureNotice, field, icon, loading, moreButton, pageHead, textOf } from "./pieces.js";

const ACTS = ["announce", "announcement.edit", "rescind", "mute", "unmute", "kick", "ban", "unban", "connect"];

/** Entries that are kept on the page. Threat: a page that is left open for days. */
const MAX_SHOWN = 500;

interface Filter {
  by: string;
  act: string;
  target: string;
}

/** The audit log as it is written, searched and exported. */
export class AuditPage implements Page {
  readonly #desk: Desk;
  readonly #loaded: Loaded<Listing<AuditEntry>>;
  readonly #rows: Rows<AuditEntry>;
  readonly #stops: Array<() => void>;
  readonly #fresh = new Set<string>();
  /** Whom it is searched for at first; empty for anybody. */
  readonly #target: string;
  #filter: Filter;

  constructor(desk: Desk, target: string) {
    this.#desk = desk;
    this.#target = target;
    this.#filter = { by: "", act: "", target };
    this.#rows = new Rows({
      idOf: ({ id }) => id,
      load: (before) => desk.api.get("/v1/audit", { ...this.#filter, before }),
      changed: () => desk.update(),
    });
    this.#loaded = new Loaded(
      () => desk.api.get("/v1/audit", { ...this.#filter }),
      () => desk.update(),
      (page) => this.#rows.first(page),
    );
    void this.#loaded.run();
    // What was written meanwhile was not told.
    this.#stops = [desk.onAudit((entry) => this.#arrived(entry)), desk.onReturn(() => void this.#loaded.refresh())];
  }

  title(): string {
    return say("audit.title");
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  view(): TemplateResult {
    const { value, failure } = this.#loaded;
    const tools = html`<span class="export" role="group" aria-label=${say("audit.export")}>
      <span class="hint">${say("audit.export")}</span>
      <button type="button" class="quiet" @click=${() => void this.#export("csv")}>${say("audit.csv")}</button>
      <button type="button" class="quiet" @click=${() => void this.#export("ndjson")}>${say("audit.ndjson")}</button>
    </span>`;
    return html`${pageHead(say("audit.title"), say("audit.sub"), tools)} ${this.#filters()}
    ${failureNotice(failure, () => void this.#loaded.run())}
    ${value === null ? (failure === null ? loading() : nothing) : this.#list()}`;
  }

  #filters(): TemplateResult {
    return html`<form class="filters" role="search" @submit=${(event: Event) => this.#find(event)}>
      ${field(
        say("audit.act"),
        html`<select name="act">
          <option value="">${say("audit.anyAct")}</option>
          ${ACTS.map((act) => html`<option value=${act}>${sayOr(`act.${act}`, act)}</option>`)}
        </select>`,
      )}
      ${field(say("audit.by"), html`<input name="by" type="text" maxlength="128" dir="auto" autocapitalize="off" />`)}
      ${field(say("audit.target"), html`<input name="target" type="text" maxlength="128" dir="auto" autocapitalize="off" .value=${this.#target} />`)}
      <button type="submit">${say("audit.go")}</button>
      ${
        Object.values(this.#filter).some((value) => value !== "")
          ? html`<button type="reset" class="quiet" @click=${(event: Event) => this.#clear(event)}>${say("audit.clear")}</button>`
          : nothing
      }
    </form>`;
  }

  #list(): TemplateResult {
    const { items } = this.#rows;
    return html`${
      items.length === 0
        ? html`<div class="blank card">${icon("log")}${empty(say("audit.empty"))}</div>`
        : auditTable(items, say("audit.title"), { fresh: this.#fresh })
    }
    ${moreButton(this.#rows)}`;
  }

  #find(event: Event): void {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    this.#search({ by: textOf(form, "by"), act: textOf(form, "act"), target: textOf(form, "target") });
  }

  #clear(event: Event): void {
    (event.currentTarget as HTMLButtonElement).form?.reset();
    this.#search({ by: "", act: "", target: "" });
  }

  #search(filter: Filter): void {
    this.#filter = filter;
    this.#rows.forget();
    this.#loaded.forget();
    void this.#loaded.run();
  }

  #arrived(entry: AuditEntry): void {
    const { by, act, target } = this.#filter;
    const fits = (by === "" || by === entry.by) && (act === "" || act === entry.act) && (target === "" || target === entry.target);
    if (this.#loaded.value === null || !fits || !this.#rows.prepend(entry, MAX_SHOWN)) return;
    this.#fresh.add(entry.id);
    this.#desk.update();
  }

  async #export(format: "csv" | "ndjson"): Promise<void> {
    try {
      await this.#desk.api.save("/v1/audit", { ...this.#filter, format }, `audit.${format}`);
    } catch (error) {
      this.#loaded.failure = asRefusal(error);
      this.#desk.update();
    }
  }
}
