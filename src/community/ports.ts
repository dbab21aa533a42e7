import type { PublicationRecord, Published, PublishRequest } from "../stream/types.js";

/** Content that is stored once and fanned out: the part of the stream core that a community needs. */
export interface Publisher {
  /**
   * Stores the content and an entry for each recipient of the plan; resolves when all is durable. The same `id` or `alias` again stores
   * nothing anew: the record is then the first one's, and its plan is the truth. Takes its place in every stream of the plan before it
   * awaits anything, so calls made one after the other keep their order for each member.
   *
   * `results` follow `record.plan`. `mine` is false where the stream had an entry under `key` from another publication; `seq` is null where
   * the entry is no longer kept.
   */
  publish(request: PublishRequest): Promise<Published>;
  /** A publication by its id or alias, or null. */
  publication(name: string): Promise<PublicationRecord | null>;
  /** Where the entries with this key stand, in all streams. */
  find(key: string): Promise<Array<{ stream: string; seq: number }>>;
}

/**
 * What a community asks of the inbox. `by` names the act and is never used for a second one: a stream knows it again. What is rescinded
 * (or not) already stays as it is, so an act that was interrupted is done again under a name of its own.
 */
export interface InboxWriter {
  /** The name of a member's stream. */
  streamOf(user: string): string;
  /** The member of a stream. */
  userOf(stream: string): string;
  /** The public id of the notification that the entry `seq` of the stream created. */
  notificationId(stream: string, seq: number): string;
  /** Takes back every notification under the key; `why` is what members read instead. */
  rescind(key: string, by: string, why: string): Promise<void>;
  /** Brings back what was rescinded under the key. */
  restore(key: string, by: string): Promise<void>;
  /** What became of the notification that the entry `seq` created, or null where it is no longer kept. */
  fate(stream: string, seq: number): Promise<Fate | null>;
}

/** How a notification stands now, and the publication that it came from. Times are milliseconds; `rescinded` says why, or is null. */
export interface Fate {
  publication: string | null;
  readAt: number | null;
  archivedAt: number | null;
  rescinded: string | null;
}

/** Where an event happened, as watch levels see it. */
export interface Where {
  thread?: string | undefined;
  tags?: string[] | undefined;
  category?: string | undefined;
}

/** What members want to be told, as far as it is known: all answers come at once, from memory. */
export interface Wishes {
  /** The level at a place, and the setting that decides it; `scope` null where none does. `id` is empty for `all`. */
  levelFor(
    user: string,
    where: Where,
  ): { level: "watching" | "normal" | "muted"; scope: "thread" | "tag" | "category" | "all" | null; id: string };
  /** The members whose level there is `watching`, each once. */
  watchers(where: Where): string[];
  /** As many as `watchers` has, or more, without looking at each. */
  mostWatchers(where: Where): number;
  /** Whether `user` blocks `other`. */
  blocks(user: string, other: string): boolean;
}

export interface Preferences extends Wishes {
  /** Null where nothing can be stored that is not known. Otherwise resolves when all that was stored before the call is known. */
  refresh(): Promise<void> | null;
}

/** Who keeps the list of members: told of everybody who was seen. */
export interface Acquaintances {
  /** They were there at this moment (ms). Neither throws nor waits. */
  heardOf(users: Iterable<string>, at: number): void;
}
