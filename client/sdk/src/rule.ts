import type { Cursor, Entry } from "./wire.js";

/** Threat: memory filled by entries that wait for a missing one. What is not held comes again with `sync`. */
export const MAX_HELD = 500;

/** How far a stream is followed. */
export interface Followed {
  /** The last entry applied; null before the first snapshot. */
  readonly cursor: Cursor | null;
  /** What came before its turn, in order of seq. */
  readonly held: readonly Entry[];
  /** Entries are missing: ask `sync` for what comes after the cursor. */
  readonly gap: boolean;
  /** What the service had is all here, or asked for; what follows happens now. */
  readonly live: boolean;
}

/** Of a stream without a connection. */
export const AT_REST = { held: [], gap: false, live: false };

/**
 * The client rule of docs/PROTOCOL.md: seq = cursor + 1 is applied, seq ≤ cursor is dropped, what is later is held while `sync` asks for what
 * is missing. So doubled, lost and reordered deliveries all end in the same state.
 * @returns whose turn it is, in order; then the cursor is at `seq`
 */
export function advance(seq: number, held: readonly Entry[], entries: readonly Entry[]) {
  const due: Entry[] = [];
  const early: Entry[] = [];
  let last = seq;
  for (const entry of [...held, ...entries].sort((a, b) => a.seq - b.seq)) {
    if (entry.seq === last + 1) {
      due.push(entry);
      last = entry.seq;
    } else if (entry.seq > last && early.length < MAX_HELD) {
      early.push(entry);
    }
  }
  return { due, seq: last, held: early };
}
