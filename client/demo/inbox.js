// @ts-check
/**
 * A member's inbox as this page knows it: a pure function from what it knows and what arrived to what it knows now. It follows the rule of
 * docs/PROTOCOL.md, of which stream.js has the part that all streams have in common.
 *
 * @typedef {import("./stream.js").Cursor} Cursor
 * @typedef {import("./stream.js").Entry} Entry
 * @typedef {import("./stream.js").StreamEvent} InboxEvent
 * @typedef {{ id: string, name?: string }} Actor
 * @typedef {{ id: string, seq: number, reason: string, type: string, actor?: Actor, thread?: { id: string, title?: string },
 *   comment?: { id: string }, text?: string, url?: string, data?: Record<string, unknown>, createdAt: string, readAt: string | null,
 *   archivedAt: string | null }} Notification
 * @typedef {{ dismissedAt?: string, acknowledgedAt?: string }} Settled What the member has done about an announcement.
 *
 * @typedef {object} Inbox
 * @property {Cursor | null} cursor The last entry applied; null before the first snapshot.
 * @property {number} unread
 * @property {Notification[]} items Newest first, at most MAX_ITEMS; archived ones stay among them, so that they can come back.
 * @property {Entry[]} held Entries that came before their turn, in order of seq.
 * @property {boolean} gap Entries are missing: ask `sync` for what comes after the cursor.
 * @property {boolean} live What the service had is all here; what follows happens now.
 * @property {number} missed New notifications that came between the last `welcome` and its `synced`, after an exact resume.
 * @property {boolean} exact The last `welcome` promised everything after the cursor, not a fresh snapshot.
 * @property {Map<string, Settled>} settled By announcement, since the page was opened: what came before, a snapshot of them knows.
 */

import { advance } from "./stream.js";

/** Threat: memory and the browser's storage filled by a long history. The service keeps the rest. */
export const MAX_ITEMS = 200;

/** Threat: memory filled by marks of announcements that are long over. */
const MAX_SETTLED = 200;

/** @returns {Inbox} */
export function emptyInbox() {
  return { cursor: null, unread: 0, items: [], held: [], gap: false, live: false, missed: 0, exact: false, settled: new Map() };
}

/**
 * @param {Inbox} inbox
 * @param {InboxEvent} event
 * @returns {Inbox}
 */
export function apply(inbox, event) {
  switch (event.type) {
    case "welcome":
      return { ...inbox, held: [], gap: false, live: false, missed: 0, exact: event.streams.inbox.resume === "exact" };
    case "snapshot": {
      if (event.stream !== "inbox") return inbox;
      const cursor = { epoch: event.epoch, seq: event.seq };
      return { ...inbox, cursor, unread: event.unread, items: event.items.slice(0, MAX_ITEMS), held: [], gap: false };
    }
    case "entries":
      return event.stream === "inbox" ? applyEntries(inbox, event.epoch, event.entries) : inbox;
    case "synced": {
      if (event.stream !== "inbox" || inbox.cursor?.epoch !== event.epoch) return inbox;
      if (event.seq > inbox.cursor.seq) return { ...inbox, live: true, gap: true };
      return { ...inbox, live: true, unread: event.seq === inbox.cursor.seq ? event.unread : inbox.unread };
    }
    case "offline":
      return { ...inbox, held: [], gap: false, live: false };
  }
}

/**
 * @param {Inbox} inbox
 * @param {string} epoch
 * @param {Entry[]} entries
 * @returns {Inbox}
 */
function applyEntries(inbox, epoch, entries) {
  // Of another history, or before the snapshot: `welcome` has said what to expect, and this is not it.
  if (inbox.cursor?.epoch !== epoch) return inbox;
  const { due, seq, held } = advance(inbox.cursor.seq, inbox.held, entries);
  let { unread, items, missed, settled } = inbox;
  for (const entry of due) {
    items = applyToItems(items, entry);
    unread = entry.unread ?? unread;
    if (entry.kind === "notification" && !inbox.live && inbox.exact) missed++;
    if (entry.kind === "dismissed" || entry.kind === "acknowledged") settled = settle(settled, entry);
  }
  return { ...inbox, cursor: { epoch, seq }, unread, items, missed, settled, held, gap: held.length > 0 };
}

/**
 * @param {Map<string, Settled>} settled
 * @param {Entry} entry
 * @returns {Map<string, Settled>}
 */
function settle(settled, { kind, at, data }) {
  const others = [...settled].filter(([id]) => id !== data.announcement);
  return new Map([...others.slice(1 - MAX_SETTLED), [data.announcement, { ...settled.get(data.announcement), [`${kind}At`]: at }]]);
}

/**
 * @param {Notification[]} items
 * @param {Entry} entry
 * @returns {Notification[]}
 */
function applyToItems(items, { kind, at, data }) {
  /** @param {(item: Notification) => Notification} change */
  const named = (change) => items.map((item) => (data.ids.includes(item.id) ? change(item) : item));
  switch (kind) {
    case "notification":
    case "notification.updated": {
      const others = items.filter((item) => item.id !== data.id);
      return [data, ...others].sort((a, b) => b.seq - a.seq).slice(0, MAX_ITEMS);
    }
    case "notification.rescinded":
      return items.filter((item) => item.id !== data.id);
    case "read":
      return named((item) => ({ ...item, readAt: item.readAt ?? at }));
    case "unread":
      return named((item) => ({ ...item, readAt: null, archivedAt: null }));
    case "archived":
      return named((item) => ({ ...item, readAt: item.readAt ?? at, archivedAt: item.archivedAt ?? at }));
    case "unarchived":
      return named((item) => ({ ...item, archivedAt: null }));
    case "read_all":
      return items.map((item) => (item.seq <= data.upTo ? { ...item, readAt: item.readAt ?? at } : item));
    default:
      // `seen` and kinds of a later version change nothing that this page shows; marks of announcements are not about notifications.
      return items;
  }
}

/**
 * What to keep for the next visit. Cursor and items go together, or an exact resume would continue a list that is not there.
 * @param {Inbox} inbox
 * @returns {string | null} null: there is nothing worth keeping yet
 */
export function toStored({ cursor, unread, items }) {
  return cursor === null ? null : JSON.stringify({ version: 1, cursor, unread, items });
}

/**
 * @param {string | null} text what `toStored` gave
 * @returns {Inbox} empty, so that the service sends a snapshot, unless the text is whole
 */
export function fromStored(text) {
  if (text === null) return emptyInbox();
  try {
    const { version, cursor, unread, items } = JSON.parse(text);
    if (version !== 1 || typeof cursor.epoch !== "string" || !Number.isSafeInteger(cursor.seq) || !Number.isSafeInteger(unread)) {
      return emptyInbox();
    }
    if (!Array.isArray(items) || items.some((item) => typeof item?.id !== "string")) return emptyInbox();
    return { ...emptyInbox(), cursor: { epoch: cursor.epoch, seq: cursor.seq }, unread, items };
  } catch {
    return emptyInbox();
  }
}
