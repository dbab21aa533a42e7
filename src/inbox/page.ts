import { BelfryError } from "../errors.js";
import type { StreamReader } from "../stream/index.js";
import type { Cursor, StoredEntry } from "../stream/types.js";
import type { WireEntry } from "./notification.js";

/** The bytes of the entries of a page; with the words around them it stays within 256 KiB. docs/PROTOCOL.md, `entries`. */
const MAX_PAGE_BYTES = 256 * 1024 - 512;

/** A stream as one reader sees it. */
interface ReadStream {
  /** Its name in the store. */
  stream: string;
  epochOf(epoch: string): string;
  encodePage(entries: StoredEntry[]): Promise<string[]>;
}

/** What `sync` answers, over any transport. */
export interface SyncPage {
  epoch: string;
  entries: WireEntry[];
  head: number;
  more: boolean;
}

/**
 * The entries of a stream after a cursor in wire form, at most `limit` and 256 KiB; null starts at the base. `epochOf` makes of
 * the store's epoch that of the stream as this reader sees it; `encode` makes the entries' texts.
 * @throws BelfryError `reset` when the cursor cannot be continued.
 */
export async function syncPage(log: StreamReader, source: ReadStream, after: Cursor | null, limit: number): Promise<SyncPage> {
  const { stream } = source;
  const epoch = source.epochOf(await log.epoch());
  if (after !== null && after.epoch !== epoch) {
    throw new BelfryError("reset", "This cursor is of another epoch: take a snapshot and go on from its seq.");
  }
  const start = after?.seq ?? (await log.tail(stream)).base - 1;
  const page = await log.page(stream, start, limit);
  const entries = firstPage(await source.encodePage(page)).map((text) => JSON.parse(text) as WireEntry);
  const { head } = await log.tail(stream);
  return { epoch, entries, head, more: (entries.at(-1)?.seq ?? start) < head };
}

/** As many of the encoded entries as fit a page, at least one. */
export function firstPage(encoded: string[]): string[] {
  let bytes = 0;
  const page: string[] = [];
  for (const text of encoded) {
    bytes += Buffer.byteLength(text) + 1;
    if (page.length > 0 && bytes > MAX_PAGE_BYTES) break;
    page.push(text);
  }
  return page;
}
