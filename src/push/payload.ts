import { cutText } from "../checked.js";
import type { Notification } from "../inbox/index.js";
import { MAX_BODY_LENGTH, MAX_PAYLOAD_BYTES, MAX_TITLE_LENGTH } from "./limits.js";
import { titleOf } from "./words.js";

/** What a device is sent (docs/PROTOCOL.md, "Push"), as JSON. */
export interface Payload {
  v: 1;
  /** The notification. `tag` is the same: a device shows one message of a tag. */
  id: string;
  tag: string;
  user: string;
  title: string;
  body: string;
  /** Where a click leads; left out where nothing is known, or it is too long. */
  url?: string;
  /** The inbox's number of unread notifications. */
  unread: number;
  /** When the notification was stored, RFC 3339. */
  at: string;
  reason: string;
  type: string;
  actor?: { id: string; name?: string };
  thread?: { id: string; title?: string };
}

/** The actor where nobody is named (docs/PROTOCOL.md). */
const SYSTEM = "system";

/** The message about a notification as JSON text, of at most `MAX_PAYLOAD_BYTES`. */
export function encodePayload(user: string, notification: Notification, unread: number, at: string): string {
  const { id, reason, type } = notification;
  const actor = partOf(notification.actor, "name");
  const thread = partOf(notification.thread, "title");
  const isNobody = actor === null || (actor.id === SYSTEM && actor.name === undefined);
  const told = { reason, type, actor: isNobody ? null : (actor.name ?? actor.id), thread: thread?.title ?? null };
  const payload: Payload = {
    v: 1,
    id,
    tag: id,
    user,
    title: cutText(titleOf(told), MAX_TITLE_LENGTH),
    body: cutText(textOf(notification.text) ?? told.thread ?? "", MAX_BODY_LENGTH),
    unread,
    at,
    reason,
    type,
  };
  const url = textOf(notification.url) ?? linkOf(notification.comment) ?? linkOf(notification.thread);
  // What is given up first where not all of it fits: what the texts say already, then the place.
  const names = { ...(actor === null ? {} : { actor }), ...(thread === null ? {} : { thread }) };
  const link = url === null ? {} : { url };
  for (const one of [{ ...payload, ...link, ...names }, { ...payload, ...link }, payload]) {
    const text = JSON.stringify(one);
    if (Buffer.byteLength(text) <= MAX_PAYLOAD_BYTES) return text;
  }
  return JSON.stringify({ ...payload, body: "" });
}

function partOf<K extends "name" | "title">(value: unknown, name: K): ({ id: string } & Partial<Record<K, string>>) | null {
  const { id, [name]: called } = Object(value) as { id?: unknown } & Record<string, unknown>;
  if (typeof id !== "string") return null;
  const text = textOf(called);
  return (text === null ? { id } : { id, [name]: cutText(text, MAX_TITLE_LENGTH) }) as { id: string } & Partial<Record<K, string>>;
}

function linkOf(value: unknown): string | null {
  return textOf((Object(value) as { url?: unknown }).url);
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
