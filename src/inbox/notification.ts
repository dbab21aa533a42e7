import { hash } from "node:crypto";
import type { StoredEntry } from "../stream/types.js";
import type { View } from "./view.js";

const PREFIX = "inbox:";
const TAG_LENGTH = 11;

/** A notification on the wire (docs/PROTOCOL.md). `seq` is that of the entry that created it; times are RFC 3339. */
export interface Notification {
  id: string;
  seq: number;
  reason: string;
  type: string;
  createdAt: string;
  readAt: string | null;
  archivedAt: string | null;
  [more: string]: unknown;
}

/** An entry on the wire. */
export interface WireEntry {
  seq: number;
  at: string;
  kind: string;
  unread?: number;
  data: Record<string, unknown>;
}

export function streamOf(user: string): string {
  return PREFIX + user;
}

export function userOf(stream: string): string {
  return stream.slice(PREFIX.length);
}

/**
 * The id of the notification that the entry `seq` of this member's stream created. It says where the notification stands, so no index is
 * needed to find it; the tag (66 bits of a hash of the stream's name) keeps ids of different members apart.
 */
export function notificationId(stream: string, seq: number): string {
  return `${tagOf(stream)}-${seq.toString(36)}`;
}

/** The seq in an id of this stream, or null where the id is not of this stream. */
export function seqOfId(stream: string, id: string): number | null {
  if (id.length < TAG_LENGTH + 2 || !id.startsWith(`${tagOf(stream)}-`)) return null;
  const digits = id.slice(TAG_LENGTH + 1);
  const seq = Number.parseInt(digits, 36);
  return Number.isSafeInteger(seq) && seq > 0 && seq.toString(36) === digits ? seq : null;
}

/** Tags kept in memory. Threat: memory, with millions of members; a forgotten one costs a hash. */
const MAX_TAGS = 50_000;
const tags = new Map<string, string>();

function tagOf(stream: string): string {
  const known = tags.get(stream);
  if (known !== undefined) return known;
  const tag = hash("sha256", stream, "base64url").slice(0, TAG_LENGTH);
  if (tags.size >= MAX_TAGS) tags.clear();
  tags.set(stream, tag);
  return tag;
}

/** The wire form of an inbox entry as JSON text. This is the hot path: the parts are texts already and are joined, never parsed. */
export function encodeEntry(stream: string, entry: StoredEntry): string {
  return around(entry, entry.kind === "notification" ? encodeCreated(stream, entry) : entry.own);
}

function around({ seq, at, kind, unread }: StoredEntry, data: string): string {
  return `{"seq":${seq},"at":"${isoTime(at)}","kind":"${kind}","unread":${unread},"data":${data}}`;
}

/** The same where the notification was taken back since: its place and its name, and nothing of what it said. */
export function encodeWithdrawn(stream: string, entry: StoredEntry): string {
  const { id, seq, reason, type, actor, createdAt, readAt, archivedAt } = saidBy(stream, entry);
  const data = { id, seq, reason, type, actor: { id: (actor as { id: string }).id }, createdAt, readAt, archivedAt };
  return around(entry, JSON.stringify(data));
}

/** The seq of the notification that an entry shows whole, or null where it shows none. */
export function shownSeq(stream: string, entry: StoredEntry): number | null {
  if (entry.kind === "notification") return entry.seq;
  return entry.kind === "notification.updated" ? saidBy(stream, entry).seq : null;
}

function saidBy(stream: string, entry: StoredEntry): Notification {
  return JSON.parse(entry.kind === "notification" ? encodeCreated(stream, entry) : entry.own) as Notification;
}

function encodeCreated(stream: string, { seq, own, shared }: StoredEntry): string {
  const id = notificationId(stream, seq);
  return `{"id":"${id}","seq":${seq},${inner(own)}${inner(shared ?? "{}")}"readAt":null,"archivedAt":null}`;
}

/** The members of a JSON object's text, each followed by a comma. */
function inner(object: string): string {
  return object.length > 2 ? `${object.slice(1, -1)},` : "";
}

/** A notification as it looks now. */
export function toNotification(stream: string, entry: StoredEntry, view: View): Notification {
  const created = JSON.parse(encodeCreated(stream, entry)) as Notification;
  created.readAt = view.readAt === null ? null : isoTime(view.readAt);
  created.archivedAt = view.archivedAt === null ? null : isoTime(view.archivedAt);
  return created;
}

let lastAt = Number.NaN;
let lastIso = "";

/** RFC 3339 with milliseconds. Entries of one batch share their time, so the last one is remembered. */
export function isoTime(at: number): string {
  if (at !== lastAt) {
    lastIso = new Date(at).toISOString();
    lastAt = at;
  }
  return lastIso;
}
