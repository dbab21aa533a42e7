/** Acts of moderation: the words of the room. */

/** Who acts. `by` is the member's id, or what servers are called; `rank` null: a member without the role, whose acts are refused. */
export interface Actor {
  by: string;
  rank: "server" | "admin" | "moderator" | null;
  /** The network address that the act came from, where it is known. */
  from: string | null;
}

/** An entry of the audit log. Times are RFC 3339; ids ascend in the order in which the acts were done, on whatever node. */
export interface AuditEntry {
  id: string;
  at: string;
  by: string;
  act: string;
  /** The member acted on; of acts of other rooms, what they name. */
  target?: string;
  why?: string;
  /** The end of a mute or ban; left out where it is for good. */
  until?: string;
  /** Why nothing was done. Where this is set, the act had no effect. */
  refused?: string;
  from?: string;
}

/** A mute or ban as answered. Times are RFC 3339; `until` null: for good. */
export interface Laid {
  user: string;
  until: string | null;
  why: string;
  by: string;
  at: string;
}

/** A kick, or the end of a mute or ban, as answered. */
export interface Done {
  user: string;
  why?: string;
  by: string;
  at: string;
}

/** What of the audit log is asked for: entries older than `before` (an id), of one actor, one act or one target. */
export interface AuditQuery {
  before?: string | undefined;
  limit: number;
  by?: string | undefined;
  act?: string | undefined;
  target?: string | undefined;
}

/** Newest first. `next` is there where looking ended before the page was full: what to ask for as `before`, to look further. */
export interface AuditPage {
  items: AuditEntry[];
  more: boolean;
  next?: string;
}
