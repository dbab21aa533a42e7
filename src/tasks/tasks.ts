import { setImmediate as breath } from "node:timers/promises";
import type { DirectNotification } from "../community/types.js";
import { BelfryError } from "../errors.js";
import { parseReport, type Report } from "./requests.js";
import type { Task, TaskState, TaskStore } from "./types.js";

/** Running tasks that a member who comes in the middle is shown. Threat: a welcome of any size. */
const MAX_RUNNING = 20;

/** Running tasks of all members that a node looks for at once. Threat: a read that holds up the node whose bus has just come back. */
const MAX_RECENT = 1_000;

/** For how long a task that no longer reports counts as running. Threat: what crashed without a word, on the screen for ever. Milliseconds. */
const RUNNING_FOR_MS = 24 * 3_600_000;

/** Who tells of the end: the service, in the task's name. docs/PROTOCOL.md, "Messages and tasks". */
const SYSTEM = "system";

/** A task as servers are answered. `at` is RFC 3339. */
export interface TaskAnswer {
  task: string;
  user: string;
  state: TaskState;
  step?: string;
  percent?: number;
  title?: string;
  url?: string;
  text?: string;
  at: string;
}

/** How far a task is, as its owner's screens get it. */
export type Progress = Omit<TaskAnswer, "user" | "state"> & { state: "running" };

type ProgressListener = (user: string, progress: Progress) => void;
type EndListener = (user: string, task: string) => void;

/** A report that waits for the one before it, and what it will be answered. */
interface Waiting {
  report: Report;
  answer: Promise<TaskAnswer>;
}

/** The reports of one task, one after the other. */
interface Lane {
  /** The last one taken, until it is begun. */
  waiting: Waiting | null;
  /** The task as stored; undefined where that is not known. */
  stored: Task | null | undefined;
  /** Settles after the last report that was taken. Never rejects. */
  idle: Promise<unknown>;
}

/** Tells a task's owner of its end; the same key again tells nobody. */
type Notify = (notification: DirectNotification, namespace: "task") => Promise<{ duplicate: boolean }>;

/** What the owner was told under the key: the `data` of that notification, or null where it is not known. */
type Told = (key: string, namespace: "task") => Promise<Record<string, unknown> | null>;

/**
 * Tasks of members. Of a running one, nothing is stored but the latest report; its end is a notification, told once however often it is
 * reported, and nothing is taken after it.
 */
export class Tasks {
  readonly #store: TaskStore;
  readonly #notify: Notify;
  readonly #told: Told;
  readonly #clock: () => number;
  readonly #onError: (error: unknown) => void;
  readonly #lanes = new Map<string, Lane>();
  /** Tasks whose owner is told of the end now, which the store has as running still. */
  readonly #ending = new Set<string>();
  readonly #progressListeners = new Set<ProgressListener>();
  readonly #endListeners = new Set<EndListener>();

  constructor(options: { store: TaskStore; notify: Notify; told: Told; clock?: () => number; onError: (error: unknown) => void }) {
    this.#store = options.store;
    this.#notify = options.notify;
    this.#told = options.told;
    this.#clock = options.clock ?? Date.now;
    this.#onError = options.onError;
  }

  /**
   * Takes a report; resolves once it is durable. Running reports of a task that arrive while one is stored share the next write: the newest
   * wins, and all are answered with it. A report of a task that has ended changes nothing and is answered with its end.
   * @throws BelfryError `bad_request`, or those of the store, of `notify` and of `told`; the same call can then be made again.
   */
  async report(id: unknown, body: unknown): Promise<TaskAnswer> {
    const report = parseReport(id, body);
    const lane: Lane = this.#lanes.get(report.id) ?? { waiting: null, stored: undefined, idle: Promise.resolve() };
    if (lane.waiting !== null && replaces(report, lane.waiting.report)) {
      lane.waiting.report = report;
      return lane.waiting.answer;
    }
    // First whatever else has arrived by now: of a store that saves at once, each report would cost a write of its own.
    const answer = lane.idle.then(breath).then(async () => {
      if (lane.waiting === waiting) lane.waiting = null;
      return answerOf(await this.#settle(waiting.report, lane));
    });
    const waiting: Waiting = { report, answer };
    lane.waiting = waiting;
    const idle = answer
      .catch(() => {})
      .then(() => {
        if (lane.idle === idle) this.#lanes.delete(report.id);
      });
    lane.idle = idle;
    this.#lanes.set(report.id, lane);
    return answer;
  }

  /** The member's tasks that are under way, the one that reported last first. */
  async running(user: string): Promise<Progress[]> {
    // Of one that begins to end during the read, those who listen hear.
    const ending = new Set(this.#ending);
    const running = await this.#store.running(user, this.#clock() - RUNNING_FOR_MS, MAX_RUNNING);
    return running.filter(({ id }) => !ending.has(id)).map(progressOf);
  }

  /**
   * Tasks of all members that are under way and reported at or after `since` (ms), whichever node took the report; the one that reported
   * longest ago first, at most 1,000: where there are so many, the others are behind the last one.
   */
  async recent(since: number): Promise<Array<{ user: string; progress: Progress }>> {
    const ending = new Set(this.#ending);
    const recent = await this.#store.recent(Math.max(since, this.#clock() - RUNNING_FOR_MS), MAX_RECENT);
    return recent.filter(({ id }) => !ending.has(id)).map((task) => ({ user: task.user, progress: progressOf(task) }));
  }

  /** Calls the listener with every running report that was taken, once it is durable. Returns how to stop that. */
  subscribe(listener: ProgressListener): () => void {
    this.#progressListeners.add(listener);
    return () => this.#progressListeners.delete(listener);
  }

  /** Calls the listener before the owner is told that a task has ended: what it still shows of the progress is out of date. */
  onEnd(listener: EndListener): () => void {
    this.#endListeners.add(listener);
    return () => this.#endListeners.delete(listener);
  }

  async #settle(report: Report, lane: Lane): Promise<Task> {
    const stored = lane.stored === undefined ? await this.#store.find(report.id) : lane.stored;
    if (stored !== null && stored.user !== report.user) {
      throw new BelfryError("bad_request", "user is not the one whose task this is; a task keeps its owner.");
    }
    if (stored !== null && stored.state !== "running") return stored;
    lane.stored = undefined;
    const saved = report.state === "running" ? await this.#save(report) : await this.#end(report);
    lane.stored = saved;
    if (saved.state === "running") this.#tell(this.#progressListeners, (listener) => listener(saved.user, progressOf(saved)));
    return saved;
  }

  /** The owner first: a crash between leaves a running task, whose end is reported again and known again by its key. */
  async #end(report: Report): Promise<Task> {
    this.#ending.add(report.id);
    try {
      const { duplicate } = await this.#tellOfEnd(report);
      return await this.#save(duplicate ? await this.#asTold(report) : report);
    } finally {
      this.#ending.delete(report.id);
    }
  }

  /**
   * The end that the owner was told before, by a report that was not saved or came to another node: one end, wherever it is read. Of a report
   * of the other end nothing else is kept: its words would belie the state.
   */
  async #asTold(report: Report): Promise<Report> {
    const state = (await this.#told(report.id, "task"))?.state;
    if (state === report.state || (state !== "completed" && state !== "failed")) return report;
    return { id: report.id, user: report.user, state };
  }

  #save(report: Report): Promise<Task> {
    return this.#store.save({ ...report, at: this.#clock() });
  }

  async #tellOfEnd({ id, user, state, title, url, text }: Report): Promise<{ duplicate: boolean }> {
    this.#tell(this.#endListeners, (listener) => listener(user, id));
    const notification: DirectNotification = { to: [user], type: "task", data: { task: id, state }, key: id };
    if (url !== undefined) notification.url = url;
    if (text !== undefined) notification.text = text;
    // What has ended is what has news: a bell shows it where it shows who did something else.
    if (title !== undefined) notification.actor = { id: SYSTEM, name: title };
    return this.#notify(notification, "task");
  }

  /** What is durable is answered, whatever its listeners do. */
  #tell<T>(listeners: Iterable<T>, call: (listener: T) => void): void {
    for (const listener of listeners) {
      try {
        call(listener);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}

/** Whether the report makes one before it, which is not begun yet, superfluous. An end never does: it is told. */
function replaces(report: Report, before: Report): boolean {
  return report.state === "running" && before.state === "running" && report.user === before.user;
}

function answerOf({ id, at, ...rest }: Task): TaskAnswer {
  return { task: id, ...rest, at: new Date(at).toISOString() };
}

function progressOf(task: Task): Progress {
  const { user: _owner, ...rest } = answerOf(task);
  return { ...rest, state: "running" };
}
