import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import type { ApiKeys } from "../auth/index.js";
import { parseEvent, parseNotification } from "../community/index.js";
import type { DomainEvent, EventAnswer } from "../community/types.js";
import { asBelfryError, BelfryError } from "../errors.js";
import type { Metrics } from "../telemetry/index.js";
import { jsonOf, readBody, requireJson, textOf } from "./body.js";
import { requireServer } from "./credentials.js";
import { HOOK_CHALLENGE, HookReader } from "./hook.js";
import { MAX_EVENTS, MAX_EVENTS_BYTES, MAX_HOOK_BYTES, MAX_NOTIFICATION_BYTES } from "./limits.js";
import type { CommunityApi, DiscourseApi } from "./ports.js";
import { sendProblem } from "./problem.js";

export interface IngestOptions {
  apiKeys: ApiKeys;
  community: CommunityApi;
  discourse: DiscourseApi;
  /** Null refuses every hook. */
  discourseSecret: string | null;
  log: Logger;
  metrics: Pick<Metrics, "events" | "ingestSeconds" | "httpError">;
}

/** One request on its way through: `admit`, then the body, then `act`. Both may throw. */
interface Route {
  maxBytes: number;
  /** What the 401 says about how to authenticate. */
  challenge?: string;
  admit(request: IncomingMessage): void;
  act(request: IncomingMessage, raw: Buffer, reply: Reply, fail: (thrown: unknown) => void): void;
}

/** `value` is sent as JSON. */
type Reply = (status: number, value: unknown) => void;

/**
 * The three routes that take events in, without Express, which costs more than everything else that such a request needs. Answers true
 * where it took the request.
 */
export function createIngestHandler(options: IngestOptions): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { log, metrics } = options;
  const routes = new Map<string, Route>([
    ["/v1/events", eventsRoute(options)],
    ["/v1/notifications", notificationsRoute(options)],
    ["/v1/hooks/discourse", discourseRoute(options)],
  ]);

  return (request, response) => {
    if (request.method !== "POST") return false;
    const url = request.url ?? "";
    const query = url.indexOf("?");
    const route = routes.get(query === -1 ? url : url.slice(0, query));
    if (route === undefined) return false;

    const started = performance.now();
    const fail = (thrown: unknown): void => {
      const error = asBelfryError(thrown);
      const own = error.status >= 500;
      if (own) log.error({ err: error.cause ?? error, code: error.code, url }, "a request failed");
      metrics.events[own ? "failed" : "refused"].add();
      metrics.httpError(error.code);
      sendProblem(request, response, error, route.challenge);
    };
    const reply: Reply = (status, value) => {
      const text = JSON.stringify(value);
      response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
      response.end(text);
      metrics.ingestSeconds.observe((performance.now() - started) / 1000);
    };
    try {
      route.admit(request);
    } catch (thrown) {
      fail(thrown);
      return true;
    }
    readBody(request, route.maxBytes, (error, raw) => {
      if (error !== null) {
        fail(error);
        return;
      }
      try {
        route.act(request, raw, reply, fail);
      } catch (thrown) {
        fail(thrown);
      }
    });
    return true;
  };
}

function eventsRoute({ apiKeys, community, metrics }: IngestOptions): Route {
  return {
    maxBytes: MAX_EVENTS_BYTES,
    admit(request) {
      requireServer(request.headers.authorization, apiKeys);
      requireJson(request.headers["content-type"]);
    },
    act(_request, raw, reply, fail) {
      const body = jsonOf(textOf(raw));
      const events = Array.isArray(body) ? parseAll(body) : [parseEvent(body)];
      community
        .handleAll(events)
        .then((answers) => {
          for (const answer of answers) count(metrics, answer);
          reply(202, Array.isArray(body) ? answers : answers[0]);
        })
        .catch(fail);
    },
  };
}

function notificationsRoute({ apiKeys, community, metrics }: IngestOptions): Route {
  return {
    maxBytes: MAX_NOTIFICATION_BYTES,
    admit(request) {
      requireServer(request.headers.authorization, apiKeys);
      requireJson(request.headers["content-type"]);
    },
    act(_request, raw, reply, fail) {
      community
        .notify(parseNotification(jsonOf(textOf(raw))))
        .then((answer) => {
          count(metrics, answer);
          reply(202, answer);
        })
        .catch(fail);
    },
  };
}

function discourseRoute({ discourse, discourseSecret, metrics }: IngestOptions): Route {
  const reader = new HookReader(discourseSecret);
  return {
    maxBytes: MAX_HOOK_BYTES,
    challenge: HOOK_CHALLENGE,
    admit(request) {
      reader.signatureOf(request.headers);
    },
    act(request, raw, reply, fail) {
      const hook = reader.read(request.headers, reader.signatureOf(request.headers), raw);
      if (hook === null) {
        reply(200, { ok: true });
        return;
      }
      discourse
        .receive(hook)
        .then((answer) => {
          if (answer === null) metrics.events.ignored.add();
          else count(metrics, answer);
          reply(202, answer ?? { ignored: true, event: hook.event });
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

function count(metrics: IngestOptions["metrics"], answer: EventAnswer): void {
  metrics.events[answer.duplicate ? "duplicate" : "stored"].add();
}
