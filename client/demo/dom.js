// @ts-check
/** Small helpers for the page. Text reaches the document by `textContent` only, so what members write can never become markup. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * The element that must be there.
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {HTMLElement}
 */
export function find(selector, within = document) {
  const found = within.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`The page has no ${selector}.`);
  return found;
}

/**
 * The first element of a template, copied.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function copyOf(id) {
  const template = /** @type {HTMLTemplateElement} */ (find(`#${id}`));
  return /** @type {HTMLElement} */ (/** @type {Element} */ (template.content.firstElementChild).cloneNode(true));
}

/**
 * Fills a member's disc: the first letter on the member's colour.
 * @param {HTMLElement} disc
 * @param {{ name: string, colour?: string }} member
 */
export function fillDisc(disc, { name, colour }) {
  disc.textContent = [...name][0]?.toUpperCase() ?? "?";
  disc.setAttribute("aria-hidden", "true");
  if (colour) disc.style.setProperty("--who", colour);
}

/**
 * Shows a line, or hides it when there is nothing to say.
 * @param {HTMLElement} line
 * @param {string} text
 */
export function say(line, text) {
  line.textContent = text;
  line.hidden = text === "";
}

/**
 * @param {HTMLElement} time a `<time>` element
 * @param {string} at RFC 3339
 */
export function fillTime(time, at) {
  time.setAttribute("datetime", at);
  time.title = new Date(at).toLocaleString();
  time.textContent = ago(at);
}

/** Brings every relative time on the page up to date. */
export function refreshTimes() {
  for (const time of document.querySelectorAll("time")) time.textContent = ago(time.dateTime);
}

/** @param {string} at */
function ago(at) {
  const age = Date.now() - Date.parse(at);
  if (age < MINUTE) return "just now";
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min ago`;
  if (age < DAY) return `${Math.floor(age / HOUR)} h ago`;
  if (age < 2 * DAY) return "yesterday";
  if (age < 7 * DAY) return `${Math.floor(age / DAY)} days ago`;
  return new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}

/**
 * Only web addresses are opened: one in a notification or an announcement may come from anybody.
 * @param {string | undefined} url
 * @returns {string | null}
 */
export function webAddress(url) {
  if (url === undefined || !URL.canParse(url, location.href)) return null;
  const { protocol, href } = new URL(url, location.href);
  return protocol === "https:" || protocol === "http:" ? href : null;
}

/** Whether the visitor has asked for a page that does not move. */
export function keepsStill() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
