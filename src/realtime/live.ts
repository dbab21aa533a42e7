import type { Logger } from "pino";
import type { Server, Socket } from "socket.io";
import type { Identity, TokenVerifier } from "../auth/index.js";
import type { Members } from "../members/index.js";
import type { Presence } from "../presence/index.js";
import type { Metrics } from "../telemetry/index.js";
import type { Topics } from "../topics/index.js";
import { Boards } from "./boards.js";
import { closeUnused } from "./connection.js";
import { guardNamespace } from "./handshake.js";
import { LiveSession } from "./live-session.js";
import type { Nodes } from "./nodes.js";
import type { Namespace } from "./notifications.js";
import { Packet } from "./packet.js";
import { TopicRelay } from "./topic-relay.js";

export interface LiveRooms {
  /** Decides on a connection: who it is, or null for a guest. @throws BelfryError as of a refused connection. */
  admit: (socket: Socket) => Promise<Identity | null>;
  topics: Topics;
  presence: Pick<Presence, "users" | "subscribe">;
  verifier: TokenVerifier;
  members: Pick<Members, "arrive">;
  /** A session was ended because its client does not read. */
  slowConsumer: () => void;
  /** Null where this node is the only one. */
  nodes: Nodes | null;
  metrics: Pick<Metrics, "sockets">;
  logger: Logger;
}

/** The namespace `/live`, as far as its owner needs it. */
export interface Live extends Namespace {
  /** Sessions on this node. */
  readonly count: number;
}

/** Opens the namespace `/live`: live boards, and how many members are online. */
export function attachLive(io: Server, rooms: LiveRooms): Live {
  const { admit, topics, presence, verifier, members, slowConsumer, nodes, metrics, logger } = rooms;
  const boards = new Boards(topics, (err) => logger.warn({ err }, "watched topics could not be read; it is tried again"));
  const sessions = new Set<LiveSession>();
  const byUser = new Map<string, Set<LiveSession>>();
  let told = new Packet("/live", "");
  const unsubscribe = presence.subscribe(() => {
    const now = Date.now();
    for (const session of sessions) session.onlineChanged(now);
  });
  const namespace = io.of("/live");
  const relay = nodes === null ? null : new TopicRelay({ nodes, namespace, topics, reread: () => boards.reread() });

  guardNamespace(namespace, admit);

  namespace.on("connection", (socket) => {
    const identity = socket.data as Identity | null;
    const session = new LiveSession({
      socket,
      identity,
      boards,
      online,
      verifier,
      members,
      slowConsumer,
      requests: metrics.sockets,
      logger,
    });
    sessions.add(session);
    if (session.user !== null) {
      const others = byUser.get(session.user);
      if (others === undefined) byUser.set(session.user, new Set([session]));
      else others.add(session);
    }
    socket.on("disconnect", () => {
      session.ended();
      remove(session);
      closeUnused(socket);
    });
  });

  /** Of a number that all are told, one packet. */
  function online(): Packet {
    const event = `["online",{"users":${presence.users}}]`;
    if (told.event !== event) told = new Packet("/live", event);
    return told;
  }

  function remove(session: LiveSession): void {
    sessions.delete(session);
    if (session.user === null) return;
    const own = byUser.get(session.user);
    own?.delete(session);
    if (own?.size === 0) byUser.delete(session.user);
  }

  return {
    get count() {
      return sessions.size;
    },
    sessions: () => sessions,
    sessionsOf: (user) => byUser.get(user) ?? [],
    sweep(now) {
      for (const session of sessions) session.sweep(now);
    },
    close() {
      unsubscribe();
      relay?.close();
      boards.close();
    },
  };
}
