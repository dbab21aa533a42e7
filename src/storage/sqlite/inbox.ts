import type Database from "libsql";
import type { InboxChange, InboxState, InboxStore, Mark } from "../../inbox/types.js";
import type { Cursor } from "../../stream/types.js";
import { storeError, transaction } from "./connection.js";

const MARK = "seq, read_seq AS readSeq, read_at AS readAt, archived_at AS archivedAt, rescinded";

/** Marks, watermarks and device cursors in SQLite. */
export class SqliteInbox implements InboxStore {
  readonly #db: Database.Database;
  readonly #sql;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#sql = {
      state: db.prepare("SELECT read_all, seen_up_to FROM inbox_states WHERE stream = ?"),
      putState: db.prepare("INSERT OR REPLACE INTO inbox_states VALUES (?, ?, ?)"),
      mark: db.prepare(`SELECT ${MARK} FROM marks WHERE stream = ? AND seq = ?`),
      putMark: db.prepare("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?, ?)"),
      archived: db.prepare(
        `SELECT ${MARK} FROM marks WHERE stream = ? AND archived_at IS NOT NULL AND seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?`,
      ),
      markedUnread: db.prepare(
        `SELECT ${MARK} FROM marks WHERE stream = ? AND read_seq > 0 AND read_at IS NULL AND seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?`,
      ),
      putBase: db.prepare("UPDATE streams SET base = max(base, ?) WHERE name = ?"),
      deleteMarks: db.prepare("DELETE FROM marks WHERE stream = ? AND seq < ?"),
      cursors: db.prepare("SELECT stream, epoch, seq FROM device_cursors WHERE user = ? AND device = ?"),
      putCursor: db.prepare("INSERT OR REPLACE INTO device_cursors VALUES (?, ?, ?, ?, ?, ?)"),
      oldDevices: db.prepare("SELECT device FROM device_cursors WHERE user = ? GROUP BY device ORDER BY max(at) DESC LIMIT -1 OFFSET ?"),
      deleteDevice: db.prepare("DELETE FROM device_cursors WHERE user = ? AND device = ?"),
    };
  }

  /** Within the transaction of the entry that the change belongs to. */
  apply({ stream, marks, state, base }: InboxChange): void {
    for (const { seq, readSeq, readAt, archivedAt, rescinded } of marks) {
      this.#sql.putMark.run(stream, seq, readSeq, readAt, archivedAt, rescinded);
    }
    if (state !== undefined) this.#sql.putState.run(stream, JSON.stringify(state.readAll), state.seenUpTo);
    if (base === undefined) return;
    this.#sql.putBase.run(base, stream);
    this.#sql.deleteMarks.run(stream, base);
  }

  state(stream: string): Promise<InboxState> {
    return this.#run(() => {
      const row = this.#sql.state.get(stream) as { read_all: string; seen_up_to: number } | undefined;
      if (row === undefined) return { readAll: [], seenUpTo: 0 };
      return { readAll: JSON.parse(row.read_all) as InboxState["readAll"], seenUpTo: row.seen_up_to };
    });
  }

  marks(stream: string, seqs: number[]): Promise<Mark[]> {
    return this.#run(() => seqs.flatMap((seq) => this.#sql.mark.all(stream, seq) as Mark[]));
  }

  archived(stream: string, from: number, before: number, limit: number): Promise<Mark[]> {
    return this.#run(() => this.#sql.archived.all(stream, from, before, limit) as Mark[]);
  }

  markedUnread(stream: string, from: number, before: number, limit: number): Promise<Mark[]> {
    return this.#run(() => this.#sql.markedUnread.all(stream, from, before, limit) as Mark[]);
  }

  deleteMarks(stream: string, base: number): Promise<void> {
    return this.#run(() => void this.#sql.deleteMarks.run(stream, base));
  }

  deviceCursors(user: string, device: string): Promise<Record<string, Cursor> | null> {
    return this.#run(() => {
      const rows = this.#sql.cursors.all(user, device) as Array<{ stream: string } & Cursor>;
      if (rows.length === 0) return null;
      return Object.fromEntries(rows.map(({ stream, epoch, seq }) => [stream, { epoch, seq }]));
    });
  }

  saveDeviceCursors(
    saves: Array<{ user: string; device: string; stream: string; epoch: string; seq: number; at: number }>,
    maxDevices: number,
  ): Promise<void> {
    return this.#run(() =>
      transaction(this.#db, () => {
        for (const { user, device, stream, epoch, seq, at } of saves) this.#sql.putCursor.run(user, device, stream, epoch, seq, at);
        for (const user of new Set(saves.map((save) => save.user))) {
          for (const { device } of this.#sql.oldDevices.all(user, maxDevices) as Array<{ device: string }>) {
            this.#sql.deleteDevice.run(user, device);
          }
        }
      }),
    );
  }

  async #run<T>(work: () => T): Promise<T> {
    try {
      return work();
    } catch (error) {
      throw storeError(error);
    }
  }
}
