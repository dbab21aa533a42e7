import { BelfryError } from "../errors.js";
import { lastDeadline, toRequest, toRow } from "./batch.js";
import { Deadlines, unconfirmed } from "./deadlines.js";
import type { Appended, Lane, PendingPublication, Task } from "./lane.js";
import { APPEND_DEADLINE_MS, MAX_BATCH_ROWS, MAX_LINGER_TURNS, MAX_PUBLICATION_ROWS, RETRY_MAX_MS } from "./limits.js";
import { Queue } from "./queue.js";
import { readBack } from "./read-back.js";
import { type Batch, type Listener, Settlement, type WriterObserver } from "./settlement.js";
import { bringUpTails } from "./tails.js";
import {
  type AppendResult,
  type Origin,
  OutcomeUnknown,
  type PublicationRecord,
  type Recipient,
  type StreamStore,
  type Tail,
} from "./types.js";

/**
 * Group commit. Work arrives at any time; what has come together when the store is free goes to it as one batch.
 *
 *   publish ─► fresh publications ─┐ (their rows join their streams' lanes when the publication joins a batch)
 *   append ──► lane ─► ready ──────┴─► form ─► store.append ─► settle: stored → deliver, answer
 *                ▲                                              repeat → answer with the stored seq
 *                └──────── tail brought up to date ◄─────────── conflict, or outcome unknown and not found
 *
 * A stream has one row in flight at most; a row never travels before its publication.
 */
export class Writer<C> {
  readonly #store: StreamStore<C>;
  readonly #clock: () => number;
  readonly #observer: WriterObserver | undefined;
  readonly #queue = new Queue<C>(() => this.#schedule());
  readonly #fresh: PendingPublication[] = [];
  readonly #settlement: Settlement<C>;
  readonly #deadlines: Deadlines;
  #inFlight = 0;
  #batches = 0;
  #forming = false;
  /** Publications since the last look. */
  #arrived = 0;
  #scheduled = false;
  #closed = false;
  #idle: (() => void) | null = null;
  #closing: Promise<void> | null = null;
  /** Work came while a batch was being formed. */
  #again = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(store: StreamStore<C>, clock: () => number, listener: Listener, observer: WriterObserver | undefined) {
    this.#store = store;
    this.#clock = clock;
    this.#observer = observer;
    this.#deadlines = new Deadlines(clock, () => this.#schedule());
    const resubmit = (pending: PendingPublication) => this.#fresh.unshift(pending);
    this.#settlement = new Settlement({ queue: this.#queue, clock, listener, resubmit, observer });
  }

  /** Queues a draft, or a decision to be taken when its turn comes. Resolves when durable; null when the decision was to write nothing. */
  enqueue(stream: string, work: Pick<Task<C>, "draft" | "decide" | "origin">): Promise<{ appended: Appended | null; tail: Tail }> {
    return new Promise((resolve, reject) => {
      this.#admit(1);
      const deadline = this.#clock() + APPEND_DEADLINE_MS;
      const caller = this.#deadlines.add(resolve, reject);
      this.#queue.push(stream, {
        ...work,
        companion: undefined,
        publication: null,
        index: 0,
        attempts: 0,
        deadline,
        done: (appended, tail) => caller.resolve({ appended, tail }),
        fail: caller.reject,
      });
      this.#schedule();
    });
  }

  /** Queues a publication with its rows. `duplicate` is the stored record where it was published before; `results` follow the plan. */
  publish(
    record: PublicationRecord,
    origin: Origin | null,
  ): Promise<{ duplicate: PublicationRecord | null; results: Array<Appended | null> }> {
    return new Promise((resolve, reject) => {
      this.#admit(record.plan.length);
      const caller = this.#deadlines.add(resolve, reject);
      const pending: PendingPublication = {
        record,
        origin,
        state: "new",
        batch: 0,
        enqueued: false,
        waiting: new Set(),
        results: new Array<Appended | null>(record.plan.length).fill(null),
        missing: record.plan.length,
        resolve: ({ duplicate }) => caller.resolve({ duplicate, results: pending.results }),
        reject: caller.reject,
        deadline: this.#clock() + APPEND_DEADLINE_MS,
      };
      this.#fresh.push(pending);
      this.#arrived++;
      this.#schedule();
    });
  }

  /** Rows that were taken in and are not settled. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  /** Another node is said to have appended to the stream, up to `seq`. */
  heard(stream: string, seq: number): void {
    this.#queue.heard(stream, seq);
  }

  /** Takes no more work and resolves when what was taken is settled. */
  close(): Promise<void> {
    this.#closed = true;
    this.#closing ??= new Promise<void>((resolve) => {
      this.#idle = resolve;
      this.#schedule();
    }).then(() => clearTimeout(this.#retry));
    return this.#closing;
  }

  #admit(rows: number): void {
    if (this.#closed) throw new BelfryError("unavailable", "This node is stopping; send it again in a moment.");
    this.#queue.admit(rows);
  }

  #schedule(): void {
    this.#again = true;
    if (this.#scheduled || this.#forming) return;
    this.#scheduled = true;
    setImmediate(() => this.#linger(0));
  }

  /**
   * All that arrives in one turn of the event loop shares a batch; as long as turns bring more, so does the next one's. Callers that were
   * answered together ask again together, and a few turns later: without the wait they split into two groups and two commits.
   */
  #linger(turns: number): void {
    const brought = this.#arrived;
    this.#arrived = 0;
    if (brought > 0 && turns < MAX_LINGER_TURNS && this.#fresh.length < MAX_BATCH_ROWS) {
      setImmediate(() => this.#linger(turns + 1));
      return;
    }
    this.#scheduled = false;
    void this.#pump();
  }

  async #pump(): Promise<void> {
    if (this.#forming) return;
    this.#forming = true;
    let taken: PendingPublication[] = [];
    try {
      while (this.#inFlight < this.#store.concurrency) {
        this.#again = false;
        if (this.#deadlines.takeLate()) this.#expire(unconfirmed());
        taken = this.#takeFresh();
        await bringUpTails(this.#store, this.#queue);
        const batch = this.#form(taken);
        taken = [];
        if (batch.publications.length === 0 && batch.planned.length === 0) {
          if (this.#again) continue;
          break;
        }
        this.#inFlight++;
        void this.#commit(batch).finally(() => {
          this.#inFlight--;
          this.#schedule();
        });
      }
    } catch (error) {
      this.#fresh.unshift(...taken);
      this.#expire(error);
      this.#retry = setTimeout(() => this.#schedule(), RETRY_MAX_MS);
    } finally {
      this.#forming = false;
    }
    if (this.#queue.waiting === 0 && this.#inFlight === 0 && this.#fresh.length === 0) this.#idle?.();
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
    const { id, key, kind, shared, plan } = pending.record;
    for (let index = 0; index < plan.length; index++) {
      const { stream, own } = plan[index] as Recipient;
      this.#queue.push(stream, {
        draft: { key, kind, own, count: 1, publication: id, shared },
        companion: undefined,
        decide: null,
        origin: pending.origin,
        publication: pending,
        index,
        attempts: 0,
        deadline: pending.deadline,
        done: null,
        fail: null,
      });
    }
  }

  #form(publications: PendingPublication[]): Batch<C> {
    const batch: Batch<C> = { number: ++this.#batches, publications, planned: [] };
    for (const pending of publications) {
      pending.state = "sent";
      pending.batch = batch.number;
      this.#queue.wake(pending);
    }
    const at = this.#clock();
    for (const lane of this.#queue.ready) {
      if (batch.planned.length >= MAX_BATCH_ROWS && publications.length === 0) break;
      // Reads of tails were awaited, so a lane may have arrived without one since.
      if (lane.tail === null) continue;
      const task = this.#queue.first(lane);
      if (task === null) {
        this.#queue.ready.delete(lane);
        continue;
      }
      const publication = task.publication;
      if (publication !== null && publication.state !== "stored" && publication.batch !== batch.number) {
        this.#queue.park(lane, publication);
        continue;
      }
      // What is left of a publication goes when it is stored; a crash in between leaves no more to finish than one within a batch.
      if (batch.planned.length >= (publication?.batch === batch.number ? MAX_PUBLICATION_ROWS : MAX_BATCH_ROWS)) continue;
      this.#queue.take(lane);
      if (task.draft === null) void this.#decide(lane, task, lane.tail);
      else batch.planned.push({ lane, task, row: toRow(lane.stream, lane.tail, task.draft, at) });
    }
    return batch;
  }

  async #decide(lane: Lane<C>, task: Task<C>, tail: Tail): Promise<void> {
    try {
      const decision = await (task.decide as NonNullable<Task<C>["decide"]>)(tail, tail.head + 1);
      if (decision === null) {
        // Compare-and-set protects only what is written: that nothing is to be written must be true of the tail as it is.
        if (await this.#isStale(lane, tail)) this.#queue.release(lane);
        else {
          this.#queue.finish(lane);
          task.done?.(null, tail);
        }
      } else {
        task.draft = decision.draft;
        task.companion = decision.companion;
        this.#queue.release(lane);
      }
    } catch (error) {
      // So must be what it was refused for; a store that fails has the last word.
      const stale = await this.#isStale(lane, tail).catch(() => false);
      if (stale && this.#clock() < task.deadline) this.#queue.release(lane);
      else {
        lane.tail = null;
        this.#queue.finish(lane);
        task.fail?.(error);
      }
    }
    this.#schedule();
  }

  /** Whether the stream went on since this tail was read; the lane then has the new one. */
  async #isStale(lane: Lane<C>, tail: Tail): Promise<boolean> {
    const now = (await this.#store.tails([lane.stream])).get(lane.stream) ?? null;
    lane.tail = now;
    lane.isBaseOld = false;
    return now !== null && now.head !== tail.head;
  }

  async #commit(batch: Batch<C>): Promise<void> {
    this.#observer?.batch(batch.planned.length, batch.publications.length);
    const request = toRequest(batch);
    let result: AppendResult;
    try {
      result = await this.#store.append(request);
    } catch (error) {
      if (!(error instanceof OutcomeUnknown)) return this.#settlement.fail(batch, error);
      try {
        result = await readBack(this.#store, request, this.#clock, lastDeadline(batch));
      } catch (cause) {
        return this.#settlement.fail(batch, cause);
      }
    }
    this.#settlement.settle(batch, result);
  }

  /** Whoever has waited too long gets the error, and what was not begun for them is not begun any more. */
  #expire(error: unknown): void {
    const now = this.#clock();
    for (const pending of this.#fresh.filter((one) => one.deadline < now)) {
      this.#fresh.splice(this.#fresh.indexOf(pending), 1);
      if (!pending.enqueued) this.#queue.dismiss(pending.record.plan.length);
      this.#settlement.failPublication(pending, error);
    }
    for (const lane of this.#queue.ready) {
      for (let task = this.#queue.first(lane); task !== null && task.deadline < now; task = this.#queue.first(lane)) {
        this.#settlement.failTask(lane, task, error);
      }
    }
  }
}
