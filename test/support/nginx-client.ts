import type { IncomingHttpHeaders } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { io, type Socket } from "socket.io-client";
import { tokenFor } from "./member.js";
import type { Nginx } from "./nginx.js";
import { sharedRedis } from "./redis.js";
import { type Environment, type Service, startService } from "./service.js";

/** What all nodes of these tests share; in production they are made by the operator. */
export const SECRET = "the-secret-of-all-nodes-of-one-test";
export const API_KEY = "the-key-of-all-nodes";

/** An answer that came through nginx. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export interface Call {
  method?: string;
  /** An address of this machine (127.0.0.0/8) that the client comes from. */
  from?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** One call through nginx on a connection of its own. */
export function ask(
  nginx: Pick<Nginx, "port">,
  path: string,
  { method = "GET", from = "127.0.0.1", headers = {}, body }: Call = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      port: nginx.port,
      path,
      method,
      headers,
      localAddress: from,
      rejectUnauthorized: false,
      agent: false,
    };
    const request = httpsRequest(options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on("error", reject);
    });
    request.on("upgrade", ({ statusCode = 0, headers: answered }, socket) => {
      socket.destroy();
      resolve({ status: statusCode, headers: answered, text: "" });
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** An event that tells one member, through nginx: a comment on a thread of theirs. */
export function tell(nginx: Pick<Nginx, "port">, user: string, id: string): Promise<Answer> {
  const event = { id, type: "comment.created", actor: { id: "somebody" }, thread: { id: `of-${user}`, author: user }, comment: { id } };
  return ask(nginx, "/v1/events", {
    method: "POST",
    headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" },
    body: JSON.stringify(event),
  });
}

/** Two processes of the service on one MongoDB and one Redis, with the same keys. Whoever starts them stops both. */
export async function startNodes(mongodbUrl: string, env: Environment = {}): Promise<[Service, Service]> {
  const common = {
    MONGODB_URL: mongodbUrl,
    REDIS_URL: sharedRedis(),
    JWT_SECRET: SECRET,
    API_KEYS: API_KEY,
    TRUST_PROXY: "1",
    DEMO: "off",
    ...env,
  };
  const one = await startService({ env: { ...common, NODE_NAME: "one" } });
  try {
    return [one, await startService({ env: { ...common, NODE_NAME: "two" } })];
  } catch (error) {
    await one.stop();
    throw error;
  }
}

/** A member's device behind nginx. It goes by the client rule as far as a server that keeps its promise needs: it counts where that is broken. */
export class Visitor {
  readonly socket: Socket;
  /** What the member was told, by the comment's id. */
  readonly told = new Set<string>();
  /** Entries that came twice, and places where some are missing. Both must stay 0. */
  faults = 0;
  connections = 0;
  /** Whether it has been brought up to date since it connected last. */
  isSynced = false;
  #cursor: { epoch: string; seq: number } | null = null;

  constructor(nginx: Pick<Nginx, "url">, user: string, transports: Array<"websocket" | "polling">, from = "127.0.0.1") {
    this.socket = io(`${nginx.url}/notifications`, {
      forceNew: true,
      transports,
      agent: new Agent({ localAddress: from, rejectUnauthorized: false }) as never,
      rejectUnauthorized: false,
      reconnectionDelay: 50,
      reconnectionDelayMax: 300,
      auth: (give) =>
        give({ token: tokenFor(SECRET, { sub: user }), ...(this.#cursor === null ? {} : { cursors: { inbox: this.#cursor } }) }),
    });
    this.socket.on("connect", () => {
      this.connections++;
      this.isSynced = false;
    });
    this.socket.on("connect_error", (error) => {
      // After a refusal that came over a connection, coming back is the client's business.
      if ("data" in error) setTimeout(() => this.#isLeft || this.socket.connect(), 100);
    });
    this.socket.on("snapshot", ({ stream, epoch, seq, items }) => {
      if (stream !== "inbox") return;
      this.#cursor = { epoch, seq };
      for (const item of items) this.told.add(item.comment.id);
    });
    this.socket.on("entries", ({ stream, entries }) => {
      if (stream !== "inbox") return;
      for (const { seq, data } of entries) {
        const cursor = this.#cursor as { seq: number };
        if (seq !== cursor.seq + 1) this.faults++;
        cursor.seq = seq;
        this.told.add(data.comment.id);
      }
    });
    this.socket.on("synced", ({ stream, epoch, seq }) => {
      if (stream !== "inbox") return;
      this.#cursor ??= { epoch, seq };
      this.isSynced = true;
    });
  }

  #isLeft = false;

  /** Which way its packets go now. */
  get transport(): string {
    return this.socket.io.engine.transport.name;
  }

  leave(): void {
    this.#isLeft = true;
    this.socket.disconnect();
  }
}
