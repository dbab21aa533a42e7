import type Database from "libsql";
import type { ActivityStore, MinuteRow } from "../../activity/types.js";
import { guard, transaction } from "./connection.js";

/** `said`: all else of the row, as JSON. */
interface ActivityRow {
  at: number;
  process: string;
  said: string;
}

/** What was done in each minute, in SQLite. */
export class SqliteActivity implements ActivityStore {
  readonly #db: Database.Database;
  readonly #sql;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#sql = {
      save: db.prepare("INSERT INTO activity VALUES (?, ?, ?) ON CONFLICT (at, process) DO UPDATE SET said = excluded.said"),
      since: db.prepare("SELECT at, process, said FROM activity WHERE at >= ? ORDER BY at DESC LIMIT ?"),
      forget: db.prepare("DELETE FROM activity WHERE at < ?"),
    };
  }

  save(rows: MinuteRow[]): Promise<void> {
    return guard(() =>
      transaction(this.#db, () => {
        for (const { at, process, ...said } of rows) this.#sql.save.run(at, process, JSON.stringify(said));
      }),
    );
  }

  since(from: number, limit: number): Promise<MinuteRow[]> {
    return guard(() =>
      (this.#sql.since.all(from, limit) as ActivityRow[]).map(({ at, process, said }) => ({
        at,
        process,
        ...(JSON.parse(said) as Omit<MinuteRow, "at" | "process">),
      })),
    );
  }

  forget(before: number): Promise<void> {
    return guard(() => {
      this.#sql.forget.run(before);
    });
  }
}
