import { BelfryBanner } from "./banner.js";
import { BelfryBell } from "./bell.js";
import { BelfryInbox } from "./inbox.js";
import { BelfryTasks } from "./tasks.js";
import { BelfryToasts } from "./toasts.js";

export type { Theme } from "./base.js";
export type { TokenSource } from "./bell.js";
export { OpenEvent } from "./page/open-event.js";
export type { Catalogue, Key } from "./text/catalogue.js";
export { addLanguage } from "./text/language.js";
export type { Message } from "./text/message.js";
export type { Corner } from "./toasts.js";
export { BelfryBanner, BelfryBell, BelfryInbox, BelfryTasks, BelfryToasts };

/** The elements by their names in HTML. */
const ELEMENTS = {
  "belfry-banner": BelfryBanner,
  "belfry-tasks": BelfryTasks,
  "belfry-inbox": BelfryInbox,
  "belfry-toasts": BelfryToasts,
  "belfry-bell": BelfryBell,
};

declare global {
  interface HTMLElementTagNameMap {
    "belfry-banner": BelfryBanner;
    "belfry-tasks": BelfryTasks;
    "belfry-inbox": BelfryInbox;
    "belfry-toasts": BelfryToasts;
    "belfry-bell": BelfryBell;
  }
}

// A page that loads the file twice keeps the first; where there are no elements, as on a server, there is nothing to do.
if (typeof customElements !== "undefined") {
  for (const [name, element] of Object.entries(ELEMENTS)) if (customElements.get(name) === undefined) customElements.define(name, element);
}
