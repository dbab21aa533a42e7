import type { Catalogue, Key } from "./catalogue.js";
import { en } from "./en.js";
import { type Message, type Piece, piecesOf } from "./message.js";
import { zh } from "./zh.js";

/** Languages written from right to left, for pages that name the language and forget the direction. */
const RIGHT_TO_LEFT = new Set(["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"]);

const catalogues = new Map<string, Partial<Catalogue>>([
  ["en", en],
  ["zh", zh],
]);

const languages = new Map<string, Language>();
const watchers = new Set<() => void>();

/**
 * Adds a language, or changes messages of one that is there; elements on the page take it up at once. What is left out is shown in English.
 * @param code such as `de` or `pt-BR`; `pt` serves all of its regions.
 */
export function addLanguage(code: string, messages: Partial<Catalogue>): void {
  const name = code.toLowerCase();
  catalogues.set(name, { ...catalogues.get(name), ...messages });
  languages.clear();
  for (const tell of watchers) tell();
}

/** Calls `tell` when languages were added. @returns stops that */
export function watchLanguages(tell: () => void): () => void {
  watchers.add(tell);
  return () => watchers.delete(tell);
}

/** The number of the day by the calendar of this device: two moments of one day have the same, the next day has one more. */
function dayOf(time: number): number {
  const at = new Date(time);
  return Date.UTC(at.getFullYear(), at.getMonth(), at.getDate()) / 86_400_000;
}

/** One language with its rules for plurals, numbers and times. */
export class Language {
  readonly #messages: Catalogue;
  readonly #plurals: Intl.PluralRules;
  readonly #numbers: Intl.NumberFormat;
  readonly #percents: Intl.NumberFormat;
  readonly #relative: Intl.RelativeTimeFormat;
  readonly #day: Intl.DateTimeFormat;
  readonly #dayOfYear: Intl.DateTimeFormat;
  readonly #full: Intl.DateTimeFormat;

  constructor(
    readonly code: string,
    messages: Partial<Catalogue>,
  ) {
    this.#messages = { ...en, ...messages };
    this.#plurals = new Intl.PluralRules(code);
    this.#numbers = new Intl.NumberFormat(code);
    this.#percents = new Intl.NumberFormat(code, { style: "percent" });
    this.#relative = new Intl.RelativeTimeFormat(code, { numeric: "auto", style: "short" });
    this.#day = new Intl.DateTimeFormat(code, { day: "numeric", month: "short" });
    this.#dayOfYear = new Intl.DateTimeFormat(code, { day: "numeric", month: "short", year: "numeric" });
    this.#full = new Intl.DateTimeFormat(code, { dateStyle: "full", timeStyle: "short" });
  }

  get isRightToLeft(): boolean {
    return RIGHT_TO_LEFT.has(this.code.split("-", 1)[0] ?? "");
  }

  /** A message in one text. `count` chooses the plural form and fills `{count}`. */
  say(key: Key, places: Readonly<Record<string, string>> = {}, count = 1): string {
    return this.pieces(key, count)
      .map((piece) => ("text" in piece ? piece.text : (places[piece.place] ?? (piece.place === "count" ? this.number(count) : ""))))
      .join("");
  }

  /** A message in pieces, for whoever fills its places with more than text. Its form for one is used for one whatever the grammar knows. */
  pieces(key: Key, count = 1): Piece[] {
    const message: Message = this.#messages[key];
    return piecesOf(typeof message === "string" ? message : (message[count === 1 ? "one" : this.#plurals.select(count)] ?? message.other));
  }

  number(value: number): string {
    return this.#numbers.format(value);
  }

  /** @param value 0 to 100 */
  percent(value: number): string {
    return this.#percents.format(value / 100);
  }

  /**
   * How long ago, in short: after a day by the days of the calendar, after a week the date. What a wrong clock puts into the future is now.
   * Both in milliseconds.
   */
  ago(time: number, now: number): string {
    const seconds = Math.max(0, (now - time) / 1_000);
    if (seconds < 45) return this.say("now");
    if (seconds < 3_600) return this.#relative.format(-Math.max(1, Math.round(seconds / 60)), "minute");
    if (seconds < 86_400) return this.#relative.format(-Math.round(seconds / 3_600), "hour");
    if (seconds < 7 * 86_400) return this.#relative.format(dayOf(time) - dayOf(now), "day");
    const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
    return (sameYear ? this.#day : this.#dayOfYear).format(time);
  }

  /** Day and time in full. */
  moment(time: number): string {
    return this.#full.format(time);
  }
}

/** The best language that is there for one that is wished for: `zh-Hans-CN` is served by `zh`, and what is unknown by English. */
export function languageFor(wish: string): Language {
  const known = languages.get(wish);
  if (known !== undefined) return known;
  const parts = wish.toLowerCase().replaceAll("_", "-").split("-");
  let found: Language | undefined;
  for (let length = parts.length; length > 0 && found === undefined; length--) {
    const name = parts.slice(0, length).join("-");
    const messages = catalogues.get(name);
    if (messages === undefined) continue;
    // Regional habits of dates and numbers, where the name is one that the browser knows.
    for (const code of [parts.join("-"), name]) {
      try {
        found = new Language(code, messages);
        break;
      } catch {
        // Not a language tag: the shorter name, or the next shorter one, is.
      }
    }
  }
  found ??= new Language("en", en);
  languages.set(wish, found);
  return found;
}
