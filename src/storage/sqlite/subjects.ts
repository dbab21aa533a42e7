import type Database from "libsql";
import type { Burial, SubjectStore } from "../../community/types.js";
import { guard } from "./connection.js";

/** Subjects whose names are kept in memory. Threat: memory, in a forum that deletes by the hundred thousand; then every event looks. */
const MAX_KNOWN = 200_000;

/** Which subjects are gone, in SQLite. One process owns the file, so it knows which names stand in the table. */
export class SqliteSubjects implements SubjectStore {
  readonly #sql;
  /** Every subject in the table, and some that were there; null where there are too many to keep. */
  #known: Set<string> | null;

  constructor(db: Database.Database) {
    this.#sql = {
      bury: db.prepare("INSERT OR REPLACE INTO burials VALUES (?, ?, ?, ?)"),
      revive: db.prepare("DELETE FROM burials WHERE subject = ?"),
      buried: db.prepare("SELECT why, at, learned_at AS learnedAt FROM burials WHERE subject = ?"),
      forget: db.prepare(
        "DELETE FROM burials WHERE subject IN (SELECT subject FROM burials WHERE learned_at < ? ORDER BY learned_at LIMIT ?)",
      ),
    };
    const rows = db.prepare("SELECT subject FROM burials LIMIT ?").all(MAX_KNOWN + 1) as Array<{ subject: string }>;
    this.#known = rows.length > MAX_KNOWN ? null : new Set(rows.map(({ subject }) => subject));
  }

  bury(key: string, { why, at, learnedAt }: Burial): Promise<void> {
    this.#known?.add(key);
    if (this.#known !== null && this.#known.size > MAX_KNOWN) this.#known = null;
    return guard(() => void this.#sql.bury.run(key, why, at, learnedAt));
  }

  revive(key: string): Promise<void> {
    return guard(() => void this.#sql.revive.run(key));
  }

  mayBeGone(key: string): boolean {
    return this.#known === null || this.#known.has(key);
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
