import type { Actor, Announcement, Notification, Task } from "./types.js";

/** What travels, as docs/PROTOCOL.md has it; only what the SDK looks at. */
export type StreamName = "inbox" | "announcements";

export interface Cursor {
  readonly epoch: string;
  readonly seq: number;
}

/** What has happened. Which of `data` is there depends on `kind`. */
export interface Entry {
  readonly seq: number;
  readonly at: string;
  readonly kind: string;
  readonly unread?: number;
  readonly data: {
    readonly [field: string]: unknown;
    readonly id?: string;
    readonly ids?: readonly string[];
    readonly upTo?: number;
    readonly announcement?: string;
  };
}

/** An announcement as it travels: nothing is said of what the member has not done. */
export type WireAnnouncement = Omit<Announcement, "dismissedAt" | "acknowledgedAt" | "ask"> & Settled & { readonly hidden?: boolean };

/** What the member has done about an announcement. */
export interface Settled {
  readonly dismissedAt?: string | null;
  readonly acknowledgedAt?: string | null;
}

export type Progress = Task & { readonly actor?: Actor };

export interface Welcome {
  readonly type: "welcome";
  readonly user: string;
  readonly serverTime: string;
  readonly streams: { readonly [stream in StreamName]?: { readonly resume: "exact" | "snapshot" | "reset" } };
}

export interface Entries {
  readonly type: "entries";
  readonly stream: StreamName;
  readonly epoch: string;
  readonly entries: readonly Entry[];
}

interface SnapshotOf<Name extends StreamName, Item> extends Cursor {
  readonly type: "snapshot";
  readonly stream: Name;
  readonly unread: number;
  readonly items: readonly Item[];
  readonly more: boolean;
}

/** What changes what is known. `offline`: the connection is gone. */
export type StreamEvent =
  | Welcome
  | Entries
  | SnapshotOf<"inbox", Notification>
  | SnapshotOf<"announcements", WireAnnouncement>
  | ({ readonly type: "synced"; readonly stream: StreamName; readonly unread: number } & Cursor)
  | ({ readonly type: "progress" } & Progress)
  | { readonly type: "offline" };
