import type { StoredEntry } from "../stream/types.js";
import type { MemberFacts } from "./audience.js";
import { type Board, isNowFor } from "./board.js";
import type { Passings } from "./passings.js";
import { ANNOUNCEMENTS_STREAM, type AnnouncementLog } from "./records.js";
import type { AnnouncementStore, Settled } from "./types.js";
import {
  expiryOf,
  fullSettled,
  type PublicAnnouncement,
  type ReadEntry,
  readEntry,
  type SettledTimes,
  toPublic,
  toSettledTimes,
} from "./wire.js";

/** docs/PROTOCOL.md, `snapshot`. */
const SNAPSHOT_ITEMS = 50;

/** Announcements of which a session remembers that they are settled. Threat: a replay that brings all that a member ever dismissed. */
const MAX_SETTLED = 5_000;

/** An announcement in a snapshot. */
export type AnnouncementItem = PublicAnnouncement & SettledTimes;

export interface AnnouncementSnapshot {
  epoch: string;
  seq: number;
  unread: number;
  items: AnnouncementItem[];
  more: boolean;
}

/** What all views of a node share. */
export interface ViewParts {
  log: AnnouncementLog;
  store: AnnouncementStore;
  board: Board;
  passings: Passings;
  clock: () => number;
}

const UNSETTLED: Settled = { dismissedAt: null, acknowledgedAt: null };

/**
 * The announcements as one member sees them, for one session. Texts of entries are shared with all other views. `unreadAt` counts what the
 * session was shown and what the member had from before: it is right as long as the session sends what `encode` gives, in order.
 */
export class AnnouncementView {
  readonly stream = ANNOUNCEMENTS_STREAM;
  readonly #parts: ViewParts;
  readonly #member: MemberFacts;
  readonly #settled = new Map<string, Settled>();
  /** Live as of an entry that this session was sent, but hidden from it, as it was over by then. Such are not counted. */
  readonly #withheld = new Set<string>();
  /** The last entry that the session was shown as it is. */
  #shown = 0;
  /** Up to where the member was reached, as far as this session knows. */
  #reached: number;

  private constructor(parts: ViewParts, member: MemberFacts, reached: number) {
    this.#parts = parts;
    this.#member = member;
    this.#reached = reached;
  }

  /**
   * For a session that may go on after any entry up to `upTo`: of all announcements until there it is known what the member has settled.
   * `joinedAt` of the member: milliseconds. @throws what the store throws
   */
  static async open(parts: ViewParts, member: MemberFacts, upTo: number): Promise<AnnouncementView> {
    // A device that has the settling of an announcement and not yet the announcement is told of the first by nobody any more.
    await parts.board.reach(upTo);
    const view = new AnnouncementView(parts, member, await parts.passings.reachedBy(member.user));
    await view.#load();
    return view;
  }

  /** The roles that decide what the member sees. */
  get roles(): readonly string[] {
    return this.#member.roles;
  }

  /**
   * An entry as JSON text, as this member may see it now: hidden where it is not for them, or is over by now. One that they have settled
   * says so: a device that replays meets the settling, in the inbox, before the announcement.
   */
  encode(entry: StoredEntry): string {
    const read = readEntry(entry);
    if (!read.isFor(this.#member)) return read.hidden;
    if (read.announcement === null) return read.full;
    if (!this.#isShown(entry.seq, read)) {
      if (this.#parts.board.remembers(read.id)) this.#withheld.add(read.id);
      return read.hidden;
    }
    this.#withheld.delete(read.id);
    if (entry.seq > this.#shown) this.#shown = entry.seq;
    const settled = this.#settled.get(read.id);
    return settled === undefined ? read.full : fullSettled(read, settled);
  }

  /** Resolves once all that `encode` and `unreadAt` need to know up to `seq` is known. @throws what the store throws */
  prepare(seq: number): Promise<void> {
    return this.#parts.board.reach(seq);
  }

  /** What is live for the member, as of `seq`. Announcements appearing meanwhile have a later seq, and follow as entries. */
  async snapshot(): Promise<AnnouncementSnapshot> {
    const { log, board, clock } = this.#parts;
    const epoch = await log.epoch();
    await board.reach((await log.tail(this.stream)).head);
    await this.#load();
    // Nothing is awaited from here on, so that all is of one moment.
    const { seq } = board;
    const now = clock();
    this.#withheld.clear();
    const live = board.liveFor(this.#member).filter(({ announcement, expiresAt }) => {
      if (expiresAt <= now) this.#withheld.add(announcement.id);
      return expiresAt > now;
    });
    for (const posted of live) this.#shown = Math.max(this.#shown, posted.seq);
    const items = live.slice(0, SNAPSHOT_ITEMS).map(({ announcement }): AnnouncementItem => {
      return { ...toPublic(announcement), ...toSettledTimes(this.#settled.get(announcement.id) ?? UNSETTLED) };
    });
    return { epoch, seq, unread: this.unreadAt(seq), items, more: live.length > SNAPSHOT_ITEMS };
  }

  /** How many announcements the member has, after the entry `seq`, that they have not settled. */
  unreadAt(seq: number): number {
    return this.#count(seq, null);
  }

  /** The same as of now, as if they had settled this one too. */
  unreadWithout(id: string): number {
    return this.#count(this.#parts.board.seq, id);
  }

  /** The session was given this entry of the member's inbox; of all but `dismissed` and `acknowledged` nothing follows. */
  settledBy({ kind, own, at }: StoredEntry): void {
    if (kind !== "dismissed" && kind !== "acknowledged") return;
    const { announcement } = JSON.parse(own) as { announcement: string };
    this.#settle(announcement, { ...UNSETTLED, [`${kind}At`]: at });
  }

  /** Everything up to `seq` was sent to the member. Where something of it was new to them, they were reached. */
  passed(seq: number): void {
    if (this.#shown > this.#reached && seq > this.#reached) this.#pass(seq);
  }

  /** The client says that it has everything up to `seq`: this node, or another that died, has reached it, and may not have written so. */
  confirmed(seq: number): void {
    if (seq > this.#reached) this.#pass(seq);
  }

  /** Whether the member may settle it: whether it is live and for them. */
  has(id: string): boolean {
    const posted = this.#parts.board.find(id);
    return posted !== null && isNowFor(posted, this.#member) && posted.expiresAt > this.#parts.clock();
  }

  #pass(seq: number): void {
    this.#reached = seq;
    this.#parts.passings.reached(this.#member.user, seq);
  }

  #count(seq: number, settling: string | null): number {
    const isLeftOut = (id: string) => id === settling || this.#settled.has(id) || this.#withheld.has(id);
    return this.#parts.board.countAt(seq, this.#member, isLeftOut);
  }

  /** Of an entry that is newer than the board, the entry itself has the last word. */
  #isShown(seq: number, { id, announcement }: ReadEntry): boolean {
    if (seq <= this.#parts.board.seq) return this.has(id);
    return announcement !== null && expiryOf(announcement) > this.#parts.clock();
  }

  /** What the member has settled, on whichever device. */
  async #load(): Promise<void> {
    const { store, board } = this.#parts;
    const ids = board.ids();
    if (ids.length === 0) return;
    for (const [id, settled] of await store.settledOf(this.#member.user, ids)) this.#settle(id, settled);
  }

  #settle(id: string, { dismissedAt, acknowledgedAt }: Settled): void {
    const known = this.#settled.get(id) ?? UNSETTLED;
    this.#settled.set(id, {
      dismissedAt: known.dismissedAt ?? dismissedAt,
      acknowledgedAt: known.acknowledgedAt ?? acknowledgedAt,
    });
    if (this.#settled.size <= MAX_SETTLED) return;
    const [oldest] = this.#settled.keys();
    if (oldest !== undefined) this.#settled.delete(oldest);
  }
}
