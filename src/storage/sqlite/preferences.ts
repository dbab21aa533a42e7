import type Database from "libsql";
import type { BlockSetting, Level, LevelSetting, PreferenceChange, PreferenceStore, Scope } from "../../preferences/types.js";
import { guard } from "./connection.js";

/** Where a setting stands: a level in its scope, a block among the blocks. */
type Place = Scope | "block";

interface PreferenceRow {
  version: number;
  user: string;
  place: Place;
  id: string;
  value: string;
  until: number | null;
}

/** Watch levels and blocks in SQLite: a row for each setting, which gets the next version with each change. */
export class SqlitePreferences implements PreferenceStore {
  readonly exclusive = true;
  readonly #sql;

  constructor(db: Database.Database) {
    this.#sql = {
      version: db.prepare("SELECT coalesce(max(version), 0) AS version FROM preferences"),
      since: db.prepare("SELECT version, user, place, id, value, until FROM preferences WHERE version > ? ORDER BY version LIMIT ?"),
      put: db.prepare("INSERT OR REPLACE INTO preferences (user, place, id, value, until) VALUES (?, ?, ?, ?, ?)"),
    };
  }

  version(): Promise<number> {
    return guard(() => (this.#sql.version.get() as { version: number }).version);
  }

  changesSince(version: number, limit: number): Promise<PreferenceChange[]> {
    return guard(() => (this.#sql.since.all(version, limit) as PreferenceRow[]).map(toChange));
  }

  setLevel({ user, scope, id, level, until }: LevelSetting): Promise<number> {
    return this.#put(user, scope, id, level, until);
  }

  setBlock({ user, other, blocked }: BlockSetting): Promise<number> {
    return this.#put(user, "block", other, blocked ? "blocked" : "open", null);
  }

  #put(user: string, place: Place, id: string, value: string, until: number | null): Promise<number> {
    return guard(() => Number(this.#sql.put.run(user, place, id, value, until).lastInsertRowid));
  }
}

function toChange({ version, user, place, id, value, until }: PreferenceRow): PreferenceChange {
  if (place === "block") return { of: "block", user, other: id, blocked: value === "blocked", version };
  return { of: "level", user, scope: place, id, level: value as Level, until, version };
}
