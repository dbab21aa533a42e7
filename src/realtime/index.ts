import type { Server as HttpServer } from "node:http";
import type { Logger } from "pino";
import { Server, type Socket } from "socket.io";
import type { TokenVerifier } from "../auth/index.js";
import type { Config } from "../config/types.js";
import { BelfryError } from "../errors.js";
import type { Inbox, InboxStore } from "../inbox/index.js";
import type { StreamReader } from "../stream/index.js";
import type { Metrics } from "../telemetry/index.js";
import { DeviceCursors } from "./devices.js";
import { type Accepted, accept, refusal } from "./handshake.js";
import { Hub } from "./hub.js";
import { FAREWELL_MS, JOIN_TIMEOUT_MS, MAX_JOINS, MAX_PACKET_BYTES, PING_INTERVAL_MS, PING_TIMEOUT_MS } from "./limits.js";
import { announcementsOf, inboxOf } from "./member-streams.js";
import { requestHandlers } from "./requests.js";
import { Session } from "./session.js";

export interface RealtimeOptions {
  httpServer: HttpServer;
  config: Pick<Config, "allowedOrigins" | "sessionPolicy">;
  log: StreamReader;
  inbox: Inbox;
  inboxStore: InboxStore;
  verifier: TokenVerifier;
  metrics: Metrics;
  logger: Logger;
}

/** Socket.IO on an HTTP server: the namespace `/notifications`. */
export class Realtime {
  readonly #io: Server;
  readonly #hub: Hub;
  readonly #options: RealtimeOptions;
  readonly #handlers: ReturnType<typeof requestHandlers>;
  #draining = false;

  constructor(options: RealtimeOptions) {
    this.#options = options;
    const { httpServer, log, inbox, inboxStore, verifier, config, logger } = options;
    this.#hub = new Hub(log, logger);
    const devices = new DeviceCursors(inboxStore);
    this.#handlers = requestHandlers({ log, inbox, devices, verifier });
    this.#io = new Server(httpServer, {
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: PING_TIMEOUT_MS,
      connectTimeout: JOIN_TIMEOUT_MS,
      maxHttpBufferSize: MAX_PACKET_BYTES,
      // Which origins may connect is decided in the handshake, where a refusal can say why; for that the answer must be readable.
      cors: { origin: true },
      // Namespaces are made for names that do not exist, only to refuse them; they must not stay.
      cleanupEmptyChildNamespaces: true,
    });
    this.#io.engine.on("connection", limitJoins);
    for (const elsewhere of [this.#io, this.#io.of((_name, _auth, next) => next(null, true))]) {
      elsewhere.use((_socket, next) => next(refusal(new BelfryError("bad_request", "Connect to the namespace /notifications."))));
    }
    const namespace = this.#io.of("/notifications");
    const rooms = { config, verifier, devices, hub: this.#hub, draining: () => this.#draining };
    namespace.use((socket, next) => {
      accept(socket, rooms).then(
        (accepted) => {
          socket.data = accepted;
          next();
        },
        (error) => next(refusal(error)),
      );
    });
    namespace.on("connection", (socket) => void this.#onConnection(socket));
  }

  /** Refuses new connections, says `draining` to all sessions and closes Socket.IO and its HTTP server. */
  async close(): Promise<void> {
    this.#draining = true;
    this.#hub.drain();
    // Farewells leave before the transports are cut.
    const deadline = Date.now() + FAREWELL_MS;
    while (this.#io.engine.clientsCount > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    this.#hub.close();
    await this.#io.close();
  }

  async #onConnection(socket: Socket): Promise<void> {
    const { log, inbox, config, metrics, logger } = this.#options;
    const { identity, device, cursors } = socket.data as Accepted;
    const session = new Session({
      socket,
      identity,
      device,
      sources: [inboxOf(identity.user, inbox), announcementsOf(log)],
      log,
      handlers: this.#handlers,
      events: {
        replayed: () => metrics.replays.add(),
        reset: () => metrics.resets.add(),
        slowConsumer: () => metrics.slowConsumers.add(),
        failed: (err) => logger.warn({ err, user: identity.user }, "a member's stream could not be read; the session tries again"),
      },
      logger,
    });
    socket.on("disconnect", () => {
      session.ended();
      this.#hub.remove(session);
      this.#count();
      // There is one namespace: a client that has left it must not hold the connection, which nobody counts any more.
      socket.conn.close();
    });
    if (config.sessionPolicy === "single") {
      for (const older of this.#hub.sessionsOf(identity.user)) {
        older.end({ code: "replaced", message: "A newer connection of this member took over.", reconnect: false });
      }
    }
    void socket.join(`user:${identity.user}`);
    this.#hub.add(session);
    this.#count();
    try {
      await session.open(cursors, () => this.#hub.users);
    } catch (err) {
      logger.warn({ err, user: identity.user }, "a session could not be opened");
      session.end({ code: "draining", message: "The store does not answer; connect again.", reconnect: true, afterMs: 1_000 });
    }
  }

  #count(): void {
    this.#options.metrics.connectedSessions.set(this.#hub.sessions);
    this.#options.metrics.connectedUsers.set(this.#hub.users);
  }
}

/** Cuts a connection that asks to join over and over. The session's own limits begin with the session. */
function limitJoins(connection: Socket["conn"]): void {
  let joins = 0;
  connection.on("data", (packet: unknown) => {
    // As Socket.IO's decoder reads the type: also an empty packet is one to join.
    const isJoin = typeof packet === "string" && Number(packet.charAt(0)) === 0;
    if (isJoin && ++joins > MAX_JOINS) connection.close(true);
  });
}
