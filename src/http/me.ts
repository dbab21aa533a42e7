import express, { type NextFunction, type Request, type Response, type Router } from "express";
import type { ApiKeys, TokenVerifier } from "../auth/index.js";
import { BelfryError } from "../errors.js";
import { parseIds, parseList, parseStreamPage, parseUpTo } from "../inbox/index.js";
import { jsonOf, readBody, requireJson, textOf } from "./body.js";
import { requireMember } from "./credentials.js";
import { MAX_ME_BYTES } from "./limits.js";
import type { InboxApi } from "./ports.js";

export interface MeOptions {
  apiKeys: ApiKeys;
  verifier: TokenVerifier;
  inbox: InboxApi;
}

/** `/v1/me`: a member's own inbox, for those without a socket. Payloads and answers are those of the socket events. */
export function createMeRouter({ apiKeys, verifier, inbox }: MeOptions): Router {
  const router = express.Router();

  router.use(async (request: Request, response: Response, next: NextFunction) => {
    // Answers are one member's own: no cache on the way may keep them.
    response.setHeader("Cache-Control", "no-store");
    const identity = await requireMember(request.headers.authorization, apiKeys, verifier);
    response.locals.user = identity.user;
    next();
  });

  router.get("/notifications", async (request, response) => {
    const { filter, before, limit } = request.query;
    const query = parseList({ filter, before, limit: numberIn(limit) });
    response.json(await inbox.list(userOf(response), query));
  });

  router.get("/stream", async (request, response) => {
    const { after, limit } = request.query;
    // Without a cursor the stream is read from its base; who has no socket learns the epoch from the answer.
    const query = parseStreamPage({ after: after === undefined ? null : cursorIn(after), limit: numberIn(limit) });
    response.json(await inbox.sync(userOf(response), query.after, query.limit));
  });

  for (const verb of ["read", "unread", "archive", "unarchive"] as const) {
    router.post(`/${verb}`, async (request, response) => {
      const ids = parseIds(await payloadOf(request));
      response.json(await inbox.mark(userOf(response), verb, ids));
    });
  }

  for (const verb of ["read_all", "seen"] as const) {
    router.post(`/${verb}`, async (request, response) => {
      const upTo = parseUpTo(await payloadOf(request));
      response.json(await inbox.markUpTo(userOf(response), verb, upTo));
    });
  }

  return router;
}

function userOf(response: Response): string {
  return response.locals.user as string;
}

/** The JSON body; none at all is an empty object, as `read_all` needs no field. */
async function payloadOf(request: Request): Promise<unknown> {
  const empty = request.headers["transfer-encoding"] === undefined && Number(request.headers["content-length"] ?? 0) === 0;
  if (empty) return {};
  requireJson(request.headers["content-type"]);
  const raw = await new Promise<Buffer>((resolve, reject) => {
    readBody(request, MAX_ME_BYTES, (error, body) => (error === null ? resolve(body) : reject(error)));
  });
  return jsonOf(textOf(raw));
}

/** A query's number as a number; anything else as it is, for the schema to refuse. */
function numberIn(value: unknown): unknown {
  return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
}

/** `EPOCH:SEQ`. An epoch may itself hold a colon, so the last one counts. */
function cursorIn(after: unknown): { epoch: string; seq: unknown } {
  const colon = typeof after === "string" ? after.lastIndexOf(":") : -1;
  if (typeof after !== "string" || colon < 1)
    throw new BelfryError("bad_request", "`after` must be EPOCH:SEQ, the last entry that you have.");
  const seq = after.slice(colon + 1);
  return { epoch: after.slice(0, colon), seq: numberIn(seq) };
}
