import type { Notification } from "./types.js";
import type { Entry } from "./wire.js";

/** Newest first, each seq once. Archived ones are among them, so that they can come back. */
export type Items = readonly Notification[];

/** Puts one in its place, in place of what stands there. The place of a new one is found at once. */
export function put(items: Items, item: Notification): Items {
  const found = items.findIndex(({ seq }) => seq <= item.seq);
  const place = found < 0 ? items.length : found;
  return [...items.slice(0, place), item, ...items.slice(items[place]?.seq === item.seq ? place + 1 : place)];
}

/** The item with these changes; itself where there are none. */
function changed(item: Notification, readAt: string | null, archivedAt: string | null): Notification {
  return item.readAt === readAt && item.archivedAt === archivedAt ? item : { ...item, readAt, archivedAt };
}

type Mark = (item: Notification, at: string) => Notification;

const MARKS: { readonly [kind: string]: Mark } = {
  read: (item, at) => changed(item, item.readAt ?? at, item.archivedAt),
  unread: (item) => changed(item, null, null),
  archived: (item, at) => changed(item, item.readAt ?? at, item.archivedAt ?? at),
  unarchived: (item) => changed(item, item.readAt, null),
};

/** The table of kinds of docs/PROTOCOL.md. Kinds that are not known change nothing. */
export function applyEntry(items: Items, { kind, at, data }: Entry): Items {
  const { upTo } = data;
  if (kind === "notification" || kind === "notification.updated") return put(items, data as unknown as Notification);
  if (kind === "notification.rescinded") return items.filter(({ id }) => id !== data.id);
  const mark = MARKS[kind];
  if (mark !== undefined && data.ids !== undefined) {
    const ids = new Set(data.ids);
    return items.map((item) => (ids.has(item.id) ? mark(item, at) : item));
  }
  if (kind === "read_all" && upTo !== undefined) return items.map((item) => (item.seq > upTo ? item : (MARKS.read as Mark)(item, at)));
  return items;
}

export const isUnread = ({ readAt }: Notification): boolean => readAt === null;
