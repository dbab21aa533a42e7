import { setTimeout as pause } from "node:timers/promises";
import { unconfirmed } from "./deadlines.js";
import { RETRY_MAX_MS } from "./limits.js";
import type { AppendBatch, AppendResult, FoundKey, PublicationOutcome, PublicationRecord, RowOutcome, StreamStore } from "./types.js";

/**
 * Finds out what became of a batch whose outcome is unknown: reads it back by id and key until the store answers. What is there was stored;
 * what is not is tried again by the writer (a row as after a conflict; a publication is returned as its own `existing` record). An insert
 * that still arrives later cannot double anything: ids and keys are unique.
 * @throws BelfryError `unavailable` when the store did not answer by the deadline, a time of the clock.
 */
export async function readBack<C>(
  store: StreamStore<C>,
  batch: AppendBatch<C>,
  clock: () => number,
  deadline: number,
): Promise<AppendResult> {
  for (;;) {
    try {
      return await readOnce(store, batch);
    } catch (cause) {
      if (clock() > deadline) throw unconfirmed(cause);
      await pause(RETRY_MAX_MS);
    }
  }
}

async function readOnce<C>(store: StreamStore<C>, batch: AppendBatch<C>): Promise<AppendResult> {
  const publications: PublicationOutcome[] = [];
  const gone = new Set<string>();
  for (const record of batch.publications) {
    const existing = await findPublication(store, record);
    const stored = existing?.attempt === record.attempt;
    if (!stored) gone.add(record.id);
    publications.push(stored ? { stored: true } : { stored: false, existing: existing ?? record });
  }

  const streamsByKey = new Map<string, string[]>();
  for (const { row } of batch.writes) {
    const streams = streamsByKey.get(row.key);
    if (streams === undefined) streamsByKey.set(row.key, [row.stream]);
    else streams.push(row.stream);
  }
  const found = new Map<string, FoundKey>();
  for (const [key, streams] of streamsByKey) {
    for (const one of await store.find(key, streams)) found.set(`${key}\n${one.stream}`, one);
  }

  const rows = batch.writes.map(({ row }): RowOutcome => {
    if (row.publication !== null && gone.has(row.publication)) return { is: "skipped" };
    const one = found.get(`${row.key}\n${row.stream}`);
    if (one === undefined) return { is: "conflict" };
    if (one.seq === row.seq && one.publication === row.publication) return { is: "stored" };
    return { is: "repeat", seq: one.seq, publication: one.publication };
  });
  return { publications, rows };
}

async function findPublication<C>(store: StreamStore<C>, record: PublicationRecord): Promise<PublicationRecord | null> {
  const byId = await store.publication(record.id);
  if (byId !== null || record.alias === null) return byId;
  return store.publication(record.alias);
}
