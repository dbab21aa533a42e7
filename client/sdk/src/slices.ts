import { onScreen, openIn } from "./announced.js";
import { floorOf, type Inbox, itemsOf } from "./inbox.js";
import type { Known } from "./known.js";
import { running } from "./tasks.js";
import type { Announcement, Filter, Task, View } from "./types.js";

/** What a `Belfry` shows, each part the same reference until it changes. */
export interface Slices {
  readonly views: { readonly [filter in Filter]: View };
  readonly unreadNotifications: number;
  readonly unreadAnnouncements: number;
  readonly announcements: readonly Announcement[];
  readonly tasks: readonly Task[];
  /** What was shown then. */
  readonly from: Known;
}

/** @param shown what is known, with the member's actions on top of it */
export function slicesOf(shown: Known, before?: Slices): Slices {
  const { inbox, announcements, tasks } = shown;
  const view = (filter: Filter): View => viewOf(inbox, filter, before?.views[filter]);
  const isSame = announcements.items === before?.from.announcements.items && inbox.settled === before.from.inbox.settled;
  return {
    views: { all: view("all"), unread: view("unread"), archived: view("archived") },
    unreadNotifications: inbox.unread,
    unreadAnnouncements: openIn(announcements, inbox.settled) + announcements.older,
    announcements: isSame ? before.announcements : onScreen(announcements, inbox.settled),
    tasks: same(before?.tasks, running(tasks, inbox.items)),
    from: shown,
  };
}

function viewOf({ items: all, floors, cursor }: Inbox, filter: Filter, before?: View): View {
  const items = same(before?.items, itemsOf(all, floors, filter));
  const more = cursor !== null && floorOf(floors, filter) > 0;
  return items === before?.items && more === before.more ? before : { items, more };
}

/** The list before, if this one has the same elements; else this one. */
function same<One>(before: readonly One[] | undefined, now: readonly One[]): readonly One[] {
  return before?.length === now.length && now.every((one, place) => one === before[place]) ? before : now;
}
