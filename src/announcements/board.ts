import { isDeepStrictEqual } from "node:util";
import { Follower, type StreamReader } from "../stream/index.js";
import type { StoredEntry } from "../stream/types.js";
import { type AudienceTest, audienceTest, type MemberFacts } from "./audience.js";
import { ANNOUNCEMENTS_STREAM } from "./records.js";
import type { Announcement, AnnouncementRecord } from "./types.js";
import { expiryOf, readEntry } from "./wire.js";

/**
 * Entries of the stream for which the past is kept: of so many, the board can still say who had what. Threat: memory, of announcements that
 * come and go for ever. A session that is further behind gets its number when it has caught up.
 */
const KEPT_ENTRIES = 1_000;

/** From the entry `from` on, the announcement is for these. */
interface Period {
  from: number;
  isFor: AudienceTest;
}

/** An announcement on the board. */
export interface Posted {
  /** As it is now, or was last. */
  announcement: Announcement;
  /** The entry that brought it. */
  seq: number;
  /** Milliseconds, or infinity. */
  expiresAt: number;
  /** Ascending; the last one is of now. */
  periods: [Period, ...Period[]];
  /** The entry that took it away; null while it is live. */
  until: number | null;
}

export interface BoardOptions {
  log: StreamReader;
  /** Hears of each announcement that appears or changes, and of each that goes. */
  onPosted: (announcement: Announcement) => void;
  onGone: (id: string) => void;
  /** Hears of each entry, when the board knows it. */
  onEntry: (entry: StoredEntry) => void;
  onError: (error: unknown) => void;
}

/**
 * All live announcements in memory, as of the entry `seq`, whichever node has written them; for the last entries also how they were, so
 * that a count is exact as of any of them.
 */
export class Board {
  readonly #options: BoardOptions;
  readonly #follower: Follower;
  /** By id, in the order in which they appeared. */
  readonly #posted = new Map<string, Posted>();

  constructor(options: BoardOptions) {
    this.#options = options;
    this.#follower = new Follower({
      log: options.log,
      stream: ANNOUNCEMENTS_STREAM,
      onEntry: (entry) => this.#onEntry(entry),
      onError: options.onError,
    });
  }

  /** The last entry that the board knows. */
  get seq(): number {
    return this.#follower.seq;
  }

  /** Begins with the live records; `seq` is the stream's head as it was before they were read. */
  start(seq: number, live: AnnouncementRecord[]): void {
    for (const record of live.toSorted((one, other) => (one.seq ?? 0) - (other.seq ?? 0))) {
      this.#post(record.announcement, record.seq ?? 0);
    }
    this.#follower.start(seq);
  }

  stop(): Promise<void> {
    return this.#follower.stop();
  }

  /** Resolves once the board knows everything up to `seq`. @throws what the store throws */
  reach(seq: number): Promise<void> {
    return this.#follower.reach(seq);
  }

  /** The announcement where it is live. */
  find(id: string): Posted | null {
    const posted = this.#posted.get(id);
    return posted === undefined || posted.until !== null ? null : posted;
  }

  /** Whether the board knows of it, be it live or gone not long ago. */
  remembers(id: string): boolean {
    return this.#posted.has(id);
  }

  /** Ids of all that the board knows of, live and gone not long ago. */
  ids(): string[] {
    return [...this.#posted.keys()];
  }

  /** What is live for a member, newest first. */
  liveFor(member: MemberFacts): Posted[] {
    const live: Posted[] = [];
    for (const posted of this.#posted.values()) {
      if (posted.until === null && isNowFor(posted, member)) live.push(posted);
    }
    return live.reverse();
  }

  /** How many announcements a member had right after the entry `seq`, without those for which `isLeftOut` says so. */
  countAt(seq: number, member: MemberFacts, isLeftOut: (id: string) => boolean): number {
    let count = 0;
    for (const [id, { until, periods }] of this.#posted) {
      if (until !== null && until <= seq) continue;
      const period = periods.findLast(({ from }) => from <= seq);
      if (period?.isFor(member) === true && !isLeftOut(id)) count++;
    }
    return count;
  }

  #onEntry(entry: StoredEntry): void {
    const { id, announcement } = readEntry(entry);
    if (announcement !== null) {
      this.#post(announcement, entry.seq);
      this.#options.onPosted(announcement);
    } else {
      const posted = this.#posted.get(id);
      if (posted !== undefined) posted.until = entry.seq;
      this.#options.onGone(id);
    }
    this.#forget(entry.seq - KEPT_ENTRIES);
    this.#options.onEntry(entry);
  }

  #post(announcement: Announcement, seq: number): void {
    const { id, audience } = announcement;
    const expiresAt = expiryOf(announcement);
    const known = this.#posted.get(id);
    if (known === undefined) {
      this.#posted.set(id, { announcement, seq, expiresAt, periods: [{ from: seq, isFor: audienceTest(audience) }], until: null });
      return;
    }
    if (!isDeepStrictEqual(audience, known.announcement.audience)) known.periods.push({ from: seq, isFor: audienceTest(audience) });
    known.announcement = announcement;
    known.expiresAt = expiresAt;
  }

  /** What was over by the entry `floor` is asked for no more. */
  #forget(floor: number): void {
    for (const [id, { until, periods }] of this.#posted) {
      if (until !== null && until <= floor) this.#posted.delete(id);
      while (periods[1] !== undefined && periods[1].from <= floor) periods.shift();
    }
  }
}

/** Whether it is for this member as it is now. */
export function isNowFor({ periods }: Posted, member: MemberFacts): boolean {
  return periods.at(-1)?.isFor(member) === true;
}
