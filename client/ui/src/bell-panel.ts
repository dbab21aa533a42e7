import type { Belfry } from "belfry-client";
import { html, nothing, type TemplateResult } from "lit";
import type { Theme } from "./base.js";
import { icon } from "./looks/icons.js";
import { emptyState } from "./page/states.js";
import type { Language } from "./text/language.js";

/** What the panel is drawn from, and whom it tells. */
export interface PanelParts {
  readonly client: Belfry | null;
  readonly language: Language;
  readonly theme: Theme;
  /** The offer of web push, where it is made now. */
  readonly offer: TemplateResult | typeof nothing;
  hides(name: string): boolean;
  onClose(): void;
  onOpen(event: Event): void;
  /** The last announcement that had the focus is gone. */
  onLeft(): void;
}

/** What stands in the open panel: the head, running tasks, announcements, and the inbox. */
export function panelOf({ client, language, theme, offer, hides, onClose, onOpen, onLeft }: PanelParts): TemplateResult {
  const close = language.say("close");
  return html`<div class="head" part="head">
      <h2 class="title" part="title">${language.say("notifications")}</h2>
      <button type="button" class="tool" part="close" aria-label=${close} title=${close} @click=${onClose}>${icon("close")}</button>
    </div>
    ${
      client === null
        ? emptyState("stopped", language.say("stoppedSetup"), language.say("stoppedSetupMore"))
        : html`<div class="above">
              ${
                hides("tasks")
                  ? nothing
                  : html`<belfry-tasks
                      exportparts="tasks, task, task-track, task-bar"
                      .client=${client}
                      theme=${theme}
                      lang=${language.code}
                    ></belfry-tasks>`
              }
              ${
                hides("banner")
                  ? nothing
                  : html`<belfry-banner
                      exportparts="announcements, announcement, announcement-info, announcement-warning, announcement-critical, button"
                      .client=${client}
                      theme=${theme}
                      lang=${language.code}
                      @belfry-left=${onLeft}
                    ></belfry-banner>`
              }
            </div>
            ${offer}
            <belfry-inbox
              exportparts="inbox, bar, tabs, tab, tab-chosen, list, row, row-unread, row-tool, read-all, notice, notice-stopped, empty, avatar, button"
              .client=${client}
              theme=${theme}
              lang=${language.code}
              @belfry-open=${onOpen}
            ></belfry-inbox>`
    }`;
}
