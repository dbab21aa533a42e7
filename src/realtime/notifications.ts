import type { Logger } from "pino";
import type { Server, Socket } from "socket.io";
import type { Announcements } from "../announcements/index.js";
import type { Config } from "../config/types.js";
import type { Inbox } from "../inbox/index.js";
import type { Presence } from "../presence/index.js";
import type { StreamReader } from "../stream/index.js";
import type { Progress, Tasks } from "../tasks/index.js";
import type { Metrics } from "../telemetry/index.js";
import { closeUnused } from "./connection.js";
import type { Leaver } from "./departure.js";
import { type Accepted, guardNamespace } from "./handshake.js";
import { Hub } from "./hub.js";
import type { Nodes } from "./nodes.js";
import { bytesWaiting, type Farewell, isCongested } from "./outlet.js";
import { SinglePolicy } from "./replaced.js";
import type { requestHandlers } from "./requests.js";
import { Session, type SessionRooms } from "./session.js";
import { TaskRelay } from "./task-relay.js";
import type { Turnstile } from "./turnstile.js";

/** A namespace, as far as its owner needs it. */
export interface Namespace {
  sessions(): Iterable<Leaver>;
  sessionsOf(user: string): Iterable<{ end(farewell: Farewell): void }>;
  /** What time brings; to be called about once a second. `now`: milliseconds. */
  sweep(now: number): void;
  /** Stops listening to the rooms: nothing comes to the sessions any more. */
  close(): void;
}

export interface NotificationRooms {
  /** Decides on a connection. @throws BelfryError as of a refused connection. */
  admit: (socket: Socket) => Promise<Accepted>;
  /** A session of the member has begun. */
  onSession: (user: string) => void;
  config: Pick<Config, "sessionPolicy">;
  log: StreamReader;
  turns: Turnstile;
  inbox: Inbox;
  announcements: Pick<Announcements, "tail" | "view" | "onEntry">;
  tasks: Pick<Tasks, "running" | "recent" | "subscribe" | "onEnd">;
  presence: Presence;
  /** Null where this node is the only one. */
  nodes: Nodes | null;
  handlers: ReturnType<typeof requestHandlers>;
  metrics: Metrics;
  logger: Logger;
}

/** Opens the namespace `/notifications`: a member's streams, and what they do with them. */
export function attachNotifications(io: Server, rooms: NotificationRooms): Namespace {
  const { admit, onSession, config, log, turns, inbox, announcements, tasks, presence, nodes, handlers, metrics, logger } = rooms;
  const { deliveries, sockets } = metrics;
  const hub = new Hub({ log, announcements, presence, deliveries, logger });
  const events: SessionRooms["events"] = {
    observer: { page: (feed, entries) => deliveries.replayed(feed, entries), snapshot: () => metrics.snapshots.add() },
    replayed: () => metrics.replays.add(),
    reset: () => metrics.resets.add(),
    slowConsumer: () => metrics.slowConsumers.add(),
  };
  const observed = sockets.observed("/notifications", handlers);
  const sessionRooms: SessionRooms = { log, turns, inbox, announcements, tasks, presence, handlers: observed, events, logger };
  const namespace = io.of("/notifications");
  const onProgress = (user: string, progress: Progress): void => {
    for (const session of hub.sessionsOf(user)) session.onProgress(progress);
  };
  const onEnd = (user: string, task: string): void => {
    for (const session of hub.sessionsOf(user)) session.onTaskEnd(task);
  };
  const unsubscribe = [tasks.subscribe(onProgress), tasks.onEnd(onEnd)];
  if (nodes !== null) {
    const relay = new TaskRelay({ nodes, tasks, presence, onProgress, onEnd, logger });
    unsubscribe.push(
      () => relay.close(),
      nodes.onDoubt((since) => hub.doubt(since)),
    );
  }
  const single =
    config.sessionPolicy === "single"
      ? new SinglePolicy<Session>({
          sessionsOf: (user) => hub.sessionsOf(user),
          others: nodes === null ? null : { namespace, nodes, presence },
        })
      : null;

  guardNamespace(namespace, sockets.admitting("/notifications", admit));
  for (const name of ["/notifications", "/live", "/moderation"]) metrics.namespaceSessions.set(name, () => io.of(name).sockets.size);

  namespace.on("connection", (socket) => {
    const { cursors, ...accepted } = socket.data as Accepted;
    const { user } = accepted.identity;
    const session = new Session({ socket, ...accepted, rooms: sessionRooms });
    socket.on("disconnect", () => {
      session.ended();
      hub.remove(session);
      count();
      closeUnused(socket);
    });
    single?.begins(session);
    void socket.join(`user:${user}`);
    hub.add(session);
    for (const feed of session.feeds) deliveries.know(feed, { stream: feed.source.stream, user, session: socket.id });
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
    sessions: () => hub.all(),
    sessionsOf: (user) => hub.sessionsOf(user),
    sweep(now) {
      hub.sweep(now);
      single?.sweep();
      measurePressure(namespace.sockets.values(), metrics);
    },
    close() {
      for (const stop of unsubscribe) stop();
      single?.close();
      hub.close();
    },
  };
}

/** How far clients are behind in reading, all together. */
function measurePressure(sockets: Iterable<Socket>, metrics: Pick<Metrics, "congestedSessions" | "waitingBytes">): void {
  let sessions = 0;
  let bytes = 0;
  for (const { conn } of sockets) {
    if (isCongested(conn)) sessions++;
    bytes += bytesWaiting(conn);
  }
  metrics.congestedSessions.set(sessions);
  metrics.waitingBytes.set(bytes);
}
