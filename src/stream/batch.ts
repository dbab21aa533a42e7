import type { Draft } from "./lane.js";
import type { Batch } from "./settlement.js";
import type { AppendBatch, EntryRow, Tail } from "./types.js";

/** The entry that a draft becomes at the end of its stream. `at`: its time, where the draft says none. */
export function toRow(stream: string, tail: Tail, draft: Draft, at: number): EntryRow {
  return {
    stream,
    seq: tail.head + 1,
    key: draft.key,
    at: draft.at ?? at,
    kind: draft.kind,
    unread: Math.max(0, tail.unread + draft.count),
    own: draft.own,
    publication: draft.publication ?? null,
  };
}

/** A batch as the store takes it. */
export function toRequest<C>({ publications, planned }: Batch<C>): AppendBatch<C> {
  return {
    publications: publications.map(({ record }) => record),
    writes: planned.map(({ row, task }) => (task.companion === undefined ? { row } : { row, companion: task.companion })),
  };
}

/** Until when somebody waits for a part of the batch. */
export function lastDeadline<C>({ publications, planned }: Batch<C>): number {
  return Math.max(...publications.map(({ deadline }) => deadline), ...planned.map(({ task }) => task.deadline));
}
