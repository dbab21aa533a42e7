/** What the service did, minute by minute: the words and the port of the room. Times are milliseconds since the Unix epoch. */

/**
 * How durations are spread: by the upper bound of each bucket that is not empty, in milliseconds, how many fell into it. What is longer than
 * the last bound of all counts there.
 */
export type Spread = Record<string, number>;

/** What is counted. */
export interface Counts {
  /** Events, notifications and hooks that were taken in and stored; repeats do not count. */
  events: number;
  /** Entries stored in streams, of whatever kind. */
  entries: number;
  /** Entries written to sessions right after they were stored. */
  delivered: number;
  /** Entries written to sessions that were behind. */
  replayed: number;
  /** From a request's arrival to its answer, for what brings events. */
  ingest: Spread;
  /** From the moment in which an entry was taken to its writing to a session, of those in `delivered`. */
  delivery: Spread;
}

/** What one process did in one minute. */
export interface MinuteRow extends Counts {
  /** When the minute began. */
  at: number;
  /** Names the process; no other has the same, also no later one of the same node. */
  process: string;
  /** Sessions of the process on `/notifications` when this was written. */
  sessions: number;
}

/** The port of the room. Throws `unavailable` as `StreamStore` does. */
export interface ActivityStore {
  /** Stores rows, each in place of the one of the same minute and process. */
  save(rows: MinuteRow[]): Promise<void>;
  /** The rows of all processes of the minutes from `from` on, the newest first, at most `limit`. */
  since(from: number, limit: number): Promise<MinuteRow[]>;
  /** Deletes the rows of minutes before `before`. */
  forget(before: number): Promise<void>;
}
