import type { Status } from "belfry-client";
import { html, nothing, type TemplateResult } from "lit";
import { type IconName, icon } from "../looks/icons.js";
import type { Key } from "../text/catalogue.js";
import type { Language } from "../text/language.js";

/** What a stop is called, and what is said where the service has not said why. Others are "stopped" with the service's words. */
const STOPS: Readonly<Record<string, { title: Key; more?: Key }>> = {
  banned: { title: "stoppedBanned" },
  kicked: { title: "stoppedKicked" },
  replaced: { title: "stoppedReplaced", more: "stoppedReplacedMore" },
  unauthorized: { title: "stoppedToken", more: "stoppedTokenMore" },
  token_expired: { title: "stoppedToken", more: "stoppedTokenMore" },
  origin_denied: { title: "stoppedOrigin" },
  bad_url: { title: "stoppedSetup" },
};

/** Codes that another attempt of the member's cannot change. */
const HOPELESS = new Set(["origin_denied", "bad_url", "closed"]);

/** A stop in words: what it is, what to do, and why, in the service's words. */
export function stopOf({ code, message }: Status, language: Language): { title: string; why: string[] } {
  const stop = STOPS[code ?? ""];
  const why = [stop?.more ? language.say(stop.more) : "", code === "replaced" ? "" : (message ?? "")];
  return { title: language.say(stop?.title ?? "stopped"), why: why.filter((text) => text !== "") };
}

/** A line above the list where the connection is not as it should be; nothing where it is. */
export function connectionNotice(status: Status, language: Language, reconnect: () => void): TemplateResult | typeof nothing {
  if (status.is === "stopped") {
    const { title, why } = stopOf(status, language);
    return html`<div class="notice stopped" part="notice notice-stopped" role="alert">
      ${icon("stopped")}
      <div class="words"><strong>${title}</strong>${why.map((text) => html`<p dir="auto">${text}</p>`)}</div>
      ${
        HOPELESS.has(status.code ?? "")
          ? nothing
          : html`<button type="button" class="act" part="button" @click=${reconnect}>${language.say("reload")}</button>`
      }
    </div>`;
  }
  if (status.is !== "offline") return nothing;
  const isAlone = navigator.onLine === false;
  const detail = isAlone || status.code === undefined || status.code === "unreachable" ? "" : (status.message ?? "");
  return html`<div class="notice" part="notice" role="status">
    ${icon("offline")}
    <div class="words">
      <p>${language.say(isAlone ? "offline" : "unreachable")}</p>
      ${detail === "" ? nothing : html`<p dir="auto">${detail}</p>`}
    </div>
  </div>`;
}

/** A line above the list that says what the service did not let happen. */
export function refusalNotice(why: string, language: Language, dismiss: () => void): TemplateResult {
  return html`<div class="notice" part="notice" role="alert">
    ${icon("warning")}
    <div class="words"><strong>${language.say("failed")}</strong><p dir="auto">${why}</p></div>
    <button type="button" class="act" part="button" @click=${dismiss}>${language.say("dismiss")}</button>
  </div>`;
}

/** A picture and a few words in the middle of an empty list. */
export function emptyState(name: IconName, title: string, more: string): TemplateResult {
  return html`<div class="empty" part="empty">
    <span class="picture">${icon(name)}</span>
    <p class="title">${title}</p>
    <p>${more}</p>
  </div>`;
}

/** The outlines of rows that are not here yet. */
export function skeleton(language: Language): TemplateResult {
  return html`<div class="skeleton" role="status">
    <span class="spoken">${language.say("loading")}</span>
    ${[0, 1, 2, 3].map(() => html`<div class="ghost"><i></i><span></span><span></span></div>`)}
  </div>`;
}
