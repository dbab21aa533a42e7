import { BelfryError } from "../errors.js";
import type { PublicationRecord, Recipient } from "../stream/types.js";
import { type DirectNotification, type DomainEvent, type Person, REASONS, type Reason, type Skipped } from "./types.js";

/** What a recipient's own part of the entry says: only the reason, so there are six texts, encoded once for the life of the process. */
const OWN_OF = Object.fromEntries(REASONS.map((reason) => [reason, JSON.stringify({ reason })])) as Record<Reason, string>;
const REASON_OF = new Map(REASONS.map((reason) => [OWN_OF[reason], reason]));

const NOBODY_SKIPPED = "[]";

/** Who tells where the caller named nobody: every notification has an actor (docs/PROTOCOL.md, notification). */
const SYSTEM = { id: "system" };

/** What all recipients of a publication share, as far as it is read back here. */
export interface Content {
  type?: string;
  actor?: Person;
  thread?: { id: string };
  data?: Record<string, unknown>;
}

/** One recipient of a publication of this room. */
export function recipient(stream: string, reason: Reason): Recipient {
  return { stream, own: OWN_OF[reason] };
}

/** Why the recipient is told. */
export function reasonOf({ own }: Recipient): Reason {
  const reason = REASON_OF.get(own);
  if (reason === undefined) throw new BelfryError("internal", "A stored publication has a recipient without a known reason.");
  return reason;
}

/** Those who were skipped, as the note of a publication: it belongs to the answer, which a repeat gets too. */
export function noteOf(skipped: Skipped[]): string {
  return skipped.length === 0 ? NOBODY_SKIPPED : JSON.stringify(skipped);
}

/** Those who were skipped when the publication was stored. */
export function skippedOf({ note }: Pick<PublicationRecord, "note">): Skipped[] {
  return note === NOBODY_SKIPPED ? [] : (JSON.parse(note) as Skipped[]);
}

/** What all recipients share, as JSON. Undefined fields vanish in the encoding, so no second object is built without them. */
export function contentOf({ actor, thread, comment, excerpt, at }: DomainEvent): string {
  return JSON.stringify({
    type: comment === undefined ? "thread" : "comment",
    actor,
    thread: thread && pick(thread),
    comment: comment && { id: comment.id, url: comment.url },
    text: excerpt,
    url: comment?.url ?? thread?.url,
    createdAt: iso(at),
  });
}

/** The same of a direct notification. `at`: milliseconds. */
export function directContentOf({ type, actor = SYSTEM, thread, text, url, data }: DirectNotification, at: number): string {
  return JSON.stringify({ type, actor, thread: thread && pick(thread), text, url, data, createdAt: iso(at) });
}

/** RFC 3339 in UTC with milliseconds. */
export function iso(time: number | string): string {
  // The commonest form is the one wanted; a valid time that looks so needs no second look.
  if (typeof time === "string" && time.length === 24 && time.endsWith("Z")) return time;
  return new Date(time).toISOString();
}

function pick({ id, title, url }: { id: string; title?: string; url?: string }) {
  return { id, title, url };
}
