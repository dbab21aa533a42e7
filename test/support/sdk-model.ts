import type { Notification } from "../../client/sdk/src/index.js";

type Data = Record<string, unknown>;
export type StreamName = "inbox" | "announcements";
export interface ModelEntry {
  seq: number;
  at: string;
  kind: string;
  unread?: number;
  data: Data;
}
export interface Answer {
  ok: boolean;
  error?: { code: string; message: string; retryAfterMs?: number };
  [field: string]: unknown;
}

const at = (seq: number): string => new Date(1_700_000_000_000 + seq * 1_000).toISOString();

/** One member at a service, as docs/PROTOCOL.md tells it, written as plainly as can be. */
export class ServiceModel {
  epoch = "e1";
  /** Entries up to here are trimmed. */
  base = 1;
  readonly entries: Record<StreamName, ModelEntry[]> = { inbox: [], announcements: [] };
  readonly #heads: Record<StreamName, number> = { inbox: 0, announcements: 0 };
  /** All that ever came; those taken back are flagged. */
  readonly items = new Map<string, { item: Notification; isRescinded: boolean }>();
  readonly announcements = new Map<string, Data & { id: string; dismissedAt: string | null; acknowledgedAt: string | null }>();
  /** Told of each entry. */
  onEntry: (stream: StreamName, entry: ModelEntry) => void = () => {};

  head(stream: StreamName): number {
    return this.#heads[stream];
  }

  /** Newest first. */
  list(filter: string): Notification[] {
    const there = [...this.items.values()].filter(({ isRescinded }) => !isRescinded).map(({ item }) => item);
    const fits = there.filter((item) =>
      filter === "archived" ? item.archivedAt !== null : item.archivedAt === null && (filter === "all" || item.readAt === null),
    );
    return fits.sort((a, b) => b.seq - a.seq);
  }

  get unread(): number {
    return this.list("unread").length;
  }

  get unreadAnnouncements(): number {
    return [...this.announcements.values()].filter(({ dismissedAt, acknowledgedAt }) => !dismissedAt && !acknowledgedAt).length;
  }

  /** A restore from a backup: other seqs, the same notifications. */
  setBack(): void {
    this.epoch += "'";
    this.entries.inbox = [];
    this.entries.announcements = [];
    this.base = 1_000_000;
  }

  come(): void {
    const seq = this.#heads.inbox + 1;
    const item: Notification = {
      id: `n${seq}`,
      seq,
      reason: "direct",
      type: "t",
      text: `t${seq}`,
      createdAt: at(seq),
      readAt: null,
      archivedAt: null,
    };
    this.items.set(item.id, { item, isRescinded: false });
    this.#append("inbox", "notification", { ...item });
  }

  rescind(id: string): void {
    const found = this.items.get(id);
    if (found === undefined || found.isRescinded) return;
    found.isRescinded = true;
    this.#append("inbox", "notification.rescinded", { id, why: "deleted" });
  }

  restore(id: string): void {
    const found = this.items.get(id);
    if (found === undefined) return;
    found.isRescinded = false;
    found.item = { ...found.item, text: `${found.item.text}!` };
    this.#append("inbox", "notification.updated", { ...found.item });
  }

  announce(id: string, mandatory: boolean): void {
    const before = this.announcements.get(id);
    const { dismissedAt = null, acknowledgedAt = null } = before ?? {};
    const said = {
      id,
      title: `${id} ${this.#heads.announcements}`,
      text: "",
      level: "info",
      dismissible: true,
      mandatory,
      createdAt: at(0),
    };
    this.announcements.set(id, { ...said, dismissedAt, acknowledgedAt });
    const settled = { ...(dismissedAt && { dismissedAt }), ...(acknowledgedAt && { acknowledgedAt }) };
    this.#append("announcements", before ? "announcement.updated" : "announcement", { ...said, ...settled });
  }

  withdraw(id: string, isHidden: boolean): void {
    if (!this.announcements.delete(id)) return;
    if (isHidden) this.#append("announcements", "announcement.updated", { id, hidden: true });
    else this.#append("announcements", "announcement.rescinded", { id, why: "over" });
  }

  /** What a client asks. */
  ask(event: string, payload: Data): Answer {
    const { stream, after, ids, upTo } = payload as {
      stream: StreamName;
      after: { epoch: string; seq: number };
      ids: string[];
      upTo: number;
    };
    switch (event) {
      case "sync": {
        if (!this.canResume(stream, after)) return { ok: false, error: { code: "reset", message: "" } };
        const entries = this.entries[stream].filter(({ seq }) => seq > after.seq);
        return { ok: true, entries: entries.slice(0, 3), more: entries.length > 3, head: this.head(stream) };
      }
      case "list": {
        const all = this.list(String(payload.filter));
        const before = this.items.get(String(payload.before));
        const rest = before ? all.filter(({ seq }) => seq < before.item.seq) : all;
        const limit = Number(payload.limit);
        return { ok: true, items: rest.slice(0, limit), more: rest.length > limit, unread: this.unread };
      }
      case "read":
        return this.#mark("read", ids, (item, now) => ({ readAt: item.readAt ?? now }));
      case "unread":
        return this.#mark("unread", ids, () => ({ readAt: null, archivedAt: null }));
      case "archive":
        return this.#mark("archived", ids, (item, now) => ({ readAt: item.readAt ?? now, archivedAt: item.archivedAt ?? now }));
      case "unarchive":
        return this.#mark("unarchived", ids, () => ({ archivedAt: null }));
      case "read_all": {
        if (upTo > this.head("inbox")) return { ok: false, error: { code: "bad_request", message: "" } };
        const now = at(this.head("inbox") + 1);
        const due = this.list("unread").filter(({ seq }) => seq <= upTo);
        for (const item of due) this.items.set(item.id, { item: { ...item, readAt: now }, isRescinded: false });
        if (due.length > 0) this.#append("inbox", "read_all", { upTo });
        return this.#marked();
      }
      case "seen":
        this.#append("inbox", "seen", { upTo });
        return this.#marked();
      case "dismiss":
      case "acknowledge": {
        const found = this.announcements.get(String(payload.announcement));
        if (found === undefined) return { ok: false, error: { code: "not_found", message: "" } };
        const field = event === "dismiss" ? "dismissedAt" : "acknowledgedAt";
        if (found[field] === null) {
          found[field] = at(this.head("inbox") + 1);
          this.#append("inbox", event === "dismiss" ? "dismissed" : "acknowledged", { announcement: found.id });
        }
        return this.#marked();
      }
      default:
        return { ok: true };
    }
  }

  canResume(stream: StreamName, { epoch, seq }: { epoch: string; seq: number }): boolean {
    return epoch === this.epoch && seq >= this.base - 1 && seq <= this.head(stream);
  }

  #mark(kind: string, ids: string[], change: (item: Notification, now: string) => Partial<Notification>): Answer {
    if (ids.some((id) => !this.items.has(id))) return { ok: false, error: { code: "not_found", message: "" } };
    const now = at(this.head("inbox") + 1);
    let isChanged = false;
    for (const id of ids) {
      const found = this.items.get(id);
      if (found === undefined) continue;
      const item = { ...found.item, ...change(found.item, now) };
      isChanged ||= item.readAt !== found.item.readAt || item.archivedAt !== found.item.archivedAt;
      found.item = item;
    }
    if (isChanged) this.#append("inbox", kind, { ids });
    return this.#marked();
  }

  #marked(): Answer {
    return { ok: true, seq: this.head("inbox"), unread: this.unread };
  }

  #append(stream: StreamName, kind: string, data: Data): void {
    this.#heads[stream]++;
    const seq = this.#heads[stream];
    const entry: ModelEntry = { seq, at: at(seq), kind, data, ...(stream === "inbox" && { unread: this.unread }) };
    this.entries[stream].push(entry);
    this.onEntry(stream, entry);
  }
}
