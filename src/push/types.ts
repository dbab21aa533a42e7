/** Web push: what reaches a member's device while no page is open. The words and the ports of the room. Times are milliseconds. */

/** The pair by which push services recognise this service (RFC 8292), as web browsers take them: base64url. */
export interface VapidKeys {
  publicKey: string;
  privateKey: string;
}

/** A device that wants to be told, and how far it was told: a browser's subscription, and where it stands in its member's stream. */
export interface Subscription {
  /** Made of the endpoint. */
  id: string;
  user: string;
  /** Where its push service takes messages for it. Who knows it can send to it, so it is a secret of the member's. */
  endpoint: string;
  /** By which messages are encrypted for it (RFC 8291), base64url. */
  keys: { p256dh: string; auth: string };
  createdAt: number;
  userAgent: string | null;
  /** For all of the member's stream up to this seq it was decided whether this device is told, and it was. */
  cursor: number;
  /** Attempts in a row that failed. */
  failures: number;
  /** Not tried again before; 0 where nothing failed. */
  retryAt: number;
}

/** What has become of a device, to be stored. */
export type Progress = Pick<Subscription, "id" | "user" | "cursor" | "failures" | "retryAt">;

/** The port of the room. Reads are of durable state. Throws `unavailable` as `StreamStore` does. */
export interface PushStore {
  /** The keys of all nodes: those given where there were none, or those that were there before. */
  keys(made: VapidKeys): Promise<VapidKeys>;
  /**
   * Adds a device, and takes away the member's oldest ones beyond `max`. An endpoint belongs to one member: of one that is known as the same
   * member's, only `keys` and `userAgent` are replaced; one of another member becomes this one's, anew. Resolves with it as stored.
   */
  put(subscription: Subscription, max: number): Promise<Subscription>;
  find(id: string): Promise<Subscription | null>;
  /** The member's devices, the oldest first. */
  of(user: string): Promise<Subscription[]>;
  /** Whether it was there, and this member's. */
  remove(user: string, id: string): Promise<boolean>;
  /** Devices of all members in the order of their ids after `after`, at most `limit`. */
  page(after: string | null, limit: number): Promise<Subscription[]>;
  /** Writes how far devices are. One that is gone, or another member's by now, is passed over. */
  progress(changes: Progress[]): Promise<void>;
}

/** Counts what becomes of messages. */
export interface PushObserver {
  /** A push service has taken a message. */
  sent(): void;
  /** An attempt failed. */
  failed(): void;
  /** A device was given up. */
  removed(): void;
}
