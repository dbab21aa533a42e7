import type { Logger } from "pino";
import type { Stores } from "../types.js";
import { MongoActivity } from "./activity.js";
import { MongoAnnouncements } from "./announcements.js";
import { tellSkew } from "./clock.js";
import { connect } from "./connection.js";
import { MongoDirectory } from "./directory.js";
import { MongoInbox } from "./inbox.js";
import { MongoLeases } from "./leases.js";
import { MongoMembers } from "./members.js";
import { migrate, writeEpoch } from "./migrations.js";
import { MongoPreferences } from "./preferences.js";
import { MongoPush } from "./push.js";
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
    await tellSkew(database(models.meta), log);
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
      push: new MongoPush(models),
      activity: new MongoActivity(models),
      async renewEpoch() {
        const epoch = await writeEpoch(models);
        streams.forgetEpoch();
        return epoch;
      },
      async close() {
        await connection.close();
      },
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}
