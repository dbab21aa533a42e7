import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Duplex } from "node:stream";
import type { TlsPair } from "../config/types.js";
import { BelfryError } from "../errors.js";
import { HEADERS_TIMEOUT_MS, KEEP_ALIVE_MS, MAX_HEADER_BYTES, REQUEST_TIMEOUT_MS, TIMEOUT_CHECK_MS, TLS_HANDSHAKE_MS } from "./limits.js";
import { endWithProblem } from "./socket-problem.js";
import { tlsOptions } from "./tls.js";

/** What is wrong with a request that never became one, by Node's error codes. */
const FAULTS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: `The headers are larger than ${MAX_HEADER_BYTES} bytes.`,
  ERR_HTTP_REQUEST_TIMEOUT: `The request was too slow: ${HEADERS_TIMEOUT_MS / 1000} s for headers, ${REQUEST_TIMEOUT_MS / 1000} s for all.`,
};

/** The HTTP or HTTPS server, not yet listening: the lean routes first, then the app. `tls`: null for plain HTTP. */
export function createHttpServer(parts: {
  ingest: (request: IncomingMessage, response: ServerResponse) => boolean;
  app: RequestListener;
  tls: Pick<TlsPair, "cert" | "key"> | null;
}): Server {
  const { ingest, app, tls } = parts;
  const options: ServerOptions = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const serve: RequestListener = (request, response) => {
    if (!ingest(request, response)) app(request, response);
  };
  const server =
    tls === null
      ? createServer(options, serve)
      : createTlsServer({ ...options, ...tlsOptions(tls), handshakeTimeout: TLS_HANDSHAKE_MS }, serve);
  // Any number: callers that send much should keep their connections.
  server.maxRequestsPerSocket = 0;
  // Before Node's own listener, which takes a failed handshake for a request to be answered.
  server.prependListener("tlsClientError", (_error: Error, socket: Duplex) => socket.destroy());
  server.on("clientError", refuse);
  return server;
}

/** Answers what is not HTTP, too large or too slow, and ends the connection. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  endWithProblem(socket, new BelfryError("bad_request", FAULTS[error.code ?? ""] ?? "This is not a valid HTTP request."));
}
