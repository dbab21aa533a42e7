import { html, nothing, type TemplateResult } from "lit/html.js";
import { type Refusal, segment } from "../api.js";
import { asRefusal, type Desk, every, Loaded, type Page } from "../desk.js";
import type { Report, ReportRow, Announcement as Shown } from "../shapes.js";
import { number, percent, say } from "../words/index.js";
import { audienceText, stateChip } from "./announcements.js";
import { empty, failureNotice, field, loading, memberLink, pageHead, textOf, time } from "./pieces.js";
import { Preview } from "./preview.js";

/** How often its report is asked for. Milliseconds. */
const REFRESH_MS = 3_000;

/** Members of one page of the report. */
const PAGE = 50;

/** One announcement: how it looks, who has seen it, and what can be done with it. */
export class AnnouncementPage implements Page {
  readonly #desk: Desk;
  readonly #id: string;
  readonly #path: string;
  readonly #shown: Loaded<{ announcement: Shown; report: Report }>;
  readonly #stops: Array<() => void>;
  #further: ReportRow[] = [];
  #hasFurther: boolean | null = null;
  readonly #preview = new Preview();
  #isRescinding = false;
  #failure: Refusal | null = null;

  constructor(desk: Desk, id: string) {
    this.#desk = desk;
    this.#id = id;
    this.#path = `/v1/announcements/${segment(id)}`;
    this.#shown = new Loaded(
      async () => {
        const [announcement, report] = await Promise.all([
          desk.api.get<Shown>(this.#path),
          desk.api.get<Report>(`${this.#path}/report`, { limit: PAGE }),
        ]);
        return { announcement, report };
      },
      () => desk.update(),
    );
    void this.#shown.run();
    const again = () => void this.#shown.refresh();
    this.#stops = [every(REFRESH_MS, again), desk.onReturn(again)];
  }

  title(): string {
    return this.#shown.value?.announcement.title ?? say("ann.title");
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  view(): TemplateResult {
    const { value, failure } = this.#shown;
    if (value === null) {
      return html`${pageHead(say("ann.title"), "")} ${failure === null ? loading() : failureNotice(failure, () => void this.#shown.run())}`;
    }
    const { announcement, report } = value;
    const isOpen = announcement.state === "live" || announcement.state === "scheduled";
    const tools = isOpen
      ? [
          html`<a class="button" href="#/announcements/${segment(this.#id)}/edit">${say("ann.editGo")}</a>`,
          html`<button type="button" class="danger" aria-expanded=${this.#isRescinding} @click=${() => this.#toggleRescinding()}>${say("ann.rescind")}</button>`,
        ]
      : [];
    return html`<p class="crumb"><a href="#/announcements">${say("ann.title")}</a></p>
      ${pageHead(announcement.title, html`${stateChip(announcement.state)} ${say("ann.by", { by: announcement.by })}`, ...tools)}
      ${failureNotice(failure)} ${this.#isRescinding ? this.#rescinding() : nothing} ${facts(announcement)}
      <section>
        <h2>${say("ann.preview")} <span class="hint">${say("ann.previewHint")}</span></h2>
        <div class="screen">${this.#preview.view(announcement)}</div>
      </section>
      ${this.#report(announcement, report)}`;
  }

  #toggleRescinding(): void {
    this.#isRescinding = !this.#isRescinding;
    this.#failure = null;
    this.#desk.update();
  }

  #rescinding(): TemplateResult {
    return html`<form class="card form inset" @submit=${(event: Event) => void this.#rescind(event)}>
      <h2>${say("ann.rescindTitle")}</h2>
      ${field(say("ann.rescindWhy"), html`<input name="why" type="text" maxlength="500" dir="auto" />`)} ${failureNotice(this.#failure)}
      <div class="form-end">
        <button type="button" class="quiet" @click=${() => this.#toggleRescinding()}>${say("cancel")}</button>
        <button type="submit" class="danger">${say("ann.rescind")}</button>
      </div>
    </form>`;
  }

  async #rescind(event: Event): Promise<void> {
    event.preventDefault();
    const why = textOf(event.currentTarget as HTMLFormElement, "why");
    try {
      await this.#desk.api.send("DELETE", this.#path, why === "" ? {} : { why });
      this.#isRescinding = false;
      this.#desk.done(say("ann.rescinded"));
    } catch (error) {
      this.#failure = asRefusal(error);
    }
    await this.#shown.run();
  }

  #report({ state }: Shown, report: Report): TemplateResult {
    const csv = html`<button type="button" class="quiet" @click=${() => void this.#save()}>${say("report.csv")}</button>`;
    return html`<section class="report">
      <div class="section-head">
        <h2>${say("report.title")}</h2>
        ${state === "scheduled" ? nothing : csv}
      </div>
      ${state === "scheduled" ? empty(say("report.later")) : html`${steps(report)} ${this.#members(report)}`}
    </section>`;
  }

  #members(report: Report): TemplateResult {
    if (report.members.length === 0) return empty(say("report.empty"));
    const rows = [...report.members, ...this.#further];
    return html`<div class="scroll card" tabindex="0" role="region" aria-label=${say("report.title")}>
        <table>
          <thead>
            <tr>
              <th scope="col">${say("report.member")}</th>
              <th scope="col">${say("report.reached")}</th>
              <th scope="col">${say("report.seen")}</th>
              <th scope="col">${say("report.acknowledged")}</th>
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              ({ user, reachedAt, seenAt, acknowledgedAt }) =>
                html`<tr>
                  <th scope="row">${memberLink(user)}</th>
                  <td>${time(reachedAt)}</td>
                  <td>${time(seenAt)}</td>
                  <td>${time(acknowledgedAt)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${
        (this.#hasFurther ?? report.more)
          ? html`<button type="button" class="quiet" @click=${() => void this.#more(rows)}>${say("more")}</button>`
          : nothing
      }`;
  }

  async #more(rows: ReportRow[]): Promise<void> {
    try {
      const after = rows.at(-1)?.user;
      const { members, more } = await this.#desk.api.get<Report>(`${this.#path}/report`, { after, limit: PAGE });
      this.#further.push(...members);
      this.#hasFurther = more;
    } catch (error) {
      this.#shown.failure = asRefusal(error);
    }
    this.#desk.update();
  }

  async #save(): Promise<void> {
    try {
      await this.#desk.api.save(`${this.#path}/report`, { format: "csv" }, `announcement-${this.#id}.csv`);
    } catch (error) {
      this.#shown.failure = asRefusal(error);
      this.#desk.update();
    }
  }
}

function facts({ createdAt, startsAt, expiresAt, audience, rescindedAt, why }: Shown): TemplateResult {
  return html`<dl class="facts">
    <div><dt>${say("ann.facts.created")}</dt><dd>${time(createdAt)}</dd></div>
    ${startsAt === undefined ? nothing : html`<div><dt>${say("ann.facts.starts")}</dt><dd>${time(startsAt)}</dd></div>`}
    ${expiresAt === undefined ? nothing : html`<div><dt>${say("ann.facts.expires")}</dt><dd>${time(expiresAt)}</dd></div>`}
    <div><dt>${say("ann.facts.audience")}</dt><dd dir="auto">${audienceText(audience)}</dd></div>
    ${
      rescindedAt === undefined
        ? nothing
        : html`<div><dt>${say("ann.facts.why")}</dt><dd dir="auto">${time(rescindedAt)} · ${why}</dd></div>`
    }
  </dl>`;
}

/** From everybody whom it is for to those who said that they have read it. */
function steps(report: Report): TemplateResult {
  const of = (count: number) => (report.audience === 0 ? 0 : count / report.audience);
  return html`<ol class="steps">
    ${(["audience", "reached", "seen", "acknowledged"] as const).map(
      (name) =>
        html`<li class="card">
          <span class="step-name">${say(`report.${name}`)}</span>
          <strong>${number(report[name])}</strong>
          <span class="step-share">${name === "audience" ? nothing : say("report.share", { percent: percent(of(report[name])) })}</span>
          <svg class="share" aria-hidden="true"><rect width="${Math.round(of(report[name]) * 100)}%" height="100%"></rect></svg>
        </li>`,
    )}
  </ol>`;
}
