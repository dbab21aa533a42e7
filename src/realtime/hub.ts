import { setImmediate as breath } from "node:timers/promises";
import type { Logger } from "pino";
import { ANNOUNCEMENTS_STREAM, type Announcements } from "../announcements/index.js";
import type { Presence } from "../presence/index.js";
import type { StoredEntry, StreamReader } from "../stream/index.js";
import type { Metrics } from "../telemetry/index.js";
import type { Feed } from "./feed.js";
import { DOUBT_MARGIN_MS, HEAD_CHECK_MS, HEADS_AT_ONCE } from "./limits.js";
import { SharedPackets } from "./packet.js";
import type { Session } from "./session.js";

export interface HubRooms {
  log: StreamReader;
  announcements: Pick<Announcements, "onEntry">;
  presence: Pick<Presence, "enter" | "leave">;
  deliveries: Metrics["deliveries"];
  logger: Logger;
}

/**
 * All sessions of this node, by member and by stream. Turns what the log appends into hints for the feeds that follow the stream, encodes
 * each entry once, and looks over all sessions once a second.
 */
export class Hub {
  readonly #log: StreamReader;
  readonly #presence: Pick<Presence, "enter" | "leave">;
  readonly #deliveries: Metrics["deliveries"];
  readonly #logger: Logger;
  readonly #byUser = new Map<string, Set<Session>>();
  readonly #byStream = new Map<string, Set<Feed>>();
  readonly #unsubscribe: Array<() => void>;
  #dirty: Feed[] = [];
  /** What each of those is given. */
  #given: StoredEntry[] = [];
  #sessions = 0;
  #checking = false;

  constructor({ log, announcements, presence, deliveries, logger }: HubRooms) {
    this.#log = log;
    this.#presence = presence;
    this.#deliveries = deliveries;
    this.#logger = logger;
    const ofMembers = log.subscribe(
      (stream, entry) => {
        if (stream !== ANNOUNCEMENTS_STREAM) this.#onMembersEntry(stream, entry);
      },
      (stream, seq) => {
        for (const feed of this.#byStream.get(stream) ?? []) feed.onHead(seq);
      },
    );
    // Those come from all nodes, and not before the room knows what they mean.
    const ofAll = announcements.onEntry((entry) => this.#onAnnouncement(entry));
    this.#unsubscribe = [ofMembers, ofAll];
  }

  /** Sessions on this node. */
  get sessions(): number {
    return this.#sessions;
  }

  /** Members with a session on this node. */
  get users(): number {
    return this.#byUser.size;
  }

  /** All of them. */
  *all(): Iterable<Session> {
    for (const sessions of this.#byUser.values()) yield* sessions;
  }

  sessionsOf(user: string): ReadonlySet<Session> {
    return this.#byUser.get(user) ?? new Set();
  }

  add(session: Session): void {
    this.#sessions++;
    addTo(this.#byUser, session.user, session);
    for (const feed of session.feeds) addTo(this.#byStream, feed.source.stream, feed);
    session.nextHeadCheck = nextCheck();
    this.#presence.enter(session.user);
    // Not before others can have heard of it: what they say of a time is then at most of this one.
    session.startedAt = Date.now();
  }

  remove(session: Session): void {
    if (!removeFrom(this.#byUser, session.user, session)) return;
    this.#sessions--;
    for (const feed of session.feeds) removeFrom(this.#byStream, feed.source.stream, feed);
    this.#presence.leave(session.user);
  }

  close(): void {
    for (const stop of this.#unsubscribe) stop();
  }

  /** Hints may have been lost: sessions that began at or after `since` (milliseconds since the Unix epoch; 0: all) look at the store now. */
  doubt(since: number): void {
    for (const session of this.all()) if (session.startedAt >= since - DOUBT_MARGIN_MS) session.nextHeadCheck = 0;
    void this.#checkHeads();
  }

  /** What time brings; to be called about once a second. */
  sweep(now: number): void {
    for (const session of this.all()) session.sweep(now);
    void this.#checkHeads();
  }

  /** What is said to all is seldom and goes to many: it goes in one pass, and one packet serves all who are given the same. */
  #onAnnouncement(entry: StoredEntry): void {
    const shared = new SharedPackets();
    const feeds: Feed[] = [];
    for (const feed of this.#byStream.get(ANNOUNCEMENTS_STREAM) ?? []) {
      if (!feed.takes(entry.seq)) continue;
      feed.give(entry, shared);
      feeds.push(feed);
    }
    this.#deliveries.live(feeds, new Array<StoredEntry>(feeds.length).fill(entry));
  }

  /** All devices of a member are given the same text. */
  #onMembersEntry(stream: string, entry: StoredEntry): void {
    const feeds = this.#byStream.get(stream);
    if (feeds === undefined) return;
    let encoded: string | undefined;
    for (const feed of feeds) {
      if (!feed.takes(entry.seq)) continue;
      encoded ??= feed.source.encode(entry);
      feed.push(entry, encoded);
      // All entries of one committed batch come in one turn, so a session gets its share of them as one packet.
      if (this.#dirty.length === 0) queueMicrotask(() => this.#flush());
      this.#dirty.push(feed);
      this.#given.push(entry);
    }
  }

  #flush(): void {
    const [dirty, given] = [this.#dirty, this.#given];
    this.#dirty = [];
    this.#given = [];
    for (const feed of dirty) feed.flush();
    this.#deliveries.live(dirty, given);
  }

  /**
   * The store is the truth: a session whose hint was lost finds out here. One pass at a time; who becomes due during one has another after
   * it.
   */
  async #checkHeads(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    let due = this.#due();
    try {
      for (; due.length > 0; due = this.#due()) {
        while (due.length > 0) {
          await this.#compare(due.splice(0, HEADS_AT_ONCE));
          await breath();
        }
      }
    } catch (err) {
      this.#logger.warn({ err }, "the heads of connected members' streams could not be read; the next sweep tries again");
    } finally {
      this.#checking = false;
    }
  }

  #due(): Session[] {
    const now = Date.now();
    return [...this.all()].filter((session) => session.nextHeadCheck <= now);
  }

  async #compare(sessions: Session[]): Promise<void> {
    // Before the read: a doubt that is raised meanwhile makes them due again.
    for (const session of sessions) session.nextHeadCheck = nextCheck();
    const feeds = sessions.flatMap((session) => session.feeds);
    try {
      const heads = await this.#log.headsAfter(leastSent(feeds));
      for (const feed of feeds) feed.onHead(heads.get(feed.source.stream) ?? 0);
    } catch (error) {
      for (const session of sessions) session.nextHeadCheck = 0;
      throw error;
    }
  }
}

/** Of each stream, the last seq that all of its feeds have given. */
function leastSent(feeds: Feed[]): Map<string, number> {
  const sent = new Map<string, number>();
  for (const feed of feeds) {
    const { stream } = feed.source;
    sent.set(stream, Math.min(feed.sent, sent.get(stream) ?? feed.sent));
  }
  return sent;
}

/** Spread, so that a wave of connections, or a doubt about all, does not become a wave of checks. Milliseconds since the Unix epoch. */
function nextCheck(): number {
  return Date.now() + HEAD_CHECK_MS * (0.5 + Math.random() / 2);
}

function addTo<V>(map: Map<string, Set<V>>, key: string, value: V): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([value]));
  else set.add(value);
}

function removeFrom<V>(map: Map<string, Set<V>>, key: string, value: V): boolean {
  const set = map.get(key);
  const had = set?.delete(value) ?? false;
  if (set?.size === 0) map.delete(key);
  return had;
}
