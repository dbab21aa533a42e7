import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { RequestHandler, Response } from "express";
import { type ApiKeys, bearerOf } from "../auth/index.js";
import type { Metrics, Trail } from "../telemetry/index.js";

/** What an id of a request may be. Threat: a caller who writes lines or megabytes of their own into the log. */
const USABLE_ID = /^[\w.-]{1,64}$/;

/** What is asked for all the time, and by machines: a trace of each would hide the others. */
const PROBES = new Set(["/health", "/ready", "/metrics"]);

/** The route of what is no route of the service's own: pages, and what is not found. */
const ELSEWHERE = "(other)";

/** Takes up a request, on whichever way it is answered: with the caller's id, where it sent a usable one, or one of its own. */
export function beginTrail(request: IncomingMessage, http: Metrics["http"], apiKeys: ApiKeys): Trail {
  const { headers, method = "", url = "" } = request;
  const given = headers["x-request-id"];
  return http.begin({
    id: typeof given === "string" && USABLE_ID.test(given) ? given : randomUUID(),
    method,
    isTraced: !PROBES.has(url),
    traceparent: http.areTraced ? traceparentOf(request, apiKeys) : null,
  });
}

/** As `beginTrail`, for everything that Express answers. `routeOf` says the route's pattern once it is known. */
export function followRequests(http: Metrics["http"], apiKeys: ApiKeys): RequestHandler {
  return (request, response, next) => {
    const trail = beginTrail(request, http, apiKeys);
    response.setHeader("X-Request-Id", trail.request);
    response.once("close", () => {
      trail.end(routeOf(request.route as unknown, response), response.writableFinished ? response.statusCode : null);
    });
    trail.run(next);
  };
}

/** Remembers where the routes that follow are mounted: Express forgets it when one of them fails. */
export function mountedAt(path: string): RequestHandler {
  return (_request, response, next) => {
    response.locals.mount = path;
    next();
  };
}

/** `/v1/members/:id/ban`: never what stands in a path, of which there is no end. Refused before its route was found: `/v1/members/*`. */
function routeOf(route: unknown, response: Response): string {
  const mount: unknown = response.locals.mount;
  if (typeof mount !== "string") return ELSEWHERE;
  const path: unknown = Object(route).path;
  if (typeof path !== "string") return `${mount}/*`;
  return path === "/" ? mount : mount + path;
}

/**
 * The trace that the caller has begun. Only a server's: a trace carries whether it is recorded, and members could make all of theirs be.
 */
function traceparentOf({ headers }: IncomingMessage, apiKeys: ApiKeys): string | null {
  const { traceparent, authorization } = headers;
  if (typeof traceparent !== "string") return null;
  try {
    return apiKeys.matches(bearerOf(authorization)) ? traceparent : null;
  } catch {
    return null;
  }
}
