import { BelfryError } from "../errors.js";
import { type Lane, Lanes, type PendingPublication, type Task } from "./lane.js";
import { LOOKS_AFTER_OTHERS, MAX_WAITING_ROWS } from "./limits.js";

/**
 * What waits for the store: tasks in their streams' lanes. A lane is *ready* when its first task may go: no other row of its stream is in
 * flight, and the task's publication travels with it or is stored. `onReady` is called when a lane may have become so.
 */
export class Queue<C> {
  readonly ready = new Set<Lane<C>>();
  readonly #lanes = new Lanes<C>();
  readonly #onReady: () => void;
  #waiting = 0;

  constructor(onReady: () => void) {
    this.#onReady = onReady;
  }

  /** Rows that were admitted and are not settled. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Takes in so many rows. @throws BelfryError `unavailable` */
  admit(rows: number): void {
    if (this.#waiting + rows > MAX_WAITING_ROWS) {
      throw new BelfryError("unavailable", "Too many writes are waiting for the store; send it again later.", { retryAfterMs: 1_000 });
    }
    this.#waiting += rows;
  }

  /** Forgets rows that were admitted and never pushed. */
  dismiss(rows: number): void {
    this.#waiting -= rows;
  }

  lane(stream: string): Lane<C> {
    return this.#lanes.get(stream);
  }

  /** Another node is said to have written to the stream, up to `seq`: what is cached of it may be behind. */
  heard(stream: string, seq: number): void {
    const lane = this.#lanes.find(stream);
    if (lane === undefined || lane.tail === null || lane.tail.head >= seq) return;
    if (lane.heard < seq) lane.heard = seq;
    lane.looks = LOOKS_AFTER_OTHERS;
  }

  push(stream: string, task: Task<C>): void {
    const lane = this.#lanes.get(stream);
    lane.queue.push(task);
    if (!lane.busy) this.ready.add(lane);
  }

  /** The lane's first task that still has somebody waiting for it. */
  first(lane: Lane<C>): Task<C> | null {
    for (;;) {
      const task = lane.queue[0];
      if (task === undefined) return null;
      if (task.publication?.state !== "ended") return task;
      lane.queue.shift();
      this.#waiting--;
    }
  }

  /** The lane's first task is under way. */
  take(lane: Lane<C>): void {
    this.ready.delete(lane);
    lane.busy = true;
  }

  /** The lane's first task has ended. */
  finish(lane: Lane<C>): void {
    lane.queue.shift();
    this.#waiting--;
    this.release(lane);
  }

  /** The lane's first task goes again. */
  release(lane: Lane<C>): void {
    lane.busy = false;
    if (lane.queue.length === 0) return;
    this.ready.add(lane);
    this.#onReady();
  }

  /** The lane waits for the publication of its first task. */
  park(lane: Lane<C>, publication: PendingPublication): void {
    this.ready.delete(lane);
    publication.waiting.add(lane as Lane<unknown>);
  }

  /** Lanes that waited for this publication may go on. */
  wake(publication: PendingPublication): void {
    for (const lane of publication.waiting) this.ready.add(lane as Lane<C>);
    publication.waiting.clear();
  }
}
