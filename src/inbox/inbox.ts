import { randomUUID } from "node:crypto";
import { BelfryError } from "../errors.js";
import type { AppendAnswer, Decision, StreamLog, StreamReader } from "../stream/index.js";
import type { Cursor, StoredEntry, StreamStore, Tail } from "../stream/types.js";
import {
  encodeEntry,
  encodeWithdrawn,
  type Notification,
  notificationId,
  seqOfId,
  shownSeq,
  streamOf,
  toNotification,
  userOf,
} from "./notification.js";
import { type SyncPage, syncPage } from "./page.js";
import { type Filter, InboxReader } from "./reader.js";
import type { InboxChange, InboxStore, Mark } from "./types.js";
import { applyVerb, counts, type Verb, type View, viewOf, watermark, withReadAll } from "./view.js";

/** What a mark is answered with: the stream's last seq and counter after it. */
export interface MarkAnswer {
  seq: number;
  unread: number;
}

/** How a member's inbox looks as of `seq`. */
export interface Snapshot {
  epoch: string;
  seq: number;
  unread: number;
  items: Notification[];
  more: boolean;
}

/** docs/PROTOCOL.md, `snapshot`. */
const SNAPSHOT_ITEMS = 50;

/** Reads of a snapshot that a writer may spoil before it is given as it is; the entries that follow correct it. */
const SNAPSHOT_TRIES = 3;

/** Members whose notifications of one subject are rescinded at the same time. Threat: a much-told post that fills the writer's queue. */
const RESCIND_TOGETHER = 64;

/** The part of the log that an inbox needs; what other rooms store with their entries is none of its business. */
type InboxLog = StreamReader & Pick<StreamLog<InboxChange>, "transact" | "trim" | "find">;

/** What a member's entries mean, and what a member can do to them. */
export class Inbox {
  readonly #log: InboxLog;
  readonly #store: InboxStore;
  readonly #reader: InboxReader;
  readonly #clock: () => number;

  constructor(options: { log: InboxLog; streams: StreamStore<InboxChange>; store: InboxStore; clock?: () => number }) {
    this.#log = options.log;
    this.#store = options.store;
    this.#clock = options.clock ?? Date.now;
    this.#reader = new InboxReader(options.streams, options.store);
  }

  streamOf(user: string): string {
    return streamOf(user);
  }

  userOf(stream: string): string {
    return userOf(stream);
  }

  notificationId(stream: string, seq: number): string {
    return notificationId(stream, seq);
  }

  /** A page of notifications, newest first, and the counter. */
  async list(
    user: string,
    query: { filter: Filter; before?: string | undefined; limit: number },
  ): Promise<{ items: Notification[]; more: boolean; unread: number }> {
    const tail = await this.#log.tail(streamOf(user));
    const page = await this.#reader.list(user, query.filter, query.before, query.limit, tail);
    return { ...page, unread: tail.unread };
  }

  /** The newest notifications as of the stream's head. A writer that is faster than three reads only makes items newer than `seq`. */
  async snapshot(user: string): Promise<Snapshot> {
    const stream = streamOf(user);
    const epoch = await this.#log.epoch();
    for (let tries = 1; ; tries++) {
      const tail = await this.#log.tail(stream);
      const page = await this.#reader.list(user, "all", undefined, SNAPSHOT_ITEMS, tail);
      const settled = (await this.#log.tail(stream)).head === tail.head;
      if (settled || tries === SNAPSHOT_TRIES) return { epoch, seq: tail.head, unread: tail.unread, ...page };
    }
  }

  /** A page of the member's stream after a cursor; null starts at the base. @throws BelfryError `reset` */
  sync(user: string, after: Cursor | null, limit: number): Promise<SyncPage> {
    const stream = streamOf(user);
    const source = { stream, epochOf: (epoch: string) => epoch, encodePage: (entries: StoredEntry[]) => this.encodePage(stream, entries) };
    return syncPage(this.#log, source, after, limit);
  }

  /** Those of these notifications that wait for the member's eyes, in order of seq: unread, not taken back, and past the seen mark. */
  async unseen(user: string, seqs: number[]): Promise<Notification[]> {
    const stream = streamOf(user);
    const { seenUpTo } = await this.#store.state(stream);
    const found = await this.#reader.look(
      stream,
      seqs.filter((seq) => seq > seenUpTo),
    );
    return found
      .filter(({ view }) => counts(view))
      .sort((one, other) => one.entry.seq - other.entry.seq)
      .map(({ entry, view }) => toNotification(stream, entry, view));
  }

  /** Marks up to 100 notifications. @throws BelfryError `not_found` when one of them is not this member's; then none is marked. */
  async mark(user: string, verb: Verb, ids: string[]): Promise<MarkAnswer> {
    const stream = streamOf(user);
    const seqs = ids.map((id) => seqOfId(stream, id) ?? notFound(id));
    return this.#transact(stream, async (tail, by) => {
      const kept = seqs.filter((seq) => seq >= tail.base);
      const seen = await this.#reader.look(stream, kept);
      const found = new Set(seen.map(({ entry }) => entry.seq));
      const gone = kept.find((seq) => !found.has(seq));
      if (gone !== undefined) notFound(notificationId(stream, gone));
      const at = this.#clock();
      const marks: Mark[] = [];
      let count = 0;
      for (const { entry, view } of seen) {
        const mark = applyVerb(verb, entry.seq, view, by, at);
        if (mark === null) continue;
        marks.push(mark);
        count += Number(mark.readAt === null) - Number(counts(view));
      }
      if (marks.length === 0) return null;
      const changed = marks.map((mark) => notificationId(stream, mark.seq));
      return decision(KIND_OF[verb], { ids: changed }, count, at, { of: "inbox", stream, marks });
    });
  }

  /** Reads all up to `upTo`, or moves the seen mark there; without `upTo`, to the head. */
  markUpTo(user: string, verb: "read_all" | "seen", upTo: number | undefined): Promise<MarkAnswer> {
    const stream = streamOf(user);
    return this.#transact(stream, async (tail, by) => {
      const to = upTo ?? tail.head;
      if (to > tail.head) throw new BelfryError("bad_request", `\`upTo\` is past the stream's head, which is ${tail.head}.`);
      return verb === "seen" ? this.#decideSeen(stream, to) : this.#decideReadAll(stream, to, tail, by);
    });
  }

  /**
   * Trims a member's stream: moves its base up to `base`. What goes is read by the same transaction, so that the counter never counts what
   * nobody can see; the entry also tells other nodes, which know the old base, that theirs is stale.
   */
  async trim(stream: string, base: number): Promise<void> {
    await this.#log.transact(stream, async (tail, by) => {
      const to = Math.min(base, tail.head + 1);
      if (to <= tail.base || !(await this.#reader.hasNew(stream, tail.base, to - 1))) return null;
      const left = await this.#reader.countUnreadAfter(stream, to - 1, tail);
      const at = this.#clock();
      const state = await this.#store.state(stream);
      const change: InboxChange = { of: "inbox", stream, marks: [], base: to };
      if (to - 1 > (watermark(state)?.upTo ?? 0)) change.state = withReadAll(state, { upTo: to - 1, seq: by, at });
      const read = decision("read_all", { upTo: to - 1 }, left - tail.unread, at, change);
      return { ...read, draft: { ...read.draft, base: to } };
    });
    // Where no notification goes there is nothing to read, and the base moves alone.
    await this.#log.trim(stream, base);
    await this.#store.deleteMarks(stream, base);
  }

  /** Takes back every notification with this key. `by` names the act: the same act twice changes nothing. */
  async rescind(key: string, by: string, why: string): Promise<void> {
    await this.#forEachTold(key, (stream, seq) =>
      this.#transact(stream, async (tail) => {
        const [seen] = seq < tail.base ? [] : await this.#reader.look(stream, [seq]);
        if (seen === undefined || seen.view.rescinded !== null) return null;
        const data = { id: notificationId(stream, seq), why };
        const [mark] = await this.#marksOf(stream, seq);
        const change = { of: "inbox" as const, stream, marks: [{ ...mark, rescinded: why }] };
        return decision("notification.rescinded", data, counts(seen.view) ? -1 : 0, this.#clock(), change, `rescind:${by}`);
      }),
    );
  }

  /** Brings back what was rescinded of this key, as it looked before. */
  async restore(key: string, by: string): Promise<void> {
    await this.#forEachTold(key, (stream, seq) =>
      this.#transact(stream, async (tail) => {
        const [seen] = seq < tail.base ? [] : await this.#reader.look(stream, [seq]);
        if (seen === undefined || seen.view.rescinded === null) return null;
        const view = { ...seen.view, rescinded: null };
        const data = toNotification(stream, seen.entry, view);
        const [mark] = await this.#marksOf(stream, seq);
        const change = { of: "inbox" as const, stream, marks: [{ ...mark, rescinded: null }] };
        return decision("notification.updated", data, counts(view) ? 1 : 0, this.#clock(), change, `restore:${by}`);
      }),
    );
  }

  /**
   * How the notification that the entry `seq` created stands now, and the publication that it came from; null where it is no longer kept.
   * Times are milliseconds.
   */
  async fate(stream: string, seq: number): Promise<({ publication: string | null } & View) | null> {
    const tail = await this.#log.tail(stream);
    const [seen] = seq < tail.base ? [] : await this.#reader.look(stream, [seq]);
    return seen === undefined ? null : { publication: seen.entry.publication, ...seen.view };
  }

  async #decideSeen(stream: string, to: number): Promise<Decision<InboxChange>> {
    const state = await this.#store.state(stream);
    // Only a new notification can be new to the eye; without this the mark's own entry would call for the next mark.
    if (to <= state.seenUpTo || !(await this.#reader.hasNew(stream, state.seenUpTo + 1, to))) return null;
    return decision("seen", { upTo: to }, 0, this.#clock(), { of: "inbox", stream, marks: [], state: { ...state, seenUpTo: to } });
  }

  async #decideReadAll(stream: string, to: number, tail: Tail, by: number): Promise<Decision<InboxChange>> {
    if (tail.unread === 0) return null;
    const left = to === tail.head ? 0 : await this.#reader.countUnreadAfter(stream, to, tail);
    if (left === tail.unread) return null;
    const at = this.#clock();
    const state = await this.#store.state(stream);
    const count = left - tail.unread;
    if (to > (watermark(state)?.upTo ?? 0)) {
      const change: InboxChange = { of: "inbox", stream, marks: [], state: withReadAll(state, { upTo: to, seq: by, at }) };
      return decision("read_all", { upTo: to }, count, at, change);
    }
    // Below the watermark: what is unread there was marked so one by one, and is read one by one.
    const marks = (await this.#store.markedUnread(stream, tail.base, to + 1, Number.MAX_SAFE_INTEGER))
      .filter((mark) => counts(viewOf(mark.seq, mark, state)))
      .map((mark) => ({ ...mark, readSeq: by, readAt: at }));
    return decision("read_all", { upTo: to }, count, at, { of: "inbox", stream, marks });
  }

  async #marksOf(stream: string, seq: number): Promise<[Mark]> {
    const [mark] = await this.#store.marks(stream, [seq]);
    return [mark ?? { seq, readSeq: 0, readAt: null, archivedAt: null, rescinded: null }];
  }

  async #forEachTold(key: string, act: (stream: string, seq: number) => Promise<unknown>): Promise<void> {
    const told = await this.#log.find(key);
    for (let start = 0; start < told.length; start += RESCIND_TOGETHER) {
      await Promise.all(told.slice(start, start + RESCIND_TOGETHER).map(({ stream, seq }) => act(stream, seq)));
    }
  }

  async #transact(stream: string, decide: (tail: Tail, by: number) => Promise<Decision<InboxChange>>): Promise<MarkAnswer> {
    const { seq, unread }: AppendAnswer = await this.#log.transact(stream, decide);
    return { seq, unread };
  }

  /** Entries read from the store as JSON texts. What was taken back since is only named: what it said reaches nobody any more. */
  async encodePage(stream: string, entries: StoredEntry[]): Promise<string[]> {
    const shown = entries.map((entry) => shownSeq(stream, entry));
    const marks = await this.#store.marks(stream, [...new Set(shown.filter((seq) => seq !== null))]);
    const gone = new Set(marks.filter(({ rescinded }) => rescinded !== null).map(({ seq }) => seq));
    return entries.map((entry, index) => {
      const seq = shown[index] ?? null;
      return seq !== null && gone.has(seq) ? encodeWithdrawn(stream, entry) : encodeEntry(stream, entry);
    });
  }

  /** An entry of this member's stream, stored just now, as JSON text. */
  encode(stream: string, entry: StoredEntry): string {
    return encodeEntry(stream, entry);
  }
}

const KIND_OF = { read: "read", unread: "unread", archive: "archived", unarchive: "unarchived" } as const;

function decision(
  kind: string,
  data: object,
  count: number,
  at: number,
  companion: InboxChange,
  key = `mark:${randomUUID()}`,
): NonNullable<Decision<InboxChange>> {
  return { draft: { key, kind, own: JSON.stringify(data), count, at }, companion };
}

function notFound(id: string): never {
  throw new BelfryError("not_found", `None of your notifications has the id ${JSON.stringify(id)}; nothing was changed.`);
}
