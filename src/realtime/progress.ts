import type { Progress } from "../tasks/index.js";
import type { Outlet } from "./outlet.js";
import { Pace } from "./pace.js";

/** The least time between two packets of one task to one session. Source: ten a second, as much as an eye can follow. Milliseconds. */
const EVERY_MS = 100;

/** Brings the progress of a member's tasks to one session: the newest wins, and what comes last always arrives. */
export class ProgressFeed {
  readonly #outlet: Pick<Outlet, "emit" | "congested" | "ready">;
  readonly #pace: Pace<Progress>;
  #waiting = false;

  constructor(outlet: Pick<Outlet, "emit" | "congested" | "ready">) {
    this.#outlet = outlet;
    this.#pace = new Pace({ everyMs: EVERY_MS, send: (progress) => outlet.emit("progress", progress), isHeld: () => this.#isHeld() });
  }

  /** A task has moved. */
  offer(progress: Progress): void {
    this.#pace.offer(progress.task, progress);
  }

  /** A task has ended: what was not sent of its progress would only contradict that. */
  drop(task: string): void {
    this.#pace.drop(task);
  }

  close(): void {
    this.#pace.close();
  }

  #isHeld(): boolean {
    if (this.#outlet.congested && !this.#waiting) {
      this.#waiting = true;
      void this.#outlet.ready().then(() => {
        this.#waiting = false;
        this.#pace.resume();
      });
    }
    return this.#waiting || this.#outlet.congested;
  }
}
