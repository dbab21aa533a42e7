import { html, type TemplateResult } from "lit/html.js";
import type { Level } from "../shapes.js";
import { say } from "../words/index.js";

/** The elements that forums have on their pages. Not a part of this page's script, so that what is seen is what is served to members. */
const ELEMENTS = "/client/belfry-bell.js";

/** What of an announcement a member sees. */
export interface Seen {
  title: string;
  text: string;
  url?: string;
  level: Level;
  dismissible: boolean;
  mandatory: boolean;
}

/** An announcement as `<belfry-banner>` is given it by its client. */
interface Given extends Seen {
  id: string;
  ask: "dismiss" | "acknowledge" | null;
}

/** Shows an announcement as it looks on a member's screen: by the same element, which is told that this is all there is. */
export class Preview {
  #given: Given[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #client = this.#makeClient();

  constructor() {
    // Where that fails the words are there all the same, without their looks.
    import(ELEMENTS).catch(() => {});
  }

  view(seen: Seen): TemplateResult {
    const { title, text, url, level, dismissible, mandatory } = seen;
    const ask = mandatory ? "acknowledge" : dismissible ? "dismiss" : null;
    const shown = title === "" ? say("ann.previewEmpty") : title;
    const given = { id: "preview", title: shown, text, ...(url === undefined ? {} : { url }), level, dismissible, mandatory, ask } as const;
    if (JSON.stringify(this.#given) !== JSON.stringify([given])) {
      this.#given = [given];
      for (const listener of [...this.#listeners]) listener();
    }
    return html`<belfry-banner .client=${this.#client}><p>${shown}</p><p>${text}</p></belfry-banner>`;
  }

  #makeClient(): object {
    const preview = this;
    return {
      // What a client says that has all there is to show, and nothing to tell of.
      status: { is: "online", synced: false },
      get announcements() {
        return preview.#given;
      },
      subscribe(listener: () => void) {
        preview.#listeners.add(listener);
        return () => preview.#listeners.delete(listener);
      },
      // The buttons are there to be seen.
      dismiss: async () => {},
      acknowledge: async () => {},
    };
  }
}
