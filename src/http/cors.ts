import type { RequestHandler } from "express";
import { BelfryError } from "../errors.js";

/** How long a browser may remember a preflight's answer, in seconds: Chromium's own limit is two hours, changes should be felt sooner. */
const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of the allowed origins read answers and send tokens. No cookies are used, so credentials are not allowed. Other origins get no
 * header, upon which their browser hides the answer.
 */
export function cors(allowedOrigins: string[]): RequestHandler {
  const all = allowedOrigins.includes("*");
  const allowed = new Set(allowedOrigins);
  return (request, response, next) => {
    const { origin } = request.headers;
    if (!all) response.vary("Origin");
    if (origin === undefined) {
      next();
      return;
    }
    const known = all || allowed.has(origin);
    if (known) {
      response.setHeader("Access-Control-Allow-Origin", all ? "*" : origin);
      response.setHeader("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate, X-Request-Id");
    }
    const preflight = request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined;
    if (!preflight) {
      next();
      return;
    }
    if (!known) throw new BelfryError("origin_denied", "This origin is not one of ALLOWED_ORIGINS.");
    response.setHeader("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE");
    response.setHeader("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Request-Id");
    response.setHeader("Access-Control-Max-Age", PREFLIGHT_SECONDS);
    response.status(204).end();
  };
}
