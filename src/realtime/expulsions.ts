import { type MemberRecord, standing } from "../members/index.js";
import type { AuditEntry } from "../moderation/index.js";
import { BAN_MEMORY_MS, MAX_REMEMBERED_BANS } from "./limits.js";
import type { Farewell } from "./outlet.js";

/** Sessions of a member, in one namespace. */
type SessionsOf = (user: string) => Iterable<{ end(farewell: Farewell): void }>;

interface ExpulsionRooms {
  moderation: { onAct(listener: (entry: AuditEntry) => void): () => void };
  members: { find(user: string): Promise<MemberRecord | null> };
}

/** A ban that this node heard of a moment ago. */
interface RecentBan {
  /** When it was heard of. Milliseconds. */
  at: number;
  farewell: Farewell;
}

/**
 * Ends the sessions of whoever is kicked or banned. A ban that comes between a handshake's look at the member and the session's beginning
 * would find no session to end, so bans are remembered for a while, and every session is looked at as soon as it is there.
 */
export class Expulsions {
  readonly #sessionsOf: SessionsOf[];
  readonly #members: ExpulsionRooms["members"];
  readonly #unsubscribe: () => void;
  readonly #recent = new Map<string, RecentBan>();

  /** `sessionsOf`: one for each namespace. */
  constructor({ moderation, members }: ExpulsionRooms, sessionsOf: SessionsOf[]) {
    this.#sessionsOf = sessionsOf;
    this.#members = members;
    this.#unsubscribe = moderation.onAct((entry) => this.#onAct(entry, Date.now()));
  }

  /** A session of the member has begun. */
  onSession(user: string): void {
    const ban = this.#recent.get(user);
    if (ban === undefined) return;
    if (Date.now() - ban.at > BAN_MEMORY_MS) this.#recent.delete(user);
    else this.#endIfBanned(user, ban.farewell).catch(() => this.#end(user, ban.farewell));
  }

  /** The ban may have been ended by another node, of which this one has not heard yet. */
  async #endIfBanned(user: string, farewell: Farewell): Promise<void> {
    const member = await this.#members.find(user);
    if (member !== null && standing(member.ban, Date.now()) !== null) this.#end(user, farewell);
  }

  close(): void {
    this.#unsubscribe();
    this.#recent.clear();
  }

  #onAct({ act, target, why, until, refused }: AuditEntry, now: number): void {
    if (refused !== undefined || target === undefined) return;
    if (act === "unban") this.#recent.delete(target);
    if (act === "kick") {
      this.#end(target, {
        code: "kicked",
        message: `A moderator has ended your sessions: ${why ?? "no reason was given"}`,
        reconnect: false,
      });
    }
    if (act !== "ban") return;
    const message = `You are banned ${until === undefined ? "for good" : `until ${until}`}: ${why ?? "no reason was given"}`;
    const farewell: Farewell = { code: "banned", message, reconnect: false };
    this.#remember(target, { at: now, farewell });
    this.#end(target, farewell);
  }

  #end(user: string, farewell: Farewell): void {
    for (const sessionsOf of this.#sessionsOf) for (const session of sessionsOf(user)) session.end(farewell);
  }

  /** In the order in which they came: the oldest goes first. */
  #remember(user: string, ban: RecentBan): void {
    this.#recent.delete(user);
    this.#recent.set(user, ban);
    for (const [oldest, { at }] of this.#recent) {
      if (this.#recent.size <= MAX_REMEMBERED_BANS && ban.at - at <= BAN_MEMORY_MS) return;
      this.#recent.delete(oldest);
    }
  }
}
