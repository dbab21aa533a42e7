import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response, type Router } from "express";
import helmet from "helmet";
import type { Logger } from "pino";
import type { ApiKeys, TokenVerifier } from "../auth/index.js";
import type { Config } from "../config/index.js";
import { asBelfryError, BelfryError } from "../errors.js";
import type { Metrics } from "../telemetry/index.js";
import { addressOf } from "./address.js";
import { type AnnouncementsOptions, createAnnouncementsRouter } from "./announcements.js";
import { type Assets, serveAssets, servePage } from "./assets.js";
import { createAuditRouter } from "./audit.js";
import { createTasksRouter, createTopicsRouter } from "./boards.js";
import { cors } from "./cors.js";
import { Credentials } from "./credentials.js";
import { READY_TIMEOUT_MS } from "./limits.js";
import { createMeRouter, type MeOptions } from "./me.js";
import { createMembersRouter, type MembersOptions } from "./members.js";
import { createMessagesRouter } from "./messages.js";
import type { MessagesApi, ReadinessApi, TasksApi, TopicsApi } from "./ports.js";
import { sendProblem } from "./problem.js";
import { createPushRouter } from "./push.js";
import { createStaffRouter, type StaffOptions } from "./staff.js";
import { followRequests, mountedAt } from "./trail.js";

/** What the routes use, each of the room of its name. */
type Rooms = Omit<MeOptions & AnnouncementsOptions & MembersOptions & StaffOptions, "credentials" | "clock">;

export interface AppOptions extends Rooms {
  config: Pick<Config, "trustProxy" | "allowedOrigins">;
  apiKeys: ApiKeys;
  verifier: TokenVerifier;
  messages: MessagesApi;
  tasks: TasksApi;
  topics: TopicsApi;
  readiness: ReadinessApi;
  /** The files of the client's packages and of the service's own pages. */
  assets: Assets;
  /** What else is served, such as the demo's pages; asked after the service's own routes. */
  pages?: RequestHandler;
  log: Logger;
  metrics: Pick<Metrics, "http" | "httpError" | "text" | "contentType">;
  clock?: () => number;
}

/** Everything over HTTP but the routes of `createIngestHandler`. */
export function createApp(options: AppOptions): Express {
  const { config, apiKeys, readiness, assets, pages, log, metrics, clock = Date.now } = options;
  const app = express();
  app.disable("x-powered-by");
  app.set("trust proxy", config.trustProxy);
  app.use(followRequests(metrics.http, apiKeys), securityHeaders(), refuseMalformedPath);
  const probe = mountedAt("");

  app.get("/health", probe, (_request, response) => {
    response.json({ status: "ok" });
  });
  app.get("/ready", probe, async (_request, response) => {
    await requireReady(readiness);
    const bus = readiness.bus();
    response.json({ status: "ready", ...(bus === null ? {} : { bus }) });
  });
  app.get("/metrics", probe, async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.text());
  });
  app.use("/v1", createRoutes({ ...options, clock }));
  app.use("/client", mountedAt("/client"), serveAssets(assets));
  app.get("/console", mountedAt(""), servePage(assets, "console.html"));
  if (pages !== undefined) app.use(pages);

  app.use((request) => {
    throw new BelfryError("not_found", `There is no ${request.method} ${request.path.slice(0, 200)} here.`);
  });
  app.use(errorHandler(log, metrics));
  return app;
}

/** The routes under `/v1` but those of `createIngestHandler`. Members' own may be called from pages, too. */
function createRoutes(options: AppOptions & { clock: () => number }): Router {
  const { config, apiKeys, verifier, members, clock } = options;
  const credentials = new Credentials({ apiKeys, verifier, members, addressOf: addressOf(config.trustProxy), clock });
  const rooms = { ...options, credentials };
  const fromPages = cors(config.allowedOrigins);
  const router = express.Router();
  const mount = (path: string, ...handlers: RequestHandler[]) => router.use(path, mountedAt(`/v1${path}`), ...handlers);
  router.use(noStore, mountedAt("/v1"));
  mount("/me", fromPages, createMeRouter(rooms));
  mount("/push", fromPages, createPushRouter(options.push));
  mount("/messages", fromPages, createMessagesRouter(rooms));
  mount("/announcements", createAnnouncementsRouter(rooms));
  mount("/members", createMembersRouter(rooms));
  mount("/audit", createAuditRouter(rooms));
  mount("/tasks", createTasksRouter(rooms));
  mount("/topics", createTopicsRouter(rooms));
  router.use(createStaffRouter(rooms));
  return router;
}

/** Answers are for one credential: no cache on the way may keep them. */
const noStore: RequestHandler = (_request, response, next) => {
  response.setHeader("Cache-Control", "no-store");
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
