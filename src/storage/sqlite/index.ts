import type { Logger } from "pino";
import type { Stores } from "../types.js";
import { SqliteActivity } from "./activity.js";
import { SqliteAnnouncements } from "./announcements.js";
import { newEpoch, openDatabase } from "./connection.js";
import { SqliteDirectory } from "./directory.js";
import { SqliteInbox } from "./inbox.js";
import { SqliteLeases } from "./leases.js";
import { SqliteMembers } from "./members.js";
import { SqlitePreferences } from "./preferences.js";
import { SqlitePush } from "./push.js";
import { SqliteStreams } from "./streams.js";
import { SqliteSubjects } from "./subjects.js";
import { SqliteTasks } from "./tasks.js";
import { SqliteTopics } from "./topics.js";

/** Opens (or creates) the embedded store in `dataDir`. @throws StoreRefused */
export async function openSqliteStore(dataDir: string, log: Logger): Promise<Stores> {
  const db = openDatabase(dataDir);
  log.debug({ dataDir }, "sqlite store open");
  const [inbox, members, announcements] = [new SqliteInbox(db), new SqliteMembers(db), new SqliteAnnouncements(db)];
  return {
    kind: "sqlite",
    streams: new SqliteStreams(db, { inbox, members, announcements }),
    inbox,
    directory: new SqliteDirectory(db),
    subjects: new SqliteSubjects(db),
    members,
    preferences: new SqlitePreferences(db),
    announcements,
    tasks: new SqliteTasks(db),
    topics: new SqliteTopics(db),
    leases: new SqliteLeases(),
    push: new SqlitePush(db),
    activity: new SqliteActivity(db),
    async renewEpoch() {
      const epoch = newEpoch();
      db.prepare("UPDATE meta SET value = ? WHERE name = 'epoch'").run(epoch);
      return epoch;
    },
    async close() {
      if (!db.open) return;
      // The driver leaves the log as it is; copied in, the folder is as small as its content.
      try {
        db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      } catch (err) {
        log.warn({ err }, "the write-ahead log could not be copied into the database; the next start does it");
      }
      db.close();
    },
  };
}
