import { BelfryError } from "../errors.js";
import type { StoredEntry, StreamStore, Tail } from "../stream/types.js";
import { type Notification, seqOfId, streamOf, toNotification } from "./notification.js";
import type { InboxState, InboxStore } from "./types.js";
import { counts, type View, viewOf, watermark } from "./view.js";

export type Filter = "all" | "unread" | "archived";

/** A notification's entry and how it looks now. */
export interface Seen {
  entry: StoredEntry;
  view: View;
}

/** Entries looked at between two breaths of the event loop while a list is put together. Threat: a long inbox that starves the others. */
const SCAN_STEP = 200;

/** Lists and counts: how a member's notifications look now. */
export class InboxReader {
  readonly #streams: StreamStore<unknown>;
  readonly #store: InboxStore;

  constructor(streams: StreamStore<unknown>, store: InboxStore) {
    this.#streams = streams;
    this.#store = store;
  }

  /** A page, newest first. `before` is the id that the last page ended with. @throws BelfryError `not_found` for an id of somebody else. */
  async list(
    user: string,
    filter: Filter,
    before: string | undefined,
    limit: number,
    tail: Tail,
  ): Promise<{ items: Notification[]; more: boolean }> {
    const stream = streamOf(user);
    let end = tail.head + 1;
    if (before !== undefined) {
      const seq = seqOfId(stream, before);
      if (seq === null) throw new BelfryError("not_found", "`before` is not the id of one of your notifications.");
      end = Math.min(end, seq);
    }
    const found: Seen[] = [];
    for await (const one of this.#scan(stream, filter, tail.base, end)) {
      found.push(one);
      if (found.length > limit) break;
    }
    const items = found.slice(0, limit).map(({ entry, view }) => toNotification(stream, entry, view));
    return { items, more: found.length > limit };
  }

  /** How many notifications after `seq` count as unread. */
  async countUnreadAfter(stream: string, seq: number, tail: Tail): Promise<number> {
    let count = 0;
    for await (const { view } of this.#walk(stream, Math.max(seq + 1, tail.base), tail.head + 1)) if (counts(view)) count++;
    return count;
  }

  /** How these notifications look, in any order; a seq that is not a notification's is left out. */
  async look(stream: string, seqs: number[]): Promise<Seen[]> {
    const entries = (await this.#streams.readAt(stream, seqs)).filter((entry) => entry.kind === "notification");
    return this.#see(stream, entries);
  }

  /** Whether a notification was created with `from` ≤ seq ≤ `upTo`. */
  async hasNew(stream: string, from: number, upTo: number): Promise<boolean> {
    return (await this.#streams.readBack(stream, "notification", from, upTo + 1, 1)).length > 0;
  }

  async *#scan(stream: string, filter: Filter, base: number, end: number): AsyncGenerator<Seen> {
    if (filter === "archived") {
      yield* this.#marked(stream, base, end, "archived", (view) => view.archivedAt !== null && view.rescinded === null);
      return;
    }
    if (filter === "all") {
      for await (const one of this.#walk(stream, base, end)) {
        if (one.view.archivedAt === null && one.view.rescinded === null) yield one;
      }
      return;
    }
    // Below the watermark only what was marked unread by itself can be unread, and that has an index.
    const read = watermark(await this.#store.state(stream))?.upTo ?? 0;
    for await (const one of this.#walk(stream, Math.max(base, read + 1), end)) if (counts(one.view)) yield one;
    yield* this.#marked(stream, base, Math.min(end, read + 1), "markedUnread", counts);
  }

  /** All notifications of the range, newest first. */
  async *#walk(stream: string, from: number, end: number): AsyncGenerator<Seen> {
    let before = end;
    while (before > from) {
      const entries = await this.#streams.readBack(stream, "notification", from, before, SCAN_STEP);
      yield* await this.#see(stream, entries);
      const last = entries.at(-1);
      if (last === undefined || entries.length < SCAN_STEP) return;
      before = last.seq;
      await breathe();
    }
  }

  async *#marked(
    stream: string,
    from: number,
    end: number,
    index: "archived" | "markedUnread",
    wanted: (view: View) => boolean,
  ): AsyncGenerator<Seen> {
    let before = end;
    while (before > from) {
      const marks = await this.#store[index](stream, from, before, SCAN_STEP);
      const seen = await this.look(
        stream,
        marks.map((mark) => mark.seq),
      );
      seen.sort((one, other) => other.entry.seq - one.entry.seq);
      for (const one of seen) if (wanted(one.view)) yield one;
      const last = marks.at(-1);
      if (last === undefined || marks.length < SCAN_STEP) return;
      before = last.seq;
      await breathe();
    }
  }

  async #see(stream: string, entries: StoredEntry[]): Promise<Seen[]> {
    if (entries.length === 0) return [];
    const seqs = entries.map((entry) => entry.seq);
    const [marks, state] = await Promise.all([this.#store.marks(stream, seqs), this.#store.state(stream)]);
    const bySeq = new Map(marks.map((mark) => [mark.seq, mark]));
    return entries.map((entry) => ({ entry, view: viewOf(entry.seq, bySeq.get(entry.seq), state as InboxState) }));
  }
}

function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
