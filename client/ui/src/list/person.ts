import { type Notification, webAddress } from "belfry-client";
import { html, nothing, type TemplateResult } from "lit";
import { discColour, initialOf } from "../looks/disc.js";
import { icon, reasonIcon } from "../looks/icons.js";
import type { Language } from "../text/language.js";
import { sentenceOf } from "../text/sentence.js";

/** Somebody's picture, or a disc with their initial, and the sign of why the member is told. Says nothing to those who listen. */
export function personOf({ actor, type, reason, data }: Notification): TemplateResult {
  const hasFailed = type === "task" && data?.state === "failed";
  const name = actor?.name || (actor?.id === "system" ? "" : (actor?.id ?? ""));
  const picture = webAddress(actor?.avatar);
  const isService = type === "task" || !actor || actor.id === "system" || name === "";
  const state = hasFailed ? "failed" : type === "task" ? "done" : "";
  const disc = isService ? icon(type === "task" ? reasonIcon(type, reason, hasFailed) : "bell") : initialOf(name);
  return html`<span class="person ${state}" aria-hidden="true">
    <span class="disc ${isService ? "service" : ""} c${discColour(actor?.id ?? "")}" part="avatar"
      >${disc}${
        picture === null
          ? nothing
          : html`<img src=${picture} alt="" loading="lazy" decoding="async" referrerpolicy="no-referrer" @error=${hide} />`
      }</span
    >
    ${isService ? nothing : html`<span class="why">${icon(reasonIcon(type, reason, hasFailed))}</span>`}
  </span>`;
}

/** The sentence with names and titles set apart; each in its own direction. */
export function sentence(items: readonly Notification[], language: Language): TemplateResult[] {
  return sentenceOf(items, language).map(({ kind, text }) => (kind === "text" ? html`${text}` : html`<bdi class=${kind}>${text}</bdi>`));
}

/** When it happened, short, and in full to those who point at it. */
export function timeOf(createdAt: string, language: Language, now: number): TemplateResult {
  const at = Date.parse(createdAt);
  if (Number.isNaN(at)) return html``;
  return html`<time datetime=${createdAt} title=${language.moment(at)}>${language.ago(at, now)}</time>`;
}

/** Where a notification leads, or null where it leads nowhere that may be followed. */
export function addressOf({ url, comment, thread }: Notification): string | null {
  return webAddress(url) ?? webAddress(comment?.url) ?? webAddress(thread?.url);
}

function hide(event: Event): void {
  if (event.target instanceof HTMLElement) event.target.hidden = true;
}
