/** Announcements: one entry of a stream that all members share. The words and the port of the room. Times of records are milliseconds. */

/** Whom an announcement is for. `roles` and `users` add up; the dates (RFC 3339) narrow. Nothing of it: everybody. */
export interface Audience {
  roles?: string[];
  users?: string[];
  joinedBefore?: string;
  joinedAfter?: string;
}

export const ANNOUNCEMENT_LEVELS = ["info", "warning", "critical"] as const;
export type AnnouncementLevel = (typeof ANNOUNCEMENT_LEVELS)[number];

/** An announcement as its authors see it (docs/PROTOCOL.md); members do not see `audience`. Times are RFC 3339. */
export interface Announcement {
  id: string;
  title: string;
  text: string;
  url?: string;
  level: AnnouncementLevel;
  audience?: Audience;
  startsAt?: string;
  expiresAt?: string;
  dismissible: boolean;
  mandatory: boolean;
  createdAt: string;
  by: string;
}

/**
 * The life of one:
 *
 *   scheduled ──startsAt──► live ──expiresAt──► expired
 *       └────────rescind──────┴────────────────► rescinded
 */
export type AnnouncementState = "scheduled" | "live" | "expired" | "rescinded";

/** An announcement as stored. Each change makes the next `revision`, from 1. */
export interface AnnouncementRecord {
  id: string;
  revision: number;
  state: AnnouncementState;
  announcement: Announcement;
  createdAt: number;
  /** When it is to appear, null: at once. */
  startsAt: number | null;
  /** When it is to disappear, null: never. */
  expiresAt: number | null;
  /** When it expired or was rescinded. */
  endedAt: number | null;
  /** Why it was rescinded; "expired" where it expired. */
  why: string | null;
  /** The entry of the announcements stream that brought it; null while it is scheduled. */
  seq: number | null;
}

/** What a member has done about an announcement. */
export interface Settled {
  dismissedAt: number | null;
  acknowledgedAt: number | null;
}

/**
 * What is stored with an entry, in one transaction. A record is taken only where the stored revision is one less (0: there is none);
 * otherwise the row is refused as a conflict, and the writer decides again. What a member has settled is merged into what they had: null
 * leaves a time as it is.
 */
export type AnnouncementChange =
  | { of: "announcement"; record: AnnouncementRecord }
  | { of: "settled"; user: string; announcement: string; settled: Settled };

/** One passing of a member's watermark: everything up to the seq `upTo` has been reached (or seen) at `at`. Ascending in both. */
export interface Passing {
  upTo: number;
  at: number;
}

/** How far a member was reached, and how far they have seen. The newest passings; the first is the oldest that is kept. */
export interface Watermarks {
  reached: Passing[];
  seen: Passing[];
}

/** Passings kept of one member. Threat: a record that grows with every announcement. Of those before, the oldest kept stands for all. */
export const MAX_PASSINGS = 64;

/** The port of the room. Reads are of durable state. Throws `unavailable` as `StreamStore` does. */
export interface AnnouncementStore {
  find(id: string): Promise<AnnouncementRecord | null>;
  /** All that are live or scheduled, in order of `createdAt` and id. */
  current(): Promise<AnnouncementRecord[]>;
  /** Newest first by `createdAt`, then id descending; those after the record `before` in this order (null: from the newest). At most `limit`. */
  page(before: { createdAt: number; id: string } | null, limit: number): Promise<AnnouncementRecord[]>;
  /** Stores a record without an entry, where the stored revision is one less. Resolves with whether it was stored. */
  save(record: AnnouncementRecord): Promise<boolean>;
  /** What one member has settled of these announcements; those that they have not are left out. */
  settledOf(user: string, announcements: string[]): Promise<Map<string, Settled>>;
  /** What these members have settled of one announcement, by user; those who have not are left out. */
  settledBy(announcement: string, users: string[]): Promise<Map<string, Settled>>;
  /**
   * Moves watermarks of many members up in one write: a passing is added where `upTo` is above the last one, and the newest `MAX_PASSINGS`
   * are kept. `users` are each once in it.
   */
  pass(mark: keyof Watermarks, upTo: number, at: number, users: string[]): Promise<void>;
  /** Watermarks by user; members without any are left out. */
  watermarks(users: string[]): Promise<Map<string, Watermarks>>;
}
