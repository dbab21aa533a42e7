import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { type DemoMember, MEMBERS } from "./seed.js";

/** How long an export takes. Milliseconds; long enough to see the bar move. */
const DURATION_MS = 6_000;

/** How often it says how far it is. Milliseconds. Screens get no more than ten reports a second, so more would be for nobody. */
const REPORT_EVERY_MS = 100;

/** By this the demo knows its own tasks among those of other servers. */
const ID_PREFIX = "demo-export-";

const TITLE = "Export of the forum";

/** What it says that it does, from this percent on. */
const STEPS = [
  { from: 0, step: "Reading the threads" },
  { from: 25, step: "Gathering the comments" },
  { from: 75, step: "Packing" },
] as const;

/** What a server says of a task (docs/PROTOCOL.md, `PUT /v1/tasks/:id`). */
export interface TaskReport {
  user: string;
  state: "running" | "completed" | "failed";
  title: string;
  step?: string;
  percent?: number;
  text?: string;
}

/** Takes reports of tasks, and knows which run. A report of a task that has ended is harmless. */
export interface Tasks {
  report(id: string, report: TaskReport): Promise<unknown>;
  running(user: string): Promise<Array<{ task: string }>>;
}

/**
 * Exports that take their time and lead to nothing: each shows how a server reports a long task. What a crash left under way is reported as
 * failed by `settle`, so that no bar stands still for ever.
 */
export class DemoExports {
  /** The running export of each member. */
  readonly #running = new Map<string, string>();
  readonly #tasks: Tasks;
  readonly #summary: () => Promise<string>;
  readonly #log: Logger;
  readonly #durationMs: number;
  #settled: Promise<void> | null = null;

  /** `summary`: what the export has found, in words for the member. */
  constructor(options: { tasks: Tasks; summary: () => Promise<string>; log: Logger; durationMs?: number }) {
    this.#tasks = options.tasks;
    this.#summary = options.summary;
    this.#log = options.log;
    this.#durationMs = options.durationMs ?? DURATION_MS;
  }

  /**
   * Starts an export for the member; resolves with the task's id once its first report is durable. While one runs it is the answer: one
   * member has one at a time.
   * @throws BelfryError those of `Tasks.report`
   */
  async start({ id: user }: DemoMember): Promise<string> {
    const known = this.#running.get(user);
    if (known !== undefined) return known;
    const task = `${ID_PREFIX}${randomUUID()}`;
    this.#running.set(user, task);
    try {
      await this.#report(task, user, 0);
    } catch (error) {
      this.#running.delete(user);
      throw error;
    }
    void this.#run(task, user).finally(() => this.#running.delete(user));
    return task;
  }

  /** Ends what an earlier life of this process has left under way. Once, however often it is called, unless it fails. */
  settle(): Promise<void> {
    this.#settled ??= this.#settle().catch((error: unknown) => {
      this.#settled = null;
      this.#log.warn({ err: error }, "exports that were cut off could not be ended; the next visit tries again");
    });
    return this.#settled;
  }

  async #settle(): Promise<void> {
    for (const { id: user } of MEMBERS) {
      for (const { task } of await this.#tasks.running(user)) {
        if (!task.startsWith(ID_PREFIX) || this.#running.get(user) === task) continue;
        await this.#tasks.report(task, {
          user,
          state: "failed",
          title: TITLE,
          text: "The service was restarted meanwhile. Start it again.",
        });
      }
    }
  }

  async #run(task: string, user: string): Promise<void> {
    const startedAt = performance.now();
    try {
      for (let done = 0; done < 1; done = (performance.now() - startedAt) / this.#durationMs) {
        await this.#report(task, user, Math.floor(done * 100));
        // Nothing waits for an export when the service stops.
        await delay(REPORT_EVERY_MS, undefined, { ref: false });
      }
      await this.#tasks.report(task, { user, state: "completed", title: TITLE, text: await this.#summary() });
    } catch (error) {
      this.#log.warn({ err: error }, "a demo export was cut off");
      await this.#fail(task, user);
    }
  }

  /** Where not even this can be said, the next start says it. */
  async #fail(task: string, user: string): Promise<void> {
    try {
      await this.#tasks.report(task, { user, state: "failed", title: TITLE, text: "Something went wrong. Start it again." });
    } catch (error) {
      this.#log.warn({ err: error }, "the failure of a demo export could not be reported");
    }
  }

  #report(task: string, user: string, percent: number): Promise<unknown> {
    const step = STEPS.findLast(({ from }) => percent >= from)?.step ?? STEPS[0].step;
    return this.#tasks.report(task, { user, state: "running", title: TITLE, step, percent });
  }
}
