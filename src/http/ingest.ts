import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import type { ApiKeys } from "../auth/index.js";
import { parseEvent, parseNotification } from "../community/index.js";
import type { DomainEvent, EventAnswer } from "../community/types.js";
import { asBelfryError, BelfryError } from "../errors.js";
import type { Metrics, Trail } from "../telemetry/index.js";
import { jsonOf, readBody, requireJson, textOf } from "./body.js";
import { requireServer } from "./credentials.js";
import { HOOK_CHALLENGE, HookReader } from "./hook.js";
import { MAX_EVENTS, MAX_EVENTS_BYTES, MAX_HOOK_BYTES, MAX_NOTIFICATION_BYTES } from "./limits.js";
import type { CommunityApi, DiscourseApi } from "./ports.js";
import { sendProblem } from "./problem.js";
import { beginTrail } from "./trail.js";

export interface IngestOptions {
  apiKeys: ApiKeys;
  community: CommunityApi;
  discourse: DiscourseApi;
  /** Null refuses every hook. */
  discourseSecret: string | null;
  log: Logger;
  metrics: Pick<Metrics, "http" | "events" | "ingestSeconds" | "httpError">;
}

/** One request on its way through: `admit`, then the body, then `act`. Both may throw. */
interface Route {
  path: string;
  maxBytes: number;
  /** What the 401 says about how to authenticate. */
  challenge?: string;
  admit(request: IncomingMessage): void;
  act(request: IncomingMessage, raw: Buffer, answering: Answering): void;
}

/** How a request ends: by one call of `reply`, whose `value` is sent as JSON, or of `fail`. */
interface Answering {
  reply(status: number, value: unknown): void;
  fail(thrown: unknown): void;
  /** An event of it is stored, now or before: to be called before `reply`. Null: it is of a kind that tells nobody. */
  accepted(answer: EventAnswer | null): void;
}

/**
 * The three routes that take events in, without Express, which costs more than everything else that such a request needs. Answers true
 * where it took the request.
 */
export function createIngestHandler(options: IngestOptions): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { apiKeys, metrics } = options;
  const routes = new Map([eventsRoute(options), notificationsRoute(options), discourseRoute(options)].map((route) => [route.path, route]));

  return (request, response) => {
    if (request.method !== "POST") return false;
    const url = request.url ?? "";
    const query = url.indexOf("?");
    const route = routes.get(query === -1 ? url : url.slice(0, query));
    if (route === undefined) return false;

    const trail = beginTrail(request, metrics.http, apiKeys);
    const answering = answer(request, response, route, trail, options);
    try {
      route.admit(request);
    } catch (thrown) {
      answering.fail(thrown);
      return true;
    }
    readBody(request, route.maxBytes, (error, raw) => {
      if (error !== null) {
        answering.fail(error);
        return;
      }
      try {
        trail.run(() => route.act(request, raw, answering));
      } catch (thrown) {
        answering.fail(thrown);
      }
    });
    return true;
  };
}

/** How one request is answered, and what is said of it meanwhile. */
function answer(request: IncomingMessage, response: ServerResponse, route: Route, trail: Trail, options: IngestOptions): Answering {
  const { log, metrics } = options;
  return {
    reply(status, value) {
      const text = JSON.stringify(value);
      const length = Buffer.byteLength(text);
      response.writeHead(status, { "Content-Type": "application/json", "Content-Length": length, "X-Request-Id": trail.request });
      response.end(text);
      metrics.ingestSeconds.observe(trail.end(route.path, status));
    },
    fail(thrown) {
      const error = asBelfryError(thrown);
      const own = error.status >= 500;
      const line = { err: error.cause ?? error, code: error.code, url: route.path, request: trail.request };
      if (own) log.error(line, "a request failed");
      metrics.events[own ? "failed" : "refused"].add();
      metrics.httpError(error.code);
      if (!response.headersSent) response.setHeader("X-Request-Id", trail.request);
      sendProblem(request, response, error, route.challenge);
      trail.end(route.path, error.status);
    },
    accepted(event) {
      if (event === null) {
        metrics.events.ignored.add();
        return;
      }
      const { id, duplicate, notified } = event;
      metrics.events[duplicate ? "duplicate" : "stored"].add();
      if (!log.isLevelEnabled("debug")) return;
      log.debug({ event: id, request: trail.request, notified: notified.length, duplicate }, "an event was accepted");
    },
  };
}

function eventsRoute({ apiKeys, community }: IngestOptions): Route {
  return {
    path: "/v1/events",
    maxBytes: MAX_EVENTS_BYTES,
    admit(request) {
      requireServer(request.headers.authorization, apiKeys);
      requireJson(request.headers["content-type"]);
    },
    act(_request, raw, { reply, fail, accepted }) {
      const body = jsonOf(textOf(raw));
      const events = Array.isArray(body) ? parseAll(body) : [parseEvent(body)];
      community
        .handleAll(events)
        .then((answers) => {
          for (const one of answers) accepted(one);
          reply(202, Array.isArray(body) ? answers : answers[0]);
        })
        .catch(fail);
    },
  };
}

function notificationsRoute({ apiKeys, community }: IngestOptions): Route {
  return {
    path: "/v1/notifications",
    maxBytes: MAX_NOTIFICATION_BYTES,
    admit(request) {
      requireServer(request.headers.authorization, apiKeys);
      requireJson(request.headers["content-type"]);
    },
    act(_request, raw, { reply, fail, accepted }) {
      community
        .notify(parseNotification(jsonOf(textOf(raw))))
        .then((told) => {
          accepted(told);
          reply(202, told);
        })
        .catch(fail);
    },
  };
}

function discourseRoute({ discourse, discourseSecret }: IngestOptions): Route {
  const reader = new HookReader(discourseSecret);
  return {
    path: "/v1/hooks/discourse",
    maxBytes: MAX_HOOK_BYTES,
    challenge: HOOK_CHALLENGE,
    admit(request) {
      reader.signatureOf(request.headers);
    },
    act(request, raw, { reply, fail, accepted }) {
      const hook = reader.read(request.headers, reader.signatureOf(request.headers), raw);
      if (hook === null) {
        reply(200, { ok: true });
        return;
      }
      discourse
        .receive(hook)
        .then((told) => {
          accepted(told);
          reply(202, told ?? { ignored: true, event: hook.event });
        })
        .catch(fail);
    },
  };
}

/** All are checked before any is handled, so that an array with a fault changes nothing. */
function parseAll(bodies: unknown[]): DomainEvent[] {
  if (bodies.length < 1 || bodies.length > MAX_EVENTS) {
    throw new BelfryError("bad_request", `An array must hold 1 to ${MAX_EVENTS} events; this one holds ${bodies.length}.`);
  }
  return bodies.map((body, index) => {
    try {
      return parseEvent(body);
    } catch (error) {
      if (!(error instanceof BelfryError)) throw error;
      throw new BelfryError(error.code, `Event ${index} of the array (from 0): ${error.message}`, { cause: error });
    }
  });
}
