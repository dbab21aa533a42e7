import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Router } from "express";
import type { Logger } from "pino";
import { ANNOUNCEMENTS_STREAM } from "./announcements/index.js";
import { ApiKeys, createTokenVerifier, mintDemoToken, type TokenVerifier } from "./auth/index.js";
import { type OpenCluster, type OpenOptions, openCluster } from "./cluster/index.js";
import type { Config, TlsPair } from "./config/index.js";
import { createDemoForum } from "./demo/index.js";
import { type Assets, addressOf, createApp, createHttpServer, createIngestHandler, Drain, loadAssets, renewTls } from "./http/index.js";
import { AUDIT_STREAM } from "./moderation/index.js";
import type { Push } from "./push/index.js";
import { Realtime } from "./realtime/index.js";
import { projectFolder, release } from "./release.js";
import { createActivity, createLease, createPush, createRooms, type Rooms, startRooms, trimOne } from "./rooms.js";
import { openSqliteStore } from "./storage/sqlite/index.js";
import type { Companion, Stores } from "./storage/types.js";
import { StreamLog, Trimmer } from "./stream/index.js";
import { currentOrigin, Telemetry } from "./telemetry/index.js";

/** How long a demo sign-in lasts. Seconds. */
const DEMO_TOKEN_SECONDS = 12 * 3_600;

/** A running service. */
export interface Service {
  /** Where it listens, such as `http://127.0.0.1:3000`; https where it serves TLS itself. */
  url: string;
  store: Stores["kind"];
  /** Serves new connections with another certificate. @throws Error where it was started without TLS. */
  renewTls(pair: TlsPair): void;
  /** Says `draining` to all sessions while requests are still served, settles what was taken and closes the store. Harmless when called again. */
  stop(): Promise<void>;
}

/** Opens the store that the configuration names. MongoDB's driver, a quarter of a start's CPU, is loaded where it is used. @throws StoreRefused */
export async function openStores(config: Pick<Config, "mongodbUrl" | "dataDir">, logger: Logger): Promise<Stores> {
  if (config.mongodbUrl === null) return openSqliteStore(config.dataDir, logger);
  const { openMongoStore } = await import("./storage/mongo/index.js");
  return openMongoStore(config.mongodbUrl, logger);
}

/** Puts the rooms together and starts serving. @throws StoreRefused, or the server's error when it cannot listen. */
export async function startService(config: Config, logger: Logger): Promise<Service> {
  const telemetry = await Telemetry.start(config, logger);
  const { metrics } = telemetry;
  const stores = telemetry.stores(await openStores(config, logger));
  const log = new StreamLog<Companion>({
    store: stores.streams,
    observer: {
      batch: (rows) => metrics.batchSize.observe(rows),
      conflict: () => metrics.appendConflicts.add(),
    },
    origin: currentOrigin,
  });
  log.onAppend(() => metrics.entriesAppended.add());
  const lease = createLease(stores, logger);
  await lease.start();
  const rooms = createRooms(stores, log, telemetry.publisher(log), lease, logger);
  const { inbox, community, discourse } = rooms;
  const verifier = createTokenVerifier(config);
  const trimmer = new Trimmer<Companion>({
    store: stores.streams,
    keepDays: config.keepDays,
    keepEntries: config.keepEntries,
    trim: async (stream, base) => {
      await trimOne(stream, base, log, inbox);
      metrics.trimmedStreams.add();
    },
    forget: [(olderThan, limit) => stores.subjects.forget(olderThan, limit), (olderThan, limit) => stores.tasks.forget(olderThan, limit)],
    isMine: () => lease.isHeld,
    onError: (err) => {
      metrics.trimFailures.add();
      logger.error({ err }, "trimming failed; it is tried again in an hour");
    },
  });

  let draining = false;
  const apiKeys = new ApiKeys(config.apiKeys);
  const assets = await loadAssets(join(projectFolder(), "dist", "client"));
  const pages = demoPages(config, rooms, verifier, assets, logger);
  const activity = createActivity(stores, metrics, rooms.presence, logger);
  // Where other nodes cannot be heard, nobody is surely away.
  const push = createPush(config, stores, log, rooms, metrics, lease, logger, () => others?.cluster.isUp !== false);
  const app = createApp({
    config,
    verifier,
    apiKeys,
    ...rooms,
    push,
    activity,
    assets,
    readiness: {
      draining: () => draining,
      ping: () => stores.streams.ping(),
      bus: () => (others === null ? null : others.cluster.isUp ? "up" : "down"),
    },
    log: logger,
    metrics,
    ...(pages === null ? {} : { pages }),
  });
  const ingest = createIngestHandler({
    apiKeys,
    community: telemetry.decider(community, "handleAll", "notify"),
    discourse: telemetry.decider(discourse, "receive"),
    discourseSecret: config.discourseSecret,
    log: logger,
    metrics,
  });
  const httpServer = createHttpServer({ ingest, app, tls: config.tls });
  let others: OpenCluster | null = null;
  const stopRooms = async (): Promise<void> => {
    await push?.stop();
    await others?.close();
    rooms.presence.close();
    await Promise.all([rooms.announcements.stop(), rooms.moderation.stop()]);
    await rooms.members.close();
  };
  /** Whatever is still held would keep a process alive that could not start. */
  const giveBack = async (): Promise<void> => {
    await stopRooms();
    await lease.stop();
    await stores.close();
    await telemetry.stop();
  };
  try {
    await startRooms(rooms);
    await push?.start();
    others = await joinOthers(config, rooms, push, log, await stores.streams.epoch(), metrics.bus, logger);
  } catch (error) {
    await giveBack();
    throw error;
  }
  const realtime = new Realtime({
    httpServer,
    config,
    log,
    ...rooms,
    nodes: others?.cluster ?? null,
    inboxStore: stores.inbox,
    verifier,
    addressOf: addressOf(config.trustProxy),
    metrics,
    logger,
  });
  const drain = new Drain(httpServer);
  metrics.appendQueue.from(() => log.waiting);
  metrics.onlineUsers.from(() => rooms.presence.users);
  metrics.leases.set("upkeep", () => (lease.isHeld ? 1 : 0));
  others?.cluster.start();

  try {
    httpServer.listen(config.port, config.host);
    await once(httpServer, "listening");
  } catch (error) {
    await realtime.close();
    await giveBack();
    throw error;
  }
  trimmer.start();
  activity.start();

  const stop = async (): Promise<void> => {
    draining = true;
    const released = lease.stop();
    others?.cluster.drain();
    drain.begin();
    await drain.noticed();
    await realtime.close();
    await drain.end();
    await trimmer.stop();
    await activity.stop();
    await stopRooms();
    await released;
    await log.close();
    await stores.close();
    await telemetry.stop();
  };
  let stopping: Promise<void> | null = null;
  return {
    url: urlOf(httpServer, config),
    store: stores.kind,
    renewTls: (pair) => renewTls(httpServer, pair),
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** The other nodes, where there is a Redis to hear them by. @throws RedisRefused */
function joinOthers(
  { redis, nodeName }: Config,
  { inbox, presence }: Rooms,
  push: Push | null,
  log: StreamLog<Companion>,
  epoch: string,
  metrics: OpenOptions["metrics"],
  logger: Logger,
): Promise<OpenCluster> | null {
  if (redis === null) return null;
  const isShared = (stream: string): boolean =>
    stream === ANNOUNCEMENTS_STREAM || stream === AUDIT_STREAM || push?.isFollowed(stream) === true;
  const userOf = (stream: string): string => inbox.userOf(stream);
  return openCluster({ target: redis, epoch, name: nodeName, version: release(), log, presence, isShared, userOf, metrics, logger });
}

/** The demo forum and its pages, where the operator has it on. Its sign-ins need a key that can sign. */
function demoPages(
  config: Config,
  { community, topics, tasks }: Rooms,
  verifier: TokenVerifier,
  assets: Assets,
  logger: Logger,
): Router | null {
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
    assets,
    log: logger,
  }).router;
}

function urlOf(server: Server, { host, tls }: Pick<Config, "host" | "tls">): string {
  const { port } = server.address() as AddressInfo;
  const shown = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return `${tls === null ? "http" : "https"}://${shown.includes(":") ? `[${shown}]` : shown}:${port}`;
}
