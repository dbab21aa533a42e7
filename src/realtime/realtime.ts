import type { Server as HttpServer, IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import { Server, type Socket } from "socket.io";
import type { Announcements } from "../announcements/index.js";
import type { TokenVerifier } from "../auth/index.js";
import type { Config } from "../config/types.js";
import { BelfryError } from "../errors.js";
import type { Inbox, InboxStore } from "../inbox/index.js";
import type { Members } from "../members/index.js";
import type { Messages } from "../messages/index.js";
import type { Moderation } from "../moderation/index.js";
import type { Preferences } from "../preferences/index.js";
import type { Presence } from "../presence/index.js";
import type { StreamReader } from "../stream/index.js";
import type { Tasks } from "../tasks/index.js";
import type { Metrics } from "../telemetry/index.js";
import type { Topics } from "../topics/index.js";
import { joinNodes } from "./adapter.js";
import { Admission } from "./admission.js";
import { Departure } from "./departure.js";
import { DeviceCursors } from "./devices.js";
import { Expulsions } from "./expulsions.js";
import { admitLive, admitMember, admitModerator, type HandshakeRooms, refusal } from "./handshake.js";
import {
  FAREWELL_MS,
  JOIN_TIMEOUT_MS,
  MAX_JOINS,
  MAX_PACKET_BYTES,
  PAGES_AT_ONCE,
  PING_INTERVAL_MS,
  PING_TIMEOUT_MS,
  SWEEP_MS,
} from "./limits.js";
import { attachLive } from "./live.js";
import { attachModeration } from "./moderation.js";
import { moderationHandlers } from "./moderation-requests.js";
import type { Nodes } from "./nodes.js";
import { attachNotifications, type Namespace } from "./notifications.js";
import { requestHandlers } from "./requests.js";
import { Seats } from "./seats.js";
import { Turnstile } from "./turnstile.js";

interface RealtimeOptions {
  httpServer: HttpServer;
  config: Pick<Config, "allowedOrigins" | "sessionPolicy" | "guests">;
  log: StreamReader;
  inbox: Inbox;
  inboxStore: InboxStore;
  members: Members;
  announcements: Announcements;
  moderation: Moderation;
  messages: Messages;
  preferences: Preferences;
  tasks: Tasks;
  topics: Topics;
  presence: Presence;
  /** Null where this node is the only one. */
  nodes: Nodes | null;
  verifier: TokenVerifier;
  /** Where a request comes from: a network address, or null. */
  addressOf: (request: IncomingMessage) => string | null;
  metrics: Metrics;
  logger: Logger;
}

/** How often a node that has sent its sessions away looks whether they have left. Milliseconds. */
const CLOSE_LOOK_MS = 20;

/** Those that are there for good. */
const NAMESPACES = ["/notifications", "/live", "/moderation"];

/** Socket.IO on an HTTP server: the namespaces `/notifications`, `/live` and `/moderation`. */
export class Realtime {
  readonly #io: Server;
  readonly #namespaces: Namespace[];
  readonly #expulsions: Expulsions;
  readonly #admission = new Admission();
  readonly #timer: NodeJS.Timeout;
  #draining = false;

  constructor(options: RealtimeOptions) {
    this.#io = createServer(options.httpServer);
    const { moderation, verifier, metrics, nodes, logger } = options;
    if (nodes !== null) for (const name of NAMESPACES) joinNodes(this.#io.of(name), nodes);
    const devices = new DeviceCursors(options.inboxStore);
    const handshake: HandshakeRooms = {
      ...options,
      devices,
      seats: new Seats(),
      admission: this.#admission,
      draining: () => this.#draining,
    };
    const { sockets } = metrics;
    const slowConsumer = (): void => metrics.slowConsumers.add();
    const onSession = (user: string): void => this.#expulsions.onSession(user);

    const notifications = attachNotifications(this.#io, {
      ...options,
      turns: new Turnstile(PAGES_AT_ONCE),
      admit: (socket) => admitMember(socket, handshake),
      onSession,
      handlers: requestHandlers({ ...options, devices }),
    });
    const live = attachLive(this.#io, {
      ...options,
      admit: sockets.admitting("/live", (socket) => admitLive(socket, handshake)),
      slowConsumer,
    });
    this.#io.of("/live").on("connection", ({ data }: Socket) => {
      if (data !== null) onSession((data as { user: string }).user);
    });
    const moderators = attachModeration(this.#io, {
      admit: sockets.admitting("/moderation", (socket) => admitModerator(socket, handshake)),
      onSession,
      moderation,
      handlers: sockets.observed("/moderation", moderationHandlers({ ...options, verifier })),
      slowConsumer,
      logger,
    });
    refuseElsewhere(this.#io);

    metrics.admissionQueue.from(() => this.#admission.waiting);
    this.#namespaces = [notifications, live, moderators];
    this.#expulsions = new Expulsions(
      options,
      this.#namespaces.map((namespace) => namespace.sessionsOf),
    );
    this.#timer = setInterval(() => {
      const now = Date.now();
      for (const namespace of this.#namespaces) namespace.sweep(now);
    }, SWEEP_MS);
  }

  /**
   * Refuses new connections, sends all sessions elsewhere, spread over `DRAIN_SPREAD_MS` at most, and closes Socket.IO and its HTTP server.
   * Those who are not sent away yet are served on.
   */
  async close(): Promise<void> {
    this.#draining = true;
    this.#admission.close();
    const departure = new Departure(() => this.#namespaces.flatMap((namespace) => [...namespace.sessions()]));
    await departure.spread();
    clearInterval(this.#timer);
    this.#expulsions.close();
    for (const namespace of this.#namespaces) namespace.close();
    // Farewells leave before the transports are cut.
    const deadline = Date.now() + FAREWELL_MS;
    while (this.#io.engine.clientsCount > 0 && Date.now() < deadline) {
      await pause(CLOSE_LOOK_MS);
      departure.rest();
    }
    await this.#io.close();
  }
}

function createServer(httpServer: HttpServer): Server {
  const io = new Server(httpServer, {
    pingInterval: PING_INTERVAL_MS,
    pingTimeout: PING_TIMEOUT_MS,
    connectTimeout: JOIN_TIMEOUT_MS,
    maxHttpBufferSize: MAX_PACKET_BYTES,
    // Which origins may connect is decided in the handshake, where a refusal can say why; for that the answer must be readable.
    cors: { origin: true },
    // Namespaces are made for names that do not exist, only to refuse them; they must not stay.
    cleanupEmptyChildNamespaces: true,
  });
  io.engine.on("connection", limitJoins);
  return io;
}

/** Every other namespace says where to connect. */
function refuseElsewhere(io: Server): void {
  for (const elsewhere of [io, io.of((_name, _auth, next) => next(null, true))]) {
    elsewhere.use((_socket, next) =>
      next(refusal(new BelfryError("bad_request", "Connect to one of the namespaces /notifications, /live and /moderation."))),
    );
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
