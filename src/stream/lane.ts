import { MAX_LANES } from "./limits.js";
import type { Origin, PublicationRecord, Tail } from "./types.js";

/** What an entry says, before it has a place. `count` is added to the stream's counter. */
export interface Draft {
  key: string;
  kind: string;
  own: string;
  count: number;
  /** The stream's base after this entry, where the companion moves it. */
  base?: number;
  /** The entry's time, where the companion must agree with it; else the writer's. Milliseconds. */
  at?: number;
  publication?: string;
  /** The publication's content, for listeners; stored with the publication, not with the entry. */
  shared?: string;
}

/** A draft that depends on what the stream holds now, and what must be stored with it. `null`: nothing changes, no entry. */
export type Decision<C> = { draft: Draft; companion: C } | null;

/** What became of an append. `repeated`: the key was stored before, under `seq`; `publication` is then the one it came from. */
export interface Appended {
  seq: number;
  unread: number;
  repeated: boolean;
  publication: string | null;
}

/** A publication on its way: `waiting` holds lanes whose next row may not go before the publication is durable. */
export interface PendingPublication {
  record: PublicationRecord;
  origin: Origin | null;
  state: "new" | "sent" | "stored" | "ended";
  batch: number;
  enqueued: boolean;
  waiting: Set<Lane<unknown>>;
  results: Array<Appended | null>;
  missing: number;
  resolve: (outcome: { duplicate: PublicationRecord | null }) => void;
  reject: (error: unknown) => void;
  deadline: number;
}

/** One append waiting in its stream's lane. Exactly one of `draft` and `decide` leads to the row. */
export interface Task<C> {
  draft: Draft | null;
  companion: C | undefined;
  decide: ((tail: Tail, seq: number) => Promise<Decision<C>>) | null;
  origin: Origin | null;
  /** Where the row is a publication's: that, and the recipient's place in its plan; `done` and `fail` are then null. */
  publication: PendingPublication | null;
  index: number;
  attempts: number;
  deadline: number;
  done: ((result: Appended | null, tail: Tail) => void) | null;
  fail: ((error: unknown) => void) | null;
}

/**
 * The writer's view of one stream. Appends pass one at a time: two rows of one stream in one unordered batch could leave a gap if the first
 * is refused. `tail` is a cache; the store's compare-and-set makes a stale one harmless.
 */
export interface Lane<C> {
  stream: string;
  tail: Tail | null;
  /** Whether of the tail only head and counter are of now, and the base may have moved. */
  isBaseOld: boolean;
  /** The highest seq that another node is said to have written, or 0: a rumour, which the store has to confirm. */
  heard: number;
  /** Before so many more appends the store is asked whether another node has written meanwhile. */
  looks: number;
  queue: Task<C>[];
  /** A row is in flight, a decision is being taken, or a pause before a retry runs. */
  busy: boolean;
}

/** The lanes by stream name; idle ones are forgotten, oldest first, above `MAX_LANES`. */
export class Lanes<C> {
  readonly #lanes = new Map<string, Lane<C>>();

  get(stream: string): Lane<C> {
    let lane = this.#lanes.get(stream);
    if (lane === undefined) {
      if (this.#lanes.size >= MAX_LANES) this.#evict();
      lane = { stream, tail: null, isBaseOld: false, heard: 0, looks: 0, queue: [], busy: false };
      this.#lanes.set(stream, lane);
    }
    return lane;
  }

  /** The lane where there is one. */
  find(stream: string): Lane<C> | undefined {
    return this.#lanes.get(stream);
  }

  #evict(): void {
    let left = Math.ceil(MAX_LANES / 100);
    for (const [stream, lane] of this.#lanes) {
      if (left === 0) return;
      if (lane.busy || lane.queue.length > 0) continue;
      this.#lanes.delete(stream);
      left--;
    }
  }
}
