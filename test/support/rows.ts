import { randomUUID } from "node:crypto";
import type { InboxChange } from "../../src/inbox/types.js";
import type { AppendBatch, AppendResult, EntryRow, PublicationRecord, RowOutcome, StreamStore } from "../../src/stream/types.js";

/** A time well in the past, so that "older than" can be asked on either side of it. Milliseconds. */
export const T0 = Date.UTC(2026, 0, 1);

/** A name that no other test uses. */
export function fresh(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 13)}`;
}

/** A row with the fields that do not matter to the test filled in; the key names stream and seq, so it is unique. */
export function row(stream: string, seq: number, over: Partial<EntryRow> = {}): EntryRow {
  return {
    stream,
    seq,
    key: `${stream}/${seq}`,
    at: T0 + seq * 1_000,
    kind: "note",
    unread: seq,
    own: `{"n":${seq}}`,
    publication: null,
    ...over,
  };
}

/** A publication for `streams`; the key is that of its entries. */
export function record(id: string, streams: string[] = [], over: Partial<PublicationRecord> = {}): PublicationRecord {
  return {
    id,
    alias: null,
    key: `about-${id}`,
    kind: "note",
    at: T0,
    shared: `{"about":${JSON.stringify(id)}}`,
    plan: streams.map((stream) => ({ stream, own: `{"to":${JSON.stringify(stream)}}` })),
    note: "{}",
    attempt: randomUUID(),
    ...over,
  };
}

/** The rows of a publication, at the given seq of each stream. */
export function rowsOf(publication: PublicationRecord, seq = 1): EntryRow[] {
  const { key, id, kind, at } = publication;
  return publication.plan.map(({ stream, own }) => row(stream, seq, { key, kind, at, own, publication: id }));
}

/** Appends rows without publications or companions. */
export async function append(store: StreamStore<InboxChange>, ...rows: EntryRow[]): Promise<RowOutcome[]> {
  return (await store.append({ publications: [], writes: rows.map((one) => ({ row: one })) })).rows;
}

/** Appends a publication with its rows. */
export function publish(store: StreamStore<InboxChange>, ...publications: PublicationRecord[]): Promise<AppendResult> {
  const batch: AppendBatch<InboxChange> = { publications, writes: publications.flatMap((one) => rowsOf(one)).map((one) => ({ row: one })) };
  return store.append(batch);
}

/** Fills a stream with the seqs 1 to `count`. One row of a stream a batch is what the port allows. */
export async function fill(
  store: StreamStore<InboxChange>,
  stream: string,
  count: number,
  over: (seq: number) => Partial<EntryRow> = () => ({}),
) {
  for (let seq = 1; seq <= count; seq++) await append(store, row(stream, seq, over(seq)));
}
