// @ts-check
/**
 * The rule of docs/PROTOCOL.md by which a stream is followed: an entry with seq = cursor + 1 is applied, one with seq ≤ cursor is dropped, and
 * a later one is held while `sync` asks for what is missing. So doubled, lost and reordered deliveries all end in the same state.
 *
 * @typedef {{ epoch: string, seq: number }} Cursor
 * @typedef {{ seq: number, at: string, kind: string, unread?: number, data: any }} Entry
 *
 * @typedef {{ type: "welcome", streams: { inbox: { resume: string } } }
 *   | { type: "snapshot", stream: string, epoch: string, seq: number, unread: number, items: any[], more?: boolean }
 *   | { type: "entries", stream: string, epoch: string, entries: Entry[] }
 *   | { type: "synced", stream: string, epoch: string, seq: number, unread: number }
 *   | { type: "offline" }} StreamEvent
 */

/** Threat: memory filled by entries that wait for a missing one. What is not held comes again with `sync`. */
export const MAX_HELD = 500;

/**
 * Sorts out what arrived.
 * @param {number} seq the cursor's
 * @param {Entry[]} held what came before its turn, in order of seq
 * @param {Entry[]} entries
 * @returns {{ due: Entry[], seq: number, held: Entry[] }} `due`: whose turn it is, to be applied in this order; then the cursor is at `seq`
 */
export function advance(seq, held, entries) {
  /** @type {Entry[]} */
  const due = [];
  /** @type {Entry[]} */
  const early = [];
  let last = seq;
  for (const entry of [...held, ...entries].sort((a, b) => a.seq - b.seq)) {
    if (entry.seq === last + 1) {
      due.push(entry);
      last = entry.seq;
    } else if (entry.seq > last && early.at(-1)?.seq !== entry.seq && early.length < MAX_HELD) {
      early.push(entry);
    }
  }
  return { due, seq: last, held: early };
}
