import type { Logger } from "pino";
import type { Server, Socket } from "socket.io";
import type { Identity, TokenVerifier } from "../auth/index.js";
import type { Members } from "../members/index.js";
import type { Presence } from "../presence/index.js";
import type { Topics } from "../topics/index.js";
import { Boards } from "./boards.js";
import { closeUnused } from "./connection.js";
import { guardNamespace } from "./handshake.js";
import { LiveSession } from "./live-session.js";
import { draining } from "./outlet.js";
import { Packet } from "./packet.js";

export interface LiveRooms {
  /** Decides on a connection: who it is, or null for a guest. @throws BelfryError as of a refused connection. */
  admit: (socket: Socket) => Promise<Identity | null>;
  topics: Topics;
  presence: Pick<Presence, "users" | "subscribe">;
  verifier: TokenVerifier;
  members: Pick<Members, "arrive">;
  /** A session was ended because its client does not read. */
  slowConsumer: () => void;
  logger: Logger;
}

/** The namespace `/live`, as far as its owner needs it. */
export interface Live {
  /** Sessions on this node. */
  readonly count: number;
  sessionsOf(user: string): Iterable<LiveSession>;
  /** What time brings; to be called about once a second. `now`: milliseconds. */
  sweep(now: number): void;
  /** Tells every session to come back elsewhere, at a moment of its own, and stops listening to the rooms. */
  close(): void;
}

/** Opens the namespace `/live`: live boards, and how many members are online. */
export function attachLive(io: Server, rooms: LiveRooms): Live {
  const { admit, topics, presence, verifier, members, slowConsumer, logger } = rooms;
  const boards = new Boards(topics);
  const sessions = new Set<LiveSession>();
  const byUser = new Map<string, Set<LiveSession>>();
  let told = new Packet("/live", "");
  const unsubscribe = presence.subscribe(() => {
    const now = Date.now();
    for (const session of sessions) session.onlineChanged(now);
  });
  const namespace = io.of("/live");

  guardNamespace(namespace, admit);

  namespace.on("connection", (socket) => {
    const identity = socket.data as Identity | null;
    const session = new LiveSession({ socket, identity, boards, online, verifier, members, slowConsumer, logger });
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
    sessionsOf: (user) => byUser.get(user) ?? [],
    sweep(now) {
      for (const session of sessions) session.sweep(now);
    },
    close() {
      unsubscribe();
      boards.close();
      for (const session of sessions) session.end(draining());
    },
  };
}
