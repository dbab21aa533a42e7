import { describe, expect, it } from "@jest/globals";
import type { Notification, Progress } from "../../../client/demo/tasks.js";
import { MAX_TASKS, runningTasks, takeProgress } from "../../../client/demo/tasks.js";

function progress(task: string, percent: number, second = percent): Progress {
  return { task, percent, at: new Date(second * 1_000).toISOString() };
}

function end(task: string, type = "task"): Notification {
  const data = { task, state: "completed" };
  return { id: `n-${task}`, seq: 1, reason: "direct", type, data, createdAt: "", readAt: null, archivedAt: null };
}

const after = (...reports: Progress[]) => reports.reduce(takeProgress, []);

describe("the demo page's tasks", () => {
  it("shows the newest report of each task, in the order in which they began", () => {
    expect(after(progress("a", 1), progress("b", 2), progress("a", 3)).map(({ task, percent }) => [task, percent])).toEqual([
      ["a", 3],
      ["b", 2],
    ]);
    expect(after(progress("a", 5), progress("a", 1))[0]?.percent).toBe(5);
  });

  it("takes a bar away when the end is in the inbox, also when a report comes after it", () => {
    const tasks = after(progress("a", 1), progress("b", 2));
    expect(runningTasks(tasks, [end("a")]).map(({ task }) => task)).toEqual(["b"]);
    expect(runningTasks(takeProgress(tasks, progress("a", 99)), [end("a")]).map(({ task }) => task)).toEqual(["b"]);
    expect(runningTasks(tasks, [end("a", "message")])).toHaveLength(2);
  });

  it("stays bounded", () => {
    const tasks = after(...Array.from({ length: 50 }, (_, i) => progress(`t${i}`, i)));
    expect(tasks).toHaveLength(MAX_TASKS);
    expect(tasks.at(-1)?.task).toBe("t49");
  });
});
