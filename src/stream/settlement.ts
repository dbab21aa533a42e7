import { BelfryError } from "../errors.js";
import type { Appended, Lane, PendingPublication, Task } from "./lane.js";
import { RETRY_MAX_MS, RETRY_MIN_MS } from "./limits.js";
import type { Queue } from "./queue.js";
import type { AppendResult, EntryRow, PublicationOutcome, RowOutcome, StoredEntry, Tail } from "./types.js";

/** What the writer tells about its work, for metrics. */
export interface WriterObserver {
  batch(rows: number, publications: number): void;
  conflict(): void;
}

/** Who hears of what was appended: hints, on which nothing but speed depends. */
export interface Listener {
  /** This entry is durable. */
  entry: (stream: string, entry: StoredEntry) => void;
  /** The stream goes at least to this seq. */
  head: (stream: string, seq: number) => void;
}

/** A row on its way, and the lane and task that it is for. */
export interface Planned<C> {
  lane: Lane<C>;
  task: Task<C>;
  row: EntryRow;
}

/** What goes to the store as one. */
export interface Batch<C> {
  number: number;
  publications: PendingPublication[];
  planned: Planned<C>[];
}

export interface SettlementOptions<C> {
  queue: Queue<C>;
  clock: () => number;
  listener: Listener;
  /** A publication was not stored after all and goes again, ahead of all others. */
  resubmit: (pending: PendingPublication) => void;
  observer: WriterObserver | undefined;
}

/** What follows from the store's answer: who is told what, and which lanes go on. */
export class Settlement<C> {
  readonly #options: SettlementOptions<C>;

  constructor(options: SettlementOptions<C>) {
    this.#options = options;
  }

  settle(batch: Batch<C>, result: AppendResult): void {
    for (let index = 0; index < batch.publications.length; index++) {
      this.#settlePublication(batch.publications[index] as PendingPublication, result.publications[index] as PublicationOutcome);
    }
    for (let index = 0; index < batch.planned.length; index++) {
      this.#settleRow(batch.planned[index] as Planned<C>, result.rows[index] as RowOutcome);
    }
  }

  /** Nothing of the batch was stored, or nobody can say. */
  fail(batch: Batch<C>, error: unknown): void {
    for (const pending of batch.publications) this.failPublication(pending, error);
    for (const { lane, task } of batch.planned) {
      lane.tail = null;
      this.failTask(lane, task, error);
    }
  }

  failPublication(pending: PendingPublication, error: unknown): void {
    pending.state = "ended";
    pending.reject(error);
    this.#options.queue.wake(pending);
  }

  failTask(lane: Lane<C>, task: Task<C>, error: unknown): void {
    this.#options.queue.finish(lane);
    if (task.publication !== null) this.failPublication(task.publication, error);
    else task.fail?.(error);
  }

  #settlePublication(pending: PendingPublication, outcome: PublicationOutcome): void {
    if (outcome.stored) {
      pending.state = "stored";
      this.#endIfComplete(pending);
    } else if (outcome.existing === pending.record) {
      if (this.#options.clock() > pending.deadline) {
        this.failPublication(pending, tooLate());
      } else {
        pending.state = "new";
        this.#options.resubmit(pending);
      }
    } else {
      pending.state = "ended";
      pending.resolve({ duplicate: outcome.existing });
    }
    this.#options.queue.wake(pending);
  }

  #endIfComplete(pending: PendingPublication): void {
    if (pending.missing > 0 || pending.state !== "stored") return;
    pending.state = "ended";
    pending.resolve({ duplicate: null });
  }

  #settleRow({ lane, task, row }: Planned<C>, outcome: RowOutcome): void {
    const { queue, listener, observer } = this.#options;
    switch (outcome.is) {
      case "stored": {
        const { seq, at, kind, unread, own, publication } = row;
        const tail = { head: seq, base: task.draft?.base ?? lane.tail?.base ?? 1, unread };
        lane.tail = tail;
        queue.finish(lane);
        const entry = { seq, at, kind, unread, own, publication, shared: task.draft?.shared ?? null };
        listener.entry(lane.stream, task.origin === null ? entry : { ...entry, origin: task.origin });
        this.#done(task, { seq, unread, repeated: false, publication }, tail);
        return;
      }
      case "repeat": {
        const tail = lane.tail as Tail;
        // The row of an attempt whose outcome was unknown may have arrived late: the tail is behind it, and nobody has heard of it yet.
        lane.tail = null;
        queue.finish(lane);
        listener.head(lane.stream, outcome.seq);
        const unread = outcome.seq === row.seq ? row.unread : tail.unread;
        this.#done(task, { seq: outcome.seq, unread, repeated: true, publication: outcome.publication }, tail);
        return;
      }
      case "conflict":
        observer?.conflict();
        this.#tryAgain(lane, task, row.seq);
        return;
      case "skipped":
        // Its publication ended as a duplicate, and the queue drops the task, or goes again.
        queue.release(lane);
    }
  }

  #done({ publication, index, done }: Task<C>, result: Appended, tail: Tail): void {
    if (publication === null) {
      done?.(result, tail);
      return;
    }
    publication.results[index] = result;
    publication.missing--;
    this.#endIfComplete(publication);
  }

  /** `taken`: the seq that another writer was faster to take. */
  #tryAgain(lane: Lane<C>, task: Task<C>, taken: number): void {
    const { queue, clock } = this.#options;
    // Most often just that one is new. Where that is not all, the whole tail is read.
    if (task.attempts === 0) queue.heard(lane.stream, taken);
    else lane.tail = null;
    if (task.decide !== null) task.draft = null;
    if (clock() > task.deadline) {
      this.failTask(lane, task, tooLate());
      return;
    }
    // The first retries go at once: the cache was stale, and the fresh tail settles it.
    if (++task.attempts <= 2) {
      queue.release(lane);
      return;
    }
    const pause = Math.min(RETRY_MIN_MS * 2 ** Math.min(task.attempts, 10), RETRY_MAX_MS) * Math.random();
    setTimeout(() => queue.release(lane), pause);
  }
}

function tooLate(): BelfryError {
  return new BelfryError("unavailable", "The store did not take the write in time; send it again with the same id or key.");
}
