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
}
