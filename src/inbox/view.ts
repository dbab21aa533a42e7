import type { InboxState, Mark, ReadAllMark } from "./types.js";

/**
 * Read-all marks kept of one member. Threat: a state that grows with every read-all. Only `readAt` of what was read that many read-alls ago
 * becomes inexact: it shows the next one's time.
 */
const MAX_READ_ALL_MARKS = 64;

/** How a notification looks now. Times are milliseconds. */
export interface View {
  readAt: number | null;
  archivedAt: number | null;
  rescinded: string | null;
}

/** What a member can do to a notification. */
export type Verb = "read" | "unread" | "archive" | "unarchive";

/**
 * How the notification `seq` looks, from its own mark and the member's read-all marks. A read-all covers what is at or below its `upTo`,
 * unless the notification was marked unread by a later entry.
 */
export function viewOf(seq: number, mark: Mark | undefined, state: InboxState): View {
  const rest = { archivedAt: mark?.archivedAt ?? null, rescinded: mark?.rescinded ?? null };
  if (mark?.readAt != null) return { readAt: mark.readAt, ...rest };
  const unreadSince = mark?.readSeq ?? 0;
  const covering = state.readAll.find((one) => one.upTo >= seq && one.seq > unreadSince);
  return { readAt: covering?.at ?? null, ...rest };
}

/** Whether it adds to the counter. Archiving also reads, so an archived one never does. */
export function counts(view: View): boolean {
  return view.readAt === null && view.rescinded === null;
}

/** The mark that `verb`, written as entry `by` at `at`, leaves on the notification `seq`; null where it changes nothing. */
export function applyVerb(verb: Verb, seq: number, view: View, by: number, at: number): Mark | null {
  if (view.rescinded !== null) return null;
  const { readAt, archivedAt } = view;
  const mark = (next: Partial<Mark>): Mark => ({ seq, readSeq: by, readAt, archivedAt, rescinded: null, ...next });
  switch (verb) {
    case "read":
      return readAt === null ? mark({ readAt: at }) : null;
    case "unread":
      return readAt !== null || archivedAt !== null ? mark({ readAt: null, archivedAt: null }) : null;
    case "archive":
      return archivedAt === null ? mark({ readAt: readAt ?? at, archivedAt: at }) : null;
    case "unarchive":
      return archivedAt !== null ? mark({ archivedAt: null }) : null;
  }
}

/** The watermark: everything at or below it is read, but for what was marked unread since. */
export function watermark(state: InboxState): ReadAllMark | undefined {
  return state.readAll.at(-1);
}

/** The state after a read-all above the watermark: one mark more, whatever the number of notifications that it reads. */
export function withReadAll(state: InboxState, mark: ReadAllMark): InboxState {
  return { ...state, readAll: [...state.readAll, mark].slice(-MAX_READ_ALL_MARKS) };
}
