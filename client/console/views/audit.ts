import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Listing } from "../api.js";
import { asRefusal, type Desk, Loaded, type Page } from "../desk.js";
import type { AuditEntry } from "../shapes.js";
import { say, sayOr } from "../words/index.js";
import { auditTable } from "./audit-table.js";
import { empty, failureNotice, field, icon, loading, pageHead, textOf } from "./pieces.js";

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
  readonly #stops: Array<() => void>;
  readonly #fresh = new Set<string>();
  #filter: Filter = { by: "", act: "", target: "" };

  constructor(desk: Desk) {
    this.#desk = desk;
    this.#loaded = new Loaded(
      () => desk.api.get("/v1/audit", { ...this.#filter }),
      () => desk.update(),
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
    return html`${pageHead(say("audit.title"), say("audit.sub"), tools)} ${this.#search()}
    ${failureNotice(failure, () => void this.#loaded.run())}
    ${value === null ? (failure === null ? loading() : nothing) : this.#list(value)}`;
  }

  #search(): TemplateResult {
    return html`<form class="filters" role="search" @submit=${(event: Event) => this.#find(event)}>
      ${field(
        say("audit.act"),
        html`<select name="act">
          <option value="">${say("audit.anyAct")}</option>
          ${ACTS.map((act) => html`<option value=${act}>${sayOr(`act.${act}`, act)}</option>`)}
        </select>`,
      )}
      ${field(say("audit.by"), html`<input name="by" type="text" maxlength="128" dir="auto" autocapitalize="off" />`)}
      ${field(say("audit.target"), html`<input name="target" type="text" maxlength="128" dir="auto" autocapitalize="off" />`)}
      <button type="submit">${say("audit.go")}</button>
      ${
        Object.values(this.#filter).some((value) => value !== "")
          ? html`<button type="reset" class="quiet" @click=${(event: Event) => this.#clear(event)}>${say("audit.clear")}</button>`
          : nothing
      }
    </form>`;
  }

  #list({ items, more }: Listing<AuditEntry>): TemplateResult {
    return html`${
      items.length === 0
        ? html`<div class="blank card">${icon("log")}${empty(say("audit.empty"))}</div>`
        : auditTable(items, say("audit.title"), { fresh: this.#fresh })
    }
    ${more ? html`<button type="button" class="quiet" @click=${() => void this.#more()}>${say("more")}</button>` : nothing}`;
  }

  #find(event: Event): void {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    this.#filter = { by: textOf(form, "by"), act: textOf(form, "act"), target: textOf(form, "target") };
    this.#loaded.forget();
    void this.#loaded.run();
  }

  #clear(event: Event): void {
    (event.currentTarget as HTMLButtonElement).form?.reset();
    this.#filter = { by: "", act: "", target: "" };
    this.#loaded.forget();
    void this.#loaded.run();
  }

  #arrived(entry: AuditEntry): void {
    const list = this.#loaded.value;
    const { by, act, target } = this.#filter;
    const fits = (by === "" || by === entry.by) && (act === "" || act === entry.act) && (target === "" || target === entry.target);
    if (list === null || !fits || list.items.some(({ id }) => id === entry.id)) return;
    list.items.unshift(entry);
    this.#fresh.add(entry.id);
    if (list.items.length > MAX_SHOWN) {
      list.items.length = MAX_SHOWN;
      list.more = true;
      delete list.next;
    }
    this.#desk.update();
  }

  async #more(): Promise<void> {
    const list = this.#loaded.value;
    if (list === null) return;
    try {
      const before = list.next ?? list.items.at(-1)?.id;
      const page = await this.#desk.api.get<Listing<AuditEntry>>("/v1/audit", { ...this.#filter, before });
      // Another search may have been begun meanwhile.
      if (this.#loaded.value !== list) return;
      list.items.push(...page.items);
      list.more = page.more;
      if (page.next === undefined) delete list.next;
      else list.next = page.next;
    } catch (error) {
      this.#loaded.failure = asRefusal(error);
    }
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
