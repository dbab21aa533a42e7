/** Who is known to the service, and what a moderator has laid on them: the words and the port of the room. Times are milliseconds. */

/** A mute or a ban: until when (null: for good), why, by whom, since when. */
export interface Sanction {
  until: number | null;
  why: string;
  by: string;
  at: number;
}

/** A member as known. `roles` are those of their last token, or what a server has registered. */
export interface MemberRecord {
  user: string;
  name: string | null;
  roles: string[];
  /** The earliest evidence that they were there, or what a server has registered. */
  joinedAt: number;
  mute: Sanction | null;
  ban: Sanction | null;
}

/** What was learned of a member in passing. Fields that are left out stay as they are. */
export interface Acquaintance {
  user: string;
  /** A moment at which they were there. */
  at: number;
  name?: string;
  roles?: string[];
}

/** What a server says of a member; it is taken as it stands. Fields that are left out stay as they are. */
export interface Registration {
  user: string;
  name?: string;
  roles?: string[];
  joinedAt?: number;
}

/**
 * What is stored with an entry of the audit log, in one transaction: a mute or ban laid on a member, or taken away (null). A member who is
 * not known yet is not made known by it; nothing is changed then.
 */
export interface MemberChange {
  of: "member";
  user: string;
  mute?: Sanction | null;
  ban?: Sanction | null;
}

/** The port of the room. Reads are of durable state. Throws `unavailable` as `StreamStore` does. */
export interface MemberStore {
  /** Those of the named members who are known. */
  find(users: string[]): Promise<Map<string, MemberRecord>>;
  /**
   * Makes members known, many in one write. Of one who is known already, `joinedAt` becomes the earlier of both times, and `name` and
   * `roles` are replaced where given. Sanctions stay.
   */
  meet(members: Acquaintance[]): Promise<void>;
  /** As `meet`, but `joinedAt` is replaced; without one, a new member joins at `at`. Resolves with the member as stored. */
  register(member: Registration, at: number): Promise<MemberRecord>;
  /** Members in the order of their ids (as the store compares texts) after `after`, at most `limit`. */
  page(after: string | null, limit: number): Promise<MemberRecord[]>;
}
