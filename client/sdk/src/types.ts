import type { Socket } from "socket.io-client";

/**
 * The public face of the SDK. Times are RFC 3339 strings in UTC by the service's clock, unless said otherwise; what is `readonly` is never
 * changed in place: a slice is the same reference until what it tells has changed, so it can be compared by `===`.
 */

/** Who did something; `id` is `system` where a server told the member without naming anybody. Text and addresses are somebody else's. */
export interface Actor {
  readonly id: string;
  readonly name?: string | null;
  readonly avatar?: string | null;
}

/**
 * What the member is told. `text`, names and titles are plain text from somebody else's keyboard: show them as text. Pass addresses through
 * `webAddress` before they become links.
 */
export interface Notification {
  /** Opaque. */
  readonly id: string;
  /** Orders notifications; the newest has the highest. */
  readonly seq: number;
  /** Why this member is told; `(string & {})`: later versions may have others. */
  readonly reason: "mention" | "reply" | "quote" | "comment" | "watching" | "direct" | (string & {});
  /** `comment`, `thread`, `message`, `task`, or what the sender has set. */
  readonly type: string;
  readonly actor?: Actor | null;
  readonly thread?: { readonly id: string; readonly title?: string | null; readonly url?: string | null } | null;
  readonly comment?: { readonly id: string; readonly url?: string | null } | null;
  readonly text?: string | null;
  readonly url?: string | null;
  readonly data?: Readonly<Record<string, unknown>> | null;
  /** When it happened, by the sender's clock. */
  readonly createdAt: string;
  readonly readAt: string | null;
  readonly archivedAt: string | null;
}

/** Which notifications: `all` leaves the archived out. */
export type Filter = "all" | "unread" | "archived";

/** A list that follows what happens, as far as it was loaded. */
export interface View {
  /** Newest first, without a gap from the newest to the last one. */
  readonly items: readonly Notification[];
  /** Whether the service has older ones: `more(filter)` gets them. */
  readonly more: boolean;
}

/** What a moderator or a server tells everybody, or a part of everybody. */
export interface Announcement {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly url?: string | null;
  readonly level: "info" | "warning" | "critical" | (string & {});
  readonly startsAt?: string | null;
  readonly expiresAt?: string | null;
  readonly dismissible: boolean;
  /** Stays until it is acknowledged. */
  readonly mandatory: boolean;
  readonly createdAt: string;
  readonly dismissedAt: string | null;
  readonly acknowledgedAt: string | null;
  /** What the member may do about it now: `dismiss(id)`, `acknowledge(id)`, or nothing: it stays until it ends. */
  readonly ask: "dismiss" | "acknowledge" | null;
}

/** Something that takes long. The newest report counts. */
export interface Task {
  readonly task: string;
  readonly state: "running" | "completed" | "failed";
  readonly title?: string | null;
  readonly step?: string | null;
  /** 0 to 100; without it nobody knows how far it is. */
  readonly percent?: number | null;
  readonly text?: string | null;
  readonly url?: string | null;
  readonly at: string;
}

/** How the connection is. Show `message` to the member where there is one; branch on `is` and `code`. */
export interface Status {
  /**
   * `connecting`: the first attempt. `online`: there is a session. `offline`: there is none now, and it is tried again by itself.
   * `stopped`: it is not tried again, see `code`; `reconnect()` tries once more.
   */
  readonly is: "connecting" | "online" | "offline" | "stopped";
  /**
   * Why it is not online: a code of the protocol (`banned`, `kicked`, `replaced`, `unauthorized`, `token_expired`, `overloaded`, `draining`,
   * `origin_denied` …), or one of the SDK: `unreachable` (no answer), `incompatible` (what answers is no Belfry of this protocol),
   * `no_token` (the `token` function failed), `bad_url`, `closed` (by `close()`).
   */
  readonly code?: string;
  /** In English, for people. From the service where it said something, else the SDK's. */
  readonly message?: string;
  /** Since when it `is` so: milliseconds since 1970 by this device's clock. */
  readonly since: number;
  /** Whether everything that the service had when this connection began is here. */
  readonly synced: boolean;
  /** When it is tried again, while offline: milliseconds since 1970 by this device's clock. */
  readonly retryAt?: number;
}

/** A notification that has just come, and is neither read nor taken back. */
export interface Arrival {
  readonly notification: Notification;
  /** True in one tab of a browser: the one that shows the toast and plays the sound. True where there are no tabs. */
  readonly loud: boolean;
  /** It came while this device was away, and is told now. */
  readonly missed: boolean;
}

/**
 * Where the state of a member is kept between visits: a few keys, each a text. May throw or reject: then nothing is kept, and
 * `onWarning` is told once. `localStorage` fits, and so does React Native's AsyncStorage.
 */
export interface Storage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

export interface ConnectOptions {
  /** The service, such as `https://notify.example`. A path before `/socket.io/` may follow. Empty: the page's own origin. */
  url: string;
  /**
   * A JWT for this member, or what gives one. A function is asked again before the token expires, and may throw or reject while it cannot:
   * it is asked again later. With a text the session ends when the token does.
   */
  token: string | (() => string | Promise<string>);
  /** The member's id, if known: then what was stored is shown before the first token is there. Else the token's `sub`. */
  user?: string;
  /** Where to keep state, cursor and queue; null keeps nothing. Default: `localStorage` where there is one. */
  storage?: Storage | null;
  /** Told, for the developer, what does not stop the work: storage that cannot be used, an action of an earlier visit that was refused. Default: `console.warn`. */
  onWarning?: (message: string) => void;
}

/** How closely a member follows a thread, a tag, a category or everything. */
export interface WatchLevel {
  readonly scope: "thread" | "tag" | "category" | "all";
  /** Of the thread, tag or category; none for `all`. */
  readonly id?: string | null;
  readonly level: "watching" | "normal" | "muted";
  readonly until?: string | null;
}

/** A message from this member to another. */
export interface Message {
  /** The receiver's id. */
  readonly to: string;
  /** 1 to 4,000 characters. */
  readonly text: string;
  /** Up to 8 KiB of JSON. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Makes a repeat safe: the same key is the same message. Given by the SDK where there is none. */
  readonly key?: string;
}

/** A value of a live board. */
export interface BoardValue {
  readonly topic: string;
  readonly seq: number;
  readonly at: string;
  readonly data: unknown;
}

/** The connection as it is now, for other namespaces of the service to share it. */
export interface Session {
  /** Of `/notifications`. Others: `socket.io.socket("/live", { auth: { token } })`. */
  readonly socket: Socket;
  /** The member's token. */
  readonly token: string;
  /** The same connection as before, with a newer token: open namespaces want to be told, by `refresh`. */
  readonly isRenewed: boolean;
}

/** Live boards (`belfry-client/boards`): values that move, of which the newest counts. */
export interface Boards {
  /**
   * Follows topics until the function that is returned is called. The listener gets each topic's latest value, then newer ones; after a
   * reconnect the latest again. `onRefused` is told if the service does not let this member join.
   */
  join(topics: readonly string[], listener: (value: BoardValue) => void, onRefused?: (refusal: RefusalFacts) => void): () => void;
  /** Told how many members are online, at most once a second; null while nobody knows. Returns what ends it. */
  onOnline(listener: (users: number | null) => void): () => void;
}

/** What the service said instead of doing something. */
export interface RefusalFacts {
  /** A code of the protocol (`not_found`, `muted`, `forbidden`, `rate_limited` …) or `offline`, `queue_full`, `closed` of the SDK. */
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/**
 * A member's notifications as a store. Getters give the present slice; `subscribe` tells of changes. All actions show at once, are sent when
 * there is a connection (also after a reload, where there is storage), and are taken back if the service refuses them: then the promise
 * rejects with a `BelfryRefusal`. A promise stays open while the device is offline. Nobody needs to wait for it, or to catch it.
 */
export interface Belfry {
  /** The member's id; null until a token or the service has told it. */
  readonly user: string | null;
  /** The items of `view("all")`. */
  readonly notifications: readonly Notification[];
  /** For the badge: both numbers below. */
  readonly unread: number;
  readonly unreadNotifications: number;
  readonly unreadAnnouncements: number;
  /**
   * What stands on the screen now, newest first: neither settled (a mandatory one until it is acknowledged) nor over, as far as the service
   * has said. Offline nobody says so: leave out what is past its `expiresAt` then.
   */
  readonly announcements: readonly Announcement[];
  /** Running tasks, the one known longest first. */
  readonly tasks: readonly Task[];
  readonly status: Status;
  /** Actions that wait to be sent or answered, of this tab. */
  readonly pending: number;

  /** Called after a change, at most once a microtask however much has changed. Returns what ends it. A listener that throws hurts nobody else. */
  subscribe(listener: () => void): () => void;
  /** Called for each notification that comes, oldest first. Returns what ends it. */
  onArrival(listener: (arrival: Arrival) => void): () => void;

  /** Called with the session that is there, and with each new one; null when it is gone. Returns what ends it. */
  onSession(listener: (session: Session | null) => void): () => void;

  /** A list that follows what happens. `unread` and `archived` begin with what is known; call `more` to have them from the service. */
  view(filter: Filter): View;
  /**
   * Gets older ones into the view of `filter` (default `all`), up to `limit` (1 to 100, default 50). True if there are still more.
   * Calls while one is on its way share it. Rejects with `offline` where there is no connection.
   */
  more(filter?: Filter, limit?: number): Promise<boolean>;
  /** A task, running or ended, as far as it is known; null if not. */
  task(id: string): Task | null;

  read(ids: string | readonly string[]): Promise<void>;
  /** Marks unread; brings back from the archive too. */
  markUnread(ids: string | readonly string[]): Promise<void>;
  /** Archives; reads too. */
  archive(ids: string | readonly string[]): Promise<void>;
  unarchive(ids: string | readonly string[]): Promise<void>;
  /** Reads everything that is here now; what comes later stays unread. */
  readAll(): Promise<void>;
  /** Says that the member has laid eyes on all that is here now: call it when a panel opens. Changes no count. */
  seen(): Promise<void>;
  dismiss(announcement: string): Promise<void>;
  acknowledge(announcement: string): Promise<void>;
  /** Tells another member something. Resolves when it is stored. */
  send(message: Message): Promise<{ readonly id: string }>;
  level(level: WatchLevel): Promise<WatchLevel>;
  block(user: string): Promise<void>;
  unblock(user: string): Promise<void>;

  /** Tries to connect now: instead of waiting, or after `stopped`. Asks the `token` function for a fresh token. */
  reconnect(): void;
  /**
   * Leaves for good; what waits stays in storage for the next visit, and its promises reject with `closed`. With `forget`, when the member
   * signs out, what is stored of them is removed too, what waits is given up, and their other tabs leave the same way, as far as tabs know of
   * each other (see the README).
   */
  close(options?: { forget?: boolean }): void;
}
