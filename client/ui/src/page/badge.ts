import type { Belfry } from "belfry-client";

/** The part of a browser that shows a number on the icon of an installed page. */
interface Badge {
  setAppBadge?(count: number): Promise<void>;
  clearAppBadge?(): Promise<void>;
}

/**
 * Keeps the number on the page's icon in step with the member's unread notifications, once they are known: pushes set it, and nothing else
 * would take it back. Returns what ends it.
 */
export function keepBadge(client: Pick<Belfry, "subscribe" | "status" | "unreadNotifications">, badge: Badge): () => void {
  let shown: number | null = null;
  const show = (): void => {
    const { status, unreadNotifications: unread } = client;
    if (!status.synced || unread === shown) return;
    shown = unread;
    const setting = unread > 0 ? badge.setAppBadge?.(unread) : badge.clearAppBadge?.();
    // Pages that are not installed may be refused it.
    setting?.catch(() => {});
  };
  show();
  return client.subscribe(show);
}
