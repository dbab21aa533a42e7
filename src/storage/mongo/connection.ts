import { setTimeout as pause } from "node:timers/promises";
import { type Connection, Mongoose, Error as MongooseError, mongo } from "mongoose";
import type { Logger } from "pino";
import { StoreRefused } from "../types.js";
import { reason, serverCode } from "./errors.js";
import { CALL_DEADLINE_MS } from "./limits.js";

/** The deadline as an option of a call. */
export const DEADLINE = { maxTimeMS: CALL_DEADLINE_MS } as const;

/** The connection itself gives up a moment after the server should have, so that the server's more exact answer comes first. Milliseconds. */
const SOCKET_DEADLINE_MS = CALL_DEADLINE_MS + 1_000;

/**
 * How often each server says that it is there, and for how long it may then say nothing, or not take a connection. Threat: a primary that
 * stands still with its connections open holds every request; after four seconds all that wait for it are told so. Milliseconds.
 */
const HEARTBEAT_MS = 1_000;
const SILENCE_MS = 3_000;

/** How long the start waits for a server that is itself starting or electing a primary. Milliseconds. */
const START_DEADLINE_MS = 15_000;

/** The pause between two attempts at the start. Milliseconds. */
const RETRY_MS = 500;

/** Connections of one node. Threat: the server holds a thread and about 1 MB for each. */
const MAX_POOL = 32;

/** Wire version of MongoDB 6.0, the oldest that the contract suite runs against. */
const MIN_WIRE_VERSION = 17;

/** A write that is answered survives the loss of any minority of the servers, and a power cut. */
export const DURABLE = { w: "majority", j: true, wtimeout: CALL_DEADLINE_MS } as const;

/** For a write that a later durable one makes durable too (see append.ts). */
export const ACKNOWLEDGED = { w: 1 } as const;

/** What is written in one transaction is as durable as any other write. */
export const TRANSACTION: mongo.TransactionOptions = {
  readConcern: { level: "local" },
  writeConcern: { w: "majority", journal: true, wtimeoutMS: CALL_DEADLINE_MS },
  maxCommitTimeMS: CALL_DEADLINE_MS,
};

/** Unauthorized, AuthenticationFailed, and what Atlas says instead. */
const CREDENTIALS_REFUSED = new Set([13, 18, 8000]);

const MAKE_ONE =
  "Belfry needs a replica set (one member is enough). Start mongod with `--replSet rs0` and run once: mongosh --eval 'rs.initiate()'";

const OPTIONS: mongo.MongoClientOptions = {
  // Tells this program's transactions from those of others that use the same server and user.
  appName: "belfry",
  serverSelectionTimeoutMS: CALL_DEADLINE_MS,
  heartbeatFrequencyMS: HEARTBEAT_MS,
  connectTimeoutMS: SILENCE_MS,
  socketTimeoutMS: SOCKET_DEADLINE_MS,
  waitQueueTimeoutMS: CALL_DEADLINE_MS,
  maxPoolSize: MAX_POOL,
  readPreference: "primary",
  readConcern: { level: "majority" },
  writeConcern: { w: "majority", journal: true, wtimeoutMS: CALL_DEADLINE_MS },
  // For writes that may be repeated (marks, cursors, the directory). The append path sends commands that the driver never repeats.
  retryWrites: true,
  ignoreUndefined: true,
};

/**
 * Connects, and checks that the server is what Belfry needs.
 * @throws StoreRefused when the address, the credentials or the kind of server are not usable, or nobody answers.
 */
export async function connect(url: string, log: Logger): Promise<Connection> {
  const odm = new Mongoose({ strictQuery: "throw", autoIndex: false, autoCreate: false, bufferCommands: false });
  const options = /^mongodb(\+srv)?:\/\/[^/]+\/[^?]/.test(url) ? OPTIONS : { ...OPTIONS, dbName: "belfry" };
  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    const connection = odm.createConnection();
    connection.on("error", (error) => log.warn({ err: error }, "mongodb connection error"));
    try {
      await connection.openUri(url, options);
      await check(connection);
      connection.on("disconnected", () => log.warn("mongodb disconnected"));
      connection.on("connected", () => log.info("mongodb connected"));
      return connection;
    } catch (error) {
      await connection.close(true).catch((err: unknown) => log.debug({ err }, "closing a connection that never opened"));
      const refused = toRefusal(error);
      if (refused !== null) throw refused;
      if (Date.now() > deadline) {
        throw new StoreRefused(
          `MONGODB_URL: no usable MongoDB answered within ${START_DEADLINE_MS / 1_000} s (${reason(error)}); start it, or correct the address.`,
          { cause: error },
        );
      }
      log.warn({ reason: reason(error) }, "waiting for mongodb");
      await pause(RETRY_MS);
    }
  }
}

async function check(connection: Connection): Promise<void> {
  const hello = await connection.db?.admin().command({ hello: 1 });
  if (typeof hello?.setName !== "string") throw new StoreRefused(`MONGODB_URL: this MongoDB is not a replica set. ${MAKE_ONE}`);
  if (hello.maxWireVersion < MIN_WIRE_VERSION) throw new StoreRefused("MONGODB_URL: this MongoDB is older than 6.0; install 6.0 or later.");
}

/** A refusal where waiting cannot help, or null where it may: nobody answers yet, or no primary is elected. */
function toRefusal(error: unknown): StoreRefused | null {
  if (error instanceof StoreRefused) return error;
  if (isUninitiated(error))
    return new StoreRefused(`MONGODB_URL: this MongoDB's replica set was not initiated yet. ${MAKE_ONE}`, { cause: error });
  // mongoose wraps the driver's error in one of its own.
  if (error instanceof MongooseError.MongooseServerSelectionError) return null;
  if (error instanceof mongo.MongoServerSelectionError || error instanceof mongo.MongoNetworkError) return null;
  const code = serverCode(error);
  if (code === null) {
    const expected = "expected mongodb://HOST:PORT/DATABASE?replicaSet=NAME";
    return new StoreRefused(`MONGODB_URL cannot be used (${withoutCredentials(reason(error))}); ${expected}.`, { cause: error });
  }
  if (!CREDENTIALS_REFUSED.has(code)) return null;
  return new StoreRefused("MONGODB_URL: MongoDB does not accept this user and password, or the user may not use this database.", {
    cause: error,
  });
}

/** The driver quotes some of the addresses that it cannot read. */
function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/]*@/g, "//…@");
}

/** Every server that answered was started with `--replSet` and has no configuration. */
function isUninitiated(error: unknown): boolean {
  const description = (error as { reason?: mongo.TopologyDescription }).reason;
  const servers = [...(description?.servers?.values() ?? [])];
  return (
    servers.some((server) => server.type === "RSGhost") && servers.every((server) => server.type === "RSGhost" || server.type === "Unknown")
  );
}
