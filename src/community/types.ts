/** The words of a community, free of any forum's dialect, and the port to what the service learned of it. */

export interface Person {
  id: string;
  name?: string;
  avatar?: string;
}

export interface ThreadRef {
  id: string;
  title?: string;
  url?: string;
  /** The member who started it. */
  author?: string;
  category?: string;
  tags?: string[];
}

export interface CommentRef {
  id: string;
  parent?: string;
  parentAuthor?: string;
  url?: string;
}

/** Why a member is told, in order of precedence: the first that fits is the one given. */
export const REASONS = ["mention", "reply", "quote", "comment", "watching", "direct"] as const;
export type Reason = (typeof REASONS)[number];

/** Somebody who could have been told and was not; `user` is an id, or a username where that is all that is known. */
export interface Skipped {
  user: string;
  why: string;
}

/**
 * What happened. `subject` is the comment, or the thread where there is no comment; `act` is what was done to it. Users are ids.
 * `id` and `alias` are the event's identities: the same under either is the same event.
 */
export interface DomainEvent {
  id: string;
  alias?: string;
  act: "created" | "updated" | "deleted" | "restored";
  /** RFC 3339; when it happened, by the forum's clock. */
  at: string;
  actor?: Person;
  thread?: ThreadRef;
  comment?: CommentRef;
  excerpt?: string;
  mentions: string[];
  quotes: string[];
  /** What a connector could not resolve. */
  skipped: Skipped[];
  /** Where set, nobody is told, and this is why: "the post is hidden". The event is recorded all the same. */
  quiet?: string;
  /**
   * Of an `updated` event: the forum shows the post as standing at `at`. One that was taken back before that time stands again, though
   * nothing said `restored`: a hidden post whose author edits it.
   */
  stands?: boolean;
  /** Of a `deleted` event: what members read in place of the notification, "deleted" where nothing is said. */
  why?: string;
}

/** What a server tells members directly, with reason `direct`. `key` makes a repeat harmless. */
export interface DirectNotification {
  to: string[];
  type: string;
  actor?: Person;
  text?: string;
  url?: string;
  thread?: ThreadRef;
  data?: Record<string, unknown>;
  key?: string;
}

/** The answer to a domain event (docs/PROTOCOL.md). */
export interface EventAnswer {
  id: string;
  duplicate: boolean;
  notified: Array<{ user: string; reason: Reason; id: string; seq: number }>;
  skipped: Skipped[];
}

/** What a connector learns from a forum. `username` is compared without regard to case. */
export interface KnownMember {
  id: string;
  username: string;
  name?: string;
  avatar?: string;
}

/** Who wrote a post, by its place: `number` is the post's position in the topic. One service serves one forum, so ids need no prefix. */
export interface KnownPost {
  topic: string;
  number: number;
  author: string;
}

/** The directory's port. Writes are durable when they resolve. Throws `unavailable` as `StreamStore` does. */
export interface DirectoryStore {
  learn(members: KnownMember[], posts: KnownPost[]): Promise<void>;
  /** Lower-cased username → user id, for those known. A username belongs to the member who was last seen with it. */
  membersByUsername(usernames: string[]): Promise<Map<string, string>>;
  /** Post number → author id, for those known. */
  postAuthors(topic: string, numbers: number[]): Promise<Map<number, string>>;
}

/** A subject that is gone: `why` is what members read in place of its notifications. Times are milliseconds. */
export interface Burial {
  why: string;
  /** When it went, by the forum's clock: to be compared with the forum's times only. */
  at: number;
  /** When the service learned it, by its own. */
  learnedAt: number;
}

/**
 * Which subjects (`comment:<id>`, `thread:<id>`) are gone, whatever was stored of them or will be. Writes are durable when they resolve;
 * a read sees every write that resolved before it began, of any node. Throws `unavailable` as `StreamStore` does.
 */
export interface SubjectStore {
  /** Again for a subject that is gone: the last one holds. */
  bury(key: string, burial: Burial): Promise<void>;
  /** Harmless for a subject that is not gone. */
  revive(key: string): Promise<void>;
  /** False where the store knows without looking that the subject is not gone; every event asks, and most forums delete little. */
  mayBeGone(key: string): boolean;
  /** Of these subjects, those that are gone. */
  buried(keys: string[]): Promise<Map<string, Burial>>;
  /** Forgets at most `limit` burials learned before `olderThan` (ms), oldest first; resolves with their number. */
  forget(olderThan: number, limit: number): Promise<number>;
}
