import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { BelfryError } from "../errors.js";
import { DRAIN_MS, DRAIN_SWEEP_MS, NOTICE_MS, READY_WATCHED_MS, SILENT_MS } from "./limits.js";
import { sendProblem } from "./problem.js";
import { endWithProblem } from "./socket-problem.js";

type Listener = (...args: unknown[]) => void;

/**
 * Lets an HTTP server stop so that nobody notices: `begin`, `noticed`, then end the sessions, then `end`. To be made when everything else
 * listens to the server already: it comes first.
 */
export class Drain {
  readonly #server: Server;
  /** All connections, also those that became WebSockets and those whose TLS handshake is not done. */
  readonly #connections = new Set<Socket>();
  /** Those of them that have asked for nothing yet, by their other ends: of one with TLS a request has another socket object. */
  readonly #silent = new Map<string, Socket>();
  /** The newest answer on each connection, given or under way. */
  readonly #answers = new Map<Socket, ServerResponse>();
  #closed: Promise<void> = Promise.resolve();
  #timers: NodeJS.Timeout[] = [];
  #draining = false;
  #readyAskedAt = Number.NEGATIVE_INFINITY;

  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      const end = endOf(socket);
      this.#connections.add(socket);
      this.#silent.set(end, socket);
      socket.once("close", () => {
        this.#connections.delete(socket);
        this.#silent.delete(end);
      });
    });
    putBefore(server, "request", (request: IncomingMessage, response: ServerResponse) => this.#onRequest(request, response));
    putBefore(server, "upgrade", (request: IncomingMessage, socket: Socket) => this.#onUpgrade(request, socket));
  }

  /**
   * From now on every answer ends its connection, and new sessions of Socket.IO are refused with 503: a balancer takes that for a node that
   * is down and tries the next one, and a client that comes directly goes on trying by itself. All other requests are served. Whatever is
   * still there after `DRAIN_MS` is cut.
   */
  begin(): void {
    this.#draining = true;
    this.#closed = new Promise((resolve) => this.#server.once("close", resolve));
    for (const answer of this.#answers.values()) answer.shouldKeepAlive = false;
    const cut = setTimeout(() => {
      for (const socket of this.#connections) socket.destroy();
    }, DRAIN_MS);
    // Node closes the connections that are idle at the moment when the server is closed; others become idle later.
    const sweep = setInterval(() => !this.#server.listening && this.#server.closeIdleConnections(), DRAIN_SWEEP_MS);
    this.#timers = [cut, sweep];
  }

  /**
   * Resolves when whoever sends traffic by what `/ready` says has had `NOTICE_MS` to learn that this node is stopping; at once where
   * nobody has asked it lately.
   */
  async noticed(): Promise<void> {
    if (performance.now() - this.#readyAskedAt <= READY_WATCHED_MS) await pause(NOTICE_MS);
  }

  /** Takes no more connections. Resolves when all are closed. */
  async end(): Promise<void> {
    if (this.#server.listening) this.#server.close();
    // Browsers open connections ahead of their requests. To Node these are not idle.
    const cut = setTimeout(() => {
      for (const socket of this.#silent.values()) socket.destroy();
    }, SILENT_MS);
    this.#timers.push(cut);
    await this.#closed;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** @returns whether the request is answered. */
  #onRequest(request: IncomingMessage, response: ServerResponse): boolean {
    const { socket, url = "" } = request;
    if (url === "/ready") this.#readyAskedAt = performance.now();
    if (!this.#answers.has(socket)) {
      this.#silent.delete(endOf(socket));
      socket.once("close", () => this.#answers.delete(socket));
    }
    this.#answers.set(socket, response);
    if (!this.#draining) return false;
    response.shouldKeepAlive = false;
    if (!beginsSession(url)) return false;
    sendProblem(request, response, stopping());
    return true;
  }

  /** @returns whether the request is answered. */
  #onUpgrade(request: IncomingMessage, socket: Socket): boolean {
    const { method, url = "" } = request;
    this.#silent.delete(endOf(socket));
    if (method !== "GET" || !url.startsWith(SOCKET_IO)) {
      // Socket.IO would leave it without an answer. To a balancer that is a node that has failed, so anybody could have all nodes left out.
      endWithProblem(socket, new BelfryError("bad_request", `Only GET ${SOCKET_IO} can be upgraded, to a WebSocket.`));
      return true;
    }
    if (!this.#draining || !beginsSession(url)) return false;
    endWithProblem(socket, stopping());
    return true;
  }
}

function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** The path of Socket.IO, which is the same for all of its clients. */
const SOCKET_IO = "/socket.io/";

/** Whether a request opens a session: all others of a session carry its id. */
function beginsSession(url: string): boolean {
  return url.startsWith(SOCKET_IO) && !/[?&]sid=[^&]/.test(url);
}

function stopping(): BelfryError {
  return new BelfryError("draining", "This node is stopping; connect again.");
}

/** Has `first` asked before all who listen to the event now; these are told only where it answers false. */
function putBefore<A extends unknown[]>(server: Server, event: string, first: (...args: A) => boolean): void {
  const others = server.listeners(event) as Listener[];
  server.removeAllListeners(event);
  server.on(event, (...args: unknown[]) => {
    if (first(...(args as A))) return;
    for (const listener of others) listener.apply(server, args);
  });
}
