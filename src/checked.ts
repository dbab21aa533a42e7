import { z } from "zod";
import { BelfryError } from "./errors.js";

/** Characters of an id. Threat: keys of indexes that grow with what a caller sends. PROTOCOL.md, "Terms". */
export const MAX_ID_LENGTH = 128;

/** Characters of a URL. Threat: entries of any size, each copied to every recipient's screen. */
export const MAX_URL_LENGTH = 2_048;

/** Characters of a member's or a thread's name that are shown; a longer one is cut. Threat: as above. */
export const MAX_NAME_LENGTH = 300;

/** Characters of an excerpt; a longer one is cut. Threat: as above. */
export const MAX_EXCERPT_LENGTH = 500;

/** Characters of a text that is shown whole, and refused above that: unlike an excerpt it stands nowhere else in full. Threat: as above. */
export const MAX_TEXT_LENGTH = 4_000;

/** Bytes of a caller's own `data`, as JSON. Threat: entries that fill a replay page by themselves. */
export const MAX_DATA_BYTES = 8_192;

/** Characters of a role's name. Threat: a record of a member, read with every page of members, that grows with what a token says. */
const MAX_ROLE_LENGTH = 64;

/** Roles of a member that are known to the service. Threat: as above. */
export const MAX_ROLES = 32;

// Control characters and halves of surrogate pairs do not survive every store, and two ids must not become one on the way.
const ID = new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${MAX_ID_LENGTH}}$`, "u");
const HTTP_URL = /^https?:\/\/[^\s\p{Cc}/?#\\][^\s\p{Cc}]*$/iu;

export const id = z.string().regex(ID, `must be 1 to ${MAX_ID_LENGTH} characters, none of them a control character`);
export const url = z.string().max(MAX_URL_LENGTH).regex(HTTP_URL, "must be a URL that starts with http:// or https://");

export const role = z
  .string()
  .regex(
    new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${MAX_ROLE_LENGTH}}$`, "u"),
    `must be 1 to ${MAX_ROLE_LENGTH} characters, none of them a control character`,
  );

export const data = z
  .record(z.string(), z.unknown())
  .refine((value) => encodedSize(value) <= MAX_DATA_BYTES, `must have at most ${MAX_DATA_BYTES} bytes as JSON`);

// The years are those that still have four digits in UTC, whatever the offset.
export const time = z.iso
  .datetime({ offset: true, error: "must be a time as RFC 3339 has it, such as 2024-02-13T16:04:47.430Z" })
  .regex(/^[12]/, "must be a time in the years 1000 to 2999");

/**
 * The input as the schema has it.
 * @throws BelfryError `bad_request` that names the first faulty field and its fault, never its value.
 */
export function checked<T extends z.ZodType>(schema: T, input: unknown, what: string): z.output<T> {
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  const field = issue.path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${String(step)}`))
    .join("");
  throw fault(field === "" ? what : field, faultOf(issue));
}

/** The error for a field that is at fault. */
export function fault(field: string, text: string): BelfryError {
  return new BelfryError("bad_request", `${field} ${text}.`);
}

export const MISSING = "is missing";

/**
 * The text cut to `max` characters (code points, so that no emoji is halved). What is cut away is not marked: whoever shows it knows that it
 * may go on.
 */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  // A code point takes at most two units, so twice the limit holds enough of them and a hostile megabyte is not spread into an array.
  return Array.from(text.slice(0, 2 * max))
    .slice(0, max)
    .join("");
}

/** Bytes as JSON; infinite where it cannot be encoded: nested too deep for the encoder. */
function encodedSize(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function faultOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? MISSING : `must be ${nounOf(issue.expected)}`;
    case "invalid_value":
      return issue.input === undefined ? MISSING : `must be one of ${issue.values.map(String).join(", ")}`;
    case "too_big":
      return `must ${sizeOf(issue.origin)} at most ${issue.maximum}${unitOf(issue.origin)}`;
    case "too_small":
      return `must ${sizeOf(issue.origin)} at least ${issue.minimum}${unitOf(issue.origin)}`;
    default:
      return issue.message;
  }
}

function nounOf(expected: string): string {
  if (expected === "int") return "a whole number";
  if (expected === "record") return "an object";
  return /^[aeio]/.test(expected) ? `an ${expected}` : `a ${expected}`;
}

function sizeOf(origin: string): string {
  return unitOf(origin) === "" ? "be" : "have";
}

function unitOf(origin: string): string {
  return origin === "string" ? " characters" : origin === "array" ? " items" : "";
}
