import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import mongoose from "mongoose";
import pino from "pino";
import { openMongoStore } from "../../src/storage/mongo/index.js";
import { openSqliteStore } from "../../src/storage/sqlite/index.js";
import type { Stores } from "../../src/storage/types.js";
import type { StoreUnderTest } from "../contract/stores/under-test.js";
import { mongoUrl } from "./mongo-url.js";

const log = pino({ level: "silent" });

/** A schema that no version of the program will reach. */
const NEWER = 1_000_000;

/** An embedded store in a temporary folder. */
export async function openTemporarySqlite(): Promise<StoreUnderTest> {
  const dir = await mkdtemp(join(tmpdir(), "belfry-store-"));
  const pretendNewer = async () => {
    const db = new Database(join(dir, "belfry.db"));
    db.prepare("UPDATE meta SET value = ? WHERE name = 'schema'").run(String(NEWER));
    db.close();
  };
  return underTest(
    () => openSqliteStore(dir, log),
    pretendNewer,
    () => rm(dir, { recursive: true, force: true }),
  );
}

/** A database of its own on the run's MongoDB. `through`: the address that the store uses instead, of a proxy. */
export async function openTemporaryMongo(): Promise<StoreUnderTest> {
  const url = mongoUrl("contract");
  const withDatabase = async (work: (db: mongoose.mongo.Db) => Promise<unknown>) => {
    const connection = await mongoose.createConnection(url).asPromise();
    await work(connection.db as mongoose.mongo.Db).finally(() => connection.close());
  };
  const pretendNewer = () => withDatabase((db) => db.collection("meta").updateMany({}, { $set: { schema: NEWER } }));
  return underTest(
    () => openMongoStore(url, log),
    pretendNewer,
    () => withDatabase((db) => db.dropDatabase()),
  );
}

async function underTest(
  open: () => Promise<Stores>,
  pretendNewer: () => Promise<void>,
  remove: () => Promise<void>,
): Promise<StoreUnderTest> {
  const opened: Stores[] = [];
  const reopen = async () => {
    const stores = await open();
    opened.push(stores);
    return stores;
  };
  return {
    stores: await reopen(),
    reopen,
    pretendNewer,
    async destroy() {
      for (const stores of opened) await stores.close();
      await remove();
    },
  };
}
