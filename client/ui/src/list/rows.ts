import type { Notification } from "belfry-client";

/** A line of the list: one notification, or the newest of several about one thread with the rest behind it. */
export interface Row {
  /** The same for as long as the row is about the same thing. */
  readonly key: string;
  /** Newest first, at least one. */
  readonly items: readonly [Notification, ...Notification[]];
  /** It stands under an open group. */
  readonly isChild: boolean;
  /** A group whose notifications stand below it; of a single notification always false. */
  readonly isOpen: boolean;
}

const DAY_MS = 86_400_000;

/** Grouping ten thousand anew for each arrival must not cost ten thousand parsed dates: an item is immutable, so is its group. */
const groupKeys = new WeakMap<Notification, string>();

/**
 * Puts the notifications of one thread and one day together, at the place of the newest. By day, so that a row does not grow for months,
 * and not by whether they are read: rows must not run together under somebody's eyes as they are marked.
 * @param items newest first
 * @param open keys of the groups that are open
 */
export function rowsOf(items: readonly Notification[], open: ReadonlySet<string>): Row[] {
  const groups = new Map<string, [Notification, ...Notification[]]>();
  for (const item of items) {
    const key = groupKeyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  const rows: Row[] = [];
  for (const [key, group] of groups) {
    const isOpen = group.length > 1 && open.has(key);
    rows.push({ key, items: group, isChild: false, isOpen });
    if (isOpen) rows.push(...group.map((item): Row => ({ key: item.id, items: [item], isChild: true, isOpen: false })));
  }
  return rows;
}

function groupKeyOf(item: Notification): string {
  const known = groupKeys.get(item);
  if (known !== undefined) return known;
  const at = Date.parse(item.createdAt);
  const day = Math.floor((at - new Date(at).getTimezoneOffset() * 60_000) / DAY_MS);
  const key = !item.thread ? `of ${item.id}` : `in ${item.thread.id} on ${day}`;
  groupKeys.set(item, key);
  return key;
}

/** Ids of those in a row that are unread. */
export function unreadIn(row: Row): string[] {
  return row.items.filter(({ readAt }) => readAt === null).map(({ id }) => id);
}
