import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { BelfryError } from "../errors.js";
import { problemOf } from "./problem.js";

/** Answers with a problem on a connection that has no response object, such as one that is no HTTP or asks for an upgrade, and ends it. */
export function endWithProblem(socket: Duplex, error: BelfryError): void {
  // A connection that breaks meanwhile has nobody left to be told.
  socket.on("error", () => socket.destroy());
  const text = problemOf(error);
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(text)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${text}`, () => socket.destroy());
}
