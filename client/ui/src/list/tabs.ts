import type { Filter } from "belfry-client";
import { html, nothing, type TemplateResult } from "lit";
import type { Language } from "../text/language.js";

/** In the order of the tabs. */
export const FILTERS: readonly Filter[] = ["all", "unread", "archived"];

/** The tabs above the list, by the pattern of ARIA: one is in the way of the Tab key, arrows go from one to the next. */
export function tabsOf(
  chosen: Filter,
  unread: number,
  language: Language,
  choose: (filter: Filter) => void,
  tools: TemplateResult,
): TemplateResult {
  const onKeydown = (event: KeyboardEvent): void => {
    const bar = event.currentTarget as HTMLElement;
    const forward = getComputedStyle(bar).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const backward = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
    const at = FILTERS.indexOf(chosen);
    const steps: Record<string, number> = { [forward]: at + 1, [backward]: at - 1 + FILTERS.length, Home: 0, End: FILTERS.length - 1 };
    const next = FILTERS[(steps[event.key] ?? Number.NaN) % FILTERS.length];
    if (next === undefined) return;
    event.preventDefault();
    choose(next);
    bar.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  };
  return html`<div class="bar" part="bar">
    <div class="tabs" part="tabs" role="tablist" aria-label=${language.say("filters")} @keydown=${onKeydown}>
      ${FILTERS.map(
        (filter) => html`<button
          type="button"
          role="tab"
          class="tab"
          part="tab ${filter === chosen ? "tab-chosen" : ""}"
          id="tab-${filter}"
          aria-controls="list"
          aria-selected=${filter === chosen ? "true" : "false"}
          tabindex=${filter === chosen ? 0 : -1}
          @click=${() => choose(filter)}
        >
          ${language.say(filter)}${
            filter === "unread" && unread > 0 ? html`<span class="count">${unread > 99 ? "99+" : language.number(unread)}</span>` : nothing
          }
        </button>`,
      )}
    </div>
    ${tools}
  </div>`;
}
