// @ts-check
import { copyOf, find, say, webAddress } from "./dom.js";

/**
 * @typedef {ReturnType<typeof import("./announcements.js").onScreen>[number]} Shown
 */

/** What a level is called; of what is only information nothing needs to be said. */
const LEVELS = new Map([
  ["warning", "Warning"],
  ["critical", "Critical"],
]);

const ANSWERS = { dismiss: "Dismiss", acknowledge: "Got it" };

const list = find("#announcements");

// What sticks or is scrolled to below the header must know where it ends.
new ResizeObserver(() => {
  document.documentElement.style.setProperty("--header", `${find("header").offsetHeight}px`);
}).observe(find("header"));

/**
 * The announcements under the header, on top of whatever is looked at.
 * @param {(event: string, payload: object) => Promise<void>} act sends a mark
 */
export function createBanner(act) {
  /** What stands there, by announcement. @type {Map<string, { line: HTMLElement, drawn: string }>} */
  const lines = new Map();

  /** @param {HTMLElement} line @param {Shown} item */
  function fill(line, item) {
    line.dataset.level = LEVELS.has(item.level) ? item.level : "info";
    say(find(".level", line), LEVELS.get(item.level) ?? "");
    find("strong", line).textContent = item.title;
    say(find(".text", line), item.text);
    line.querySelector("a")?.remove();
    const address = webAddress(item.url);
    if (address !== null) find(".what", line).after(linkTo(address));
    const button = /** @type {HTMLButtonElement} */ (find("button", line));
    button.hidden = item.ask === null;
    button.ariaDisabled = "false";
    if (item.ask === null) return;
    const { ask, id, title } = item;
    button.textContent = ANSWERS[ask];
    button.setAttribute("aria-label", `${ANSWERS[ask]}: ${title}`);
    button.onclick = () => {
      // Not `disabled`, by which who goes on by keyboard would lose their place.
      if (button.ariaDisabled === "true") return;
      button.ariaDisabled = "true";
      say(find(".problem", line), "");
      act(ask, { announcement: id }).catch((error) => {
        button.ariaDisabled = "false";
        say(find(".problem", line), error.message);
      });
    };
  }

  /** @param {HTMLElement} line */
  function take(line) {
    const hadFocus = line.contains(document.activeElement);
    const next = line.nextElementSibling ?? line.previousElementSibling;
    line.remove();
    if (!hadFocus) return;
    // Who goes on by keyboard goes on from here.
    const there = next?.querySelector("button:not([hidden])") ?? find("#bell");
    if (there instanceof HTMLElement) there.focus();
  }

  return {
    /** @param {Shown[]} items newest first */
    draw(items) {
      const kept = new Set(items.map(({ id }) => id));
      for (const [id, { line }] of lines) {
        if (kept.has(id)) continue;
        lines.delete(id);
        take(line);
      }
      items.forEach((item, index) => {
        const drawn = JSON.stringify(item);
        const known = lines.get(item.id);
        const line = known?.line ?? copyOf("announcement-template");
        if (known?.drawn !== drawn) fill(line, item);
        lines.set(item.id, { line, drawn });
        // Moved only where it must be: what is inserted again loses the focus.
        if (list.children[index] !== line) list.insertBefore(line, list.children[index] ?? null);
      });
    },

    close() {
      list.replaceChildren();
      lines.clear();
    },
  };
}

/** @param {string} address */
function linkTo(address) {
  const link = document.createElement("a");
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.textContent = "Read more";
  return link;
}
