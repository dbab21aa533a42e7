import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { BelfryError } from "../../errors.js";
import { StoreRefused } from "../types.js";
import { MIGRATIONS } from "./migrations.js";

/**
 * Pages in the write-ahead log before it is copied into the database: 64 MB. More makes the copying cheaper, since a page that was written
 * many times is copied once, and a restart after a crash slower.
 */
const CHECKPOINT_PAGES = 16_000;

/** How long a statement waits for another process (a backup tool) to release the file. Milliseconds. */
const BUSY_TIMEOUT_MS = 5_000;

const FILE = "belfry.db";

/**
 * Opens the embedded store in `dataDir` and brings its schema up to date. `synchronous=FULL`: a commit is on disk before it returns.
 * @throws StoreRefused when the file is newer than this program, or is not a database.
 */
export function openDatabase(dataDir: string): Database.Database {
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, FILE);
  let db: Database.Database;
  try {
    db = new Database(file);
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    db.exec("PRAGMA journal_mode = WAL");
    db.exec("PRAGMA synchronous = FULL");
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    db.exec("PRAGMA cache_size = -65536");
  } catch (cause) {
    const what = isDiskFault(cause)
      ? `cannot be written (${reason(cause)}); make room on its disk or name another directory.`
      : `cannot be opened as a database (${reason(cause)}); restore it or name another directory.`;
    throw new StoreRefused(`DATA_DIR: ${file} ${what}`, { cause });
  }
  migrate(db, file);
  return db;
}

function migrate(db: Database.Database, file: string): void {
  transaction(db, () => {
    db.exec("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
    const row = db.prepare("SELECT value FROM meta WHERE name = 'schema'").get() as { value: string } | undefined;
    const version = row === undefined ? 0 : Number(row.value);
    if (version > MIGRATIONS.length) {
      throw new StoreRefused(
        `DATA_DIR: ${file} has schema ${version}, this program knows up to ${MIGRATIONS.length}; start the newer version of Belfry that wrote it.`,
      );
    }
    for (const sql of MIGRATIONS.slice(version)) db.exec(sql);
    const put = db.prepare("INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value");
    put.run("schema", String(MIGRATIONS.length));
    db.prepare("INSERT INTO meta VALUES ('epoch', ?) ON CONFLICT (name) DO NOTHING").run(newEpoch());
  });
}

/** An epoch is compared, never read; 72 bits make two alike not happen. */
export function newEpoch(): string {
  return randomBytes(9).toString("base64url");
}

/** Runs `work` in a write transaction; whatever it throws undoes everything. */
export function transaction<T>(db: Database.Database, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    // A full disk may have ended the transaction already; then there is nothing to undo.
    if (db.inTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** What a failed statement means for the caller: nothing was stored, and the operator has something to do. */
export function storeError(cause: unknown): Error {
  if (cause instanceof BelfryError || cause instanceof StoreRefused) return cause;
  const code = sqliteCode(cause);
  if (isDiskFault(cause)) {
    return new BelfryError("unavailable", "The store cannot write (is its disk full?); nothing was stored, send it again later.", {
      cause,
    });
  }
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_READONLY") || code.startsWith("SQLITE_CANTOPEN")) {
    return new BelfryError("unavailable", "The store is not writable at the moment; nothing was stored, send it again later.", { cause });
  }
  return cause instanceof Error ? cause : new Error(String(cause));
}

/** Runs statements; what they throw becomes what it means for the caller. */
export async function guard<T>(work: () => T): Promise<T> {
  try {
    return work();
  } catch (error) {
    throw storeError(error);
  }
}

/** What `find` has of each name; names of which it has nothing are left out. */
export function findEach<T>(names: string[], find: (name: string) => T | null): Map<string, T> {
  const found = new Map<string, T>();
  for (const name of names) {
    const one = find(name);
    if (one !== null) found.set(name, one);
  }
  return found;
}

function isDiskFault(thrown: unknown): boolean {
  const code = sqliteCode(thrown);
  return code === "SQLITE_FULL" || code.startsWith("SQLITE_IOERR");
}

function sqliteCode(thrown: unknown): string {
  return typeof thrown === "object" && thrown !== null && "code" in thrown ? String(thrown.code) : "";
}

function reason(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
