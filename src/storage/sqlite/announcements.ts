import type Database from "libsql";
import type { Announcement, AnnouncementChange, AnnouncementRecord, AnnouncementStore, Settled } from "../../announcements/types.js";
import { findEach, guard } from "./connection.js";
import { SqliteWatermarks } from "./watermarks.js";

type AnnouncementRow = Omit<AnnouncementRecord, "announcement"> & { announcement: string };

const RECORD =
  "id, revision, state, announcement, created_at AS createdAt, starts_at AS startsAt, expires_at AS expiresAt, ended_at AS endedAt, why, seq";

/** After every record there is: where the newest page begins. */
const NEWEST = { createdAt: Number.MAX_SAFE_INTEGER, id: "" };

/** Announcements and what members have settled of them, in SQLite. */
export class SqliteAnnouncements implements AnnouncementStore {
  readonly #sql;
  readonly pass: AnnouncementStore["pass"];
  readonly watermarks: AnnouncementStore["watermarks"];

  constructor(db: Database.Database) {
    const watermarks = new SqliteWatermarks(db);
    this.pass = watermarks.pass.bind(watermarks);
    this.watermarks = watermarks.of.bind(watermarks);
    this.#sql = {
      find: db.prepare(`SELECT ${RECORD} FROM announcements WHERE id = ?`),
      revision: db.prepare("SELECT revision FROM announcements WHERE id = ?"),
      put: db.prepare("INSERT OR REPLACE INTO announcements VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      current: db.prepare(`SELECT ${RECORD} FROM announcements WHERE state IN ('scheduled', 'live') ORDER BY created_at, id`),
      page: db.prepare(`SELECT ${RECORD} FROM announcements WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`),
      settled: db.prepare(
        "SELECT dismissed_at AS dismissedAt, acknowledged_at AS acknowledgedAt FROM settled WHERE announcement = ? AND user = ?",
      ),
      settle: db.prepare(
        `INSERT INTO settled VALUES (?, ?, ?, ?) ON CONFLICT (announcement, user) DO UPDATE SET
           dismissed_at = coalesce(excluded.dismissed_at, dismissed_at), acknowledged_at = coalesce(excluded.acknowledged_at, acknowledged_at)`,
      ),
    };
  }

  /** Whether the stored revision is one less than the record's. */
  isNext({ id, revision }: AnnouncementRecord): boolean {
    const row = this.#sql.revision.get(id) as { revision: number } | undefined;
    return (row?.revision ?? 0) === revision - 1;
  }

  /** Within the transaction of the entry that the change belongs to. A record `isNext`. */
  apply(change: AnnouncementChange): void {
    if (change.of === "announcement") {
      this.#put(change.record);
    } else {
      const { user, announcement, settled } = change;
      this.#sql.settle.run(announcement, user, settled.dismissedAt, settled.acknowledgedAt);
    }
  }

  find(id: string): Promise<AnnouncementRecord | null> {
    return guard(() => {
      const row = this.#sql.find.get(id) as AnnouncementRow | undefined;
      return row === undefined ? null : toRecord(row);
    });
  }

  current(): Promise<AnnouncementRecord[]> {
    return guard(() => (this.#sql.current.all() as AnnouncementRow[]).map(toRecord));
  }

  page(before: { createdAt: number; id: string } | null, limit: number): Promise<AnnouncementRecord[]> {
    const { createdAt, id } = before ?? NEWEST;
    return guard(() => (this.#sql.page.all(createdAt, id, limit) as AnnouncementRow[]).map(toRecord));
  }

  save(record: AnnouncementRecord): Promise<boolean> {
    // Nobody else writes to the file, and nothing comes between two statements.
    return guard(() => {
      const isNext = this.isNext(record);
      if (isNext) this.#put(record);
      return isNext;
    });
  }

  settledOf(user: string, announcements: string[]): Promise<Map<string, Settled>> {
    return guard(() => findEach(announcements, (announcement) => this.#settled(announcement, user)));
  }

  settledBy(announcement: string, users: string[]): Promise<Map<string, Settled>> {
    return guard(() => findEach(users, (user) => this.#settled(announcement, user)));
  }

  #put({ id, revision, state, announcement, createdAt, startsAt, expiresAt, endedAt, why, seq }: AnnouncementRecord): void {
    const text = JSON.stringify(announcement);
    this.#sql.put.run(id, revision, state, text, createdAt, startsAt, expiresAt, endedAt, why, seq);
  }

  #settled(announcement: string, user: string): Settled | null {
    const row = this.#sql.settled.get(announcement, user) as Settled | undefined;
    // Field by field: the driver adds some of its own.
    return row === undefined ? null : { dismissedAt: row.dismissedAt, acknowledgedAt: row.acknowledgedAt };
  }
}

function toRecord(row: AnnouncementRow): AnnouncementRecord {
  const { id, revision, state, announcement, createdAt, startsAt, expiresAt, endedAt, why, seq } = row;
  const parsed = JSON.parse(announcement) as Announcement;
  return { id, revision, state, announcement: parsed, createdAt, startsAt, expiresAt, endedAt, why, seq };
}
