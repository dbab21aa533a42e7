import type { IncomingMessage, ServerResponse } from "node:http";
import type { BelfryError } from "../errors.js";
import { LINGER_MS } from "./limits.js";

/** What a 401 says about how to authenticate (RFC 9110, section 11.6.1), where the route asks for a bearer credential. */
const BEARER_CHALLENGE = 'Bearer realm="belfry"';

/** An error as RFC 9457 writes it. `type` is a name, not an address: `code` is what clients branch on. */
export function problemOf(error: BelfryError): string {
  return JSON.stringify({
    type: `urn:belfry:error:${error.code}`,
    title: error.title,
    status: error.status,
    detail: error.message,
    code: error.code,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}

/**
 * Answers with a problem. Headers that were set before are kept. After `too_large` the connection ends, but only when the sender has
 * finished or `LINGER_MS` have passed: closed with unread bytes, it would be reset and the sender would not see the answer.
 */
export function sendProblem(request: IncomingMessage, response: ServerResponse, error: BelfryError, challenge = BEARER_CHALLENGE): void {
  if (response.headersSent) {
    // Half an answer is out: cutting it off is all that tells the caller.
    response.destroy();
    return;
  }
  const text = problemOf(error);
  const closing = error.code === "too_large";
  response.statusCode = error.status;
  response.setHeader("Content-Type", "application/problem+json");
  response.setHeader("Content-Length", Buffer.byteLength(text));
  response.setHeader("Cache-Control", "no-store");
  if (error.status === 401) response.setHeader("WWW-Authenticate", challenge);
  if (error.retryAfterMs !== undefined) response.setHeader("Retry-After", Math.max(1, Math.ceil(error.retryAfterMs / 1000)));
  if (closing) response.setHeader("Connection", "close");
  if (!closing || request.complete) {
    response.end(text);
    return;
  }
  response.write(text);
  const end = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  request.once("close", end);
  request.once("end", end);
  request.resume();
}
