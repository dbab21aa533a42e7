import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Router } from "express";
import type { Logger } from "pino";
import { ApiKeys, createTokenVerifier, mintDemoToken, type TokenVerifier } from "./auth/index.js";
import { Community, DiscourseConnector } from "./community/index.js";
import type { Config } from "./config/index.js";
import { createDemoForum } from "./demo/index.js";
import { createApp, createHttpServer, createIngestHandler } from "./http/index.js";
import { Inbox, type InboxChange } from "./inbox/index.js";
import { Realtime } from "./realtime/index.js";
import { openMongoStore } from "./storage/mongo/index.js";
import { openSqliteStore } from "./storage/sqlite/index.js";
import type { Stores } from "./storage/types.js";
import { StreamLog, Trimmer } from "./stream/index.js";
import { createMetrics } from "./telemetry/index.js";

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
  const log = new StreamLog<InboxChange>({
    store: stores.streams,
    observer: {
      batch: (rows) => metrics.batchSize.observe(rows),
      conflict: () => metrics.appendConflicts.add(),
    },
  });
  log.subscribe(() => metrics.entriesAppended.add());
  const inbox = new Inbox({ log, streams: stores.streams, store: stores.inbox });
  const community = new Community({ publisher: log, inbox, subjects: stores.subjects });
  const discourse = new DiscourseConnector({ community, directory: stores.directory });
  const verifier = createTokenVerifier(config);
  const trimmer = new Trimmer<InboxChange>({
    store: stores.streams,
    keepDays: config.keepDays,
    keepEntries: config.keepEntries,
    trim: (stream, base) => inbox.trim(stream, base),
    forget: [(olderThan, limit) => stores.subjects.forget(olderThan, limit)],
    onError: (err) => logger.error({ err }, "trimming failed; it is tried again in an hour"),
  });

  let draining = false;
  const apiKeys = new ApiKeys(config.apiKeys);
  const pages = demoPages(config, community, verifier, logger);
  const app = createApp({
    config,
    verifier,
    apiKeys,
    inbox,
    readiness: { draining: () => draining, ping: () => stores.streams.ping() },
    log: logger,
    metrics,
    ...(pages === null ? {} : { pages }),
  });
  const ingest = createIngestHandler({ apiKeys, community, discourse, discourseSecret: config.discourseSecret, log: logger, metrics });
  const httpServer = createHttpServer({ ingest, app });
  const realtime = new Realtime({ httpServer, config, log, inbox, inboxStore: stores.inbox, verifier, metrics, logger });

  try {
    httpServer.listen(config.port, config.host);
    await once(httpServer, "listening");
  } catch (error) {
    await realtime.close();
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

/** The demo forum and its pages, where the operator has it on. Its sign-ins need a key that can sign. */
function demoPages(config: Config, community: Community, verifier: TokenVerifier, logger: Logger): Router | null {
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
    mintToken: ({ id, name }) => mintDemoToken(keys.secret, id, DEMO_TOKEN_SECONDS, name, claims),
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
