import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { BelfryError } from "../errors.js";
import { MAX_JSON_DEPTH } from "./limits.js";

/** Gets the whole body, or why there is none. Not called when the sender goes away before the end: nobody is left to answer. */
export type BodyReader = (error: BelfryError | null, body: Buffer) => void;

const EMPTY = Buffer.alloc(0);

/**
 * Reads a body of at most `limit` bytes. Takes a callback, for the routes on which a promise would show. A sender that stalls is cut off by
 * the server's `requestTimeout`, at no cost for the others.
 */
export function readBody(request: IncomingMessage, limit: number, done: BodyReader): void {
  const fault = headerFault(request, limit);
  if (fault !== null) {
    done(fault, EMPTY);
    return;
  }
  let first: Buffer | null = null;
  let more: Buffer[] | null = null;
  let size = 0;
  const onData = (chunk: Buffer): void => {
    size += chunk.length;
    if (size > limit) {
      request.off("data", onData);
      request.off("end", onEnd);
      done(tooLarge(limit), EMPTY);
    } else if (first === null) first = chunk;
    else if (more === null) more = [first, chunk];
    else more.push(chunk);
  };
  const onEnd = (): void => done(null, more === null ? (first ?? EMPTY) : Buffer.concat(more, size));
  request.on("data", onData);
  request.on("end", onEnd);
}

function headerFault(request: IncomingMessage, limit: number): BelfryError | null {
  const { headers } = request;
  const encoding = headers["content-encoding"];
  // A compressed body could be a thousand times as large as its limit.
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    return new BelfryError("bad_request", "Send the body without Content-Encoding.");
  }
  return Number(headers["content-length"]) > limit ? tooLarge(limit) : null;
}

function tooLarge(limit: number): BelfryError {
  return new BelfryError("too_large", `The body is larger than ${limit} bytes.`);
}

/** Whether a request says that it has a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0;
}

/** The JSON body, of at most `limit` bytes; none at all is an empty object. @throws BelfryError `bad_request`, `too_large` */
export async function payloadOf(request: IncomingMessage, limit: number): Promise<unknown> {
  if (!hasBody(request)) return {};
  requireJson(request.headers["content-type"]);
  const raw = await new Promise<Buffer>((resolve, reject) => {
    readBody(request, limit, (error, body) => (error === null ? resolve(body) : reject(error)));
  });
  return jsonOf(textOf(raw));
}

/** The media type of a `Content-Type`, in lower case and without parameters. @throws BelfryError for a charset other than UTF-8. */
export function mediaTypeOf(header: string | undefined): string {
  if (header === undefined) return "";
  // What nearly every request says.
  if (header === "application/json") return header;
  const [type = "", ...parameters] = header.toLowerCase().split(";");
  const charset = /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/;
  for (const parameter of parameters) {
    const name = charset.exec(parameter)?.[1];
    if (name !== undefined && name !== "utf-8" && name !== "utf8")
      throw new BelfryError("bad_request", "The body's charset must be UTF-8.");
  }
  return type.trim();
}

/** @throws BelfryError `bad_request` unless the header says JSON. */
export function requireJson(header: string | undefined): void {
  if (mediaTypeOf(header) !== "application/json")
    throw new BelfryError("bad_request", "The body must be JSON, with Content-Type: application/json.");
}

/** The text of a body. @throws BelfryError `bad_request` where it is not UTF-8. */
export function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw new BelfryError("bad_request", "The body is not valid UTF-8.");
  return body.toString("utf8");
}

/** The value of a JSON text that is safe to walk and to copy. @throws BelfryError `bad_request` */
export function jsonOf(text: string): unknown {
  if (text.trim() === "") throw new BelfryError("bad_request", "The body is empty; it must be JSON.");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BelfryError("bad_request", `The body is not valid JSON${placeOf(error)}.`);
  }
  assertJsonSafe(value);
  return value;
}

/** Where parsing failed. The parser's own words are not passed on, as they quote the body. */
function placeOf(error: unknown): string {
  const position = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
  if (position !== undefined) return ` (at character ${position})`;
  return error instanceof Error && /end of JSON/.test(error.message) ? " (it ends too early)" : "";
}

/**
 * Refuses a parsed value that is nested deeper than `MAX_JSON_DEPTH` or has a key `__proto__`, which a careless copy would turn into a
 * prototype. Goes level by level, so that no nesting overflows the stack.
 * @throws BelfryError `bad_request`
 */
function assertJsonSafe(value: unknown): void {
  let level: object[] = typeof value === "object" && value !== null ? [value] : [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_JSON_DEPTH) throw new BelfryError("bad_request", `The JSON is nested deeper than ${MAX_JSON_DEPTH} levels.`);
    const next: object[] = [];
    for (const node of level) {
      if (Array.isArray(node)) {
        for (const child of node as unknown[]) if (typeof child === "object" && child !== null) next.push(child);
        continue;
      }
      for (const key in node) {
        if (key === "__proto__") throw new BelfryError("bad_request", "The JSON has a key `__proto__`, which is not allowed.");
        const child = (node as Record<string, unknown>)[key];
        if (typeof child === "object" && child !== null) next.push(child);
      }
    }
    level = next;
  }
}

/** The JSON text in the field `payload` of a form (application/x-www-form-urlencoded). @throws BelfryError `bad_request` */
export function formPayloadOf(form: string): string {
  const field = form.split("&").find((part) => part.startsWith("payload="));
  if (field === undefined) throw new BelfryError("bad_request", "The form has no field `payload`.");
  try {
    return decodeURIComponent(field.slice("payload=".length).replaceAll("+", " "));
  } catch {
    throw new BelfryError("bad_request", "The form's field `payload` is not percent-encoded UTF-8.");
  }
}
