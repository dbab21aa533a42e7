import type { Entry } from "./member.js";

/** A notification or an announcement as a screen has it. */
export type Item = Record<string, unknown> & { id: string };

/** What a member has settled of an announcement. */
type Settlement = "dismissedAt" | "acknowledgedAt";

/**
 * What a device shows of both streams, by the tables of docs/PROTOCOL.md alone. It knows no connection and no cursor: entries come one after
 * the other, each once. It imports nothing of `src`.
 */
export class Screen {
  /** Notifications by id, archived ones too. */
  readonly inbox = new Map<string, Item>();
  /** Announcements that are shown, by id. */
  readonly announcements = new Map<string, Item>();
  unread = 0;
  unsettled = 0;

  replaceInbox(items: Item[], unread: number): void {
    this.inbox.clear();
    for (const item of items) this.inbox.set(item.id, item);
    this.unread = unread;
  }

  replaceAnnouncements(items: Item[], unread: number): void {
    this.announcements.clear();
    for (const item of items) this.announcements.set(item.id, item);
    this.unsettled = unread;
  }

  applyInbox({ kind, data, at, unread }: Entry): void {
    this.unread = unread as number;
    const change = (fields: (item: Item) => object): void => {
      for (const id of data.ids ?? []) {
        const item = this.inbox.get(id);
        if (item !== undefined) Object.assign(item, fields(item));
      }
    };
    switch (kind) {
      case "notification":
      case "notification.updated":
        this.inbox.set(data.id as string, { ...data } as Item);
        return;
      case "notification.rescinded":
        this.inbox.delete(data.id as string);
        return;
      case "read":
        change(({ readAt }) => ({ readAt: readAt ?? at }));
        return;
      case "unread":
        change(() => ({ readAt: null, archivedAt: null }));
        return;
      case "archived":
        change(({ readAt }) => ({ readAt: readAt ?? at, archivedAt: at }));
        return;
      case "unarchived":
        change(() => ({ archivedAt: null }));
        return;
      case "read_all":
        for (const item of this.inbox.values()) if (Number(item.seq) <= Number(data.upTo)) item.readAt ??= at;
        return;
      case "dismissed":
      case "acknowledged":
        this.#settle(data.announcement as string, `${kind}At`, at);
    }
  }

  applyAnnouncement({ kind, data }: Entry): void {
    const id = data.id as string;
    const shown = this.announcements.get(id);
    if (kind === "announcement.rescinded" || data.hidden === true) {
      if (shown === undefined) return;
      this.announcements.delete(id);
      if (isUnsettled(shown)) this.unsettled--;
      return;
    }
    const item: Item = { dismissedAt: shown?.dismissedAt ?? null, acknowledgedAt: shown?.acknowledgedAt ?? null, ...data, id };
    this.announcements.set(id, item);
    if (shown === undefined && isUnsettled(item)) this.unsettled++;
  }

  #settle(id: string, field: Settlement, at: string): void {
    const item = this.announcements.get(id);
    if (item === undefined) return;
    if (isUnsettled(item)) this.unsettled--;
    item[field] ??= at;
  }
}

function isUnsettled({ dismissedAt, acknowledgedAt }: Item): boolean {
  return dismissedAt === null && acknowledgedAt === null;
}
