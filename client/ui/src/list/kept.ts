import type { Notification, View } from "belfry-client";

/**
 * The list of what is unread, as somebody looks through it: what was marked as read meanwhile stays in its place until they look anew.
 * Rows that vanish a second after they were looked at cannot be clicked.
 */
export class KeptUnread {
  readonly #known = new Map<string, Notification>();

  /** Looks anew: only what is unread now. */
  clear(): void {
    this.#known.clear();
  }

  /** Lets one go, because it was archived. */
  forget(id: string): void {
    this.#known.delete(id);
  }

  /** @param unread what is unread now @param all what is known of the rest, newest first; both newest first */
  take(unread: readonly Notification[], all: View): Notification[] {
    const current = new Set(unread.map(({ id }) => id));
    const gone = [...this.#known.values()].filter(({ id }) => !current.has(id));
    for (const item of unread) this.#known.set(item.id, item);
    if (gone.length === 0) return [...unread];
    const known = new Map(all.items.map((item) => [item.id, item]));
    const oldest = all.more ? (all.items.at(-1)?.seq ?? Number.POSITIVE_INFINITY) : 0;
    const stays = gone.flatMap((item): Notification[] => {
      const now = known.get(item.id);
      if (now !== undefined) return [now];
      // Within what is known and not there: taken back, or archived elsewhere. Older than that: it was read.
      if (item.seq >= oldest) this.forget(item.id);
      return item.seq >= oldest ? [] : [{ ...item, readAt: item.readAt ?? new Date().toISOString() }];
    });
    return [...unread, ...stays].sort((a, b) => b.seq - a.seq);
  }
}
