import type { Announcement, Audience, Level } from "./shapes.js";

/** How a member can put an announcement away. */
export type PutAway = "dismissible" | "sticky" | "mandatory";

/** An announcement as it stands in the form. Times are those of `datetime-local`, in the device's zone; empty for none. */
export interface Draft {
  title: string;
  text: string;
  url: string;
  level: Level;
  startsAt: string;
  expiresAt: string;
  putAway: PutAway;
  isForSome: boolean;
  roles: string;
  users: string;
  joinedAfter: string;
  joinedBefore: string;
}

/** What is sent: fields that there are none of are left out. */
export type Content = Omit<Announcement, "id" | "createdAt" | "by" | "state" | "rescindedAt" | "why">;

const BLANK: Draft = {
  title: "",
  text: "",
  url: "",
  level: "info",
  startsAt: "",
  expiresAt: "",
  putAway: "dismissible",
  isForSome: false,
  roles: "",
  users: "",
  joinedAfter: "",
  joinedBefore: "",
};

/** A draft that is not sent yet, with the key by which a repeat of sending it is recognised. */
interface Kept {
  draft: Draft;
  key: string;
}

let kept: Kept | null = null;

/** The draft of a new announcement. It outlives its page, so that an expired token or a look elsewhere costs nothing. */
export function newDraft(): Kept {
  kept ??= { draft: { ...BLANK }, key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` };
  return kept;
}

/** It was sent. */
export function forgetDraft(): void {
  kept = null;
}

export function draftOf({ title, text, url, level, startsAt, expiresAt, dismissible, mandatory, audience }: Announcement): Draft {
  return {
    title,
    text,
    url: url ?? "",
    level,
    startsAt: localTime(startsAt),
    expiresAt: localTime(expiresAt),
    putAway: mandatory ? "mandatory" : dismissible ? "dismissible" : "sticky",
    isForSome: audience !== undefined,
    roles: audience?.roles?.join(", ") ?? "",
    users: audience?.users?.join(", ") ?? "",
    joinedAfter: localTime(audience?.joinedAfter),
    joinedBefore: localTime(audience?.joinedBefore),
  };
}

/** Whether it is for a part of the members, and nothing says which: that is nobody, and not everybody. */
export function lacksAudience(draft: Draft): boolean {
  return draft.isForSome && Object.keys(audienceOf(draft)).length === 0;
}

/** What is sent of it. Where it lacks its audience it names nobody, which the service refuses: an empty one would be everybody there. */
export function contentOf(draft: Draft): Content {
  const { title, text, url, level, startsAt, expiresAt, putAway } = draft;
  return {
    title: title.trim(),
    text: text.trim(),
    level,
    dismissible: putAway === "dismissible",
    mandatory: putAway === "mandatory",
    ...(url.trim() === "" ? {} : { url: url.trim() }),
    ...(startsAt === "" ? {} : { startsAt: wireTime(startsAt) }),
    ...(expiresAt === "" ? {} : { expiresAt: wireTime(expiresAt) }),
    ...(draft.isForSome ? { audience: lacksAudience(draft) ? { users: [] } : audienceOf(draft) } : {}),
  };
}

/** What of it differs from how it was; null takes a field away. Nothing where all is the same. */
export function changesOf(draft: Draft, before: Draft): Record<string, unknown> {
  const [now, then] = [contentOf(draft), contentOf(before)] as Array<Record<string, unknown>>;
  const fields = new Set([...Object.keys(now ?? {}), ...Object.keys(then ?? {})]);
  const changed = [...fields].filter((name) => JSON.stringify(now?.[name]) !== JSON.stringify(then?.[name]));
  return Object.fromEntries(changed.map((name) => [name, now?.[name] ?? null]));
}

function audienceOf({ roles, users, joinedAfter, joinedBefore }: Draft): Audience {
  return {
    ...(listOf(roles).length === 0 ? {} : { roles: listOf(roles) }),
    ...(listOf(users).length === 0 ? {} : { users: listOf(users) }),
    ...(joinedAfter === "" ? {} : { joinedAfter: wireTime(joinedAfter) }),
    ...(joinedBefore === "" ? {} : { joinedBefore: wireTime(joinedBefore) }),
  };
}

/** Each once, as the service keeps them. */
function listOf(text: string): string[] {
  const all = text.split(/[,，\n]/).map((one) => one.trim());
  return [...new Set(all.filter((one) => one !== ""))];
}

/** Seconds are kept, so that a time which nobody touches stays what it is. */
function localTime(rfc3339: string | undefined): string {
  if (rfc3339 === undefined) return "";
  const date = new Date(rfc3339);
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString();
  return local.endsWith(":00.000Z") ? local.slice(0, 16) : local.slice(0, 23);
}

function wireTime(local: string): string {
  return new Date(local).toISOString();
}
