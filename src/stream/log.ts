import { randomBytes } from "node:crypto";
import { BelfryError } from "../errors.js";
import type { Appended, Decision, Draft } from "./lane.js";
import { IDEMPOTENCY_WINDOW_MS } from "./limits.js";
import type { Listener, WriterObserver } from "./settlement.js";
import type { Origin, PublicationRecord, Published, PublishRequest, RecipientResult, StoredEntry, StreamStore, Tail } from "./types.js";
import { Writer } from "./writer.js";

/** What `append` and `transact` answer. */
export type AppendAnswer = Pick<Appended, "seq" | "unread" | "repeated">;

/** What a reader needs of the log. */
export type StreamReader = Pick<StreamLog, "epoch" | "tail" | "headsAfter" | "page" | "subscribe">;

export interface StreamLogOptions<C> {
  store: StreamStore<C>;
  clock?: () => number;
  observer?: WriterObserver;
  /** What is being worked on where it is called: listeners hear of it with the entries that come of it. */
  origin?: () => Origin | null;
}

/**
 * The durable streams of one node. Nothing resolves before it is durable. Entries that this node appends reach listeners in order of seq;
 * those of other nodes as they are heard of: late, doubled, out of order or not at all. Errors: `unavailable`, `reset`.
 */
export class StreamLog<C = unknown> {
  readonly #store: StreamStore<C>;
  readonly #clock: () => number;
  readonly #writer: Writer<C>;
  readonly #origin: () => Origin | null;
  readonly #listeners = new Set<Listener>();
  /** Those who hear only of what this node appends. */
  readonly #appendListeners = new Set<Listener>();
  /** Names this log among all that ever write to the store; with a count it names an attempt. */
  readonly #writerName = randomBytes(9).toString("base64url");
  #attempts = 0;

  constructor(options: StreamLogOptions<C>) {
    this.#store = options.store;
    this.#clock = options.clock ?? Date.now;
    this.#origin = options.origin ?? noOrigin;
    const entry = (stream: string, stored: StoredEntry) => {
      for (const listener of this.#listeners) listener.entry(stream, stored);
      for (const listener of this.#appendListeners) listener.entry(stream, stored);
    };
    const head = (stream: string, seq: number) => {
      for (const listener of this.#listeners) listener.head(stream, seq);
      for (const listener of this.#appendListeners) listener.head(stream, seq);
    };
    this.#writer = new Writer(options.store, this.#clock, { entry, head }, options.observer);
  }

  /** Stores content once and an entry for each recipient. A repeat finishes what an interrupted first attempt left undone. */
  async publish(request: PublishRequest): Promise<Published> {
    const { id, alias, key, kind, shared, plan, note } = request;
    const attempt = `${this.#writerName}.${(this.#attempts++).toString(36)}`;
    const record: PublicationRecord = { id, alias, key, kind, at: this.#clock(), shared, plan, note, attempt };
    const { duplicate, results } = await this.#writer.publish(record, this.#origin());
    if (duplicate !== null) return { duplicate: true, record: duplicate, results: await this.#settle(duplicate) };
    return { duplicate: false, record, results: record.plan.map(({ stream }, index) => toResult(record, stream, results[index] ?? null)) };
  }

  /** A publication by id or alias, or null. */
  publication(name: string): Promise<PublicationRecord | null> {
    return this.#store.publication(name);
  }

  /** Where the entries with this key stand, in all streams. */
  async find(key: string): Promise<Array<{ stream: string; seq: number }>> {
    return this.#store.find(key);
  }

  /** Appends one entry; a key that the stream has already gives the stored seq and `repeated`. */
  async append(stream: string, draft: Draft): Promise<AppendAnswer> {
    const { appended } = await this.#writer.enqueue(stream, { draft, decide: null, origin: this.#origin() });
    const { seq, unread, repeated } = appended as Appended;
    return { seq, unread, repeated };
  }

  /**
   * Appends what `decide` makes of the stream's present tail, together with a companion, or nothing (null). `decide` gets the seq that the
   * entry will have; it runs again when another writer was faster, so it must have no effect of its own besides reading.
   */
  async transact(stream: string, decide: (tail: Tail, seq: number) => Promise<Decision<C>>): Promise<AppendAnswer> {
    const { appended, tail } = await this.#writer.enqueue(stream, { draft: null, decide, origin: this.#origin() });
    if (appended === null) return { seq: tail.head, unread: tail.unread, repeated: false };
    return { seq: appended.seq, unread: appended.unread, repeated: appended.repeated };
  }

  epoch(): Promise<string> {
    return this.#store.epoch();
  }

  /** The stream's end as the store has it now. */
  async tail(stream: string): Promise<Tail> {
    return (await this.#store.tails([stream])).get(stream) ?? { head: 0, base: 1, unread: 0 };
  }

  /**
   * The heads of those streams that go on after the seq that is named with each, which the caller has seen within the idempotency window.
   * The others are left out.
   */
  async headsAfter(seen: Map<string, number>): Promise<Map<string, number>> {
    const found = await this.#store.look(Array.from(seen, ([stream, seq]) => ({ stream, seq: seq + 1 })));
    const tails = found.length === 0 ? new Map<string, Tail>() : await this.#store.tails(found.map(({ stream }) => stream));
    return new Map([...tails].map(([stream, { head }]) => [stream, head]));
  }

  /**
   * The entries after `after`, at most `limit`, without a gap.
   * @throws BelfryError `reset` when `after` is older than the base allows or past the head.
   */
  async page(stream: string, after: number, limit: number): Promise<StoredEntry[]> {
    const tail = await this.tail(stream);
    if (after < tail.base - 1 || after > tail.head) throw resetError();
    if (after === tail.head) return [];
    const entries = await this.#store.read(stream, after, tail.head, limit);
    // Trimming may have run between the two reads; a page that starts late would look complete and is not.
    if (entries[0]?.seq !== after + 1) throw resetError();
    return entries;
  }

  /** Moves the base of a stream up to `base`, at most past its head. Entries below it are gone for readers at once. */
  async trim(stream: string, base: number): Promise<void> {
    await this.#writer.enqueue(stream, {
      draft: null,
      decide: async (tail) => {
        const to = Math.min(base, tail.head + 1);
        if (to > tail.base) await this.#store.setBase(stream, to);
        return null;
      },
      origin: null,
    });
    await this.#store.deleteBelowBase(stream, this.#clock() - IDEMPOTENCY_WINDOW_MS);
  }

  /**
   * Calls `entry` with each entry that this node appends, right after it is durable, and with what it hears of those of other nodes; and
   * `head` where it learns that a stream goes to a seq without having the entry at hand. Returns the way to stop it.
   */
  subscribe(entry: Listener["entry"], head: Listener["head"] = () => {}): () => void {
    return addTo(this.#listeners, { entry, head });
  }

  /** As `subscribe`, and only of what this node appends. */
  onAppend(entry: Listener["entry"], head: Listener["head"] = () => {}): () => void {
    return addTo(this.#appendListeners, { entry, head });
  }

  /** Another node says that it has appended this entry. Throws nothing; returns the first error of a listener, or null. */
  hear(stream: string, entry: StoredEntry): unknown {
    this.#writer.heard(stream, entry.seq);
    return this.#tell((listener) => listener.entry(stream, entry));
  }

  /** Another node says that a stream goes to this seq. Throws and returns as `hear`. */
  hearHead(stream: string, seq: number): unknown {
    this.#writer.heard(stream, seq);
    return this.#tell((listener) => listener.head(stream, seq));
  }

  /** Rows that were taken in and are not settled. */
  get waiting(): number {
    return this.#writer.waiting;
  }

  /** Refuses new work and resolves when all that was taken is settled. The store stays open. */
  close(): Promise<void> {
    return this.#writer.close();
  }

  #tell(tell: (listener: Listener) => void): unknown {
    let failure: unknown = null;
    for (const listener of this.#listeners) {
      try {
        tell(listener);
      } catch (error) {
        failure ??= error;
      }
    }
    return failure;
  }

  /** The results of a publication stored before: looked up, and appended where a crash came between. */
  async #settle(record: PublicationRecord): Promise<RecipientResult[]> {
    if (record.plan.length === 0) return [];
    const streams = record.plan.map(({ stream }) => stream);
    const found = new Map((await this.#store.find(record.key, streams)).map((one) => [one.stream, one]));
    const keysAreKept = record.at > this.#clock() - IDEMPOTENCY_WINDOW_MS;
    return Promise.all(
      record.plan.map(async ({ stream, own }): Promise<RecipientResult> => {
        const known = found.get(stream);
        if (known !== undefined) return { stream, seq: known.seq, mine: known.publication === record.id };
        if (!keysAreKept) return { stream, seq: null, mine: true };
        const draft: Draft = { key: record.key, kind: record.kind, own, count: 1, publication: record.id, shared: record.shared };
        const { appended } = await this.#writer.enqueue(stream, { draft, decide: null, origin: this.#origin() });
        return toResult(record, stream, appended);
      }),
    );
  }
}

function noOrigin(): null {
  return null;
}

function addTo(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function toResult(record: PublicationRecord, stream: string, appended: Appended | null): RecipientResult {
  if (appended === null) return { stream, seq: null, mine: true };
  return { stream, seq: appended.seq, mine: !appended.repeated || appended.publication === record.id };
}

function resetError(): BelfryError {
  return new BelfryError("reset", "This cursor cannot be continued: take a snapshot and go on from its seq.");
}
