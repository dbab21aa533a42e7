import { html, nothing, type TemplateResult } from "lit/html.js";
import { segment } from "../api.js";
import { type Desk, every, type Page } from "../desk.js";
import { HISTORY, historyOf } from "../history.js";
import { Loaded } from "../loaded.js";
import { whyNoAct } from "../ranks.js";
import { asRefusal, type Refusal } from "../refusal.js";
import type { AuditEntry, Member as Known, Listing, OnlineMember, Sanction } from "../shapes.js";
import { moment, say, sayCount } from "../words/index.js";
import { auditTable } from "./audit-table.js";
import { empty, failureNotice, loading, pageHead, time } from "./pieces.js";
import { SanctionForm } from "./sanction-form.js";

/** How often what is known of the member is asked for. Milliseconds. */
const REFRESH_MS = 5_000;

interface Facts {
  member: Known;
  /** Null: not online. */
  online: OnlineMember | null;
}

/** One member: what is known of them, what is laid on them, and what can be done. */
export class MemberPage implements Page {
  readonly #desk: Desk;
  readonly #user: string;
  readonly #path: string;
  readonly #facts: Loaded<Facts>;
  /** Of everybody's entries the service searches those on this member, so they are asked for only when there are new ones. */
  readonly #history: Loaded<Listing<AuditEntry>>;
  readonly #form: SanctionForm;
  readonly #stops: Array<() => void>;
  #failure: Refusal | null = null;

  constructor(desk: Desk, user: string) {
    this.#desk = desk;
    this.#user = user;
    this.#path = `/v1/members/${segment(user)}`;
    this.#facts = new Loaded(
      () => this.#load(),
      () => desk.update(),
    );
    this.#history = new Loaded(
      () => historyOf((before) => desk.api.get("/v1/audit", { target: user, limit: HISTORY, before })),
      () => desk.update(),
    );
    this.#form = new SanctionForm(desk, user, () => void this.#facts.run());
    void this.#facts.run();
    void this.#history.run();
    const again = () => {
      void this.#facts.refresh();
      void this.#history.refresh();
    };
    this.#stops = [
      every(REFRESH_MS, () => void this.#facts.poll()),
      desk.onReturn(again),
      desk.onAudit(({ target }) => {
        if (target === user) again();
      }),
    ];
  }

  title(): string {
    return this.#facts.value?.member.name ?? this.#user;
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  async #load(): Promise<Facts> {
    const { api } = this.#desk;
    const user = this.#user;
    const [member, online] = await Promise.all([
      api.get<Known>(this.#path),
      api.get<Listing<OnlineMember>>("/v1/online/members", { user }),
    ]);
    return { member, online: online.items[0] ?? null };
  }

  view(): TemplateResult {
    const crumb = html`<p class="crumb"><a href="#/members">${say("members.title")}</a></p>`;
    const { value, failure } = this.#facts;
    if (value === null) {
      const isUnknown = failure?.code === "not_found";
      return html`${crumb} ${pageHead(this.#user, "")}
      ${isUnknown ? empty(say("member.unknown", { user: this.#user })) : failure === null ? loading() : failureNotice(failure, () => void this.#facts.run())}`;
    }
    const { member, online } = value;
    const whyNot = whyNoAct(this.#desk.me, member);
    const presence =
      online === null
        ? html`<span class="chip">${say("member.offline")}</span>`
        : html`<span class="chip" data-state="live">${say("member.online")}</span> ${sayCount("overview.sessions", online.sessions)}`;
    const name = member.name ?? member.user;
    return html`${crumb} ${pageHead(name, html`${name === member.user ? nothing : html`<code dir="auto">${member.user}</code> `}${presence}`)}
      ${failureNotice(failure)} ${failureNotice(this.#failure)}
      <dl class="facts">
        <div><dt>${say("member.roles")}</dt><dd dir="auto">${member.roles.length === 0 ? say("member.noRoles") : member.roles.join(", ")}</dd></div>
        <div><dt>${say("member.joined")}</dt><dd>${time(member.joinedAt)}</dd></div>
      </dl>
      ${this.#standing("ban", member.ban, whyNot === null)} ${this.#standing("mute", member.mute, whyNot === null)}
      ${whyNot === null ? this.#form.view() : empty(say(`member.${whyNot}`))}
      <p><a href="#/trace?user=${encodeURIComponent(this.#user)}">${say("member.trace")}</a></p>
      <section>
        <h2>${say("member.history")}</h2>
        ${this.#past()}
      </section>`;
  }

  #past(): TemplateResult {
    const { value, failure } = this.#history;
    if (value === null) return html`${failure === null ? loading() : failureNotice(failure, () => void this.#history.run())}`;
    const { items, more } = value;
    const log = html`<p><a href="#/audit?target=${encodeURIComponent(this.#user)}">${say("member.historyGo")}</a></p>`;
    return html`${failureNotice(failure, () => void this.#history.run())}
    ${
      items.length === 0
        ? empty(say(more ? "member.historyStopped" : "member.noHistory"))
        : auditTable(items, say("member.history"), { withTarget: false })
    }
    ${more ? log : nothing}`;
  }

  /** `canEnd`: whether the service would let this moderator end it. */
  #standing(what: "mute" | "ban", sanction: Sanction | null, canEnd: boolean): TemplateResult | typeof nothing {
    if (sanction === null) return nothing;
    const { until, why, by, at } = sanction;
    return html`<section class="standing" data-what=${what}>
      <div>
        <h2>
          ${say(what === "ban" ? "member.banned" : "member.muted")}
          <span class="until">${until === null ? say("forGood") : say("member.until", { until: moment(until) })}</span>
        </h2>
        <p dir="auto">${why}</p>
        <p class="meta">${say("member.by", { by, at: moment(at) })}</p>
      </div>
      ${canEnd ? html`<button type="button" @click=${() => void this.#lift(what)}>${say(`member.lift.${what}`)}</button>` : nothing}
    </section>`;
  }

  async #lift(what: "mute" | "ban"): Promise<void> {
    this.#failure = null;
    try {
      await this.#desk.api.send("DELETE", `${this.#path}/${what}`, {});
      this.#desk.done(say(`member.done.un${what}`, { user: this.#user }));
    } catch (error) {
      this.#failure = asRefusal(error);
    }
    await this.#facts.run();
  }
}
