import type { EntryRow, PublicationRecord, StoredEntry } from "../../stream/types.js";
import type { EntryDoc, PublicationDoc } from "./schemas.js";

/** The core's words as documents and back. Plain objects: no mongoose on this path. */
export function toEntryDoc({ stream, seq, key, at, kind, unread, own, publication }: EntryRow): EntryDoc {
  const doc: EntryDoc = { _id: { s: stream, n: seq }, k: key, d: kind, t: at, u: unread, o: own };
  if (publication !== null) doc.p = publication;
  return doc;
}

export function toEntry({ _id, d, t, u, o, p }: EntryDoc, shared: string | null): StoredEntry {
  return { seq: _id.n, at: t, kind: d, unread: u, own: o, publication: p ?? null, shared };
}

export function toPublicationDoc({ id, alias, key, kind, at, shared, plan, note, attempt }: PublicationRecord): PublicationDoc {
  // Pairs instead of objects: a plan of ten is written with every event and read only when the event comes again.
  const pairs = JSON.stringify(plan.map(({ stream, own }) => [stream, own]));
  const doc: PublicationDoc = { _id: id, k: key, d: kind, t: at, c: shared, r: pairs, n: note, w: attempt };
  if (alias !== null) doc.a = alias;
  return doc;
}

export function toPublication({ _id, a, k, d, t, c, r, n, w }: PublicationDoc): PublicationRecord {
  const plan = (JSON.parse(r) as Array<[string, string]>).map(([stream, own]) => ({ stream, own }));
  return { id: _id, alias: a ?? null, key: k, kind: d, at: t, shared: c, plan, note: n, attempt: w };
}
