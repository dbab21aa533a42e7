/** Long tasks that report their progress: the words and the port of the room. */

export const TASK_STATES = ["running", "completed", "failed"] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** A task as it stands: its latest report. */
export interface Task {
  id: string;
  /** The member whose task it is. */
  user: string;
  state: TaskState;
  step?: string;
  /** 0 to 100. */
  percent?: number;
  title?: string;
  url?: string;
  text?: string;
  /** When the service took the report. Milliseconds. */
  at: number;
}

/** The port of the room. Reads are of durable state. Throws `unavailable` as `StreamStore` does. */
export interface TaskStore {
  find(id: string): Promise<Task | null>;
  /** Stores the latest state in place of the one before. One that has ended stays as it is; resolves with the task as stored then. */
  save(task: Task): Promise<Task>;
  /** The member's running tasks that reported after `since` (ms), newest first, at most `limit`. */
  running(user: string, since: number, limit: number): Promise<Task[]>;
  /** Running tasks of all members that reported at or after `since` (ms), the one that reported longest ago first, at most `limit`. */
  recent(since: number, limit: number): Promise<Task[]>;
  /** Deletes up to `limit` tasks whose last report is older than `olderThan` (ms). Returns how many. */
  forget(olderThan: number, limit: number): Promise<number>;
}
