import { z } from "zod";
import { checked, fault, MAX_ROLES, MISSING, role } from "../checked.js";
import { BelfryError } from "../errors.js";
import { ACCESS_WORDS, type Access, type TopicValue } from "./types.js";

/** Characters of a topic's name. Threat: keys of the store that grow with what a caller sends. */
const MAX_TOPIC_LENGTH = 128;

/** Topics of one `join` or `leave` (PROTOCOL.md, `/live`). Threat: one request that reads the store for long. */
const MAX_TOPICS = 50;

/** Bytes of a value, as JSON. Threat: each copied to every screen that shows it. */
const MAX_DATA_BYTES = 64 * 1024;

/** What a `Date` can hold, on either side of 1970. Threat: a time that cannot be written as text. Milliseconds. */
const MAX_TIME_MS = 8.64e15;

// No space and nothing that a URL or a log line would change: a topic's name is a part of a path.
const NAME = new RegExp(`^[A-Za-z0-9._:/-]{1,${MAX_TOPIC_LENGTH}}$`);
const name = z.string().regex(NAME, `must be 1 to ${MAX_TOPIC_LENGTH} letters, digits and . _ : / -`);
const topics = z.object({ topics: z.array(name).min(1).max(MAX_TOPICS) });
const roles = z.array(role).min(1).max(MAX_ROLES);
const access = z.union([z.enum(ACCESS_WORDS), roles], {
  error: `must be "public", "members" or an array of 1 to ${MAX_ROLES} role names`,
});
const write = z.object({ topic: name, data: z.unknown(), access: access.nullish() });

/** A new value of a topic. `data` is JSON text. */
export interface TopicWrite {
  topic: string;
  data: string;
  access?: Access;
}

/**
 * Payload of `join` and `leave`: the topics' names, each once.
 * @throws BelfryError `bad_request` that names the field and its fault.
 */
export function parseTopics(payload: unknown): string[] {
  return [...new Set(checked(topics, payload, "The payload").topics)];
}

/**
 * A new value as `PUT /v1/topics/:name` takes it.
 * @throws BelfryError `bad_request` that names the field and its fault, `too_large` where the value has more than 64 KiB as JSON.
 */
export function parseWrite(topic: unknown, body: unknown): TopicWrite {
  const fields = typeof body === "object" && body !== null && !Array.isArray(body) ? { ...body, topic } : body;
  const given = checked(write, fields, "The body");
  if (given.data === undefined) throw fault("data", MISSING);
  const data = encoded(given.data);
  if (Buffer.byteLength(data) > MAX_DATA_BYTES) throw new BelfryError("too_large", `data is larger than ${MAX_DATA_BYTES} bytes as JSON.`);
  const parsed: TopicWrite = { topic: given.topic, data };
  if (given.access != null) parsed.access = typeof given.access === "string" ? given.access : [...new Set(given.access)];
  return parsed;
}

/**
 * A topic's value as another node tells it. Tested by hand: a busy board tells hundreds a second to every node.
 * @throws BelfryError `bad_request`
 */
export function parseValue(input: unknown): TopicValue {
  const { topic, seq, at, data, access } = (typeof input === "object" && input !== null ? input : {}) as Record<string, unknown>;
  if (typeof topic !== "string" || !NAME.test(topic)) throw fault("topic", "is no topic's name");
  if (!Number.isSafeInteger(seq) || (seq as number) < 1) throw fault("seq", "must be a whole number from 1");
  if (!Number.isSafeInteger(at) || Math.abs(at as number) > MAX_TIME_MS) throw fault("at", "must be a time in milliseconds");
  if (typeof data !== "string" || Buffer.byteLength(data) > MAX_DATA_BYTES || !isJson(data)) throw fault("data", "must be JSON text");
  return { topic, seq: seq as number, at: at as number, data, access: isWord(access) ? access : checked(roles, access, "access") };
}

function isWord(access: unknown): access is (typeof ACCESS_WORDS)[number] {
  return ACCESS_WORDS.includes(access as (typeof ACCESS_WORDS)[number]);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function encoded(data: unknown): string {
  try {
    return JSON.stringify(data);
  } catch {
    throw fault("data", "cannot be written as JSON: it is nested too deeply");
  }
}
