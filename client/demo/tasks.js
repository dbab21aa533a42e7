// @ts-check
/**
 * The member's long tasks as this page knows them: of each the newest report. The end is a notification in the inbox; a report that is still
 * on its way when it comes must not bring the bar back.
 *
 * @typedef {import("./inbox.js").Notification} Notification
 * @typedef {{ task: string, title?: string, step?: string, percent?: number, text?: string, at: string }} Progress
 */

/** Threat: memory filled by a server that starts tasks without end. The one that reported last stays. */
export const MAX_TASKS = 20;

/**
 * @param {readonly Progress[]} tasks the one known longest first
 * @param {Progress} progress
 * @returns {readonly Progress[]}
 */
export function takeProgress(tasks, progress) {
  const place = tasks.findIndex(({ task }) => task === progress.task);
  const known = tasks[place];
  if (known === undefined) return [...tasks, progress].slice(-MAX_TASKS);
  return progress.at < known.at ? tasks : tasks.with(place, progress);
}

/**
 * The tasks that have not ended.
 * @param {readonly Progress[]} tasks
 * @param {readonly Notification[]} items the inbox's
 */
export function runningTasks(tasks, items) {
  if (tasks.length === 0) return tasks;
  const ended = new Set(items.filter(({ type }) => type === "task").map(({ data }) => data?.task));
  return tasks.filter(({ task }) => !ended.has(task));
}
