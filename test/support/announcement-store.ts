import {
  type AnnouncementChange,
  type AnnouncementRecord,
  type AnnouncementStore,
  MAX_PASSINGS,
  type Settled,
  type Watermarks,
} from "../../src/announcements/types.js";
import { BelfryError } from "../../src/errors.js";
import type { AppendBatch, AppendResult, EntryRow, RowOutcome, StoredEntry, StreamStore, Tail } from "../../src/stream/types.js";

/**
 * Streams and announcements in memory, by the rules of both ports, as far as announcements use them: thousands of runs of a model must not
 * wait for a disk. `writes` counts what was stored; where `away` is set, the store cannot be reached.
 */
export class MemoryAnnouncements implements AnnouncementStore {
  readonly streams = new Map<string, EntryRow[]>();
  readonly records = new Map<string, AnnouncementRecord>();
  readonly passes: Array<{ mark: keyof Watermarks; upTo: number; at: number; users: string[] }> = [];
  writes = 0;
  away = false;
  readonly #settled = new Map<string, Map<string, Settled>>();
  readonly #watermarks = new Map<string, Watermarks>();

  /** The port of the core over the same memory. */
  asStreamStore(): StreamStore<AnnouncementChange> {
    const port: Partial<StreamStore<AnnouncementChange>> = {
      concurrency: 1,
      epoch: async () => this.#answer("epoch"),
      append: async (batch) => this.#append(batch),
      tails: async (streams) => new Map(streams.map((stream) => [stream, this.#tail(stream)])),
      find: async (key, streams = []) =>
        streams.flatMap((stream) =>
          (this.streams.get(stream) ?? []).filter((row) => row.key === key).map(({ seq, publication }) => ({ stream, seq, publication })),
        ),
      read: async (stream, after, upTo, limit) => this.#answer(this.entries(stream, after, upTo).slice(0, limit)),
    };
    return port as StreamStore<AnnouncementChange>;
  }

  entries(stream: string, after = 0, upTo = Number.POSITIVE_INFINITY): StoredEntry[] {
    const rows = this.streams.get(stream) ?? [];
    return rows
      .filter(({ seq }) => seq > after && seq <= upTo)
      .map(({ seq, at, kind, unread, own }) => ({ seq, at, kind, unread, own, publication: null, shared: null }));
  }

  async find(id: string): Promise<AnnouncementRecord | null> {
    return this.#answer(this.records.get(id) ?? null);
  }

  async current(): Promise<AnnouncementRecord[]> {
    const current = [...this.records.values()].filter(({ state }) => state === "live" || state === "scheduled");
    return this.#answer(current.sort((one, other) => -newestFirst(one, other)));
  }

  async page(before: { createdAt: number; id: string } | null, limit: number): Promise<AnnouncementRecord[]> {
    const all = [...this.records.values()].sort(newestFirst);
    return this.#answer(all.filter((record) => before === null || newestFirst(record, before) > 0).slice(0, limit));
  }

  async save(record: AnnouncementRecord): Promise<boolean> {
    this.#answer(null);
    return this.#take(record);
  }

  async settledOf(user: string, announcements: string[]): Promise<Map<string, Settled>> {
    const mine = this.#settled.get(user);
    return this.#answer(pickOf(announcements, (id) => mine?.get(id)));
  }

  async settledBy(announcement: string, users: string[]): Promise<Map<string, Settled>> {
    return this.#answer(pickOf(users, (user) => this.#settled.get(user)?.get(announcement)));
  }

  async pass(mark: keyof Watermarks, upTo: number, at: number, users: string[]): Promise<void> {
    this.#answer(null);
    this.passes.push({ mark, upTo, at, users });
    for (const user of users) {
      const marks = this.#watermarks.get(user) ?? { reached: [], seen: [] };
      this.#watermarks.set(user, marks);
      if (upTo > (marks[mark].at(-1)?.upTo ?? 0)) marks[mark] = [...marks[mark], { upTo, at }].slice(-MAX_PASSINGS);
    }
  }

  async watermarks(users: string[]): Promise<Map<string, Watermarks>> {
    return this.#answer(pickOf(users, (user) => this.#watermarks.get(user)));
  }

  #append({ writes }: AppendBatch<AnnouncementChange>): AppendResult {
    this.#answer(null);
    const rows = writes.map(({ row, companion }): RowOutcome => {
      const stored = this.streams.get(row.stream) ?? [];
      const same = stored.find(({ key }) => key === row.key);
      if (same !== undefined) return { is: "repeat", seq: same.seq, publication: null };
      if (row.seq !== stored.length + 1) return { is: "conflict" };
      if (companion?.of === "announcement" && !this.#take(companion.record)) return { is: "conflict" };
      if (companion?.of === "settled") this.#settle(companion);
      this.streams.set(row.stream, [...stored, row]);
      this.writes++;
      return { is: "stored" };
    });
    return { publications: [], rows };
  }

  #take(record: AnnouncementRecord): boolean {
    if (record.revision !== (this.records.get(record.id)?.revision ?? 0) + 1) return false;
    this.records.set(record.id, JSON.parse(JSON.stringify(record)) as AnnouncementRecord);
    this.writes++;
    return true;
  }

  #settle({ user, announcement, settled }: Extract<AnnouncementChange, { of: "settled" }>): void {
    const mine = this.#settled.get(user) ?? new Map<string, Settled>();
    const known = mine.get(announcement);
    mine.set(announcement, {
      dismissedAt: settled.dismissedAt ?? known?.dismissedAt ?? null,
      acknowledgedAt: settled.acknowledgedAt ?? known?.acknowledgedAt ?? null,
    });
    this.#settled.set(user, mine);
  }

  #tail(stream: string): Tail {
    const rows = this.#answer(this.streams.get(stream)) ?? [];
    return { head: rows.length, base: 1, unread: rows.at(-1)?.unread ?? 0 };
  }

  #answer<T>(value: T): T {
    if (this.away) throw new BelfryError("unavailable");
    return value;
  }
}

function newestFirst(one: { createdAt: number; id: string }, other: { createdAt: number; id: string }): number {
  return other.createdAt - one.createdAt || (one.id < other.id ? 1 : one.id > other.id ? -1 : 0);
}

function pickOf<T>(keys: string[], get: (key: string) => T | undefined): Map<string, T> {
  const found = keys.map((key) => [key, get(key)] as const);
  return new Map(found.filter((pair): pair is [string, T] => pair[1] !== undefined));
}
