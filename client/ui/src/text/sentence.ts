import type { Notification } from "belfry-client";
import type { Key } from "./catalogue.js";
import type { Language } from "./language.js";

/** A part of a sentence. `who` and `thread` are somebody's own words and set apart. */
export interface Part {
  readonly kind: "text" | "who" | "thread";
  readonly text: string;
}

/** What happened, by the reason that a notification gives. */
const REASONS: Readonly<Record<string, Key>> = {
  mention: "mention",
  reply: "reply",
  quote: "quote",
  comment: "comment",
  watching: "watching",
};

/** What a row says of its notifications, newest first: of one, or of several about one thread. */
export function sentenceOf(items: readonly Notification[], language: Language): Part[] {
  const newest = items[0];
  if (newest === undefined) return [];
  const thread: Part = { kind: "thread", text: newest.thread?.title || language.say("aThread") };
  const people = namesOf(items, language);
  const fill = (key: Key, count: number): Part[] =>
    language.pieces(key, count).flatMap((piece): Part[] => {
      if ("text" in piece) return [{ kind: "text", text: piece.text }];
      if (piece.place === "who") return peopleIn(people, language);
      if (piece.place === "thread") return [thread];
      return [{ kind: "text", text: piece.place === "count" ? language.number(count) : "" }];
    });
  if (items.length > 1 && people.length === 1) return fill("repeatedly", items.length);
  return fill(keyOf(items, newest), people.length);
}

/** The same in one text, for those who listen. */
export function spoken(items: readonly Notification[], language: Language): string {
  return sentenceOf(items, language)
    .map(({ text }) => text)
    .join("");
}

function keyOf(items: readonly Notification[], newest: Notification): Key {
  if (newest.type === "task") return newest.data?.state === "failed" ? "taskFailed" : "taskDone";
  if (newest.type === "message") return "message";
  const isOneReason = items.every(({ reason }) => reason === newest.reason);
  if (newest.type === "thread" && newest.reason === "watching" && items.length === 1) return "started";
  return isOneReason ? (REASONS[newest.reason] ?? "direct") : "watching";
}

/** Who is behind the notifications, each once, newest first. */
function namesOf(items: readonly Notification[], language: Language): string[] {
  const names = new Map<string, string>();
  for (const { actor } of items) {
    const id = actor?.id ?? "system";
    const name = actor?.name || (id === "system" ? language.say("service") : id);
    if (!names.has(id)) names.set(id, name);
  }
  return [...names.values()];
}

function peopleIn([first, second, ...more]: string[], language: Language): Part[] {
  const who: Part = { kind: "who", text: first || language.say("somebody") };
  if (second === undefined) return [who];
  const others = more.length + 1;
  const pieces = more.length === 0 ? language.pieces("pair") : language.pieces("people", others);
  return pieces.map((piece): Part => {
    if ("text" in piece) return { kind: "text", text: piece.text };
    if (piece.place === "who") return who;
    if (piece.place === "second") return { kind: "who", text: second };
    return { kind: "text", text: language.number(others) };
  });
}
