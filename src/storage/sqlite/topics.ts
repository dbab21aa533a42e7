import type Database from "libsql";
import type { Access, TopicStore, TopicValue } from "../../topics/types.js";
import { findEach, guard } from "./connection.js";

type TopicRow = Omit<TopicValue, "access"> & { access: string };

const TOPIC = "topic, seq, at, data, access";

/** Access as stored: JSON, so that a role named "public" opens nothing. */
const NEW_TOPIC_ACCESS = JSON.stringify("members" satisfies Access);

/** The latest values of topics, in SQLite. */
export class SqliteTopics implements TopicStore {
  readonly #sql;

  constructor(db: Database.Database) {
    this.#sql = {
      write: db.prepare(
        `INSERT INTO topics VALUES (?1, 1, ?2, ?3, coalesce(?4, '${NEW_TOPIC_ACCESS}')) ON CONFLICT (topic) DO UPDATE
           SET seq = seq + 1, at = excluded.at, data = excluded.data, access = coalesce(?4, access) RETURNING ${TOPIC}`,
      ),
      read: db.prepare(`SELECT ${TOPIC} FROM topics WHERE topic = ?`),
      count: db.prepare("SELECT count(*) AS count FROM topics"),
    };
  }

  write(topic: string, data: string, access: Access | undefined, at: number): Promise<TopicValue> {
    return guard(() => {
      const rows = this.#sql.write.all(topic, at, data, access === undefined ? null : JSON.stringify(access));
      return toValue(rows[0] as TopicRow);
    });
  }

  read(topics: string[]): Promise<Map<string, TopicValue>> {
    return guard(() =>
      findEach(topics, (topic) => {
        const row = this.#sql.read.get(topic) as TopicRow | undefined;
        return row === undefined ? null : toValue(row);
      }),
    );
  }

  count(): Promise<number> {
    return guard(() => (this.#sql.count.get() as { count: number }).count);
  }
}

function toValue({ topic, seq, at, data, access }: TopicRow): TopicValue {
  return { topic, seq, at, data, access: JSON.parse(access) as Access };
}
