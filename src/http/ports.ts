import type { DiscourseHook } from "../community/index.js";
import type { DirectNotification, DomainEvent, EventAnswer } from "../community/types.js";
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
}
