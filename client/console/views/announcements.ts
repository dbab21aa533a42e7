import { html, nothing, type TemplateResult } from "lit/html.js";
import { type Desk, every, type Page } from "../desk.js";
import { Loaded } from "../loaded.js";
import { Rows } from "../rows.js";
import type { Announcement, Audience, Listing } from "../shapes.js";
import { moment, say, sayOr } from "../words/index.js";
import { empty, failureNotice, icon, loading, moreButton, pageHead, time } from "./pieces.js";

/** How often the first page is asked for, so that what another moderator writes appears. Milliseconds. */
const REFRESH_MS = 5_000;

/** All announcements, newest first. */
export class Announcements implements Page {
  readonly #first: Loaded<Listing<Announcement>>;
  readonly #rows: Rows<Announcement>;
  readonly #stops: Array<() => void>;

  constructor(desk: Desk) {
    this.#rows = new Rows({
      idOf: ({ id }) => id,
      load: (before) => desk.api.get("/v1/announcements", { before }),
      changed: () => desk.update(),
    });
    this.#first = new Loaded(
      () => desk.api.get("/v1/announcements"),
      () => desk.update(),
      (page) => this.#rows.first(page),
    );
    void this.#first.run();
    this.#stops = [every(REFRESH_MS, () => void this.#first.poll()), desk.onReturn(() => void this.#first.refresh())];
  }

  title(): string {
    return say("ann.title");
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  view(): TemplateResult {
    const { value, failure } = this.#first;
    const write = html`<a class="button primary" href="#/announcements/new">${say("ann.new")}</a>`;
    return html`${pageHead(say("ann.title"), say("ann.sub"), write)} ${failureNotice(failure, () => void this.#first.run())}
    ${value === null ? (failure === null ? loading() : nothing) : this.#list()}`;
  }

  #list(): TemplateResult {
    if (this.#rows.items.length === 0) return html`<div class="blank card">${icon("horn")}${empty(say("ann.empty"))}</div>`;
    return html`<ul class="rows card">
        ${this.#rows.items.map(row)}
      </ul>
      ${moreButton(this.#rows)}`;
  }
}

function row({ id, title, text, level, state, startsAt, createdAt, by, mandatory, audience }: Announcement): TemplateResult {
  return html`<li>
    <a class="row" href="#/announcements/${encodeURIComponent(id)}">
      <span class="row-main">
        <span class="row-title"><span class="dot" data-level=${level}></span><bdi>${title}</bdi></span>
        <span class="row-text"><bdi>${text}</bdi></span>
      </span>
      <span class="row-side">
        ${stateChip(state)}
        <span class="meta">
          ${time(state === "scheduled" ? startsAt : createdAt)} · ${say("ann.by", { by })}${mandatory ? html` · ${say("ann.how.mandatory")}` : nothing}${
            audience === undefined ? nothing : html` · ${say("ann.who.some")}`
          }
        </span>
      </span>
    </a>
  </li>`;
}

export function stateChip(state: string): TemplateResult {
  return html`<span class="chip" data-state=${state}>${sayOr(`ann.state.${state}`, state)}</span>`;
}

/** For whom it is, in words. */
export function audienceText(audience: Audience | undefined): string {
  if (audience === undefined) return say("ann.audience.all");
  const { roles, users, joinedAfter, joinedBefore } = audience;
  const parts = [
    roles === undefined ? null : say("ann.audience.roles", { list: roles.join(", ") }),
    users === undefined ? null : say("ann.audience.users", { list: users.join(", ") }),
    joinedAfter === undefined ? null : say("ann.audience.after", { at: moment(joinedAfter) }),
    joinedBefore === undefined ? null : say("ann.audience.before", { at: moment(joinedBefore) }),
  ];
  return parts.filter((part) => part !== null).join("; ");
}
