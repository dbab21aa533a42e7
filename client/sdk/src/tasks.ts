import type { Items } from "./items.js";
import type { Notification, Task } from "./types.js";
import type { Progress } from "./wire.js";

/** Threat: memory filled by a server that starts tasks without end. The one that reported last stays. */
const MAX_TASKS = 20;

type Tasks = readonly Task[];

/** Of each task the newest report, the task known longest first. */
export function withProgress(tasks: Tasks, { type: _, ...report }: { type: "progress" } & Progress): Tasks {
  const known = tasks.find(({ task }) => task === report.task);
  if (known === undefined) return [...tasks, report].slice(-MAX_TASKS);
  return tasks.map((one) => (one === known && report.at >= known.at ? report : one));
}

/** The task whose end a notification tells; null where it tells none. */
export function endOf({ type, data, actor, text, url, createdAt }: Notification): Task | null {
  if (type !== "task") return null;
  const { task, state } = data as unknown as Task;
  return { task, state, title: actor?.name, text, url, at: createdAt } as Task;
}

/** Those that have not ended. A report that is late must not bring a bar back. */
export function running(tasks: Tasks, items: Items): Tasks {
  return tasks.filter(({ task }) => !items.some((item) => endOf(item)?.task === task));
}
