import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Ending } from "../endings.js";
import { say, sayOr } from "../words/index.js";
import { field, icon, textOf } from "./pieces.js";

export interface SignInOptions {
  ending: Ending | null;
  /** Whether the service has the demo's moderator. */
  hasDemo: boolean;
  /** A token is being tried. */
  isBusy: boolean;
  signIn: (token: string) => void;
  signInToDemo: () => void;
  /** The choice of the language. */
  languages: TemplateResult;
}

/** Asks for a token. */
export function signIn({ ending, hasDemo, isBusy, signIn, signInToDemo, languages }: SignInOptions): TemplateResult {
  const submit = (event: Event): void => {
    event.preventDefault();
    signIn(textOf(event.currentTarget as HTMLFormElement, "token"));
  };
  return html`<div class="sign-in">
    <main id="content">
      <p class="brand">${icon("bell")}<span>Belfry</span> <span class="brand-sub">${say("console")}</span></p>
      <h1 tabindex="-1">${say("sign.title")}</h1>
      ${
        ending === null
          ? nothing
          : html`<div class="notice" role="alert">
              <p><strong>${sayOr(ending.title, say("sign.wrong"))}</strong></p>
              ${ending.texts.map((text) => html`<p>${say(text, { user: ending.user ?? "" })}</p>`)}
              ${ending.detail === null ? nothing : html`<p class="detail">${ending.detail}</p>`}
            </div>`
      }
      ${
        hasDemo
          ? html`<div class="demo-way">
              <button type="button" class="primary" ?disabled=${isBusy} @click=${signInToDemo}>${say("sign.demo")}</button>
              <p class="hint">${say("sign.demoHint")}</p>
            </div>`
          : nothing
      }
      <form @submit=${submit}>
        <p class="hint">${say("sign.intro")}</p>
        ${field(
          say("sign.token"),
          html`<textarea name="token" rows="3" required spellcheck="false" autocomplete="off" autocapitalize="off" dir="ltr"></textarea>`,
        )}
        <button type="submit" class=${hasDemo ? "" : "primary"} ?disabled=${isBusy}>${say("sign.go")}</button>
      </form>
      ${languages}
    </main>
  </div>`;
}
