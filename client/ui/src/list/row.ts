import type { VirtualItem } from "@tanstack/virtual-core";
import { html, nothing, type TemplateResult } from "lit";
import { ifDefined } from "lit/directives/if-defined.js";
import { type IconName, icon } from "../looks/icons.js";
import type { Key } from "../text/catalogue.js";
import type { Language } from "../text/language.js";
import { addressOf, personOf, sentence, timeOf } from "./person.js";
import { type Row, unreadIn } from "./rows.js";

/** What can be done with a row. */
export interface RowActs {
  open(row: Row, event: MouseEvent): void;
  toggleRead(row: Row): void;
  toggleArchived(row: Row): void;
  toggleOpen(row: Row): void;
}

/** How a row stands in its list. */
export interface RowPlace {
  readonly item: VirtualItem;
  readonly count: number;
  /** The row whose controls the Tab key reaches. */
  readonly isActive: boolean;
}

/**
 * A row of the list. Its first control is what the row is about; its tools follow. The style is set as a property: as an attribute, a strict
 * Content Security Policy would forbid it.
 */
export function rowOf(row: Row, place: RowPlace, language: Language, acts: RowActs, now: number): TemplateResult {
  const [newest] = row.items;
  const { item, count, isActive } = place;
  const isUnread = unreadIn(row).length > 0;
  const isArchived = newest.archivedAt !== null;
  const tab = isActive ? 0 : -1;
  const address = addressOf(newest);
  const label = `says-${item.index}`;
  const tool = (name: string, key: Key, picture: IconName, act: (row: Row) => void): TemplateResult =>
    html`<button
      type="button"
      class="tool"
      data-tool=${name}
      part="row-tool"
      tabindex=${tab}
      aria-label=${language.say(key)}
      aria-describedby=${label}
      title=${language.say(key)}
      @click=${() => act(row)}
    >
      ${icon(picture)}
    </button>`;
  const content = html`${personOf(newest)}
    <span class="what">
      <span class="sentence" id=${label}
        >${isUnread ? html`<span class="spoken">${language.say("isUnread")}: </span>` : nothing}${sentence(row.items, language)}</span
      >
      ${newest.text ? html`<span class="excerpt" dir="auto">${newest.text}</span>` : nothing}
      ${timeOf(newest.createdAt, language, now)}
    </span>`;
  return html`<li
    class="row ${isUnread ? "unread" : ""} ${row.isChild ? "child" : ""}"
    part="row ${isUnread ? "row-unread" : ""}"
    role="listitem"
    data-index=${item.index}
    data-key=${row.key}
    aria-setsize=${count}
    aria-posinset=${item.index + 1}
    .style=${`transform: translateY(${item.start}px)`}
  >
    ${
      address === null
        ? html`<button type="button" class="main" tabindex=${tab} @click=${(event: MouseEvent) => acts.open(row, event)}>${content}</button>`
        : html`<a class="main" href=${ifDefined(address)} tabindex=${tab} @click=${(event: MouseEvent) => acts.open(row, event)}>${content}</a>`
    }
    <span class="dot" aria-hidden="true"></span>
    <span class="tools">
      ${tool("read", isUnread ? "markRead" : "markUnread", isUnread ? "check" : "unread", acts.toggleRead)}
      ${tool("archive", isArchived ? "unarchive" : "archive", isArchived ? "unarchive" : "archive", acts.toggleArchived)}
    </span>
    ${
      row.items.length > 1
        ? html`<button
            type="button"
            class="expand"
            data-tool="expand"
            tabindex=${tab}
            aria-expanded=${row.isOpen ? "true" : "false"}
            aria-describedby=${label}
            @click=${() => acts.toggleOpen(row)}
          >
            ${language.say(row.isOpen ? "collapse" : "expand", {}, row.items.length)}${icon("chevron")}
          </button>`
        : nothing
    }
  </li>`;
}
