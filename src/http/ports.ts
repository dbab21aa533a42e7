import type { Announcement } from "../announcements/types.js";
import type { DiscourseHook } from "../community/index.js";
import type { DirectNotification, DomainEvent, EventAnswer } from "../community/types.js";
import type { MemberRecord, Registration } from "../members/types.js";
import type { Actor, AuditEntry, AuditPage, AuditQuery } from "../moderation/types.js";
import type { RollPage, RollQuery } from "../presence/index.js";
import type { PushDevice } from "../push/index.js";
import type { Cursor } from "../stream/types.js";

/** Where events and notifications of servers go. Both answer once everything is durable. */
export interface CommunityApi {
  /** Answers in the order of the events. */
  handleAll(events: DomainEvent[]): Promise<EventAnswer[]>;
  notify(notification: DirectNotification): Promise<EventAnswer>;
}

/** Where Discourse's webhooks go, once their signature was found right. */
export interface DiscourseApi {
  /** Null: the event is of a kind that tells nobody. @throws BelfryError `bad_request` */
  receive(hook: DiscourseHook): Promise<EventAnswer | null>;
}

/** What a mark is answered with: the stream's last seq and the counter after it. */
export interface MarkAnswer {
  seq: number;
  unread: number;
}

/** A member's inbox, as `/v1/me` needs it. */
export interface InboxApi {
  list(
    user: string,
    query: { filter: "all" | "unread" | "archived"; before?: string; limit: number },
  ): Promise<{ items: unknown[]; more: boolean; unread: number }>;
  /** @throws BelfryError `not_found` */
  mark(user: string, verb: "read" | "unread" | "archive" | "unarchive", ids: string[]): Promise<MarkAnswer>;
  markUpTo(user: string, verb: "read_all" | "seen", upTo: number | undefined): Promise<MarkAnswer>;
  /** Entries are in their wire form; null starts at the base. @throws BelfryError `reset` */
  sync(user: string, after: Cursor | null, limit: number): Promise<{ epoch: string; entries: unknown[]; head: number; more: boolean }>;
}

/** Whether this node can serve. */
export interface ReadinessApi {
  /** True from the moment in which the process was asked to stop. */
  draining(): boolean;
  /** Resolves when the store answers; throws otherwise. */
  ping(): Promise<void>;
  /** Whether other nodes can be heard, on which serving does not depend; null where this node is the only one. */
  bus(): "up" | "down" | null;
}

/** Who is known. */
export interface MembersApi {
  /** Makes the bearer of a token known, or learns what is new of them. Does not throw for the banned. */
  arrive(identity: { user: string; roles: string[]; name: string | null }): Promise<MemberRecord>;
  /** @throws BelfryError `not_found` */
  require(user: string): Promise<MemberRecord>;
  register(registration: Registration): Promise<MemberRecord>;
}

/** Writes an act down; called before the act stores anything. */
export type RecordAct = (target?: string, why?: string) => Promise<void>;

/** What staff do to members, and the log of it. Acts take their payload as it came, answer with what was written, and check the rank. */
export interface ModerationApi {
  mute(actor: Actor, user: string, payload: unknown): Promise<object>;
  unmute(actor: Actor, user: string, payload: unknown): Promise<object>;
  ban(actor: Actor, user: string, payload: unknown): Promise<object>;
  unban(actor: Actor, user: string, payload: unknown): Promise<object>;
  kick(actor: Actor, user: string, payload: unknown): Promise<object>;
  /** Does what another room has to do as an act of moderation. @throws BelfryError `forbidden`, `rate_limited`, and what `work` throws. */
  guard<T>(actor: Actor, what: { act: string; target?: string; why?: string }, work: (record: RecordAct) => Promise<T>): Promise<T>;
  /** Newest first. */
  audit(query: AuditQuery): Promise<AuditPage>;
  /** All of the log, oldest first. */
  export(): AsyncIterable<AuditEntry>;
}

/** Announcements as their authors see them. */
export interface AnnouncementsApi {
  /** `created` is false for a repeat, which is answered as the first time. */
  announce(by: string, payload: unknown, record: RecordAct): Promise<{ announcement: Announcement; created: boolean }>;
  /** @throws BelfryError `not_found` */
  edit(id: string, by: string, payload: unknown, record: RecordAct): Promise<object>;
  /** @throws BelfryError `not_found` */
  rescind(id: string, by: string, payload: unknown, record: RecordAct): Promise<object>;
  /** @throws BelfryError `not_found` */
  get(id: string): Promise<object>;
  list(query: { before?: string; limit: number }): Promise<{ items: object[]; more: boolean }>;
  /** @throws BelfryError `not_found` */
  report(id: string, query: { after?: string; limit: number }): Promise<object>;
  /** All of the report's members. Times are RFC 3339, null for what did not happen. @throws BelfryError `not_found` */
  reportRows(id: string): AsyncIterable<{ user: string; reachedAt: string | null; seenAt: string | null; acknowledgedAt: string | null }>;
}

/** What of a member decides which announcements are theirs. */
export type AudienceMember = Pick<MemberRecord, "user" | "roles" | "joinedAt">;

/** Announcements as one member sees them. */
export interface MemberAnnouncementsApi {
  view(member: AudienceMember): Promise<{
    snapshot(): Promise<{ seq: number; unread: number; items: unknown[]; more: boolean }>;
    /** Everything up to `seq` was sent to the member. */
    passed(seq: number): void;
  }>;
  /**
   * `seq`: the inbox's head; `unread`: how many announcements are left.
   * @throws BelfryError `not_found`, `bad_request` for a mandatory one that is dismissed
   */
  settle(user: string, verb: "dismiss" | "acknowledge", id: unknown, member: AudienceMember): Promise<MarkAnswer>;
  /** The member has laid eyes on all that reached them. */
  seen(user: string): void | Promise<void>;
}

/** Messages from member to member. */
export interface MessagesApi {
  /** Resolves once it is stored. @throws BelfryError `muted`, `banned`, `forbidden`, `not_found`, `rate_limited` */
  send(sender: { user: string; name: string | null }, payload: unknown): Promise<{ id: string }>;
}

/** Watch levels and blocks. */
export interface PreferencesApi {
  setLevel(user: string, payload: unknown): Promise<object>;
  setBlock(user: string, other: unknown, blocked: boolean): Promise<object>;
  levelsOf(user: string): Promise<object>;
  blocksOf(user: string): Promise<object>;
}

/** Long tasks. */
export interface TasksApi {
  report(id: unknown, body: unknown): Promise<object>;
}

/** Live topics. */
export interface TopicsApi {
  write(name: unknown, body: unknown): Promise<object>;
  /** The latest value, whoever may look at it. @throws BelfryError `not_found` */
  read(name: unknown): Promise<object>;
}

/** Devices that are told while no page is open. */
export interface PushApi {
  /** What a browser needs to subscribe, base64url. */
  readonly publicKey: string;
  /** @throws BelfryError `bad_request` */
  subscribe(user: string, payload: unknown, userAgent: string | undefined): Promise<PushDevice>;
  /** @throws BelfryError `bad_request` */
  unsubscribe(user: string, payload: unknown): Promise<{ removed: boolean }>;
  list(user: string): Promise<{ items: PushDevice[] }>;
}

/** Members and sessions online, over all nodes. */
export interface PresenceApi {
  readonly users: number;
  readonly sessions: number;
}

/** Who is online, over all nodes. */
export interface RollApi {
  page(query: RollQuery): Promise<RollPage>;
}

/** What all nodes did. */
export interface ActivityApi {
  /** Minute by minute, oldest first. */
  lastHour(): Promise<object[]>;
}

/** Why a member was or was not told of an event. */
export interface TraceApi {
  trace(user: string, event: string): Promise<object>;
}
