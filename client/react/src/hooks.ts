import type { Announcement, Belfry, Filter, Status, Task, View } from "belfry-client";
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { useBelfry } from "./context.js";

const NO_VIEW: View = { items: [], more: false };
const NO_ANNOUNCEMENTS: readonly Announcement[] = [];
const NO_CONNECTION: Status = { is: "connecting", since: 0, synced: false };

/** A list of notifications, and what loads older ones. */
export interface Notifications extends View {
  /** Loads older ones into the list. True if there are still more. @throws BelfryRefusal with code `offline` where there is no connection */
  loadMore(): Promise<boolean>;
}

/** The member's notifications, newest first; `unread` and `archived` are what is known of them until `loadMore` is called. */
export function useNotifications(filter: Filter = "all"): Notifications {
  const client = useBelfry();
  const view = useSlice((store) => store.view(filter), NO_VIEW);
  return useMemo(
    () => ({ ...view, loadMore: () => (client === null ? Promise.resolve(false) : client.more(filter)) }),
    [view, client, filter],
  );
}

/** The number for the badge: unread notifications and announcements that are not settled. */
export function useUnread(): number {
  return useSlice((store) => store.unread, 0);
}

/** The announcements that stand now, newest first. */
export function useAnnouncements(): readonly Announcement[] {
  return useSlice((store) => store.announcements, NO_ANNOUNCEMENTS);
}

/** A task of the member, running or ended; null while nothing is known of it. */
export function useTask(id: string): Task | null {
  return useSlice((store) => store.task(id), null);
}

/** How the connection is; `connecting` before there is a client. */
export function useStatus(): Status {
  return useSlice((store) => store.status, NO_CONNECTION);
}

/** A slice of the store. A server renders the empty one, and so does the first pass in the browser, so that both are the same. */
function useSlice<T>(read: (client: Belfry) => T, empty: T): T {
  const client = useBelfry();
  const subscribe = useCallback((listener: () => void) => client?.subscribe(listener) ?? (() => {}), [client]);
  return useSyncExternalStore(
    subscribe,
    () => (client === null ? empty : read(client)),
    () => empty,
  );
}
