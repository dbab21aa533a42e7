/**
 * The words of the core. A *stream* is an append-only, gapless sequence of *entries*; *seq* numbers them from 1; *head* is the last seq, *base*
 * the oldest one kept; a *publication* is content that is stored once and fanned out to many streams. The core knows neither what the
 * content means nor where it is stored nor who reads it.
 */

/** Where a reader stands: the last entry that it has applied. `epoch` is opaque; another epoch means another history behind the seqs. */
export interface Cursor {
  epoch: string;
  seq: number;
}

/** The end of a stream: all a writer must know to append. `unread` is the counter after the head entry (0 when empty). */
export interface Tail {
  head: number;
  base: number;
  unread: number;
}

/** What made an entry, so that its way to a screen can be followed. Not stored. */
export interface Origin {
  /** Id of the request. */
  request: string | null;
  /** The request's trace, as the header `traceparent` of W3C Trace Context has it. */
  trace: string | null;
}

/** An entry as stored. Immutable once stored. */
export interface StoredEntry {
  seq: number;
  /** When it was appended: milliseconds since the Unix epoch. */
  at: number;
  kind: string;
  /** The stream's counter after this entry. */
  unread: number;
  /** JSON text of an object: what this entry says itself. */
  own: string;
  /** Id of the publication that the entry shares its content with, or null. */
  publication: string | null;
  /** JSON text of an object: the publication's content, or null where there is none. */
  shared: string | null;
  /** Only with an entry that listeners hear of, and only where it is known. */
  origin?: Origin;
}

/** An entry on its way to a store. `key` is unique within the stream, for ever as long as the entry is kept. */
export interface EntryRow {
  stream: string;
  seq: number;
  key: string;
  at: number;
  kind: string;
  unread: number;
  own: string;
  publication: string | null;
}

/** One recipient of a publication: the stream, and the JSON text of what its entry says itself. */
export interface Recipient {
  stream: string;
  own: string;
}

/**
 * A publication as stored: the memory that makes a repeat harmless. `plan` is who gets an entry, decided once, at the first arrival.
 */
export interface PublicationRecord {
  /** Unique; the caller's idempotency key. */
  id: string;
  /** A second unique name of the same publication, or null. */
  alias: string | null;
  /** The key of every entry of the plan: two publications with one key give a stream at most one entry. */
  key: string;
  kind: string;
  /** When it was first accepted: milliseconds since the Unix epoch. */
  at: number;
  /** JSON text of an object: the content, encoded once for all recipients. */
  shared: string;
  plan: Recipient[];
  /** JSON text for the caller, given back with a duplicate; the core does not read it. */
  note: string;
  /** Names the attempt that stored it, so that a writer with an unknown outcome can recognise its own work. */
  attempt: string;
}

/** Content for many streams at once. `id` and `alias` make a repeat harmless; `key` gives each stream at most one entry for its subject. */
export interface PublishRequest {
  id: string;
  alias: string | null;
  key: string;
  kind: string;
  shared: string;
  plan: Recipient[];
  note: string;
}

/**
 * What became of one recipient's entry. `mine` is false where the stream had an entry with that key from another publication; `seq` is
 * null where the entry is no longer kept.
 */
export interface RecipientResult {
  stream: string;
  seq: number | null;
  mine: boolean;
}

/** `record` is the publication as stored (a duplicate: the first one's); `results` follow `record.plan`. */
export interface Published {
  duplicate: boolean;
  record: PublicationRecord;
  results: RecipientResult[];
}

/** What became of a publication in a store: stored now, or stored before (then: as it is stored). */
export type PublicationOutcome = { stored: true } | { stored: false; existing: PublicationRecord };

/**
 * What became of a row: `stored`; `repeat`, its (stream, key) is stored already, under `seq`; `conflict`, its (stream, seq) is taken and the
 * writer must read the tail again; `skipped`, its publication turned out to be a duplicate, so the row was not tried.
 */
export type RowOutcome =
  | { is: "stored" }
  | { is: "repeat"; seq: number; publication: string | null }
  | { is: "conflict" }
  | { is: "skipped" };

/** A row and what must be stored with it in one transaction; `C` belongs to the room that makes the entry, not to the core. */
export interface Write<C> {
  row: EntryRow;
  companion?: C;
}

export interface AppendBatch<C> {
  publications: PublicationRecord[];
  /** At most one row per stream. */
  writes: Write<C>[];
}

export interface AppendResult {
  publications: PublicationOutcome[];
  rows: RowOutcome[];
}

/** Where an entry with a given key stands. */
export interface FoundKey {
  stream: string;
  seq: number;
  publication: string | null;
}

/** Where an entry stands, or would. */
export interface EntryPlace {
  stream: string;
  seq: number;
}

/**
 * Thrown by `StreamStore.append` when the store cannot tell whether the batch was stored (a connection cut after it was sent). The core then
 * reads back by key. Every other error means that nothing of the batch was stored.
 */
export class OutcomeUnknown extends Error {
  override readonly name = "OutcomeUnknown";
}

/**
 * The port of the core: what a store of streams promises. All reads are of durable state (MongoDB: read concern `majority`).
 * Methods throw `BelfryError` `unavailable` when the store cannot be reached or cannot write.
 */
export interface StreamStore<C = unknown> {
  /** How many `append` calls may be under way at once. */
  readonly concurrency: number;
  /** Opaque name of the history; survives restarts; the same on every node. */
  epoch(): Promise<string>;
  /**
   * Stores a batch durably. Each row is its own compare-and-set: (stream, seq) and (stream, key) are unique. A publication is durable not
   * later than any of its rows. A row with a companion is stored together with it, or not at all.
   * @throws OutcomeUnknown
   */
  append(batch: AppendBatch<C>): Promise<AppendResult>;
  /** Tails of the named streams; a stream without entries has head 0, base 1, unread 0. */
  tails(streams: string[]): Promise<Map<string, Tail>>;
  /** Those of these entries that there are, in any order, each with the counter after it. Far cheaper than tails. */
  look(places: EntryPlace[]): Promise<Array<EntryPlace & { unread: number }>>;
  /** Entries with `after` < seq ≤ `upTo`, in order of seq, at most `limit`. */
  read(stream: string, after: number, upTo: number, limit: number): Promise<StoredEntry[]>;
  /** Entries of one kind with `from` ≤ seq < `before`, newest first, at most `limit`. */
  readBack(stream: string, kind: string, from: number, before: number, limit: number): Promise<StoredEntry[]>;
  /** The entries with these seqs, in any order; missing ones are left out. */
  readAt(stream: string, seqs: number[]): Promise<StoredEntry[]>;
  /** Where the entries with this key stand: in the named streams, or in all. */
  find(key: string, streams?: string[]): Promise<FoundKey[]>;
  /** A publication by its id or alias, or null. */
  publication(name: string): Promise<PublicationRecord | null>;
  /** Moves the base up to `base` (never down), for every reader at once. */
  setBase(stream: string, base: number): Promise<void>;
  /**
   * Deletes entries below the base that are older than `olderThan` (ms), but never the stream's last one: it carries the numbering and the
   * counter. Returns how many.
   */
  deleteBelowBase(stream: string, olderThan: number): Promise<number>;
  /** Up to `limit` stream names after `after` in the store's order, with the seq and time of the oldest entry physically kept. */
  streams(after: string | null, limit: number): Promise<Array<{ stream: string; oldest: number; oldestAt: number }>>;
  /** The last seq whose entry is older than `olderThan` (ms), or 0. Times within a stream may be taken as ascending. */
  lastBefore(stream: string, olderThan: number): Promise<number>;
  /** Deletes publications accepted before `olderThan` (ms). Returns how many. */
  deletePublications(olderThan: number, limit: number): Promise<number>;
  /** Resolves when the store answers; throws `unavailable` otherwise. */
  ping(): Promise<void>;
}
