import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Router } from "express";
import type { Logger } from "pino";
import { ANNOUNCEMENTS_STREAM, Announcements } from "./announcements/index.js";
import { ApiKeys, createTokenVerifier, mintDemoToken, type TokenVerifier } from "./auth/index.js";
import { Community, DiscourseConnector } from "./community/index.js";
import type { Config } from "./config/index.js";
import { createDemoForum } from "./demo/index.js";
import { addressOf, createApp, createHttpServer, createIngestHandler } from "./http/index.js";
import { Inbox } from "./inbox/index.js";
import { Members } from "./members/index.js";
import { Messages } from "./messages/index.js";
import { AUDIT_STREAM, Moderation } from "./moderation/index.js";
import { Preferences } from "./preferences/index.js";
import { Presence } from "./presence/index.js";
import { Realtime } from "./realtime/index.js";
import { openMongoStore } from "./storage/mongo/index.js";
import { openSqliteStore } from "./storage/sqlite/index.js";
import type { Companion, Stores } from "./storage/types.js";
import { StreamLog, Trimmer } from "./stream/index.js";
import { Tasks } from "./tasks/index.js";
import { createMetrics } from "./telemetry/index.js";
import { Topics } from "./topics/index.js";

/** How long a demo sign-in lasts. Seconds. */
const DEMO_TOKEN_SECONDS = 12 * 3_600;

/** How long requests under way may take once the service is told to stop. Milliseconds. */
const DRAIN_MS = 10_000;

/** How often connections that became idle are closed meanwhile. Milliseconds. */
const DRAIN_SWEEP_MS = 50;

/** A running service. */
export interface Service {
  /** Where it listens, such as `http://127.0.0.1:3000`. */
  url: string;
  store: Stores["kind"];
  /** Stops taking requests, says `draining` to all sessions, settles what was taken and closes the store. Harmless when called again. */
  stop(): Promise<void>;
}

/** Opens the store that the configuration names. @throws StoreRefused */
export function openStores(config: Pick<Config, "mongodbUrl" | "dataDir">, logger: Logger): Promise<Stores> {
  return config.mongodbUrl === null ? openSqliteStore(config.dataDir, logger) : openMongoStore(config.mongodbUrl, logger);
}

/** Puts the rooms together and starts serving. @throws StoreRefused, or the server's error when it cannot listen. */
export async function startService(config: Config, logger: Logger): Promise<Service> {
  const stores = await openStores(config, logger);
  const metrics = createMetrics();
  const log = new StreamLog<Companion>({
    store: stores.streams,
    observer: {
      batch: (rows) => metrics.batchSize.observe(rows),
      conflict: () => metrics.appendConflicts.add(),
    },
  });
  log.subscribe(() => metrics.entriesAppended.add());
  const rooms = createRooms(stores, log, logger);
  const { inbox, community, discourse } = rooms;
  const verifier = createTokenVerifier(config);
  const trimmer = new Trimmer<Companion>({
    store: stores.streams,
    keepDays: config.keepDays,
    keepEntries: config.keepEntries,
    trim: (stream, base) => trimOne(stream, base, log, inbox),
    forget: [(olderThan, limit) => stores.subjects.forget(olderThan, limit), (olderThan, limit) => stores.tasks.forget(olderThan, limit)],
    onError: (err) => logger.error({ err }, "trimming failed; it is tried again in an hour"),
  });

  let draining = false;
  const apiKeys = new ApiKeys(config.apiKeys);
  const pages = demoPages(config, rooms, verifier, logger);
  const app = createApp({
    config,
    verifier,
    apiKeys,
    ...rooms,
    readiness: { draining: () => draining, ping: () => stores.streams.ping() },
    log: logger,
    metrics,
    ...(pages === null ? {} : { pages }),
  });
  const ingest = createIngestHandler({ apiKeys, community, discourse, discourseSecret: config.discourseSecret, log: logger, metrics });
  const httpServer = createHttpServer({ ingest, app });
  await startRooms(rooms);
  const realtime = new Realtime({
    httpServer,
    config,
    log,
    ...rooms,
    inboxStore: stores.inbox,
    verifier,
    addressOf: addressOf(config.trustProxy),
    metrics,
    logger,
  });
  const stopRooms = async (): Promise<void> => {
    rooms.presence.close();
    await Promise.all([rooms.announcements.stop(), rooms.moderation.stop()]);
    await rooms.members.close();
  };

  try {
    httpServer.listen(config.port, config.host);
    await once(httpServer, "listening");
  } catch (error) {
    await realtime.close();
    await stopRooms();
    await stores.close();
    throw error;
  }
  trimmer.start();

  const stop = async (): Promise<void> => {
    draining = true;
    const closed = closeServer(httpServer);
    await realtime.close();
    await closed;
    await trimmer.stop();
    await stopRooms();
    await log.close();
    await stores.close();
    metrics.stop();
  };
  let stopping: Promise<void> | null = null;
  return {
    url: urlOf(httpServer, config.host),
    store: stores.kind,
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

type Rooms = ReturnType<typeof createRooms>;

/** The rooms between the stores and the transports. */
function createRooms(stores: Stores, log: StreamLog<Companion>, logger: Logger) {
  const failed = (room: string) => (err: unknown) => logger.error({ err }, `${room}: the store failed; it is tried again`);
  const inbox = new Inbox({ log, streams: stores.streams, store: stores.inbox });
  const members = new Members({
    store: stores.members,
    wasTold: async (user) => (await log.tail(inbox.streamOf(user))).head > 0,
    onError: failed("members"),
  });
  const preferences = new Preferences({ store: stores.preferences, members });
  const community = new Community({ publisher: log, inbox, subjects: stores.subjects, preferences, acquaintances: members });
  const notify = community.notify.bind(community);
  return {
    inbox,
    members,
    preferences,
    community,
    discourse: new DiscourseConnector({ community, directory: stores.directory }),
    announcements: new Announcements({ log, store: stores.announcements, members, inbox, onError: failed("announcements") }),
    moderation: new Moderation({ log, streams: stores.streams, members, onError: failed("moderation") }),
    messages: new Messages({ notify, members, preferences }),
    tasks: new Tasks({ store: stores.tasks, notify, told: community.told.bind(community), onError: failed("tasks") }),
    topics: new Topics({ store: stores.topics }),
    presence: new Presence(),
  };
}

/** What must be known before the first request. Announcements hear of entries before the sessions do: they say what an entry means. */
async function startRooms({ preferences, announcements, moderation }: Rooms): Promise<void> {
  await preferences.load();
  await announcements.start();
  await moderation.start();
}

/** The audit log is kept for ever. */
async function trimOne(stream: string, base: number, log: StreamLog<Companion>, inbox: Inbox): Promise<void> {
  if (stream === AUDIT_STREAM) return;
  if (stream === ANNOUNCEMENTS_STREAM) await log.trim(stream, base);
  else await inbox.trim(stream, base);
}

/** The demo forum and its pages, where the operator has it on. Its sign-ins need a key that can sign. */
function demoPages(config: Config, { community, topics, tasks }: Rooms, verifier: TokenVerifier, logger: Logger): Router | null {
  if (!config.demo) return null;
  const keys = config.tokenKeys;
  if (keys.kind !== "secret") {
    logger.warn("DEMO: off, because its sign-ins can be signed with JWT_SECRET only");
    return null;
  }
  const claims = { issuer: config.jwtIssuer, audience: config.jwtAudience };
  return createDemoForum({
    dataDir: config.dataDir,
    community,
    topics,
    tasks,
    moderated: !config.production,
    mintToken: ({ id, name, roles }) => mintDemoToken(keys.secret, id, DEMO_TOKEN_SECONDS, name, { ...claims, roles }),
    verify: (token) => verifier.verify(token),
    log: logger,
  }).router;
}

/** Lets requests under way finish, for a while. */
async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  // A kept connection becomes idle only when its request is answered, so one look is not enough.
  const sweep = setInterval(() => server.closeIdleConnections(), DRAIN_SWEEP_MS);
  const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  const shown = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return `http://${shown.includes(":") ? `[${shown}]` : shown}:${port}`;
}
