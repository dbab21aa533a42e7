import { z } from "zod";
import { BelfryError } from "../errors.js";
import type { Cursor } from "../stream/types.js";

/** Threat: ids that fill the store's keys. Source: docs/PROTOCOL.md, "Ids and users". */
const MAX_ID_LENGTH = 128;

/** Threat: one mark that locks a stream for long. Source: docs/PROTOCOL.md, `read`. */
const MAX_IDS = 100;

/** Threat: one page that fills memory or a slow connection. Source: docs/PROTOCOL.md, `list` and `entries`. */
const MAX_LIMIT = 100;

/** Items of a list whose caller sets no limit: as many as a snapshot has. */
const DEFAULT_LIST_LIMIT = 50;

/** Threat: a handshake that carries megabytes. Epochs made by this service have fewer characters. */
const MAX_EPOCH_LENGTH = 64;

/** Threat: decoding what was never a token. The same bound as the token verifier's. */
const MAX_TOKEN_LENGTH = 8_192;

/** The streams that a member's device follows. */
const STREAM_NAMES = ["inbox", "announcements"] as const;
export type StreamName = (typeof STREAM_NAMES)[number];

const FILTERS = ["all", "unread", "archived"] as const;

export interface SyncRequest {
  stream: StreamName;
  after: Cursor;
  limit: number;
}

export interface ListRequest {
  filter: (typeof FILTERS)[number];
  /** The id of a notification; the page begins after it. */
  before?: string;
  limit: number;
}

export interface AckRequest {
  stream: StreamName;
  seq: number;
}

/** What a device says when it connects. `device` is null where it gave none. */
export interface Handshake {
  token: string;
  cursors: Partial<Record<StreamName, Cursor>>;
  device: string | null;
}

const text = (most: number) => z.string("must be a string").min(1, "must not be empty").max(most, `must have at most ${most} characters`);
const whole = (least: number, most: number, words: string) =>
  z.number(`must be ${words}`).refine((value) => Number.isSafeInteger(value) && value >= least && value <= most, `must be ${words}`);
const object = <Shape extends z.ZodRawShape>(shape: Shape) => z.object(shape, "must be an object");

/** What has no value may be left out or be null: not every language can tell one from the other. */
const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

/** Control characters end a name early in some stores, and then two devices have one cursor. */
const id = text(MAX_ID_LENGTH).regex(/^[^\p{Cc}\p{Cs}]*$/u, "must hold no control character");
const stream = z.enum(STREAM_NAMES, 'must be "inbox" or "announcements"');
const seq = whole(0, Number.MAX_SAFE_INTEGER, "a whole number from 0");
const limit = whole(1, MAX_LIMIT, `a whole number from 1 to ${MAX_LIMIT}`);
const cursor = object({ epoch: text(MAX_EPOCH_LENGTH), seq });
const token = text(MAX_TOKEN_LENGTH);

const pageLimit = limit.nullish().transform((value) => value ?? MAX_LIMIT);
const sync = object({ stream, after: cursor, limit: pageLimit });
const streamPage = object({ after: cursor.nullable(), limit: pageLimit });
const list = object({
  filter: z
    .enum(FILTERS, 'must be "all", "unread" or "archived"')
    .nullish()
    .transform((value) => value ?? "all"),
  before: optional(id),
  limit: limit.nullish().transform((value) => value ?? DEFAULT_LIST_LIMIT),
});
const ack = object({ stream, seq });
const ids = object({
  ids: z.array(id, "must be an array of ids").min(1, "must hold at least one id").max(MAX_IDS, `must hold at most ${MAX_IDS} ids`),
});
const upTo = object({ upTo: optional(whole(1, Number.MAX_SAFE_INTEGER, "a seq: a whole number from 1")) });
const refresh = object({ token });
const handshake = object({
  token,
  cursors: object({ inbox: optional(cursor), announcements: optional(cursor) })
    .nullish()
    // Without the empty ones: where a device has none, its kept cursor counts.
    .transform((cursors) => Object.fromEntries(Object.entries(cursors ?? {}).filter(([, one]) => one !== undefined))),
  device: id.nullish().transform((device) => device ?? null),
});

/** Payload of `sync`. All of these throw `BelfryError` `bad_request` that names the field; fields that they do not know are ignored. */
export function parseSync(payload: unknown): SyncRequest {
  return parse(sync, payload);
}

/** Query of `GET /v1/me/stream`; a cursor of null is the base. */
export function parseStreamPage(query: unknown): { after: Cursor | null; limit: number } {
  return parse(streamPage, query);
}

/** Payload of `list`. */
export function parseList(payload: unknown): ListRequest {
  const { before, ...rest } = parse(list, payload);
  return before === undefined ? rest : { ...rest, before };
}

/** Payload of `ack`. */
export function parseAck(payload: unknown): AckRequest {
  return parse(ack, payload);
}

/** Payload of `read`, `unread`, `archive` and `unarchive`: the ids, each once. */
export function parseIds(payload: unknown): string[] {
  return [...new Set(parse(ids, payload).ids)];
}

/** Payload of `read_all` and `seen`: the seq, or undefined where it means the head. */
export function parseUpTo(payload: unknown): number | undefined {
  return parse(upTo, payload).upTo;
}

/** Payload of `refresh`: the new token, not yet verified. */
export function parseRefresh(payload: unknown): string {
  return parse(refresh, payload).token;
}

/**
 * `auth` of a connection; its token is not yet verified.
 * @throws BelfryError `unauthorized` where there is no token, `bad_request` where anything has the wrong form.
 */
export function parseHandshake(auth: unknown): Handshake {
  // Socket.IO gives an empty object where the client set nothing.
  const token = Object(auth ?? {}).token as unknown;
  if (token === undefined || token === null || token === "") throw new BelfryError("unauthorized", "Connect with `auth: { token }`.");
  const { cursors, ...rest } = parse(handshake, auth);
  return { ...rest, cursors: cursors as Handshake["cursors"] };
}

function parse<T>(schema: z.ZodType<T>, payload: unknown): T {
  const result = schema.safeParse(payload);
  if (result.success) return result.data;
  // The first fault is enough to mend; a list of all would let one payload make a long answer.
  const issue = result.error.issues[0];
  const field = issue === undefined || issue.path.length === 0 ? "The payload" : `\`${issue.path.join(".")}\``;
  throw new BelfryError("bad_request", `${field} ${issue?.message ?? "has the wrong form"}.`);
}
