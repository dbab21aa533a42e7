import type { Logger } from "pino";
import type { Server, Socket } from "socket.io";
import type { AuditEntry } from "../moderation/index.js";
import { closeUnused } from "./connection.js";
import { type AcceptedModerator, guardNamespace } from "./handshake.js";
import type { moderationHandlers } from "./moderation-requests.js";
import { ModerationSession } from "./moderation-session.js";
import type { Namespace } from "./notifications.js";
import { Packet } from "./packet.js";

export interface ModerationRooms {
  /** Decides on a connection. @throws BelfryError as of a refused connection. */
  admit: (socket: Socket) => Promise<AcceptedModerator>;
  /** A session of the member has begun. */
  onSession: (user: string) => void;
  moderation: { onAct(listener: (entry: AuditEntry) => void): () => void };
  handlers: ReturnType<typeof moderationHandlers>;
  slowConsumer: () => void;
  logger: Logger;
}

/** Opens the namespace `/moderation`: acts on members, announcements, and the audit log as it is written. */
export function attachModeration(io: Server, rooms: ModerationRooms): Namespace {
  const { admit, onSession, moderation, handlers, slowConsumer, logger } = rooms;
  const sessions = new Set<ModerationSession>();
  const unsubscribe = moderation.onAct((entry) => {
    const packet = new Packet("/moderation", JSON.stringify(["audit", entry]));
    for (const session of sessions) session.tell(packet);
  });
  const namespace = io.of("/moderation");

  guardNamespace(namespace, admit);

  namespace.on("connection", (socket) => {
    const session = new ModerationSession({ socket, accepted: socket.data as AcceptedModerator, handlers, slowConsumer, logger });
    sessions.add(session);
    socket.on("disconnect", () => {
      session.ended();
      sessions.delete(session);
      closeUnused(socket);
    });
    onSession(session.user);
  });

  return {
    sessions: () => sessions,
    // Moderators are few.
    sessionsOf: (user) => [...sessions].filter((session) => session.user === user),
    sweep(now) {
      for (const session of sessions) session.sweep(now);
    },
    close: unsubscribe,
  };
}
