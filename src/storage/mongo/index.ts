import type { mongo } from "mongoose";
import type { Logger } from "pino";
import type { Stores } from "../types.js";
import { MongoAnnouncements } from "./announcements.js";
import { connect, DEADLINE } from "./connection.js";
import { MongoDirectory } from "./directory.js";
import { guard } from "./errors.js";
import { MongoInbox } from "./inbox.js";
import { MongoLeases } from "./leases.js";
import { MongoMembers } from "./members.js";
import { migrate, writeEpoch } from "./migrations.js";
import { MongoPreferences } from "./preferences.js";
import { database, defineModels } from "./schemas.js";
import { MongoStreams } from "./streams.js";
import { MongoSubjects } from "./subjects.js";
import { MongoTasks } from "./tasks.js";
import { MongoTopics } from "./topics.js";

/**
 * Connects to a replica set and brings its schema up to date. `url` names the database; `belfry` where it names none.
 * @throws StoreRefused
 */
export async function openMongoStore(url: string, log: Logger): Promise<Stores> {
  const connection = await connect(url, log);
  try {
    const models = defineModels(connection);
    await migrate(models);
    log.debug({ hosts: connection.getClient().options.hosts.map(String), database: connection.name }, "mongodb store open");
    const streams = new MongoStreams(models);
    return {
      kind: "mongodb",
      streams,
      inbox: new MongoInbox(models),
      directory: new MongoDirectory(models),
      subjects: new MongoSubjects(models),
      members: new MongoMembers(models),
      preferences: new MongoPreferences(models),
      announcements: new MongoAnnouncements(models),
      tasks: new MongoTasks(models),
      topics: new MongoTopics(models),
      leases: new MongoLeases(models),
      async renewEpoch() {
        const epoch = await writeEpoch(models);
        streams.forgetEpoch();
        return epoch;
      },
      clockSkewMs: () => clockSkewMs(database(models.meta)),
      async close() {
        await connection.close();
      },
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** As `Stores.clockSkewMs`, of the primary. */
function clockSkewMs(db: mongo.Db): Promise<number> {
  return guard(async () => {
    const asked = Date.now();
    const start = performance.now();
    const { localTime } = await db.command({ hello: 1, ...DEADLINE });
    const middle = asked + (performance.now() - start) / 2;
    return Math.round((localTime as Date).getTime() - middle);
  });
}
