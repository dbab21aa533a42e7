/** Live topics: a name and its latest value. The words and the port of the room. */

export const ACCESS_WORDS = ["public", "members"] as const;

/** Who may look at a topic: everybody, members, or members with one of these roles. */
export type Access = (typeof ACCESS_WORDS)[number] | string[];

/** A topic's latest value. `seq` counts its writes from 1. */
export interface TopicValue {
  topic: string;
  seq: number;
  /** Milliseconds. */
  at: number;
  /** JSON text. */
  data: string;
  access: Access;
}

/** The port of the room. Reads are of durable state. Throws `unavailable` as `StreamStore` does. */
export interface TopicStore {
  /**
   * Stores a value under the topic's next seq, whoever else writes. Without `access` the topic's stays as it is; a new topic is for members.
   * Resolves with the value as stored.
   */
  write(topic: string, data: string, access: Access | undefined, at: number): Promise<TopicValue>;
  /** The latest values of these topics; those never written are left out. */
  read(topics: string[]): Promise<Map<string, TopicValue>>;
  /** How many topics there are. */
  count(): Promise<number>;
}
