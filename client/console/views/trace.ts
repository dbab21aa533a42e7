import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Desk, Page } from "../desk.js";
import { Loaded } from "../loaded.js";
import type { Trace } from "../shapes.js";
import { currentLanguage, say, sayOr } from "../words/index.js";
import { failureNotice, field, loading, pageHead, textOf } from "./pieces.js";

/** Says in words why a member was told of something, or was not. */
export class TracePage implements Page {
  readonly #user: string;
  readonly #trace: Loaded<Trace>;
  #asked: { user: string; event: string } | null = null;

  /** `user`: whom it is asked of, where that is known already. */
  constructor(desk: Desk, user: string, event: string) {
    this.#user = user;
    this.#trace = new Loaded(
      () => desk.api.get("/v1/trace", { ...this.#asked }),
      () => desk.update(),
    );
    if (user === "" || event === "") return;
    this.#asked = { user, event };
    void this.#trace.run();
  }

  title(): string {
    return say("trace.title");
  }

  view(): TemplateResult {
    const { value, failure, busy } = this.#trace;
    return html`${pageHead(say("trace.title"), say("trace.sub"))}
      <form class="card form" @submit=${(event: Event) => this.#ask(event)}>
        <div class="pair">
          ${field(
            say("trace.user"),
            html`<input name="user" type="text" required maxlength="128" dir="auto" autocapitalize="off" .defaultValue=${this.#user} />`,
          )}
          ${field(
            say("trace.event"),
            html`<input
              name="event"
              type="text"
              required
              maxlength="128"
              dir="auto"
              autocapitalize="off"
              aria-describedby="event-hint"
              .defaultValue=${this.#asked?.event ?? ""}
            />`,
          )}
        </div>
        <p class="hint" id="event-hint">${say("trace.eventHint")}</p>
        <div class="form-end"><button type="submit" class="primary">${say("trace.go")}</button></div>
      </form>
      <div aria-live="polite">
        ${failureNotice(failure)} ${busy && value === null ? loading() : nothing} ${value === null || failure !== null ? nothing : verdict(value)}
      </div>`;
  }

  #ask(event: Event): void {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    this.#asked = { user: textOf(form, "user"), event: textOf(form, "event") };
    this.#trace.forget();
    void this.#trace.run();
  }
}

function verdict({ user, told, reason, steps }: Trace): TemplateResult {
  return html`<section class="verdict card" data-told=${told}>
    <h2 dir="auto">${say(told ? "trace.told" : "trace.notTold", { user })}</h2>
    ${reason === undefined ? nothing : html`<p class="meta">${say("trace.reason", { reason: sayOr(`reason.${reason}`, reason) })}</p>`}
    <ol lang="en" dir="ltr">
      ${steps.map((step) => html`<li>${step}</li>`)}
    </ol>
    ${currentLanguage() === "en" ? nothing : html`<p class="meta">${say("trace.english")}</p>`}
  </section>`;
}
