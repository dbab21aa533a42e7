import { html, nothing, type TemplateResult } from "lit/html.js";
import { segment } from "../api.js";
import { type Desk, every, type Page } from "../desk.js";
import { Loaded } from "../loaded.js";
import { asRefusal, type Refusal } from "../refusal.js";
import type { Announcement as Shown } from "../shapes.js";
import { say } from "../words/index.js";
import { audienceText, stateChip } from "./announcements.js";
import { failureNotice, field, loading, pageHead, textOf, time } from "./pieces.js";
import { Preview } from "./preview.js";
import { ReportView } from "./report.js";

/** How often it is asked whether it is still as it was, while it can change. Milliseconds. */
const REFRESH_MS = 3_000;

/** One announcement: how it looks, who has seen it, and what can be done with it. */
export class AnnouncementPage implements Page {
  readonly #desk: Desk;
  readonly #id: string;
  readonly #path: string;
  readonly #shown: Loaded<Shown>;
  readonly #report: ReportView;
  readonly #stops: Array<() => void>;
  readonly #preview = new Preview();
  #isRescinding = false;
  #failure: Refusal | null = null;

  constructor(desk: Desk, id: string) {
    this.#desk = desk;
    this.#id = id;
    this.#path = `/v1/announcements/${segment(id)}`;
    this.#report = new ReportView(desk, id);
    this.#shown = new Loaded(
      () => desk.api.get(this.#path),
      () => desk.update(),
      ({ state }) => this.#report.follow(state),
    );
    void this.#shown.run();
    this.#stops = [
      every(REFRESH_MS, () => {
        if (!this.#hasEnded()) void this.#shown.poll();
      }),
      desk.onReturn(() => void this.#shown.refresh()),
      () => this.#report.close(),
    ];
  }

  title(): string {
    return this.#shown.value?.title ?? say("ann.title");
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  view(): TemplateResult {
    const { value: announcement, failure } = this.#shown;
    if (announcement === null) {
      return html`${pageHead(say("ann.title"), "")} ${failure === null ? loading() : failureNotice(failure, () => void this.#shown.run())}`;
    }
    const tools = this.#hasEnded()
      ? []
      : [
          html`<a class="button" href="#/announcements/${segment(this.#id)}/edit">${say("ann.editGo")}</a>`,
          html`<button type="button" class="danger" aria-expanded=${this.#isRescinding} @click=${() => this.#toggleRescinding()}>${say("ann.rescind")}</button>`,
        ];
    return html`<p class="crumb"><a href="#/announcements">${say("ann.title")}</a></p>
      ${pageHead(announcement.title, html`${stateChip(announcement.state)} ${say("ann.by", { by: announcement.by })}`, ...tools)}
      ${failureNotice(failure)} ${this.#isRescinding ? this.#rescinding() : nothing} ${facts(announcement)}
      <section>
        <h2>${say("ann.preview")} <span class="hint">${say("ann.previewHint")}</span></h2>
        <div class="screen" inert>${this.#preview.view(announcement)}</div>
        <p class="spoken" dir="auto">${announcement.text}</p>
      </section>
      ${this.#report.view(announcement.state)}`;
  }

  /** Nothing changes about it any more. */
  #hasEnded(): boolean {
    const state = this.#shown.value?.state;
    return state === "expired" || state === "rescinded";
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
}

function facts({ url, createdAt, startsAt, expiresAt, audience, rescindedAt, why }: Shown): TemplateResult {
  return html`<dl class="facts">
    <div><dt>${say("ann.facts.created")}</dt><dd>${time(createdAt)}</dd></div>
    ${startsAt === undefined ? nothing : html`<div><dt>${say("ann.facts.starts")}</dt><dd>${time(startsAt)}</dd></div>`}
    ${expiresAt === undefined ? nothing : html`<div><dt>${say("ann.facts.expires")}</dt><dd>${time(expiresAt)}</dd></div>`}
    ${url === undefined ? nothing : html`<div><dt>${say("ann.field.url")}</dt><dd><bdi>${url}</bdi></dd></div>`}
    <div><dt>${say("ann.facts.audience")}</dt><dd dir="auto">${audienceText(audience)}</dd></div>
    ${
      rescindedAt === undefined
        ? nothing
        : html`<div><dt>${say("ann.facts.why")}</dt><dd dir="auto">${time(rescindedAt)} · ${why}</dd></div>`
    }
  </dl>`;
}
