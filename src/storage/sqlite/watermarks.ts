import type Database from "libsql";
import { MAX_PASSINGS, type Passing, type Watermarks } from "../../announcements/types.js";
import { findEach, guard } from "./connection.js";

interface WatermarkRow {
  mark: keyof Watermarks;
  upTo: number;
  at: number;
  older: string;
}

/**
 * How far members were reached and have seen, in SQLite. The last passing stands in columns, those before it in a text, `upTo:at;` each: to
 * append to it and to cut its front is faster than what the JSON functions do (6 µs against 12 for a member with all `MAX_PASSINGS`).
 */
export class SqliteWatermarks {
  readonly #sql;

  constructor(db: Database.Database) {
    this.#sql = {
      // One statement for all members. Times ascend for each of them, whatever the clock does.
      pass: db.prepare(
        `INSERT INTO watermarks (user, mark, up_to, at) SELECT value, ?1, ?2, ?3 FROM json_each(?4) WHERE true
           ON CONFLICT (user, mark) DO UPDATE SET
             older = CASE WHEN older_count < ${MAX_PASSINGS - 1} THEN older ELSE substr(older, instr(older, ';') + 1) END
               || up_to || ':' || at || ';',
             older_count = min(older_count + 1, ${MAX_PASSINGS - 1}), up_to = excluded.up_to, at = max(at, excluded.at)
           WHERE excluded.up_to > up_to`,
      ),
      of: db.prepare("SELECT mark, up_to AS upTo, at, older FROM watermarks WHERE user = ?"),
    };
  }

  /** As `AnnouncementStore.pass`. */
  pass(mark: keyof Watermarks, upTo: number, at: number, users: string[]): Promise<void> {
    return guard(() => void this.#sql.pass.run(mark, upTo, at, JSON.stringify(users)));
  }

  /** As `AnnouncementStore.watermarks`. */
  of(users: string[]): Promise<Map<string, Watermarks>> {
    return guard(() =>
      findEach(users, (user) => {
        const rows = this.#sql.of.all(user) as WatermarkRow[];
        if (rows.length === 0) return null;
        const watermarks: Watermarks = { reached: [], seen: [] };
        for (const row of rows) watermarks[row.mark] = toPassings(row);
        return watermarks;
      }),
    );
  }
}

function toPassings({ upTo, at, older }: WatermarkRow): Passing[] {
  const passings = older
    .split(";")
    .slice(0, -1)
    .map((pair) => {
      const [before, when] = pair.split(":");
      return { upTo: Number(before), at: Number(when) };
    });
  return [...passings, { upTo, at }];
}
