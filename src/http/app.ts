import { randomUUID } from "node:crypto";
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from "express";
import helmet from "helmet";
import type { Logger } from "pino";
import type { Config } from "../config/index.js";
import { asBelfryError, BelfryError } from "../errors.js";
import type { Metrics } from "../telemetry/index.js";
import { cors } from "./cors.js";
import { READY_TIMEOUT_MS } from "./limits.js";
import { createMeRouter, type MeOptions } from "./me.js";
import type { ReadinessApi } from "./ports.js";
import { sendProblem } from "./problem.js";

export interface AppOptions extends MeOptions {
  config: Pick<Config, "trustProxy" | "allowedOrigins">;
  readiness: ReadinessApi;
  /** What else is served, such as the demo's pages; asked after the service's own routes. */
  pages?: RequestHandler;
  log: Logger;
  metrics: Pick<Metrics, "httpError" | "text" | "contentType">;
}

/** Everything over HTTP but the routes of `createIngestHandler`. */
export function createApp(options: AppOptions): Express {
  const { config, readiness, pages, log, metrics } = options;
  const app = express();
  app.disable("x-powered-by");
  app.set("trust proxy", config.trustProxy);
  app.use(requestId, securityHeaders(), refuseMalformedPath);

  app.get("/health", (_request, response) => {
    response.json({ status: "ok" });
  });
  app.get("/ready", async (_request, response) => {
    await requireReady(readiness);
    response.json({ status: "ready" });
  });
  app.get("/metrics", async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.text());
  });
  app.use("/v1/me", cors(config.allowedOrigins), createMeRouter(options));
  if (pages !== undefined) app.use(pages);

  app.use((request) => {
    throw new BelfryError("not_found", `There is no ${request.method} ${request.path.slice(0, 200)} here.`);
  });
  app.use(errorHandler(log, metrics));
  return app;
}

/** One name of a request for both sides' logs: the caller's, where it sent a usable one. */
const requestId: RequestHandler = (request, response, next) => {
  const given = request.headers["x-request-id"];
  const id = typeof given === "string" && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
  response.setHeader("X-Request-Id", id);
  next();
};

/** Pages load scripts, styles and data from this service only, and run no script that is written into them. */
function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", "data:"],
        fontSrc: ["'self'"],
        // Covers WebSockets to the same host too (CSP 3).
        connectSrc: ["'self'"],
        manifestSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    // Whether there is TLS at all is for the proxy in front to say.
    strictTransportSecurity: false,
  });
}

const refuseMalformedPath: RequestHandler = (request, _response, next) => {
  try {
    decodeURIComponent(request.path);
  } catch {
    throw new BelfryError("bad_request", "The path is not valid percent-encoded UTF-8.");
  }
  next();
};

async function requireReady(readiness: ReadinessApi): Promise<void> {
  if (readiness.draining()) throw new BelfryError("unavailable", "This node is stopping.");
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the store did not answer within ${READY_TIMEOUT_MS} ms`)), READY_TIMEOUT_MS);
  });
  try {
    await Promise.race([readiness.ping(), late]);
  } catch (cause) {
    throw new BelfryError("unavailable", "The store does not answer.", { cause });
  } finally {
    clearTimeout(timer);
  }
}

function errorHandler(log: Logger, metrics: AppOptions["metrics"]): ErrorRequestHandler {
  return (thrown: unknown, request, response: Response, _next) => {
    const error = asContractError(thrown);
    if (error.status >= 500) {
      log.error(
        { err: error.cause ?? error, code: error.code, url: request.path, request: response.getHeader("X-Request-Id") },
        "a request failed",
      );
    }
    metrics.httpError(error.code);
    sendProblem(request, response, error);
  };
}

/** Express and its middleware throw errors of their own, with a status; their messages may quote the request and are not passed on. */
function asContractError(thrown: unknown): BelfryError {
  const status = thrown instanceof Error && !(thrown instanceof BelfryError) ? (thrown as { status?: unknown }).status : undefined;
  if (status === 404) return new BelfryError("not_found");
  if (status === 413) return new BelfryError("too_large");
  if (typeof status === "number" && status >= 400 && status < 500) return new BelfryError("bad_request");
  return asBelfryError(thrown);
}
