import { type Inbox, isoTime, type Snapshot } from "../inbox/index.js";
import type { StreamName } from "../inbox/requests.js";
import type { StoredEntry, StreamReader } from "../stream/index.js";

/** How one of a member's streams is read: where it is stored, its wire form, and its state when there is no cursor to go on from. */
export interface MemberStream {
  name: StreamName;
  /** The stream's name in the store. */
  stream: string;
  /** An entry as JSON text. */
  encode(entry: StoredEntry): string;
  snapshot(): Promise<Snapshot>;
}

/** The member's own stream. */
export function inboxOf(user: string, inbox: Inbox): MemberStream {
  const stream = inbox.streamOf(user);
  return { name: "inbox", stream, encode: (entry) => inbox.encode(stream, entry), snapshot: () => inbox.snapshot(user) };
}

/** The stream that all members share. Its entries carry no counter, so that one encoding serves all; nothing writes to it yet. */
export function announcementsOf(log: StreamReader): MemberStream {
  return {
    name: "announcements",
    stream: "announcements",
    encode: ({ seq, at, kind, own }) => `{"seq":${seq},"at":"${isoTime(at)}","kind":"${kind}","data":${own}}`,
    async snapshot() {
      const [epoch, tail] = await Promise.all([log.epoch(), log.tail("announcements")]);
      return { epoch, seq: tail.head, unread: 0, items: [], more: false };
    },
  };
}
