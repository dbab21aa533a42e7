import { MAX_AGE_MS, MAX_AHEAD_MS, MAX_BURST, SETTLE_MS } from "./limits.js";

/** A notification of the stream. `at`: when it was stored, in milliseconds. */
export interface Noted {
  seq: number;
  at: number;
  /** Unread, not taken back, and past the member's seen mark. */
  isUnseen: boolean;
}

/** How things stand when it is decided. Times are milliseconds. */
export interface Circumstances {
  now: number;
  /** Whether the member has a session on any node, or may have one that this node does not know of. */
  isConnected: boolean;
  /** For how long a connected member may leave a notification unseen. */
  afterMs: number;
  /** Before this nobody counts as away. */
  settledAt: number;
}

export interface Decision {
  /** The seqs to be pushed now, ascending, the newest few. */
  due: number[];
  /** For everything up to this seq it is decided; null where it is for nothing. */
  upTo: number | null;
  /** When to look again for the first for which it is not; null where it is for all. */
  lookAt: number | null;
}

/** When a notification that stays unseen is to be pushed, if things stay as they are. */
export function dueAt(at: number, { now, isConnected, afterMs, settledAt }: Circumstances): number {
  if (at > now + MAX_AHEAD_MS) return now;
  return isConnected ? at + afterMs : Math.min(Math.max(at + SETTLE_MS, settledAt), at + Math.max(afterMs, SETTLE_MS));
}

/** Which of these notifications, ascending by seq, are pushed now: a stream is decided in its order, so that one seq says how far. */
export function decide(noted: readonly Noted[], circumstances: Circumstances): Decision {
  const { now } = circumstances;
  const due: number[] = [];
  let upTo: number | null = null;
  for (const { seq, at, isUnseen } of noted) {
    if (isUnseen) {
      const time = dueAt(at, circumstances);
      if (time > now) return { due: due.slice(-MAX_BURST), upTo, lookAt: time };
      if (now - at < MAX_AGE_MS) due.push(seq);
    }
    upTo = seq;
  }
  return { due: due.slice(-MAX_BURST), upTo, lookAt: null };
}
