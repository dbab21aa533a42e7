import { createHmac } from "node:crypto";
import type { Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect } from "@jest/globals";
import { SignJWT } from "jose";
import pino from "pino";
import { ApiKeys, createTokenVerifier } from "../../../src/auth/index.js";
import { BelfryError } from "../../../src/errors.js";
import { createApp, createHttpServer, createIngestHandler } from "../../../src/http/index.js";
import { createMetrics } from "../../../src/telemetry/index.js";
import { fakeRooms, type RoomsState } from "./rooms.js";

export const API_KEY = "key-of-a-server";
const HOOK_SECRET = "secret-of-the-webhook";
export const ORIGIN = "https://forum.example";
const TOKEN_SECRET = new TextEncoder().encode("a-secret-of-more-than-thirty-two-bytes");

type Assets = Parameters<typeof createApp>[0]["assets"];

/** What reached the parts behind HTTP, by the name of the method. */
export type Call = [method: string, ...args: unknown[]];

/** A real server on a free port, with parts behind it that only write down what they are asked. */
export async function startHttp(options: { hookSecret?: string | null; trustProxy?: number; assets?: Assets; push?: null } = {}) {
  const calls: Call[] = [];
  const initial = (): RoomsState & { draining: boolean; bus: "up" | "down" | null; now: number | null } => ({
    failure: null,
    draining: false,
    bus: null,
    now: null,
    bans: new Map(),
    member: {},
    repeat: false,
    auditLog: [],
    reportRows: [],
  });
  const state = initial();
  const note = async <T>(answer: T, ...call: Call): Promise<T> => {
    calls.push(call);
    if (state.failure !== null) throw state.failure;
    return answer;
  };
  const answerOf = (id: string) => ({ id, duplicate: false, notified: [], skipped: [] });
  const metrics = createMetrics();
  const log = pino({ level: "silent" });
  const apiKeys = new ApiKeys([API_KEY]);
  const verifier = createTokenVerifier({ tokenKeys: { kind: "secret", secret: TOKEN_SECRET }, jwtIssuer: null, jwtAudience: null });

  const ingest = createIngestHandler({
    apiKeys,
    community: {
      handleAll: (events) =>
        note(
          events.map(({ id }) => answerOf(id)),
          "handleAll",
          events,
        ),
      notify: (notification) => note(answerOf("n"), "notify", notification),
    },
    discourse: { receive: (hook) => note(hook.event === "topic_created" ? null : answerOf("d"), "receive", hook) },
    discourseSecret: options.hookSecret === undefined ? HOOK_SECRET : options.hookSecret,
    log,
    metrics,
  });
  const app = createApp({
    config: { trustProxy: options.trustProxy ?? false, allowedOrigins: [ORIGIN] },
    apiKeys,
    verifier,
    inbox: {
      list: (...args) => note({ items: [], more: false, unread: 3 }, "list", ...args),
      mark: (...args) => note({ seq: 7, unread: 2 }, "mark", ...args),
      markUpTo: (...args) => note({ seq: 8, unread: 0 }, "markUpTo", ...args),
      sync: (...args) => note({ epoch: "e", entries: [], head: 9, more: false }, "sync", ...args),
    },
    readiness: {
      draining: () => state.draining,
      ping: async () => {
        if (state.failure !== null) throw state.failure;
      },
      bus: () => state.bus,
    },
    ...fakeRooms(state, note),
    ...(options.push === null ? { push: null } : {}),
    assets: options.assets ?? new Map(),
    log,
    metrics,
    clock: () => state.now ?? Date.now(),
  });
  const server = createHttpServer({ ingest, app, tls: null });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    calls,
    state,
    metrics,
    port,
    send: (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}${path}`, init),
    raw: (text: string | Buffer) => rawAnswer(port, text),
    token: tokenOf,
    /** Headers of a request with a body, by a member with these roles. */
    member: async (user = "31", ...roles: string[]) => ({ ...JSON_TYPE, Authorization: `Bearer ${await tokenOf(user, 60, roles)}` }),
    /** Forgets what was asked and what the test has set. */
    reset: () => {
      calls.length = 0;
      Object.assign(state, initial());
    },
    stop: () => stop(server),
  };
}

const JSON_TYPE = { "Content-Type": "application/json" };

/** Headers of a request with a body, by a server. */
export const SERVER = { ...JSON_TYPE, Authorization: `Bearer ${API_KEY}` };

function tokenOf(user = "31", seconds = 60, roles: string[] = []): Promise<string> {
  return new SignJWT({ name: `Member ${user}`, roles })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(user)
    .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
    .sign(TOKEN_SECRET);
}

/** What a call was answered with: status and JSON. */
export async function answerOf(response: Response): Promise<[status: number, body: unknown]> {
  return [response.status, await response.json()];
}

/** The response must be a problem with this status and code; its text is returned. */
export async function problemIn(response: Response, status: number, code: string): Promise<string> {
  const problem = (await response.json()) as { detail: string };
  expect([response.status, problem]).toEqual([status, expect.objectContaining({ status, code, detail: expect.any(String) })]);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return problem.detail;
}

export type Http = Awaited<ReturnType<typeof startHttp>>;

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Everything that the server answers to some bytes until it ends the connection. */
function rawAnswer(port: number, text: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.setEncoding("utf8").on("data", (chunk) => {
      answer += String(chunk);
    });
    socket.on("close", () => resolve(answer)).on("error", reject);
  });
}

/** The head of a request by a server, as bytes on the wire. */
export function rawHead(path: string, ...headers: string[]): string {
  const lines = [`POST ${path} HTTP/1.1`, "Host: x", `Authorization: Bearer ${API_KEY}`, "Content-Type: application/json", ...headers];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

export function signed(body: string | Uint8Array, event: string, secret = HOOK_SECRET): Record<string, string> {
  return {
    "Content-Type": "application/json",
    "X-Discourse-Event": event,
    "X-Discourse-Event-Id": "17",
    "X-Discourse-Instance": "https://forum.example",
    "X-Discourse-Event-Signature": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  };
}

export const event = (id = "comment-1") => ({
  id,
  type: "comment.created",
  at: "2024-02-13T16:04:47.430Z",
  actor: { id: "31", name: "Member 31" },
  thread: { id: "497", title: "Topic 497", author: "7" },
  comment: { id: "1531", parentAuthor: "12", excerpt: "…", mentions: ["3"], quotes: [] },
});

/** The error that `unavailable` stores throw. */
export const unavailable = () => new BelfryError("unavailable", "The disk is full.", { retryAfterMs: 1500 });
