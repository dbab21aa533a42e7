import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { BelfryError } from "../errors.js";
import { HEADERS_TIMEOUT_MS, KEEP_ALIVE_MS, MAX_HEADER_BYTES, REQUEST_TIMEOUT_MS, TIMEOUT_CHECK_MS } from "./limits.js";
import { problemOf } from "./problem.js";

/** What is wrong with a request that never became one, by Node's error codes. */
const FAULTS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: `The headers are larger than ${MAX_HEADER_BYTES} bytes.`,
  ERR_HTTP_REQUEST_TIMEOUT: `The request was too slow: ${HEADERS_TIMEOUT_MS / 1000} s for headers, ${REQUEST_TIMEOUT_MS / 1000} s for all.`,
};

/** The HTTP server, not yet listening: the lean routes first, then the app. */
export function createHttpServer(parts: {
  ingest: (request: IncomingMessage, response: ServerResponse) => boolean;
  app: RequestListener;
}): Server {
  const { ingest, app } = parts;
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    (request, response) => {
      if (!ingest(request, response)) app(request, response);
    },
  );
  // Any number: callers that send much should keep their connections.
  server.maxRequestsPerSocket = 0;
  server.on("clientError", refuse);
  return server;
}

/** Answers what is not HTTP, too large or too slow, and ends the connection. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const text = problemOf(new BelfryError("bad_request", FAULTS[error.code ?? ""] ?? "This is not a valid HTTP request."));
  const head = [
    "HTTP/1.1 400 Bad Request",
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(text)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${text}`, () => socket.destroy());
}
