import { applyEntry, type Items, isUnread, put } from "./items.js";
import { AT_REST, type Followed } from "./rule.js";
import type { Filter, Notification } from "./types.js";
import type { Entry, Settled } from "./wire.js";

/** Threat: memory filled by marks of announcements that are long over. */
const MAX_SETTLED = 200;

/** Threat: memory filled by a replay of months. The arrivals that are told are the newest. */
const MAX_FRESH = 500;

/** Everything of the filter with a seq from here on is held; `NONE`: nothing is said to be held. */
export type Floors = { readonly [filter in Filter]: number };
const NONE = Number.MAX_SAFE_INTEGER;

/** What the service has confirmed of the member's inbox. */
export interface Inbox extends Followed {
  readonly unread: number;
  readonly items: Items;
  readonly floors: Floors;
  /** By announcement; what came before, a snapshot of announcements knows. */
  readonly settled: ReadonlyMap<string, Settled>;
  /** Something came back that is not held: the newest have to be listed again. */
  readonly stale: boolean;
  /** Ids of what has come and was not told yet, oldest first. */
  readonly fresh: ReadonlyArray<{ readonly id: string; readonly missed: boolean }>;
  /** Counts what has changed items, other than new ones: a list that was asked for before may be older than what is held. */
  readonly turns: number;
}

export const EMPTY_INBOX: Inbox = {
  ...AT_REST,
  cursor: null,
  unread: 0,
  items: [],
  floors: { all: NONE, unread: NONE, archived: NONE },
  settled: new Map(),
  stale: false,
  fresh: [],
  turns: 0,
};

/** What was listed. */
export interface Page {
  readonly items: readonly Notification[];
  readonly more: boolean;
}

/** The inbox that a snapshot shows. */
export function inboxOf(snapshot: Page & Pick<Inbox, "unread">, { live, turns }: Inbox): Inbox {
  return merge({ ...EMPTY_INBOX, unread: snapshot.unread, live, turns: turns + 1 }, "all", snapshot);
}

/** The inbox after the next entry. */
export function applyToInbox(inbox: Inbox, entry: Entry): Inbox {
  const isNew = entry.kind === "notification";
  return {
    ...inbox,
    unread: entry.unread ?? inbox.unread,
    items: applyEntry(inbox.items, entry),
    stale: inbox.stale || namesUnknown(inbox, entry),
    fresh: isNew ? [...inbox.fresh, { id: String(entry.data.id), missed: !inbox.live }].slice(-MAX_FRESH) : inbox.fresh,
    settled: settle(inbox.settled, entry),
    turns: inbox.turns + (isNew ? 0 : 1),
  };
}

/** Whether a view may lack what an entry brings into it: nobody says how an item looks that is not held. */
function namesUnknown({ items, floors }: Inbox, { kind, data }: Entry): boolean {
  if (kind !== "unread" && kind !== "unarchived" && (kind !== "archived" || floors.archived === NONE)) return false;
  const held = new Set(items.map(({ id }) => id));
  return data.ids?.some((id) => !held.has(id)) === true;
}

/** What is settled after an entry of the inbox, or an action that stands for one. The first time counts. */
export function settle(settled: ReadonlyMap<string, Settled>, { kind, at, data }: Entry): ReadonlyMap<string, Settled> {
  const { announcement } = data;
  if (announcement === undefined) return settled;
  return new Map([...[...settled].slice(-MAX_SETTLED), [announcement, { [`${kind}At`]: at, ...settled.get(announcement) }]]);
}

/** Takes in what was listed, as of the cursor, and from the last one that is held of the filter on. What is held already stays. */
export function merge(inbox: Inbox, filter: Filter, { items, more }: Page): Inbox {
  const floor = more ? items.reduce((least, { seq }) => Math.min(least, seq), inbox.floors[filter]) : 0;
  const held = new Set(inbox.items.map(({ id }) => id));
  return {
    ...inbox,
    items: items.filter(({ id }) => !held.has(id)).reduce(put, inbox.items),
    floors: { ...inbox.floors, [filter]: floor },
  };
}

/** What can be shown of a filter without a gap, newest first. */
export function itemsOf(items: Items, floors: Floors, filter: Filter): Items {
  const floor = floorOf(floors, filter);
  return items.filter(
    (item) => item.seq >= floor && (filter === "archived") === (item.archivedAt !== null) && (filter !== "unread" || isUnread(item)),
  );
}

/** What is held of everything is held of the unread too. */
export function floorOf(floors: Floors, filter: Filter): number {
  return filter === "unread" ? Math.min(floors.all, floors.unread) : floors[filter];
}
