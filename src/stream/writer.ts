import { BelfryError } from "../errors.js";
import { type Appended, type Draft, type Lane, Lanes, type PendingPublication, type Task } from "./lane.js";
import { APPEND_DEADLINE_MS, MAX_BATCH_ROWS, MAX_WAITING_ROWS, RETRY_MAX_MS, RETRY_MIN_MS } from "./limits.js";
import { readBack } from "./read-back.js";
import {
  type AppendBatch,
  type AppendResult,
  type EntryRow,
  OutcomeUnknown,
  type PublicationOutcome,
  type PublicationRecord,
  type RowOutcome,
  type StoredEntry,
  type StreamStore,
  type Tail,
} from "./types.js";

/** What the writer tells about its work, for metrics. */
export interface WriterObserver {
  batch(rows: number, publications: number): void;
  conflict(): void;
}

interface Planned<C> {
  lane: Lane<C>;
  task: Task<C>;
  row: EntryRow;
}

interface Batch<C> {
  number: number;
  publications: PendingPublication[];
  planned: Planned<C>[];
}

/**
 * Group commit. Work arrives at any time; what has come together when the store is free goes to it as one batch.
 *
 *   publish ─► fresh publications ─┐ (their rows join their streams' lanes when the publication joins a batch)
 *   append ──► lane ─► ready ──────┴─► form ─► store.append ─► settle: stored → deliver, answer
 *                ▲                                              repeat → answer with the stored seq
 *                └──────────── tail read again ◄─────────────── conflict, or outcome unknown and not found
 *
 * A stream has one row in flight at most; a row never travels before its publication.
 */
export class Writer<C> {
  readonly #store: StreamStore<C>;
  readonly #clock: () => number;
  readonly #deliver: (stream: string, entry: StoredEntry) => void;
  readonly #observer: WriterObserver | undefined;
  readonly #lanes = new Lanes<C>();
  readonly #fresh: PendingPublication[] = [];
  #ready = new Set<Lane<C>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #waiting = 0;
  #inFlight = 0;
  #batches = 0;
  #forming = false;
  #scheduled = false;
  #closed = false;
  #idle: (() => void) | null = null;

  constructor(
    store: StreamStore<C>,
    clock: () => number,
    deliver: (stream: string, entry: StoredEntry) => void,
    observer: WriterObserver | undefined,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#deliver = deliver;
    this.#observer = observer;
  }

  /** Queues a draft, or a decision to be taken when its turn comes. Resolves when durable; null when the decision was to write nothing. */
  enqueue(stream: string, work: Pick<Task<C>, "draft" | "decide">): Promise<{ appended: Appended | null; tail: Tail }> {
    return new Promise((resolve, reject) => {
      this.#admit(1);
      const deadline = this.#clock() + APPEND_DEADLINE_MS;
      const done = (appended: Appended | null, tail: Tail) => resolve({ appended, tail });
      this.#push(this.#lanes.get(stream), {
        ...work,
        companion: undefined,
        publication: null,
        attempts: 0,
        deadline,
        done,
        fail: reject,
      });
      this.#schedule();
    });
  }

  /** Queues a publication with its rows. `duplicate` is the stored record where it was published before; `results` follow the plan. */
  publish(record: PublicationRecord): Promise<{ duplicate: PublicationRecord | null; results: Array<Appended | null> }> {
    return new Promise((resolve, reject) => {
      this.#admit(record.plan.length);
      const pending: PendingPublication = {
        record,
        state: "new",
        batch: 0,
        enqueued: false,
        waiting: new Set(),
        results: new Array<Appended | null>(record.plan.length).fill(null),
        missing: record.plan.length,
        resolve: ({ duplicate }) => resolve({ duplicate, results: pending.results }),
        reject,
        deadline: this.#clock() + APPEND_DEADLINE_MS,
      };
      this.#fresh.push(pending);
      this.#schedule();
    });
  }

  /** Takes no more work and resolves when what was taken is settled. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#waiting > 0 || this.#inFlight > 0 || this.#fresh.length > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #admit(rows: number): void {
    if (this.#closed) throw new BelfryError("draining", "This node is stopping; send the request to another one or again in a moment.");
    if (this.#waiting + rows > MAX_WAITING_ROWS) {
      throw new BelfryError("overloaded", "Too many writes are waiting for the store; send again later.", { retryAfterMs: 1_000 });
    }
    this.#waiting += rows;
  }

  #push(lane: Lane<C>, task: Task<C>): void {
    lane.queue.push(task);
    if (!lane.busy) this.#ready.add(lane);
  }

  /** All that arrives in one turn of the event loop shares a batch. */
  #schedule(): void {
    if (this.#scheduled || this.#forming) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#pump();
    });
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }

  async #pump(): Promise<void> {
    if (this.#forming) return;
    this.#forming = true;
    let taken: PendingPublication[] = [];
    try {
      while (this.#inFlight < this.#store.concurrency) {
        taken = this.#takeFresh();
        await this.#loadTails();
        const batch = this.#form(taken);
        taken = [];
        if (batch.publications.length === 0 && batch.planned.length === 0) break;
        this.#inFlight++;
        void this.#commit(batch).finally(() => {
          this.#inFlight--;
          this.#schedule();
        });
      }
    } catch (error) {
      this.#fresh.unshift(...taken);
      this.#expire(error);
      this.#later(RETRY_MAX_MS, () => this.#schedule());
    } finally {
      this.#forming = false;
    }
    if (this.#waiting === 0 && this.#inFlight === 0 && this.#fresh.length === 0) this.#idle?.();
  }

  /** Fresh publications for one batch, in the order of their arrival, and their rows into the lanes. */
  #takeFresh(): PendingPublication[] {
    const taken: PendingPublication[] = [];
    let rows = 0;
    for (const pending of this.#fresh) {
      if (rows >= MAX_BATCH_ROWS || taken.length >= MAX_BATCH_ROWS) break;
      taken.push(pending);
      rows += pending.record.plan.length;
      if (!pending.enqueued) this.#enqueueRows(pending);
    }
    this.#fresh.splice(0, taken.length);
    return taken;
  }

  #enqueueRows(pending: PendingPublication): void {
    pending.enqueued = true;
    const { record } = pending;
    for (const [index, recipient] of record.plan.entries()) {
      const draft: Draft = { key: record.key, kind: record.kind, own: recipient.own, count: 1, publication: record.id, shared: record.shared };
      this.#push(this.#lanes.get(recipient.stream), {
        draft,
        companion: undefined,
        decide: null,
        publication: pending,
        attempts: 0,
        deadline: pending.deadline,
        done: (result) => {
          pending.results[index] = result;
          pending.missing--;
          this.#endIfComplete(pending);
        },
        fail: (error) => {
          pending.state = "ended";
          pending.reject(error);
        },
      });
    }
  }

  async #loadTails(): Promise<void> {
    const cold: string[] = [];
    for (const lane of this.#ready) if (lane.tail === null) cold.push(lane.stream);
    if (cold.length === 0) return;
    const tails = await this.#store.tails(cold);
    for (const [stream, tail] of tails) {
      const lane = this.#lanes.get(stream);
      // A lane that became busy meanwhile knows better.
      if (lane.tail === null) lane.tail = tail;
    }
  }

  #form(publications: PendingPublication[]): Batch<C> {
    const batch: Batch<C> = { number: ++this.#batches, publications, planned: [] };
    for (const pending of publications) {
      pending.state = "sent";
      pending.batch = batch.number;
      this.#wake(pending);
    }
    const at = this.#clock();
    for (const lane of this.#ready) {
      if (batch.planned.length >= MAX_BATCH_ROWS && publications.length === 0) break;
      // Reads of tails were awaited, so a lane may have arrived without one since.
      if (lane.tail === null) continue;
      const task = this.#head(lane);
      if (task === null) {
        this.#ready.delete(lane);
        continue;
      }
      const publication = task.publication;
      if (publication !== null && publication.state !== "stored" && publication.batch !== batch.number) {
        this.#ready.delete(lane);
        publication.waiting.add(lane as Lane<unknown>);
        continue;
      }
      if (batch.planned.length >= MAX_BATCH_ROWS && publication?.batch !== batch.number) continue;
      this.#ready.delete(lane);
      lane.busy = true;
      if (task.draft === null) void this.#decide(lane, task, lane.tail);
      else batch.planned.push({ lane, task, row: toRow(lane.stream, lane.tail, task.draft, at) });
    }
    return batch;
  }

  /** The lane's next task that still has somebody waiting for it. */
  #head(lane: Lane<C>): Task<C> | null {
    for (;;) {
      const task = lane.queue[0];
      if (task === undefined) return null;
      if (task.publication?.state !== "ended") return task;
      lane.queue.shift();
      this.#waiting--;
    }
  }

  async #decide(lane: Lane<C>, task: Task<C>, tail: Tail): Promise<void> {
    try {
      const decision = await (task.decide as NonNullable<Task<C>["decide"]>)(tail, tail.head + 1);
      if (decision === null) {
        this.#finish(lane);
        task.done(null, tail);
      } else {
        task.draft = decision.draft;
        task.companion = decision.companion;
        this.#release(lane);
      }
    } catch (error) {
      // A failed decision may have moved the base, so the tail is read again.
      lane.tail = null;
      this.#finish(lane);
      task.fail(error);
    }
    this.#schedule();
  }

  async #commit(batch: Batch<C>): Promise<void> {
    this.#observer?.batch(batch.planned.length, batch.publications.length);
    const request: AppendBatch<C> = {
      publications: batch.publications.map((pending) => pending.record),
      writes: batch.planned.map(({ row, task }) => (task.companion === undefined ? { row } : { row, companion: task.companion })),
    };
    let result: AppendResult;
    try {
      result = await this.#store.append(request);
    } catch (error) {
      if (!(error instanceof OutcomeUnknown)) return this.#failBatch(batch, error);
      try {
        result = await readBack(this.#store, request, this.#clock);
      } catch (cause) {
        return this.#failBatch(batch, cause);
      }
    }
    for (const [index, outcome] of result.publications.entries()) {
      this.#settlePublication(batch.publications[index] as PendingPublication, outcome);
    }
    for (const [index, outcome] of result.rows.entries()) this.#settleRow(batch.planned[index] as Planned<C>, outcome);
  }

  #settlePublication(pending: PendingPublication, outcome: PublicationOutcome): void {
    if (outcome.stored) {
      pending.state = "stored";
      this.#endIfComplete(pending);
    } else if (outcome.existing === pending.record) {
      // Read back after an unknown outcome and not found: it goes again, ahead of all others. Its rows are in their lanes already.
      pending.state = "new";
      this.#fresh.unshift(pending);
    } else {
      pending.state = "ended";
      pending.resolve({ duplicate: outcome.existing });
    }
    this.#wake(pending);
  }

  /** Lanes that waited for this publication may go on. */
  #wake(pending: PendingPublication): void {
    for (const lane of pending.waiting) this.#ready.add(lane as Lane<C>);
    pending.waiting.clear();
  }

  #endIfComplete(pending: PendingPublication): void {
    if (pending.missing > 0 || pending.state !== "stored") return;
    pending.state = "ended";
    pending.resolve({ duplicate: null });
  }

  #settleRow({ lane, task, row }: Planned<C>, outcome: RowOutcome): void {
    switch (outcome.is) {
      case "stored": {
        const tail = { head: row.seq, base: lane.tail?.base ?? 1, unread: row.unread };
        lane.tail = tail;
        this.#finish(lane);
        const shared = task.draft?.shared ?? null;
        const { seq, at, kind, unread, own, publication } = row;
        this.#deliver(lane.stream, { seq, at, kind, unread, own, publication, shared });
        task.done({ seq, unread, repeated: false, publication }, tail);
        return;
      }
      case "repeat": {
        const tail = lane.tail as Tail;
        this.#finish(lane);
        task.done({ seq: outcome.seq, unread: tail.unread, repeated: true, publication: outcome.publication }, tail);
        return;
      }
      case "conflict": {
        this.#observer?.conflict();
        lane.tail = null;
        if (task.decide !== null) task.draft = null;
        if (this.#clock() > task.deadline) {
          this.#finish(lane);
          task.fail(new BelfryError("unavailable", "The stream was too busy to take the entry in time; send it again with the same id."));
          return;
        }
        const pause = Math.min(RETRY_MIN_MS * 2 ** Math.min(task.attempts++, 10), RETRY_MAX_MS) * Math.random();
        // The first retries go at once: the cache was stale, and the fresh tail settles it.
        if (task.attempts <= 2) this.#release(lane);
        else this.#later(pause, () => this.#release(lane));
        return;
      }
      case "skipped":
        // Its publication ended as a duplicate or goes again; `#head` drops the task in the first case.
        this.#release(lane);
    }
  }

  #failBatch(batch: Batch<C>, error: unknown): void {
    for (const pending of batch.publications) {
      pending.state = "ended";
      pending.reject(error);
      this.#wake(pending);
    }
    for (const { lane, task } of batch.planned) {
      lane.tail = null;
      this.#finish(lane);
      task.fail(error);
    }
  }

  /** The store cannot even be read: whoever has waited too long gets the error. */
  #expire(error: unknown): void {
    const now = this.#clock();
    for (const pending of this.#fresh.filter((one) => one.deadline < now)) {
      this.#fresh.splice(this.#fresh.indexOf(pending), 1);
      if (!pending.enqueued) this.#waiting -= pending.record.plan.length;
      pending.state = "ended";
      pending.reject(error);
      this.#wake(pending);
    }
    for (const lane of this.#ready) {
      const task = this.#head(lane);
      if (task !== null && task.deadline < now) {
        this.#finish(lane);
        task.fail(error);
      }
    }
  }

  /** The lane's first task has ended. */
  #finish(lane: Lane<C>): void {
    lane.queue.shift();
    this.#waiting--;
    this.#release(lane);
  }

  #release(lane: Lane<C>): void {
    lane.busy = false;
    if (lane.queue.length > 0) {
      this.#ready.add(lane);
      this.#schedule();
    }
  }
}

function toRow(stream: string, tail: Tail, draft: Draft, at: number): EntryRow {
  return {
    stream,
    seq: tail.head + 1,
    key: draft.key,
    at: draft.at ?? at,
    kind: draft.kind,
    unread: Math.max(0, tail.unread + draft.count),
    own: draft.own,
    publication: draft.publication ?? null,
  };
}
