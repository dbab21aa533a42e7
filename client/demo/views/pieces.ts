import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Member } from "../api.js";
import { ago, piecesOf } from "../words.js";

/** A disc with a member's initial; those who listen hear the name beside it. */
export function disc(member: Member): TemplateResult {
  // By its property: the page's policy forbids styles that are written into the page.
  return html`<span class="disc" aria-hidden="true" .style=${member.colour && `--who: ${member.colour}`}>${member.name.slice(0, 1)}</span>`;
}

/** Text of a member, with the names in it set apart. */
export function said(text: string, members: readonly Member[], me: string): TemplateResult {
  return html`<p class="text">${piecesOf(text, members).map(({ text: part, member }) =>
    member === null ? part : html`<b class="mention ${member.id === me ? "me" : ""}">${part}</b>`,
  )}</p>`;
}

export function time(at: string, now: number): TemplateResult {
  return html`<time datetime=${at} title=${new Date(at).toLocaleString("en-GB")}>${ago(at, now)}</time>`;
}

export function notice(text: string | null | undefined): TemplateResult | typeof nothing {
  return text ? html`<p class="notice" role="alert">${text}</p>` : nothing;
}
