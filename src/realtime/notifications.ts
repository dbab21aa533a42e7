import type { Logger } from "pino";
import type { Server, Socket } from "socket.io";
import type { Announcements } from "../announcements/index.js";
import type { Config } from "../config/types.js";
import type { Inbox } from "../inbox/index.js";
import type { Presence } from "../presence/index.js";
import type { StreamReader } from "../stream/index.js";
import type { Tasks } from "../tasks/index.js";
import type { Metrics } from "../telemetry/index.js";
import { closeUnused } from "./connection.js";
import { type Accepted, guardNamespace } from "./handshake.js";
import { Hub } from "./hub.js";
import type { Farewell } from "./outlet.js";
import type { requestHandlers } from "./requests.js";
import { Session, type SessionRooms } from "./session.js";

const REPLACED: Farewell = { code: "replaced", message: "A newer connection of this member took over.", reconnect: false };

/** A namespace, as far as its owner needs it. */
export interface Namespace {
  sessionsOf(user: string): Iterable<{ end(farewell: Farewell): void }>;
  /** What time brings; to be called about once a second. `now`: milliseconds. */
  sweep(now: number): void;
  /** Tells every session to come back elsewhere, at a moment of its own, and stops listening to the rooms. */
  close(): void;
}

export interface NotificationRooms {
  /** Decides on a connection. @throws BelfryError as of a refused connection. */
  admit: (socket: Socket) => Promise<Accepted>;
  /** A session of the member has begun. */
  onSession: (user: string) => void;
  config: Pick<Config, "sessionPolicy">;
  log: StreamReader;
  inbox: Inbox;
  announcements: Pick<Announcements, "view" | "onEntry">;
  tasks: Pick<Tasks, "running" | "subscribe" | "onEnd">;
  presence: Pick<Presence, "enter" | "leave" | "users">;
  handlers: ReturnType<typeof requestHandlers>;
  metrics: Metrics;
  logger: Logger;
}

/** Opens the namespace `/notifications`: a member's streams, and what they do with them. */
export function attachNotifications(io: Server, rooms: NotificationRooms): Namespace {
  const { admit, onSession, config, log, inbox, announcements, tasks, presence, handlers, metrics, logger } = rooms;
  const hub = new Hub({ log, announcements, presence, logger });
  const events: SessionRooms["events"] = {
    replayed: () => metrics.replays.add(),
    reset: () => metrics.resets.add(),
    slowConsumer: () => metrics.slowConsumers.add(),
  };
  const sessionRooms: SessionRooms = { log, inbox, announcements, tasks, presence, handlers, events, logger };
  const unsubscribe = [
    tasks.subscribe((user, progress) => {
      for (const session of hub.sessionsOf(user)) session.onProgress(progress);
    }),
    tasks.onEnd((user, task) => {
      for (const session of hub.sessionsOf(user)) session.onTaskEnd(task);
    }),
  ];
  const namespace = io.of("/notifications");

  guardNamespace(namespace, admit);

  namespace.on("connection", (socket) => {
    const { identity, member, device, cursors } = socket.data as Accepted;
    const { user } = identity;
    const session = new Session({ socket, identity, member, device, rooms: sessionRooms });
    socket.on("disconnect", () => {
      session.ended();
      hub.remove(session);
      count();
      closeUnused(socket);
    });
    if (config.sessionPolicy === "single") for (const older of hub.sessionsOf(user)) older.end(REPLACED);
    void socket.join(`user:${user}`);
    hub.add(session);
    count();
    onSession(user);
    session.open(cursors).catch((err) => {
      logger.warn({ err, user }, "a session could not be opened");
      session.end({ code: "draining", message: "The store does not answer; connect again.", reconnect: true, afterMs: 1_000 });
    });
  });

  function count(): void {
    metrics.connectedSessions.set(hub.sessions);
    metrics.connectedUsers.set(hub.users);
  }

  return {
    sessionsOf: (user) => hub.sessionsOf(user),
    sweep: (now) => hub.sweep(now),
    close() {
      for (const stop of unsubscribe) stop();
      hub.drain();
      hub.close();
    },
  };
}
