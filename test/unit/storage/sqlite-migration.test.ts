import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import Database from "libsql";
import { pino } from "pino";
import { openSqliteStore } from "../../../src/storage/sqlite/index.js";
import { MIGRATIONS } from "../../../src/storage/sqlite/migrations.js";
import type { Stores } from "../../../src/storage/types.js";

describe("a database that an earlier version of the program has made", () => {
  let dir: string;
  let stores: Stores | undefined;

  /** Runs `work` on the file as it is, without the program. */
  function onFile<T>(work: (db: Database.Database) => T): T {
    const db = new Database(join(dir, "belfry.db"));
    try {
      return work(db);
    } finally {
      db.close();
    }
  }

  /** The names of all tables and indexes of the file. */
  const schema = () =>
    onFile((db) => (db.prepare("SELECT name FROM sqlite_master ORDER BY name").all() as Array<{ name: string }>).map(({ name }) => name));
  const version = () => onFile((db) => (db.prepare("SELECT value FROM meta WHERE name = 'schema'").get() as { value: string }).value);

  async function open(): Promise<Stores> {
    stores = await openSqliteStore(dir, pino({ level: "silent" }));
    return stores;
  }

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "belfry-migration-"));
    onFile((db) => {
      db.exec("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
      db.exec(MIGRATIONS[0] as string);
      db.exec("INSERT INTO meta VALUES ('schema', '1'), ('epoch', 'of-the-first-version')");
      db.exec("INSERT INTO streams (name) VALUES ('inbox:7')");
      db.exec(`INSERT INTO entries VALUES (NULL, 1, 1, 'k', 5, 'note', 1, '{"n":1}', NULL)`);
    });
  });
  afterEach(async () => {
    await stores?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it("keeps its history and gets what is new", async () => {
    const { streams, members, topics } = await open();
    expect(await streams.epoch()).toBe("of-the-first-version");
    expect((await streams.tails(["inbox:7"])).get("inbox:7")).toEqual({ head: 1, base: 1, unread: 1 });
    await members.meet([{ user: "7", at: 5 }]);
    expect((await members.find(["7"])).get("7")?.joinedAt).toBe(5);
    expect(await topics.count()).toBe(0);
  });

  it("looks like a new one then", async () => {
    await (await open()).close();
    const migrated = schema();
    expect(version()).toBe(String(MIGRATIONS.length));
    rmSync(dir, { recursive: true });
    await (await open()).close();
    expect(schema()).toEqual(migrated);
  });

  it("is taken forward once: opened again it stays as it is", async () => {
    await (await open()).members.meet([{ user: "7", at: 5 }]);
    await stores?.close();
    expect((await (await open()).members.find(["7"])).size).toBe(1);
  });

  it("stays as it was where a step fails", async () => {
    onFile((db) => db.exec("CREATE TABLE topics (mine TEXT)"));
    const before = schema();
    await expect(open()).rejects.toThrow(/topics/);
    expect(schema()).toEqual(before);
    expect(version()).toBe("1");
  });
});
