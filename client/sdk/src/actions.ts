import { type Inbox, settle } from "./inbox.js";
import { applyEntry, isUnread } from "./items.js";
import type { Known } from "./known.js";
import type { Entry } from "./wire.js";

/** Something that the member has done, and that the service has not confirmed. JSON, so that it can be kept and told to other tabs. */
export interface Action {
  /** Its own, so that tabs know it again. */
  readonly id: string;
  /** The tab that sends it. */
  readonly tab: string;
  /** The event of the protocol. */
  readonly event: string;
  readonly payload: Entry["data"];
  /** When it was done, about, by the service's clock. */
  readonly at: string;
  /** The history that `upTo` is about; an action without `upTo` fits all. */
  readonly epoch?: string;
  /** The service has done it, and the stream shows it from this seq on. */
  readonly done?: number;
}

/** The kind of entry that an action will become, where it is named otherwise. */
const KINDS: { readonly [event: string]: string } = {
  archive: "archived",
  unarchive: "unarchived",
  dismiss: "dismissed",
  acknowledge: "acknowledged",
};

/** Whether an answered action shows in what is known, so that it need not be laid over it any more. */
export function isShown({ done, epoch }: Action, { cursor }: Inbox): boolean {
  return done !== undefined && (cursor === null || cursor.seq >= done || (epoch !== undefined && epoch !== cursor.epoch));
}

/** What is shown: what is confirmed, with the member's actions on top of it, in their order. */
export function withActions(known: Known, actions: readonly Action[]): Known {
  return { ...known, inbox: actions.reduce(lay, known.inbox) };
}

function lay(inbox: Inbox, { event, payload: data, at }: Action): Inbox {
  const entry: Entry = { seq: 0, at, kind: KINDS[event] ?? event, data };
  const items = applyEntry(inbox.items, entry);
  // What is not held changes the count too, but nobody knows how; of a `read_all` it is clear.
  const before = event === "read_all" ? inbox.unread : unreadIn(inbox.items);
  const unread = inbox.unread - before + unreadIn(items);
  return { ...inbox, items, unread: Math.max(0, unread), settled: settle(inbox.settled, entry) };
}

const unreadIn = (items: Inbox["items"]): number => items.filter(isUnread).length;
