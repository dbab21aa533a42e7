import { hash } from "node:crypto";
import type { AnnouncementView } from "../announcements/index.js";
import type { Inbox } from "../inbox/index.js";
import type { StreamName } from "../inbox/requests.js";
import type { StoredEntry } from "../stream/index.js";

/** Characters of the tag of a member's roles in an epoch: 48 bits, so that no two lists have one. */
const ROLES_TAG_LENGTH = 8;

/** How a stream looks to a member as of `seq`. */
export interface StreamSnapshot {
  epoch: string;
  seq: number;
  unread: number;
  items: unknown[];
  more: boolean;
}

/** How one of a member's streams is read: where it is stored, its wire form, and its state when there is no cursor to go on from. */
export interface MemberStream {
  name: StreamName;
  /** The stream's name in the store. */
  stream: string;
  /** The epoch of the stream as this member sees it. */
  epochOf(epoch: string): string;
  /** An entry that was stored just now, as JSON text. */
  encode(entry: StoredEntry): string;
  /** Entries read from the store as JSON texts, as they are to be seen now. */
  encodePage(entries: StoredEntry[]): Promise<string[]>;
  /** Resolves when everything up to `seq` can be counted. */
  prepare(seq: number): Promise<void>;
  snapshot(): Promise<StreamSnapshot>;
  /** Whether a snapshot, or an encoded page, still fits what the client has been given of other streams since it was made. */
  fits(made: StreamSnapshot | string[]): boolean;
  /** The member's count right after the entry `seq`, of which `unread` is stored. */
  unreadAt(unread: number, seq: number): number;
  /** The entry is given to the client. */
  given(entry: StoredEntry): void;
  /** Everything up to `seq` has been sent. */
  passed(seq: number): void;
  /** The client says that it has everything up to `seq`. */
  confirmed(seq: number): void;
}

/** The member's own stream. `onSettled` hears of what the client learns from it about announcements. */
export function inboxOf(user: string, inbox: Inbox, onSettled: (entry: StoredEntry) => void = () => {}): MemberStream {
  const stream = inbox.streamOf(user);
  return {
    name: "inbox",
    stream,
    epochOf: (epoch) => epoch,
    encode: (entry) => inbox.encode(stream, entry),
    encodePage: (entries) => inbox.encodePage(stream, entries),
    prepare: () => Promise.resolve(),
    snapshot: () => inbox.snapshot(user),
    fits: () => true,
    unreadAt: (unread) => unread,
    given(entry) {
      if (entry.kind === "dismissed" || entry.kind === "acknowledged") onSettled(entry);
    },
    passed() {},
    confirmed() {},
  };
}

/**
 * The stream that all members share, as one of them sees it. What they have settled comes to the client by their inbox, so that count and
 * snapshot are right only together with what it has been given of that.
 */
export class AnnouncementStream implements MemberStream {
  readonly name = "announcements";
  readonly stream = "announcements";
  #view: AnnouncementView | null = null;
  /** Entries given while a view is loaded; null otherwise. */
  #late: StoredEntry[] | null = null;
  /** Counts what the inbox has settled. */
  #settlings = 0;
  readonly #madeAt = new WeakMap<StreamSnapshot | string[], number>();

  /** Goes on with the view that `open` gives; to be called before anything else, and again when the member may see something else. */
  async load(open: () => Promise<AnnouncementView>): Promise<void> {
    const late: StoredEntry[] = [];
    this.#late = late;
    const view = await open();
    // What was given meanwhile may be newer than what was read.
    for (const entry of late) view.settledBy(entry);
    this.#view = view;
    this.#late = null;
  }

  get view(): AnnouncementView {
    if (this.#view === null) throw new Error("the announcements of a session are not loaded");
    return this.#view;
  }

  /** The client is given this entry of the member's inbox, `dismissed` or `acknowledged`. */
  settledBy(entry: StoredEntry): void {
    this.#settlings++;
    this.#view?.settledBy(entry);
    this.#late?.push(entry);
  }

  encode(entry: StoredEntry): string {
    return this.view.encode(entry);
  }

  async encodePage(entries: StoredEntry[]): Promise<string[]> {
    await this.view.prepare(entries.at(-1)?.seq ?? 0);
    const encoded = entries.map((entry) => this.view.encode(entry));
    this.#madeAt.set(encoded, this.#settlings);
    return encoded;
  }

  prepare(seq: number): Promise<void> {
    return this.view.prepare(seq);
  }

  /**
   * What a member sees depends on their roles. With others, entries before the cursor are not those that the client has: the history behind
   * its seqs is another one, and so is the epoch.
   */
  epochOf(epoch: string): string {
    const { roles } = this.view;
    if (roles.length === 0) return epoch;
    return `${epoch}.${hash("sha256", JSON.stringify(roles.toSorted()), "base64url").slice(0, ROLES_TAG_LENGTH)}`;
  }

  async snapshot(): Promise<StreamSnapshot> {
    const settlings = this.#settlings;
    const taken = await this.view.snapshot();
    const snapshot = { ...taken, epoch: this.epochOf(taken.epoch) };
    this.#madeAt.set(snapshot, settlings);
    return snapshot;
  }

  fits(made: StreamSnapshot | string[]): boolean {
    return this.#madeAt.get(made) === this.#settlings;
  }

  unreadAt(_unread: number, seq: number): number {
    return this.view.unreadAt(seq);
  }

  given(): void {}

  passed(seq: number): void {
    this.view.passed(seq);
  }

  confirmed(seq: number): void {
    this.view.confirmed(seq);
  }
}
