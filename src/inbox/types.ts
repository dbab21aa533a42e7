/**
 * The port and the words of the inbox: what a member's entries mean. The stream says what happened; marks and state say what the
 * notifications look like now. Both are written in one transaction with the entry that changes them, so they are exact as of the head.
 */

/** Which read-all marks were set: everything up to `upTo` was read at `at` (ms) by the entry `seq`. Ascending in both. */
export interface ReadAllMark {
  upTo: number;
  seq: number;
  at: number;
}

/** A member's watermarks. */
export interface InboxState {
  readAll: ReadAllMark[];
  /** The last seq that the member has laid eyes on. */
  seenUpTo: number;
}

/** What differs of one notification from how it was created. Times are milliseconds. */
export interface Mark {
  /** The notification: the seq of the entry that created it. */
  seq: number;
  /** The entry that set `readAt` last; 0 when read-all alone decides. */
  readSeq: number;
  readAt: number | null;
  archivedAt: number | null;
  /** Why it was rescinded, or null. */
  rescinded: string | null;
}

/**
 * What is stored with an entry, in one transaction: whole marks (replacing those with the same seq) and, where they changed, the state and the
 * stream's base, which takes the marks below it away.
 */
export interface InboxChange {
  of: "inbox";
  stream: string;
  marks: Mark[];
  state?: InboxState;
  base?: number;
}

/** What the inbox needs of a store besides the streams. Reads are of durable state. Throws `unavailable` as `StreamStore` does. */
export interface InboxStore {
  /** The member's watermarks; of a member without any: `{ readAll: [], seenUpTo: 0 }`. */
  state(stream: string): Promise<InboxState>;
  /** The marks of these notifications; those without one are left out. */
  marks(stream: string, seqs: number[]): Promise<Mark[]>;
  /** Marks with `archivedAt` set and `from` ≤ seq < `before`, newest first. */
  archived(stream: string, from: number, before: number, limit: number): Promise<Mark[]>;
  /** Marks that say "unread" by themselves (`readSeq` > 0, `readAt` null) with `from` ≤ seq < `before`, newest first. */
  markedUnread(stream: string, from: number, before: number, limit: number): Promise<Mark[]>;
  /** Deletes marks of notifications below `base`. */
  deleteMarks(stream: string, base: number): Promise<void>;
  /** The device's cursors by stream name, or null where the device is not known. */
  deviceCursors(user: string, device: string): Promise<Record<string, { epoch: string; seq: number }> | null>;
  /** Stores cursors durably; keeps the `maxDevices` newest devices of each member. */
  saveDeviceCursors(
    saves: Array<{ user: string; device: string; stream: string; epoch: string; seq: number; at: number }>,
    maxDevices: number,
  ): Promise<void>;
}
