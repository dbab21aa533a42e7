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

/** A change that is not sent yet, and the announcement as it was when it was written. */
interface KeptEdit {
  draft: Draft;
  before: Draft;
  /** It was written as a new one, and the service had the announcement already. */
  wasNew: boolean;
}

const edits = new Map<string, KeptEdit>();

/** The draft of a change. It too outlives its page; what others have changed meanwhile, and this author has not touched, is taken over. */
export function editDraft(announcement: Announcement): KeptEdit {
  const { id, state } = announcement;
  const before = draftOf(announcement);
  const known = edits.get(id);
  const draft = { ...before, ...(known === undefined ? {} : touched(known)) };
  // One that is live has begun, and nothing can be changed about that.
  if (state === "live") draft.startsAt = before.startsAt;
  const edit = { draft, before, wasNew: known?.wasNew ?? false };
  edits.set(id, edit);
  return edit;
}

/** It was sent, or is not wanted any more. */
export function forgetEdit(id: string): void {
  edits.delete(id);
}

/**
 * Whether the service has announced what the draft says. It answers a repeat of a key with the first announcement, whatever is sent with it:
 * where an answer was lost and the draft was changed before it was sent again, that is another. Then the draft goes on as a change of it.
 */
export function settleNewDraft(sent: Draft, made: Announcement): boolean {
  const before = draftOf(made);
  const isSame = Object.keys(changesOf(sent, before)).length === 0;
  if (!isSame) edits.set(made.id, { draft: { ...sent }, before, wasNew: true });
  forgetDraft();
  return isSame;
}

/** Whether anything is written that is not sent yet. */
export function isWriting(): boolean {
  const drafts = [...(kept === null ? [] : [{ draft: kept.draft, before: BLANK }]), ...edits.values()];
  return drafts.some((one) => Object.keys(touched(one)).length > 0);
}

function touched({ draft, before }: Pick<KeptEdit, "draft" | "before">): Partial<Draft> {
  const fields = Object.keys(draft) as Array<keyof Draft>;
  return Object.fromEntries(fields.filter((name) => draft[name] !== before[name]).map((name) => [name, draft[name]]));
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
