import type { Origin, StoredEntry } from "../stream/index.js";
import { HINT_CHARS, MAX_HINT_NAME_LENGTH } from "./limits.js";
import { record } from "./shapes.js";
import { Rubbish } from "./types.js";

/** Something that happened to a stream: an entry, or only that it goes to a seq. */
export type Hint = { stream: string; entry: StoredEntry } | { stream: string; head: number };

/** What entries share, once: a publication and its content, and what made it. */
type Shared = [publication: string | null, shared: string | null, origin: Origin | null];

/** An entry; `index` is that of its `Shared` in the message, or -1 where it has none. */
type Row = [stream: string, seq: number, at: number, kind: string, unread: number, own: string, index: number];

/** The data of a message of the kind `entries`. */
interface EntriesMessage {
  p: Shared[];
  e: Row[];
  /** Streams and the seqs that they go to. */
  h: Array<[stream: string, seq: number]>;
}

/** Characters of an entry's numbers and of the signs around them, about. */
const ROW_CHARS = 64;

/** The last moment that JavaScript can name. Milliseconds. */
const MAX_TIME = 8.64e15;

const KIND = /^[\w.:-]{1,64}$/;

/** The hints as messages of a moderate length, in order. */
export function* messagesOf(hints: Hint[]): Iterable<EntriesMessage> {
  let message: EntriesMessage = { p: [], e: [], h: [] };
  let places = new Map<string, number>();
  let chars = 0;
  for (const hint of hints) {
    if (chars > HINT_CHARS) {
      yield message;
      message = { p: [], e: [], h: [] };
      places = new Map();
      chars = 0;
    }
    chars += ROW_CHARS + hint.stream.length;
    if ("head" in hint) {
      message.h.push([hint.stream, hint.head]);
      continue;
    }
    const { seq, at, kind, unread, own, publication, shared, origin = null } = hint.entry;
    let index = -1;
    if (publication !== null || origin !== null) {
      const place = places.get(publication ?? "");
      const last = place === undefined ? undefined : message.p[place];
      if (place !== undefined && last !== undefined && last[2] === origin && last[0] === publication && last[1] === shared) index = place;
      else {
        index = message.p.push([publication, shared, origin]) - 1;
        places.set(publication ?? "", index);
        chars += ROW_CHARS + (shared?.length ?? 0);
      }
    }
    message.e.push([hint.stream, seq, at, kind, unread, own, index]);
    chars += own.length;
  }
  if (chars > 0) yield message;
}

/** The hints of a message, all checked before any is given. This is the hot path: it costs little beside JSON's parser. @throws Rubbish */
export function hintsOf(data: unknown): Hint[] {
  const { p, e, h } = record(data, "entries");
  if (!Array.isArray(p) || !Array.isArray(e) || !Array.isArray(h)) throw new Rubbish("entries without their lists");
  const shared = p.map(sharedOf);
  const hints: Hint[] = [];
  for (const row of e) hints.push(entryOf(row, shared));
  for (const one of h) {
    if (!Array.isArray(one) || !isName(one[0]) || !isSeq(one[1])) throw new Rubbish("a head that is none");
    hints.push({ stream: one[0], head: one[1] });
  }
  return hints;
}

interface CheckedShared {
  publication: string | null;
  shared: string | null;
  origin: Origin | null;
}

function sharedOf(item: unknown): CheckedShared {
  if (!Array.isArray(item)) throw new Rubbish("a publication that is none");
  const [publication, shared, origin] = item as unknown[];
  if (publication !== null && !isName(publication)) throw new Rubbish("a publication without a name");
  if (shared !== null && !isObjectText(shared)) throw new Rubbish("a publication whose content is not JSON");
  return { publication, shared, origin: origin === null ? null : originOf(origin) };
}

function originOf(value: unknown): Origin {
  const { request, trace } = record(value, "an origin");
  if (!(request === null || isName(request)) || !(trace === null || isName(trace))) throw new Rubbish("an origin that is none");
  return { request, trace };
}

function entryOf(row: unknown, all: CheckedShared[]): Hint {
  if (!Array.isArray(row)) throw new Rubbish("an entry that is none");
  const [stream, seq, at, kind, unread, own, index] = row as unknown[];
  if (!isName(stream) || !isSeq(seq) || !isCount(unread)) throw new Rubbish("an entry without its place");
  // Entries go to clients by joining texts: a time must be one that can be written, and a kind must not need quoting.
  if (typeof at !== "number" || Math.abs(at) > MAX_TIME) throw new Rubbish("an entry without a time");
  if (typeof kind !== "string" || !KIND.test(kind)) throw new Rubbish("an entry of no kind");
  if (!isObjectText(own)) throw new Rubbish("an entry that is not JSON");
  if (index === -1) return { stream, entry: { seq, at, kind, unread, own, publication: null, shared: null } };
  const of = typeof index === "number" ? all[index] : undefined;
  if (of === undefined) throw new Rubbish("an entry without its publication");
  const { publication, shared, origin } = of;
  const entry: StoredEntry = { seq, at, kind, unread, own, publication, shared };
  if (origin !== null) entry.origin = origin;
  return { stream, entry };
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= MAX_HINT_NAME_LENGTH;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** Whether it looks like the JSON text of an object. To parse it would double the cost, and a client that is given a broken one connects again. */
function isObjectText(value: unknown): value is string {
  return typeof value === "string" && value.startsWith("{") && value.endsWith("}");
}
