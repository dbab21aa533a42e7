import type { Logger } from "pino";
import { ANNOUNCEMENTS_STREAM, type Announcements } from "../announcements/index.js";
import type { Presence } from "../presence/index.js";
import type { StoredEntry, StreamReader } from "../stream/index.js";
import type { Feed } from "./feed.js";
import { HEAD_CHECK_MS } from "./limits.js";
import { draining } from "./outlet.js";
import { SharedPackets } from "./packet.js";
import type { Session } from "./session.js";

export interface HubRooms {
  log: StreamReader;
  announcements: Pick<Announcements, "onEntry">;
  presence: Pick<Presence, "enter" | "leave">;
  logger: Logger;
}

/**
 * All sessions of this node, by member and by stream. Turns what the log appends into hints for the feeds that follow the stream, encodes
 * each entry once, and looks over all sessions once a second.
 */
export class Hub {
  readonly #log: StreamReader;
  readonly #presence: Pick<Presence, "enter" | "leave">;
  readonly #logger: Logger;
  readonly #byUser = new Map<string, Set<Session>>();
  readonly #byStream = new Map<string, Set<Feed>>();
  readonly #unsubscribe: Array<() => void>;
  #dirty: Feed[] = [];
  #sessions = 0;
  #checking = false;

  constructor({ log, announcements, presence, logger }: HubRooms) {
    this.#log = log;
    this.#presence = presence;
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

  sessionsOf(user: string): ReadonlySet<Session> {
    return this.#byUser.get(user) ?? new Set();
  }

  add(session: Session): void {
    this.#sessions++;
    addTo(this.#byUser, session.user, session);
    for (const feed of session.feeds) addTo(this.#byStream, feed.source.stream, feed);
    // Spread over the interval, so that a wave of connections does not become a wave of checks.
    session.nextHeadCheck = Date.now() + HEAD_CHECK_MS * (0.5 + Math.random() / 2);
    this.#presence.enter(session.user);
  }

  remove(session: Session): void {
    if (!removeFrom(this.#byUser, session.user, session)) return;
    this.#sessions--;
    for (const feed of session.feeds) removeFrom(this.#byStream, feed.source.stream, feed);
    this.#presence.leave(session.user);
  }

  /** Tells every session to come back elsewhere, at a moment of its own. */
  drain(): void {
    for (const session of this.#all()) session.end(draining());
  }

  close(): void {
    for (const stop of this.#unsubscribe) stop();
  }

  /** What time brings; to be called about once a second. */
  sweep(now: number): void {
    const due: Session[] = [];
    for (const session of this.#all()) {
      session.sweep(now);
      if (session.nextHeadCheck <= now) due.push(session);
    }
    if (due.length > 0 && !this.#checking) void this.#checkHeads(due);
  }

  /** What is said to all is seldom and goes to many: it goes in one pass, and one packet serves all who are given the same. */
  #onAnnouncement(entry: StoredEntry): void {
    const shared = new SharedPackets();
    for (const feed of this.#byStream.get(ANNOUNCEMENTS_STREAM) ?? []) if (feed.takes(entry.seq)) feed.give(entry, shared);
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
    }
  }

  #flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const feed of dirty) feed.flush();
  }

  /** The store is the truth: a session whose hint was lost finds out here. */
  async #checkHeads(sessions: Session[]): Promise<void> {
    this.#checking = true;
    const feeds = sessions.flatMap((session) => session.feeds);
    try {
      const tails = await this.#log.tails([...new Set(feeds.map((feed) => feed.source.stream))]);
      for (const feed of feeds) feed.onHead(tails.get(feed.source.stream)?.head ?? 0);
      for (const session of sessions) session.nextHeadCheck = Date.now() + HEAD_CHECK_MS;
    } catch (err) {
      this.#logger.warn({ err }, "the heads of connected members' streams could not be read; the next sweep tries again");
    } finally {
      this.#checking = false;
    }
  }

  *#all(): Iterable<Session> {
    for (const sessions of this.#byUser.values()) yield* sessions;
  }
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
