import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import pino from "pino";
import { Server } from "socket.io";
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import type { Identity } from "../../../src/auth/index.js";
import { BelfryError } from "../../../src/errors.js";
import type { Sanction } from "../../../src/members/index.js";
import { attachLive } from "../../../src/realtime/live.js";
import { createMetrics } from "../../../src/telemetry/index.js";
import { Topics } from "../../../src/topics/index.js";
import { until } from "../../support/member.js";
import { RawSocket } from "../../support/raw.js";
import type { Service } from "../../support/service.js";
import { MemoryTopics } from "../topics/memory-topics.js";

/** A token of these tests says in plain text who its owner is: `user:role,role:expiry in ms`. */
function identityOf(token: unknown): Identity {
  const [user = "", roles = "", expiresAt = "9e15"] = String(token).split(":");
  if (user === "nobody") throw new BelfryError("unauthorized", "The token is not valid.");
  return { user, roles: roles.split(",").filter(Boolean), name: null, expiresAt: Number(expiresAt) };
}

/** A client of `/live` that writes down what it hears. */
export interface Viewer {
  socket: Socket;
  updates: Array<{ topic: string; seq: number; at: string; data: unknown }>;
  online: number[];
  farewells: Array<{ code: string }>;
  refusals: Array<{ code: string }>;
  ask(event: string, payload?: unknown): Promise<Record<string, unknown> & { ok: boolean; error?: { code: string; message: string } }>;
}

/** `/live` on a real server of its own, over topics in memory. `/other` is a namespace beside it. */
export async function startLive(engine: { pingInterval?: number; pingTimeout?: number } = {}) {
  const httpServer = createServer();
  const server = new Server(httpServer, engine);
  server.of("/other");
  const store = new MemoryTopics();
  const topics = new Topics({ store });
  const listeners = new Set<(online: { users: number; sessions: number }) => void>();
  const presence = {
    users: 0,
    subscribe(listener: (online: { users: number; sessions: number }) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    become(users: number) {
      presence.users = users;
      for (const listener of listeners) listener({ users, sessions: users });
    },
    listeners,
  };
  const state = { slow: 0, banned: new Map<string, Sanction>() };
  const live = attachLive(server, {
    admit: async ({ handshake }) => (handshake.auth.token === undefined ? null : identityOf(handshake.auth.token)),
    topics,
    presence,
    verifier: { verify: async (token) => identityOf(token) },
    members: {
      arrive: async ({ user, name, roles }) => ({ user, name, roles, joinedAt: 0, mute: null, ban: state.banned.get(user) ?? null }),
    },
    nodes: null,
    metrics: createMetrics(),
    slowConsumer: () => {
      state.slow++;
    },
    logger: pino({ level: "silent" }),
  });
  await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`;
  const sockets: Socket[] = [];
  const raws: RawSocket[] = [];

  return {
    server,
    store,
    topics,
    presence,
    live,
    state,
    /** Connects as the token says; without one as a guest. */
    view(token?: string, options: Partial<ManagerOptions & SocketOptions> = {}): Viewer {
      const auth = token === undefined ? {} : { token };
      const socket = io(`${url}/live`, { forceNew: true, transports: ["websocket"], reconnection: false, auth, ...options });
      sockets.push(socket);
      const viewer: Viewer = {
        socket,
        updates: [],
        online: [],
        farewells: [],
        refusals: [],
        ask: (event, payload) => socket.timeout(10_000).emitWithAck(event, payload),
      };
      socket.on("update", (update) => viewer.updates.push(update));
      socket.on("online", ({ users }) => viewer.online.push(users));
      socket.on("goodbye", (farewell) => viewer.farewells.push(farewell));
      socket.on("connect_error", (error) => viewer.refusals.push((error as Error & { data: { code: string } }).data));
      return viewer;
    },
    /** A connection that speaks by hand and has joined these topics. */
    async raw(token: string, names: string[]): Promise<RawSocket> {
      const raw = await RawSocket.open({ url } as Service);
      raws.push(raw);
      raw.send(`40/live,${JSON.stringify({ token })}`);
      await raw.hears("40/live,");
      raw.send(`42/live,1${JSON.stringify(["join", { topics: names }])}`);
      await raw.hears("43/live,1");
      return raw;
    },
    async stop() {
      for (const socket of sockets) {
        socket.disconnect();
        // A socket of another namespace may share the connection.
        socket.io.engine.close();
      }
      for (const raw of raws) raw.drop();
      // The engine waits half a minute for a client's side of a close that it began itself.
      await until("the clients are gone", () => server.engine.clientsCount === 0);
      live.close();
      await server.close();
    },
  };
}

export type LiveServer = Awaited<ReturnType<typeof startLive>>;
