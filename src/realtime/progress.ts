import type { Progress } from "../tasks/index.js";
import type { Outlet } from "./outlet.js";

/** The least time between two packets of one task to one session. Source: ten a second, as much as an eye can follow. Milliseconds. */
const EVERY_MS = 100;

/** A task whose progress was sent a moment ago, or waits to be sent. */
interface Slot {
  /** The newest that was not sent. */
  latest: Progress | null;
  sentAt: number;
  /** Runs until the next may be sent. */
  timer: NodeJS.Timeout | null;
}

/** Brings the progress of a member's tasks to one session: the newest wins, and what comes last always arrives. */
export class ProgressFeed {
  readonly #outlet: Pick<Outlet, "emit" | "congested" | "ready">;
  readonly #slots = new Map<string, Slot>();
  #waiting = false;
  #closed = false;

  constructor(outlet: Pick<Outlet, "emit" | "congested" | "ready">) {
    this.#outlet = outlet;
  }

  /** A task has moved. */
  offer(progress: Progress): void {
    if (this.#closed) return;
    const slot: Slot = this.#slots.get(progress.task) ?? { latest: null, sentAt: 0, timer: null };
    this.#slots.set(progress.task, slot);
    slot.latest = progress;
    this.#send(slot);
  }

  /** A task has ended: what was not sent of its progress would only contradict that. */
  drop(task: string): void {
    const slot = this.#slots.get(task);
    if (slot !== undefined) slot.latest = null;
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#slots.values()) if (timer !== null) clearTimeout(timer);
    this.#slots.clear();
  }

  #send(slot: Slot): void {
    if (slot.latest === null || slot.timer !== null) return;
    if (this.#outlet.congested) {
      this.#wait();
      return;
    }
    const progress = slot.latest;
    slot.latest = null;
    slot.sentAt = performance.now();
    this.#outlet.emit("progress", progress);
    this.#rest(progress.task, slot, EVERY_MS);
  }

  #rest(task: string, slot: Slot, ms: number): void {
    slot.timer = setTimeout(() => {
      slot.timer = null;
      // Timers count from the beginning of the turn that set them, so they can be early by as much as that turn took.
      const early = slot.sentAt + EVERY_MS - performance.now();
      if (early > 0) this.#rest(task, slot, Math.ceil(early));
      else if (slot.latest === null) this.#slots.delete(task);
      else this.#send(slot);
    }, ms).unref();
  }

  #wait(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    void this.#outlet.ready().then(() => {
      this.#waiting = false;
      for (const slot of this.#slots.values()) this.#send(slot);
    });
  }
}
