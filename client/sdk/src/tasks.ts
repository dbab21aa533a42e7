import type { Items } from "./items.js";
import type { Notification, Task } from "./types.js";
import type { Progress } from "./wire.js";

/** Threat: memory filled by a server that starts tasks without end. The one that reported last stays. */
const MAX_TASKS = 20;

type Tasks = readonly Task[];

/** Of each task the newest report, the task known longest first. */
export function withProgress(tasks: Tasks, { type: _, ...report }: { type: "progress" } & Progress): Tasks {
  const known = tasks.find(({ task }) => task === report.task);
  if (!known) return [...tasks, report].slice(-MAX_TASKS);
  return tasks.map((one) => (one === known && report.at >= known.at ? report : one));
}

/** The ends that were told: of the same notification, the same task. */
const ends = new WeakMap<Notification, Task>();

/** The task whose end a notification tells; null where it tells none: anybody may name a type so, without `data`. */
export function endOf(item: Notification): Task | null {
  const { type, data, actor, text, url, createdAt: at } = item;
  if (type !== "task" || !data) return null;
  const { task, state } = data as unknown as Task;
  const end = ends.get(item) ?? ({ task, state, title: actor?.name, text, url, at } as Task);
  ends.set(item, end);
  return end;
}

/** Those that have not ended. A report that is late must not bring a bar back. */
export function running(tasks: Tasks, items: Items): Tasks {
  return tasks.filter(({ task }) => !items.some((item) => endOf(item)?.task === task));
}
