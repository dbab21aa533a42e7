import type Database from "libsql";
import type { Task, TaskState, TaskStore } from "../../tasks/types.js";
import { guard } from "./connection.js";

interface TaskRow {
  id: string;
  user: string;
  state: TaskState;
  said: string;
  at: number;
}

const TASK = "id, user, state, said, at";

/** Tasks in SQLite: what nobody asks for by itself is one JSON text. */
export class SqliteTasks implements TaskStore {
  readonly #sql;

  constructor(db: Database.Database) {
    this.#sql = {
      find: db.prepare(`SELECT ${TASK} FROM tasks WHERE id = ?`),
      save: db.prepare(
        `INSERT INTO tasks VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
           SET user = excluded.user, state = excluded.state, said = excluded.said, at = excluded.at WHERE state = 'running'`,
      ),
      running: db.prepare(`SELECT ${TASK} FROM tasks WHERE user = ? AND state = 'running' AND at > ? ORDER BY at DESC LIMIT ?`),
      recent: db.prepare(`SELECT ${TASK} FROM tasks WHERE at >= ? AND state = 'running' ORDER BY at LIMIT ?`),
      forget: db.prepare("DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE at < ? ORDER BY at LIMIT ?)"),
    };
  }

  find(id: string): Promise<Task | null> {
    return guard(() => this.#find(id));
  }

  save(task: Task): Promise<Task> {
    const { id, user, state, at, ...said } = task;
    return guard(() => {
      const { changes } = this.#sql.save.run(id, user, state, JSON.stringify(said), at);
      return changes === 1 ? task : (this.#find(id) as Task);
    });
  }

  running(user: string, since: number, limit: number): Promise<Task[]> {
    return guard(() => (this.#sql.running.all(user, since, limit) as TaskRow[]).map(toTask));
  }

  recent(since: number, limit: number): Promise<Task[]> {
    return guard(() => (this.#sql.recent.all(since, limit) as TaskRow[]).map(toTask));
  }

  forget(olderThan: number, limit: number): Promise<number> {
    return guard(() => this.#sql.forget.run(olderThan, limit).changes);
  }

  #find(id: string): Task | null {
    const row = this.#sql.find.get(id) as TaskRow | undefined;
    return row === undefined ? null : toTask(row);
  }
}

function toTask({ id, user, state, said, at }: TaskRow): Task {
  return { id, user, state, ...(JSON.parse(said) as Omit<Task, "id" | "user" | "state" | "at">), at };
}
