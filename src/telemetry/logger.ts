import pino, { type Logger } from "pino";
import type { Config } from "../config/index.js";
import { currentOrigin, originFields } from "./context.js";

/** Where a credential could stand in what is logged. Values there are replaced before they are written. */
const SECRET_PATHS = [
  "token",
  "secret",
  "password",
  "authorization",
  "apiKeys",
  "tokenKeys",
  "discourseSecret",
  "mongodbUrl",
  "auth",
].flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/**
 * The process's logger: JSON lines on standard output, one object a line, with the node's name and, where work is followed, the id of the
 * request that it is done for.
 */
export function createLogger(config: Pick<Config, "logLevel" | "nodeName">): Logger {
  return pino({
    level: config.logLevel,
    base: { node: config.nodeName },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRET_PATHS, censor: "[secret]" },
    mixin: () => originFields(currentOrigin()),
  });
}
