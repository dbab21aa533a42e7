import type Database from "libsql";
import type {
  AppendBatch,
  AppendResult,
  EntryPlace,
  EntryRow,
  FoundKey,
  PublicationOutcome,
  PublicationRecord,
  RowOutcome,
  StoredEntry,
  StreamStore,
  Tail,
} from "../../stream/types.js";
import type { Companion } from "../types.js";
import type { SqliteAnnouncements } from "./announcements.js";
import { storeError, transaction } from "./connection.js";
import type { SqliteInbox } from "./inbox.js";
import type { SqliteMembers } from "./members.js";
import { StreamIds } from "./stream-ids.js";

const ENTRY = "e.seq, e.at, e.kind, e.unread, e.own, e.publication, p.shared";
const FROM = "FROM entries e LEFT JOIN publications p ON p.id = e.publication";

/** Entries deleted in one statement. Threat: a long trim that holds the event loop; 3 µs a row measured. */
const DELETED_A_STEP = 1_000;

/** Publications are stored in the order of their times, so the old ones are among the first. Threat: a scan of the whole table. */
const OLDEST_LOOKED_AT = 1_000;

/** Those whose changes are stored with an entry. */
interface Rooms {
  inbox: SqliteInbox;
  members: SqliteMembers;
  announcements: SqliteAnnouncements;
}

type PublicationRow = Omit<PublicationRecord, "plan"> & { plan: string };

/**
 * The streams in SQLite. One process owns the file, so a batch is one transaction and a compare-and-set is an insert that may be refused.
 * Statements run on the event loop: handing rows to another thread cost more than the commit's wait for the disk (docs/PERFORMANCE.md).
 */
export class SqliteStreams implements StreamStore<Companion> {
  readonly concurrency = 1;
  readonly #db: Database.Database;
  readonly #rooms: Rooms;
  readonly #ids: StreamIds;
  readonly #sql;

  constructor(db: Database.Database, rooms: Rooms) {
    this.#db = db;
    this.#rooms = rooms;
    this.#ids = new StreamIds(db);
    this.#sql = {
      epoch: db.prepare("SELECT value FROM meta WHERE name = 'epoch'"),
      insertEntry: db.prepare("INSERT INTO entries VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"),
      insertPublication: db.prepare("INSERT INTO publications VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"),
      publication: db.prepare("SELECT * FROM publications WHERE id = ? UNION ALL SELECT * FROM publications WHERE alias = ? LIMIT 1"),
      byKey: db.prepare("SELECT s.name AS stream, e.seq, e.publication FROM entries e JOIN streams s ON s.id = e.stream WHERE e.key = ?"),
      byKeyAndStream: db.prepare("SELECT seq, publication FROM entries WHERE key = ? AND stream = ?"),
      head: db.prepare("SELECT seq, unread FROM entries WHERE stream = ? ORDER BY seq DESC LIMIT 1"),
      counter: db.prepare("SELECT unread FROM entries WHERE stream = ? AND seq = ?"),
      base: db.prepare("SELECT base FROM streams WHERE id = ?"),
      read: db.prepare(`SELECT ${ENTRY} ${FROM} WHERE e.stream = ? AND e.seq > ? AND e.seq <= ? ORDER BY e.seq LIMIT ?`),
      readBack: db.prepare(
        `SELECT ${ENTRY} ${FROM} WHERE e.stream = ? AND e.kind = ? AND e.seq >= ? AND e.seq < ? ORDER BY e.seq DESC LIMIT ?`,
      ),
      readAt: db.prepare(`SELECT ${ENTRY} ${FROM} WHERE e.stream = ? AND e.seq = ?`),
      setBase: db.prepare("UPDATE streams SET base = max(base, ?) WHERE id = ?"),
      deleteBelowBase: db.prepare(
        `DELETE FROM entries WHERE id IN (
           SELECT id FROM entries WHERE stream = ?1 AND seq < (SELECT base FROM streams WHERE id = ?1) AND at < ?2
             AND seq < (SELECT max(seq) FROM entries WHERE stream = ?1) ORDER BY seq LIMIT ?3)`,
      ),
      streams: db.prepare("SELECT id, name FROM streams WHERE name > ? ORDER BY name LIMIT ?"),
      oldest: db.prepare("SELECT seq, at FROM entries WHERE stream = ? ORDER BY seq LIMIT 1"),
      lastBefore: db.prepare("SELECT seq FROM entries WHERE stream = ? AND at < ? ORDER BY seq DESC LIMIT 1"),
      deletePublications: db.prepare(
        `DELETE FROM publications WHERE rowid IN (
           SELECT rowid FROM (SELECT rowid, at FROM publications ORDER BY rowid LIMIT ?3) WHERE at < ?1 LIMIT ?2)`,
      ),
      ping: db.prepare("SELECT 1"),
    };
  }

  epoch(): Promise<string> {
    return this.#run(() => (this.#sql.epoch.get() as { value: string }).value);
  }

  append(batch: AppendBatch<Companion>): Promise<AppendResult> {
    return this.#run(() => {
      this.#ids.begun();
      const result = transaction(this.#db, () => {
        const duplicates = new Set<string>();
        const publications = batch.publications.map((record): PublicationOutcome => {
          const outcome = this.#insertPublication(record);
          if (!outcome.stored) duplicates.add(record.id);
          return outcome;
        });
        const rows = batch.writes.map(({ row, companion }): RowOutcome => {
          if (duplicates.size > 0 && row.publication !== null && duplicates.has(row.publication)) return { is: "skipped" };
          return companion === undefined ? this.#insertEntry(row) : this.#insertWith(row, companion);
        });
        return { publications, rows };
      });
      this.#ids.committed();
      return result;
    });
  }

  tails(streams: string[]): Promise<Map<string, Tail>> {
    return this.#run(() => {
      const tails = new Map<string, Tail>();
      for (const stream of streams) {
        const id = this.#ids.find(stream);
        const head = id === null ? undefined : (this.#sql.head.get(id) as { seq: number; unread: number } | undefined);
        const base = id === null ? undefined : (this.#sql.base.get(id) as { base: number } | undefined);
        tails.set(stream, { head: head?.seq ?? 0, base: base?.base ?? 1, unread: head?.unread ?? 0 });
      }
      return tails;
    });
  }

  look(places: EntryPlace[]): Promise<Array<EntryPlace & { unread: number }>> {
    return this.#run(() =>
      places.flatMap(({ stream, seq }) => {
        const id = this.#ids.find(stream);
        const found = id === null ? undefined : (this.#sql.counter.get(id, seq) as { unread: number } | undefined);
        return found === undefined ? [] : [{ stream, seq, unread: found.unread }];
      }),
    );
  }

  read(stream: string, after: number, upTo: number, limit: number): Promise<StoredEntry[]> {
    return this.#of(stream, [], (id) => this.#sql.read.all(id, after, upTo, limit) as StoredEntry[]);
  }

  readBack(stream: string, kind: string, from: number, before: number, limit: number): Promise<StoredEntry[]> {
    return this.#of(stream, [], (id) => this.#sql.readBack.all(id, kind, from, before, limit) as StoredEntry[]);
  }

  readAt(stream: string, seqs: number[]): Promise<StoredEntry[]> {
    return this.#of(stream, [], (id) => seqs.flatMap((seq) => this.#sql.readAt.all(id, seq) as StoredEntry[]));
  }

  find(key: string, streams?: string[]): Promise<FoundKey[]> {
    return this.#run(() => {
      if (streams === undefined) return this.#sql.byKey.all(key) as FoundKey[];
      return streams.flatMap((stream) => this.#findIn(key, stream, this.#ids.find(stream)) ?? []);
    });
  }

  publication(name: string): Promise<PublicationRecord | null> {
    return this.#run(() => this.#publication(name));
  }

  setBase(stream: string, base: number): Promise<void> {
    return this.#of(stream, undefined, (id) => void this.#sql.setBase.run(base, id));
  }

  async deleteBelowBase(stream: string, olderThan: number): Promise<number> {
    for (let deleted = 0; ; ) {
      const step = await this.#of(stream, 0, (id) => this.#sql.deleteBelowBase.run(id, olderThan, DELETED_A_STEP).changes);
      deleted += step;
      if (step < DELETED_A_STEP) return deleted;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  streams(after: string | null, limit: number): Promise<Array<{ stream: string; oldest: number; oldestAt: number }>> {
    return this.#run(() => {
      const rows = this.#sql.streams.all(after ?? "", limit) as Array<{ id: number; name: string }>;
      return rows.map(({ id, name }) => {
        const { seq, at } = this.#sql.oldest.get(id) as { seq: number; at: number };
        return { stream: name, oldest: seq, oldestAt: at };
      });
    });
  }

  lastBefore(stream: string, olderThan: number): Promise<number> {
    return this.#of(stream, 0, (id) => (this.#sql.lastBefore.get(id, olderThan) as { seq: number } | undefined)?.seq ?? 0);
  }

  deletePublications(olderThan: number, limit: number): Promise<number> {
    return this.#run(() => this.#sql.deletePublications.run(olderThan, limit, limit + OLDEST_LOOKED_AT).changes);
  }

  ping(): Promise<void> {
    return this.#run(() => void this.#sql.ping.get());
  }

  #insertPublication(record: PublicationRecord): PublicationOutcome {
    const { id, alias, key, kind, at, shared, plan, note, attempt } = record;
    const { changes } = this.#sql.insertPublication.run(id, alias, key, kind, at, shared, encodePlan(plan), note, attempt);
    if (changes === 1) return { stored: true };
    const existing = this.#publication(id) ?? this.#publication(alias ?? id);
    if (existing === null) throw new Error(`publication ${id} is refused and not there`);
    return existing.attempt === attempt ? { stored: true } : { stored: false, existing };
  }

  #insertEntry(row: EntryRow): RowOutcome {
    const { stream, seq, key, at, kind, unread, own, publication } = row;
    const id = this.#ids.findOrMake(stream);
    if (this.#sql.insertEntry.run(id, seq, key, at, kind, unread, own, publication).changes === 1) return { is: "stored" };
    return this.#refuse(row);
  }

  #insertWith(row: EntryRow, companion: Companion): RowOutcome {
    const { inbox, members, announcements } = this.#rooms;
    if (companion.of === "announcement" && !announcements.isNext(companion.record)) return this.#refuse(row);
    const outcome = this.#insertEntry(row);
    if (outcome.is !== "stored") return outcome;
    switch (companion.of) {
      case "inbox":
        inbox.apply(companion);
        break;
      case "member":
        members.apply(companion);
        break;
      case "announcement":
      case "settled":
        announcements.apply(companion);
        break;
    }
    return outcome;
  }

  /** What became of a row that is not to be stored. */
  #refuse({ stream, key }: EntryRow): RowOutcome {
    const known = this.#findIn(key, stream, this.#ids.find(stream));
    return known === null ? { is: "conflict" } : { is: "repeat", seq: known.seq, publication: known.publication };
  }

  #findIn(key: string, stream: string, id: number | null): FoundKey | null {
    const row = id === null ? undefined : (this.#sql.byKeyAndStream.get(key, id) as Omit<FoundKey, "stream"> | undefined);
    return row === undefined ? null : { stream, seq: row.seq, publication: row.publication };
  }

  #publication(name: string): PublicationRecord | null {
    const row = this.#sql.publication.get(name, name) as PublicationRow | undefined;
    if (row === undefined) return null;
    // Field by field: the driver adds some of its own.
    const { id, alias, key, kind, at, shared, plan, note, attempt } = row;
    return { id, alias, key, kind, at, shared, plan: decodePlan(plan), note, attempt };
  }

  /** What `work` makes of a stream's number, or `none` where the stream has no entry yet. */
  #of<T>(stream: string, none: T, work: (id: number) => T): Promise<T> {
    return this.#run(() => {
      const id = this.#ids.find(stream);
      return id === null ? none : work(id);
    });
  }

  /** The port is asynchronous and its errors are the contract's. */
  async #run<T>(work: () => T): Promise<T> {
    try {
      return work();
    } catch (error) {
      throw storeError(error);
    }
  }
}

/** Pairs instead of objects: a plan of ten is written with every event. */
function encodePlan(plan: PublicationRecord["plan"]): string {
  return JSON.stringify(plan.map(({ stream, own }) => [stream, own]));
}

function decodePlan(plan: string): PublicationRecord["plan"] {
  return (JSON.parse(plan) as Array<[string, string]>).map(([stream, own]) => ({ stream, own }));
}
