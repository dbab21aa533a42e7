/** What of a service worker's world `sw.js` uses. The compiler's own library of it cannot be had beside that of pages. */

interface BelfryPayload {
  v: 1;
  id: string;
  tag: string;
  user: string;
  title: string;
  body: string;
  url?: string;
  unread: number;
  at: string;
  reason: string;
  type: string;
  actor?: { id: string; name?: string };
  thread?: { id: string; title?: string };
}

/** A notification that was clicked, for a page to mark as read. */
interface BelfryClick {
  id: string;
  user: string;
}

interface BelfryPage {
  readonly url: string;
  postMessage(message: unknown): void;
  focus(): Promise<unknown>;
}

interface BelfryWorkerEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface BelfryPushEvent extends BelfryWorkerEvent {
  readonly data: { json(): unknown } | null;
}

interface BelfryClickEvent extends BelfryWorkerEvent {
  readonly notification: Notification;
}

interface BelfryChangeEvent extends BelfryWorkerEvent {
  readonly oldSubscription: PushSubscription | null;
}

interface BelfryMessageEvent extends BelfryWorkerEvent {
  readonly data: unknown;
  readonly ports: readonly MessagePort[];
}

interface BelfryWorker {
  /** A forum's own words and icon, set before this file is imported. */
  belfryWords?: (payload: BelfryPayload) => { title: string; body: string };
  belfryIcon?: string;
  readonly registration: ServiceWorkerRegistration;
  readonly clients: {
    matchAll(options: { type: "window"; includeUncontrolled: true }): Promise<BelfryPage[]>;
    openWindow(url: string): Promise<unknown>;
  };
  addEventListener(type: "push", listener: (event: BelfryPushEvent) => void): void;
  addEventListener(type: "notificationclick", listener: (event: BelfryClickEvent) => void): void;
  addEventListener(type: "pushsubscriptionchange", listener: (event: BelfryChangeEvent) => void): void;
  addEventListener(type: "message", listener: (event: BelfryMessageEvent) => void): void;
}
