import { type Announced, applyToAnnounced, NOTHING_ANNOUNCED, openIn } from "./announced.js";
import { applyToInbox, EMPTY_INBOX, type Inbox, inboxOf } from "./inbox.js";
import { AT_REST, advance } from "./rule.js";
import { withProgress } from "./tasks.js";
import type { Task } from "./types.js";
import type { StreamEvent } from "./wire.js";

/** What the service has confirmed, as far as it has reached this device. */
export interface Known {
  readonly inbox: Inbox;
  readonly announcements: Announced;
  readonly tasks: readonly Task[];
}

export const NOTHING: Known = { inbox: EMPTY_INBOX, announcements: NOTHING_ANNOUNCED, tasks: [] };

/** What is known after something that arrived, in whatever order and however often: a pure function, by the client rule. */
export function take(known: Known, event: StreamEvent): Known {
  const { inbox, announcements, tasks } = known;
  if (event.type === "progress") return { ...known, tasks: withProgress(tasks, event) };
  if (event.type === "offline") return { ...known, inbox: { ...inbox, ...AT_REST }, announcements: { ...announcements, ...AT_REST } };
  // The ends of tasks come as notifications; after a snapshot nobody can tell.
  if (event.type === "welcome") return event.streams.inbox?.resume === "exact" ? known : { ...known, tasks: [] };
  const { stream, epoch } = event;
  if (event.type === "snapshot") {
    const cursor = { epoch, seq: event.seq };
    return event.stream === "inbox"
      ? { ...known, inbox: { ...inboxOf(event, inbox), cursor } }
      : { ...known, announcements: { ...NOTHING_ANNOUNCED, live: announcements.live, items: event.items, cursor } };
  }
  const before = known[stream];
  const { cursor } = before;
  // Of another history, or before the snapshot.
  if (cursor?.epoch !== epoch) return known;
  const to = (changed: Partial<Inbox & Announced>): Known => ({ ...known, [stream]: { ...before, ...changed } });
  if (event.type === "entries") {
    const { due, held, seq } = advance(cursor.seq, before.held, event.entries);
    const after = stream === "inbox" ? due.reduce(applyToInbox, inbox) : due.reduce(applyToAnnounced, announcements);
    return to({ ...(after as Inbox & Announced), held, gap: held.length > 0, cursor: { epoch, seq } });
  }
  const { seq, unread } = event;
  const live = { live: true, gap: before.gap || seq > cursor.seq };
  // Only then is it the number of what is held.
  if (seq !== cursor.seq) return to(live);
  return to(stream === "inbox" ? { ...live, unread } : { ...live, older: Math.max(0, unread - openIn(announcements, inbox.settled)) });
}
