import type { Logger } from "pino";
import { z } from "zod";
import { checked, id, MAX_TEXT_LENGTH, MAX_URL_LENGTH } from "../checked.js";
import type { Presence } from "../presence/index.js";
import type { Progress, Tasks } from "../tasks/index.js";
import { LOOK_FOR_TASKS_MS, MAX_TASK_READS, RELAY_TASK_MS, TASKS_MARGIN_MS } from "./limits.js";
import type { Nodes } from "./nodes.js";
import { Pace } from "./pace.js";

const text = z.string().max(MAX_TEXT_LENGTH);

/** How far a task is, and whose it is. */
const told = z.object({
  user: id,
  progress: z.object({
    task: id,
    state: z.literal("running"),
    step: text.optional(),
    percent: z.number().min(0).max(100).optional(),
    title: text.optional(),
    url: z.string().max(MAX_URL_LENGTH).optional(),
    text: text.optional(),
    at: z.iso.datetime(),
  }),
});
const ended = z.object({ user: id, task: id });

export interface TaskRelayRooms {
  nodes: Nodes;
  tasks: Pick<Tasks, "subscribe" | "onEnd" | "recent">;
  presence: Pick<Presence, "nodesOf">;
  /** Shows it on the member's screens here. */
  onProgress: (user: string, progress: Progress) => void;
  onEnd: (user: string, task: string) => void;
  logger: Logger;
}

/**
 * Brings the progress of tasks to members on other nodes. Progress is in no stream, so nothing else brings what is lost on the way: while the
 * others cannot be heard, and once more when they can be again, this node looks at the store for what has moved.
 */
export class TaskRelay {
  readonly #rooms: TaskRelayRooms;
  readonly #pace: Pace<{ user: string; progress: Progress }>;
  readonly #unsubscribe: Array<() => void>;
  #timer: NodeJS.Timeout | null = null;
  /** From when on reports are looked for next. Milliseconds since the Unix epoch. */
  #since = 0;
  /** The time of the report that was found last, by task. */
  #found = new Map<string, string>();
  #looking = false;

  constructor(rooms: TaskRelayRooms) {
    this.#rooms = rooms;
    const { nodes, tasks, onProgress, onEnd } = rooms;
    this.#pace = new Pace({ everyMs: RELAY_TASK_MS, send: (moved) => nodes.tellNodesOf(moved.user, "progress", moved) });
    this.#unsubscribe = [
      tasks.subscribe((user, progress) => {
        if (this.#isElsewhere(user)) this.#pace.offer(progress.task, { user, progress });
      }),
      tasks.onEnd((user, task) => {
        this.#pace.drop(task);
        nodes.tellNodesOf(user, "ended", { user, task });
      }),
      nodes.on("progress", (input) => {
        const { user, progress } = checked(told, input, "progress");
        onProgress(user, progress as Progress);
      }),
      nodes.on("ended", (input) => {
        const { user, task } = checked(ended, input, "ended");
        onEnd(user, task);
      }),
      nodes.onState((isUp) => (isUp ? this.#rest() : this.#watch())),
    ];
    if (!nodes.isUp) this.#watch();
  }

  close(): void {
    for (const stop of this.#unsubscribe) stop();
    this.#pace.close();
    this.#stop();
  }

  #isElsewhere(user: string): boolean {
    for (const _node of this.#rooms.presence.nodesOf(user)) return true;
    return false;
  }

  #watch(): void {
    this.#stop();
    this.#since = Date.now() - TASKS_MARGIN_MS;
    this.#timer = setInterval(() => void this.#look(), LOOK_FOR_TASKS_MS);
  }

  /** The others can be heard; what they said a moment ago may have been said to nobody. */
  #rest(): void {
    this.#stop();
    void this.#look();
    this.#timer = setTimeout(() => void this.#look(), LOOK_FOR_TASKS_MS);
  }

  #stop(): void {
    // One function clears both kinds.
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { tasks, onProgress, logger } = this.#rooms;
    const began = Date.now();
    const found = new Map<string, string>();
    try {
      let from = this.#since;
      for (let reads = 0; reads < MAX_TASK_READS; reads++) {
        const recent = await tasks.recent(from);
        for (const { user, progress } of recent) {
          // What was shown by the look before is shown already, and what was heard since is newer.
          if (this.#found.get(progress.task) !== progress.at && found.get(progress.task) !== progress.at) onProgress(user, progress);
          found.set(progress.task, progress.at);
        }
        const last = Date.parse(recent.at(-1)?.progress.at ?? "");
        // They come oldest first and only so many at a time: what is left is behind the last one.
        if (!(last > from)) break;
        from = last;
      }
      this.#since = began - TASKS_MARGIN_MS;
      this.#found = found;
    } catch (err) {
      logger.warn({ err }, "running tasks could not be read; the next look, or their next report, shows them");
    } finally {
      this.#looking = false;
    }
  }
}
