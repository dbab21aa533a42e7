import type Database from "libsql";
import type { Burial, SubjectStore } from "../../community/types.js";
import { guard } from "./connection.js";

/** Which subjects are gone, in SQLite. */
export class SqliteSubjects implements SubjectStore {
  readonly #sql;

  constructor(db: Database.Database) {
    this.#sql = {
      bury: db.prepare("INSERT OR REPLACE INTO burials VALUES (?, ?, ?, ?)"),
      revive: db.prepare("DELETE FROM burials WHERE subject = ?"),
      buried: db.prepare("SELECT why, at, learned_at AS learnedAt FROM burials WHERE subject = ?"),
      forget: db.prepare(
        "DELETE FROM burials WHERE subject IN (SELECT subject FROM burials WHERE learned_at < ? ORDER BY learned_at LIMIT ?)",
      ),
    };
  }

  bury(key: string, { why, at, learnedAt }: Burial): Promise<void> {
    return guard(() => void this.#sql.bury.run(key, why, at, learnedAt));
  }

  revive(key: string): Promise<void> {
    return guard(() => void this.#sql.revive.run(key));
  }

  buried(keys: string[]): Promise<Map<string, Burial>> {
    return guard(() => {
      const found = new Map<string, Burial>();
      for (const key of keys) {
        const row = this.#sql.buried.all(key)[0] as Burial | undefined;
        if (row !== undefined) found.set(key, row);
      }
      return found;
    });
  }

  forget(olderThan: number, limit: number): Promise<number> {
    return guard(() => this.#sql.forget.run(olderThan, limit).changes);
  }
}
