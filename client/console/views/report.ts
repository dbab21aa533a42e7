import { html, nothing, type TemplateResult } from "lit/html.js";
import { segment } from "../api.js";
import { type Desk, every } from "../desk.js";
import { Loaded } from "../loaded.js";
import { asRefusal, type Refusal } from "../refusal.js";
import { Rows } from "../rows.js";
import type { Report, ReportRow, State } from "../shapes.js";
import { number, percent, say } from "../words/index.js";
import { empty, failureNotice, loading, memberLink, moreButton, time } from "./pieces.js";

/** How often it is asked for while its announcement is live. For each the service walks through all members of the audience. Milliseconds. */
const REFRESH_MS = 10_000;

/** Members of one page. */
const PAGE = 50;

/** Who was reached by an announcement, has seen it and has acknowledged it. */
export class ReportView {
  readonly #desk: Desk;
  readonly #id: string;
  readonly #path: string;
  readonly #report: Loaded<Report>;
  readonly #rows: Rows<ReportRow>;
  readonly #stops: Array<() => void>;
  #state: State | null = null;
  /** Why the file could not be had. */
  #failure: Refusal | null = null;

  constructor(desk: Desk, id: string) {
    this.#desk = desk;
    this.#id = id;
    this.#path = `/v1/announcements/${segment(id)}/report`;
    this.#rows = new Rows({
      idOf: ({ user }) => user,
      load: async (after) => {
        const { members: items, more } = await desk.api.get<Report>(this.#path, { after, limit: PAGE });
        return { items, more };
      },
      changed: () => desk.update(),
    });
    this.#report = new Loaded(
      () => desk.api.get(this.#path, { limit: PAGE }),
      () => desk.update(),
      ({ members: items, more }) => this.#rows.first({ items, more }),
    );
    this.#stops = [
      every(REFRESH_MS, () => {
        if (this.#state === "live") void this.#report.poll();
      }),
      desk.onReturn(() => {
        if (this.#state !== "scheduled") void this.#report.refresh();
      }),
    ];
  }

  /** Its announcement is in this state. Where that is new the report is too: it begins with the announcement, and its end is the last word. */
  follow(state: State): void {
    if (state === this.#state) return;
    this.#state = state;
    if (state !== "scheduled") void this.#report.refresh();
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  view(state: State): TemplateResult {
    const csv = html`<button type="button" class="quiet" @click=${() => void this.#save()}>${say("report.csv")}</button>`;
    return html`<section class="report">
      <div class="section-head">
        <h2>${say("report.title")}</h2>
        ${state === "scheduled" ? nothing : csv}
      </div>
      ${failureNotice(this.#failure)} ${state === "scheduled" ? empty(say("report.later")) : this.#shown()}
    </section>`;
  }

  #shown(): TemplateResult {
    const { value, failure } = this.#report;
    return html`${failureNotice(failure, () => void this.#report.run())}
    ${value === null ? (failure === null ? loading() : nothing) : html`${steps(value)} ${this.#members()}`}`;
  }

  #members(): TemplateResult {
    if (this.#rows.items.length === 0) return empty(say("report.empty"));
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
            ${this.#rows.items.map(
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
      ${moreButton(this.#rows)}`;
  }

  async #save(): Promise<void> {
    this.#failure = null;
    try {
      await this.#desk.api.save(this.#path, { format: "csv" }, `announcement-${this.#id}.csv`);
    } catch (error) {
      this.#failure = asRefusal(error);
    }
    this.#desk.update();
  }
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
