// @ts-check
/**
 * The announcements as this page knows them: a pure function, as in inbox.js. What the member has settled stands in the inbox, another stream,
 * which may tell of it before or after the announcement itself comes. So the two are put together only when they are looked at, and every
 * order ends in the same screen.
 *
 * @typedef {import("./stream.js").Cursor} Cursor
 * @typedef {import("./stream.js").Entry} Entry
 * @typedef {import("./stream.js").StreamEvent} StreamEvent
 * @typedef {import("./inbox.js").Settled} Settled
 * @typedef {{ id: string, title: string, text: string, url?: string, level: string, dismissible: boolean, mandatory: boolean,
 *   dismissedAt?: string | null, acknowledgedAt?: string | null }} Announcement
 *
 * @typedef {object} Announcements
 * @property {Cursor | null} cursor The last entry applied; null before the first snapshot.
 * @property {Announcement[]} items The live ones, newest first, at most MAX_ITEMS.
 * @property {number} older Live and unsettled ones that are not among `items`: a snapshot has its limit.
 * @property {boolean} more The last snapshot has left some out.
 * @property {Entry[]} held Entries that came before their turn, in order of seq.
 * @property {boolean} gap Entries are missing: ask `sync` for what comes after the cursor.
 */

import { advance } from "./stream.js";

/** Threat: a screen and a memory full of announcements. */
export const MAX_ITEMS = 100;

/** @returns {Announcements} */
export function emptyAnnouncements() {
  return { cursor: null, items: [], older: 0, more: false, held: [], gap: false };
}

/**
 * @param {Announcements} known
 * @param {StreamEvent} event
 * @param {Map<string, Settled>} settled what the inbox says that the member has settled
 * @returns {Announcements}
 */
export function applyToAnnouncements(known, event, settled) {
  switch (event.type) {
    case "welcome":
    case "offline":
      return { ...known, held: [], gap: false };
    case "snapshot": {
      if (event.stream !== "announcements") return known;
      const cursor = { epoch: event.epoch, seq: event.seq };
      return { cursor, items: event.items.slice(0, MAX_ITEMS), older: 0, more: event.more === true, held: [], gap: false };
    }
    case "entries": {
      // Of another history, or before the snapshot: a snapshot follows.
      if (event.stream !== "announcements" || known.cursor?.epoch !== event.epoch) return known;
      const { due, seq, held } = advance(known.cursor.seq, known.held, event.entries);
      const items = due.reduce(applyToItems, known.items);
      return { ...known, cursor: { epoch: event.epoch, seq }, items, held, gap: held.length > 0 };
    }
    case "synced": {
      if (event.stream !== "announcements" || known.cursor?.epoch !== event.epoch) return known;
      if (event.seq > known.cursor.seq) return { ...known, gap: true };
      // The service's number is right now; what of it is not on this page's list is older than the list.
      const older = known.more && event.seq === known.cursor.seq ? event.unread - openOf(known.items, settled) : known.older;
      return { ...known, older: Math.max(0, older) };
    }
  }
}

/**
 * @param {Announcement[]} items
 * @param {Entry} entry
 * @returns {Announcement[]}
 */
function applyToItems(items, { kind, data }) {
  const others = items.filter((item) => item.id !== data.id);
  if (kind === "announcement.rescinded") return others;
  // Kinds of a later version change nothing that this page shows.
  if (kind !== "announcement" && kind !== "announcement.updated") return items;
  // Not for this member, or over by now.
  if (data.hidden === true) return others;
  const place = items.findIndex((item) => item.id === data.id);
  if (place < 0) return [data, ...others].slice(0, MAX_ITEMS);
  const { dismissedAt = null, acknowledgedAt = null } = items[place] ?? {};
  return items.with(place, { ...data, dismissedAt, acknowledgedAt });
}

/**
 * How many are live, for this member, and neither dismissed nor acknowledged.
 * @param {Announcements} known
 * @param {Map<string, Settled>} settled
 */
export function unreadOf({ items, older }, settled) {
  return openOf(items, settled) + older;
}

/**
 * What stands on the screen: a mandatory one until it is acknowledged, one that cannot be dismissed until it ends.
 * @param {Announcements} known
 * @param {Map<string, Settled>} settled
 * @returns {Array<Announcement & { ask: "dismiss" | "acknowledge" | null }>} `ask`: what the member may do about it
 */
export function onScreen({ items }, settled) {
  return items.flatMap((item) => {
    const { dismissedAt, acknowledgedAt } = marksOf(item, settled);
    const isSettled = dismissedAt !== null || acknowledgedAt !== null;
    if (item.mandatory ? acknowledgedAt !== null : item.dismissible && isSettled) return [];
    // One that stays can still be taken off the bell's count.
    const ask = item.dismissible && !item.mandatory ? "dismiss" : acknowledgedAt === null ? "acknowledge" : null;
    return [{ ...item, ask: /** @type {"dismiss" | "acknowledge" | null} */ (ask) }];
  });
}

/** @param {Announcement[]} items @param {Map<string, Settled>} settled */
function openOf(items, settled) {
  return items.filter((item) => {
    const { dismissedAt, acknowledgedAt } = marksOf(item, settled);
    return dismissedAt === null && acknowledgedAt === null;
  }).length;
}

/** @param {Announcement} item @param {Map<string, Settled>} settled */
function marksOf(item, settled) {
  const said = settled.get(item.id);
  return {
    dismissedAt: item.dismissedAt ?? said?.dismissedAt ?? null,
    acknowledgedAt: item.acknowledgedAt ?? said?.acknowledgedAt ?? null,
  };
}
