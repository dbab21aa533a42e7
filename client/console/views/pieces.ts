import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Refusal } from "../refusal.js";
import type { Rows } from "../rows.js";
import { moment, say, sayOr } from "../words/index.js";

type Piece = TemplateResult | typeof nothing;

/** What went wrong, in words, with a way to try again where there is one. */
export function failureNotice(failure: Refusal | null, again?: () => void): Piece {
  if (failure === null) return nothing;
  const words = sayOr(`error.${failure.code}`, failure.message);
  // The service's own message is in English, and says which field is wrong.
  const detail =
    words === failure.message || failure.code === "unreachable" ? nothing : html`<span class="detail">${failure.message}</span>`;
  return html`<div class="notice" role="alert">
    <p>${words} ${detail}</p>
    ${again === undefined ? nothing : html`<button type="button" class="quiet" @click=${again}>${say("retry")}</button>`}
  </div>`;
}

/** The head of a page: what it is, and what can be done there. */
export function pageHead(title: string, sub: unknown, ...tools: unknown[]): TemplateResult {
  return html`<div class="page-head">
    <div>
      <h1 tabindex="-1">${title}</h1>
      <p class="sub">${sub}</p>
    </div>
    ${tools.length === 0 ? nothing : html`<div class="tools">${tools}</div>`}
  </div>`;
}

export function time(rfc3339: string | null | undefined): TemplateResult {
  if (rfc3339 == null) return html`${say("none")}`;
  return html`<time datetime=${rfc3339} title=${new Date(rfc3339).toLocaleString()}>${moment(rfc3339)}</time>`;
}

/** A member, as a way to their page. */
export function memberLink(user: string, name?: string): TemplateResult {
  return html`<a href="#/members/${encodeURIComponent(user)}" dir="auto">${name ?? user}</a>`;
}

export function loading(): TemplateResult {
  return html`<p class="empty" role="status">${say("loading")}</p>`;
}

export function empty(text: string): TemplateResult {
  return html`<p class="empty">${text}</p>`;
}

/** Reads a list on, where there is more of it. */
export function moreButton(rows: Pick<Rows<unknown>, "more" | "failure" | "readOn">, label = say("more")): TemplateResult {
  return html`${failureNotice(rows.failure)}
  ${rows.more ? html`<button type="button" class="quiet" @click=${() => void rows.readOn()}>${label}</button>` : nothing}`;
}

/** A labelled control. `hint` says more in few words. */
export function field(label: string, control: unknown, hint: string | null = null): TemplateResult {
  return html`<label class="field">
    <span class="label">${label}${hint === null ? nothing : html` <span class="hint">${hint}</span>`}</span>
    ${control}
  </label>`;
}

/** One of several, all in sight. `choose` is called with the one that is taken. */
export function choice<T extends string>(
  legend: string,
  name: string,
  options: ReadonlyArray<{ value: T; label: string; hint?: string }>,
  chosen: T,
  choose: (value: T) => void,
): TemplateResult {
  return html`<fieldset class="choice">
    <legend class="label">${legend}</legend>
    <div class="options">
      ${options.map(
        ({ value, label, hint }) =>
          html`<label class="option">
            <input type="radio" name=${name} value=${value} .checked=${value === chosen} @change=${() => choose(value)} />
            <span>${label}${hint === undefined ? nothing : html`<span class="hint">${hint}</span>`}</span>
          </label>`,
      )}
    </div>
  </fieldset>`;
}

/** The text of a form's field. */
export function textOf(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value.trim() : "";
}

export function icon(name: "bell" | "chart" | "horn" | "people" | "log" | "ask" | "out"): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><use href="#i-${name}"></use></svg>`;
}
