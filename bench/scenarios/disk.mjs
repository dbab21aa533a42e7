/** How much of the disk a notification takes. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { eventMaker } from "../lib/events.mjs";
import { EventLoad } from "../lib/http-load.mjs";
import { API_KEY, withService } from "../lib/servers.mjs";

const NOTIFICATIONS = 50_000;
const RECIPIENTS = 10;
const CALLERS = 64;
/** MongoDB's own databases: the oplog and the replica set's settings are not the service's data. */
const MONGODB_OWN = new Set(["admin", "config", "local"]);

async function directoryBytes(directory) {
  const names = await readdir(directory, { recursive: true });
  const stats = await Promise.all(names.map((name) => stat(join(directory, name))));
  return stats.reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
}

async function mongodbBytes(client) {
  await client.db("admin").command({ fsync: 1 });
  const { databases } = await client.db("admin").command({ listDatabases: 1, nameOnly: true });
  let bytes = 0;
  for (const { name } of databases.filter((database) => !MONGODB_OWN.has(database.name))) {
    const stats = await client.db(name).command({ dbStats: 1 });
    bytes += stats.storageSize + stats.indexSize;
  }
  return bytes;
}

/**
 * Stores 50,000 notifications of events with 10 recipients, stops the service cleanly and measures: SQLite by the files in DATA_DIR, MongoDB
 * by the storage and index sizes of the service's database after an fsync.
 */
export async function disk({ store, options, seed }) {
  let bytes = 0;
  const notifications = await withService({
    store,
    mongodBinary: options.mongodBinary,
    async use({ service }) {
      const makeEvent = eventMaker({ members: options.members, recipients: RECIPIENTS, seed, prefix: "bench" });
      const load = new EventLoad({ port: service.port, key: API_KEY, callers: CALLERS, makeEvent });
      await load.saturate(NOTIFICATIONS / RECIPIENTS);
      load.close();
      return load.notified;
    },
    async stopped({ dataDir, mongod }) {
      bytes = mongod === undefined ? await directoryBytes(dataDir) : await mongodbBytes(mongod.client);
    },
  });
  return { notifications, bytes, perNotification: bytes / notifications };
}
