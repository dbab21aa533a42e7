import { html, nothing, type TemplateResult } from "lit/html.js";
import type { LinkState } from "../link.js";
import type { Claims } from "../token.js";
import { currentLanguage, LANGUAGES, type Language, nameOf, say, type Word } from "../words/index.js";
import { icon } from "./pieces.js";

const SECTIONS: ReadonlyArray<[path: string, word: Word, drawing: Parameters<typeof icon>[0]]> = [
  ["overview", "nav.overview", "chart"],
  ["announcements", "nav.announcements", "horn"],
  ["members", "nav.members", "people"],
  ["audit", "nav.audit", "log"],
  ["trace", "nav.trace", "ask"],
];

export interface FrameOptions {
  me: Claims;
  link: LinkState;
  /** The section that is open: `members`. */
  section: string;
  page: TemplateResult;
  /** What was just done, in words. */
  done: string | null;
  signOut: () => void;
  languages: TemplateResult;
}

/** What stands around every page: sections, who is signed in, and how it stands with the service. */
export function frame({ me, link, section, page, done, signOut, languages }: FrameOptions): TemplateResult {
  return html`<a class="skip" href="#content" @click=${skip}>${say("skip")}</a>
    <div class="frame">
      <header class="side"><div class="side-in">
        <p class="brand">${icon("bell")}<span>Belfry</span> <span class="brand-sub">${say("console")}</span></p>
        <nav aria-label=${say("menu")}>
          <ul>
            ${SECTIONS.map(
              ([path, word, drawing]) =>
                html`<li><a href="#/${path}" aria-current=${path === section ? "page" : nothing}>${icon(drawing)}<span>${say(word)}</span></a></li>`,
            )}
          </ul>
        </nav>
        <div class="me">
          <p class="link" role="status" data-is=${link.is}>${say(`link.${link.is}`)}</p>
          <p class="who"><strong dir="auto">${me.name ?? me.user}</strong><span class="hint">${me.roles.join(", ")}</span></p>
          ${languages}
          <button type="button" class="quiet small" @click=${signOut}>${icon("out")}<span>${say("sign.out")}</span></button>
        </div>
      </div></header>
      <main id="content" tabindex="-1">
        ${link.is === "away" ? html`<p class="notice away" role="status">${say("link.awayText")}</p>` : nothing}
        <div class="page">${page}</div>
      </main>
    </div>
    <p class="done" role="status">${done === null ? nothing : html`<span>${done}</span>`}</p>`;
}

/** The choice of the language. */
export function languageChoice(choose: (language: Language) => void): TemplateResult {
  return html`<label class="languages">
    <span class="spoken">${say("choose.language")}</span>
    <select @change=${(event: Event) => choose((event.target as HTMLSelectElement).value as Language)}>
      ${LANGUAGES.map((one) => html`<option value=${one} lang=${one} ?selected=${one === currentLanguage()}>${nameOf(one)}</option>`)}
    </select>
  </label>`;
}

/** The address is the page's place, so the focus is moved without it. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}
