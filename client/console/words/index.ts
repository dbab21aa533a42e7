import { en } from "./en.js";
import { zh } from "./zh.js";

export type Word = keyof typeof en;

const CATALOGUES = { en, "zh-CN": zh } as const satisfies Record<string, Record<Word, string>>;
export type Language = keyof typeof CATALOGUES;
export const LANGUAGES = Object.keys(CATALOGUES) as Language[];

const KEY = "belfry.console.language";

let language: Language = preferred();

/** What was chosen before, or else what the browser's user reads. */
function preferred(): Language {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept !== null && Object.hasOwn(CATALOGUES, kept)) return kept as Language;
  } catch {
    // Storage may be forbidden; nothing was chosen then.
  }
  return navigator.languages.find((one) => /^(zh|en)\b/.test(one))?.startsWith("zh") === true ? "zh-CN" : "en";
}

export function currentLanguage(): Language {
  return language;
}

export function chooseLanguage(chosen: Language): void {
  language = chosen;
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // Then it holds until the page is left.
  }
}

export function nameOf(one: Language): string {
  return CATALOGUES[one].language;
}

/** The words for something, with `{name}` replaced by the parameters. */
export function say(word: Word, parameters: Record<string, string | number> = {}): string {
  return CATALOGUES[language][word].replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = parameters[name];
    return typeof value === "number" ? number(value) : (value ?? whole);
  });
}

/** As `say`, of a number of things. */
export function sayCount(word: Word, n: number): string {
  const one = `${word}.one`;
  return say(n === 1 && Object.hasOwn(en, one) ? (one as Word) : word, { n });
}

/** The words for a key that is put together and may not be there. */
export function sayOr(word: string, otherwise: string): string {
  return Object.hasOwn(en, word) ? say(word as Word) : otherwise;
}

export function number(value: number): string {
  return new Intl.NumberFormat(language).format(value);
}

export function percent(share: number): string {
  return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: share > 0 && share < 0.1 ? 1 : 0 }).format(share);
}

/** A moment in the reader's own time, short: without the year where it is this one. */
export function moment(rfc3339: string): string {
  const date = new Date(rfc3339);
  const isThisYear = date.getFullYear() === new Date().getFullYear();
  return new Intl.DateTimeFormat(language, {
    ...(isThisYear ? {} : { year: "numeric" }),
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(date);
}

/** The time of day of a moment. */
export function clock(rfc3339: string, isExact = false): string {
  return new Intl.DateTimeFormat(language, {
    hour: "2-digit",
    minute: "2-digit",
    ...(isExact ? { second: "2-digit" } : {}),
    hourCycle: "h23",
  }).format(new Date(rfc3339));
}

/** What the reader’s own time zone is called. */
export function zone(): string {
  return (
    new Intl.DateTimeFormat(language, { timeZoneName: "short" }).formatToParts().find(({ type }) => type === "timeZoneName")?.value ?? ""
  );
}
