import { hash, randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { BelfryError } from "../errors.js";
import { isoTime } from "../inbox/index.js";
import type { StoredEntry, Tail } from "../stream/types.js";
import { type MemberDirectory, type MemberFacts, requireAudience } from "./audience.js";
import { Board } from "./board.js";
import { Passings } from "./passings.js";
import { ANNOUNCEMENTS_STREAM, type AnnouncementLog, Records } from "./records.js";
import { type Report, type ReportRow, reportOf, rowsOf } from "./report.js";
import { amend, type Content, checkTimes, type Patch, parseAnnouncement, parsePatch, parseRescission } from "./requests.js";
import { Schedule } from "./schedule.js";
import { type SettleVerb, settle } from "./settle.js";
import type { Announcement, AnnouncementRecord, AnnouncementState, AnnouncementStore } from "./types.js";
import { AnnouncementView } from "./view.js";
import { expiryOf } from "./wire.js";

/** Announcements that are scheduled or live at once. Threat: a board that fills the memory of every node and the screens of all members. */
const MAX_CURRENT = 1_000;

/** How often is looked for what is due, and watermarks are written. Milliseconds. */
const TICK_MS = 1_000;

const ID_PREFIX = "a-";

/** 72 bits by chance, 96 bits of a key's hash: an id is neither guessed nor met by another key. */
const ID_BYTES = 9;
const KEY_ID_LENGTH = 16;

/** Called right before something is stored, so that an act stands in the audit log before its effect. */
export type RecordAct = (id: string, why?: string) => Promise<void>;

/** An announcement as its authors see it, and what has become of it. */
export type Shown = Announcement & { state: AnnouncementState; rescindedAt?: string; why?: string };

export interface AnnouncementsOptions {
  log: AnnouncementLog;
  store: AnnouncementStore;
  members: MemberDirectory;
  /** Names a member's own stream. */
  inbox: { streamOf(user: string): string };
  clock?: () => number;
  /** Whether this node brings what is scheduled, now; another does where it is not. */
  isMine?: () => boolean;
  onError: (error: unknown) => void;
}

/** What is said to all, or to many: one entry of a stream that all share, and what each member makes of it. Errors: `unavailable` besides. */
export class Announcements {
  readonly #log: AnnouncementLog;
  readonly #store: AnnouncementStore;
  readonly #members: MemberDirectory;
  readonly #inbox: AnnouncementsOptions["inbox"];
  readonly #clock: () => number;
  readonly #onError: (error: unknown) => void;
  readonly #records: Records;
  readonly #board: Board;
  readonly #schedule: Schedule;
  readonly #passings: Passings;
  readonly #listeners = new Set<(entry: StoredEntry) => void>();
  #timer: NodeJS.Timeout | null = null;
  #ticks: Promise<void> = Promise.resolve();
  #ticking = false;

  constructor(options: AnnouncementsOptions) {
    const { log, store, members, inbox, clock = Date.now, isMine = () => true, onError } = options;
    this.#log = log;
    this.#store = store;
    this.#members = members;
    this.#inbox = inbox;
    this.#clock = clock;
    this.#onError = onError;
    this.#records = new Records(log, store);
    this.#passings = new Passings(store, clock);
    this.#schedule = new Schedule({ records: this.#records, store, clock, isMine, onError });
    this.#board = new Board({
      log,
      onPosted: (announcement) => this.#schedule.noteLive(announcement.id, expiryOf(announcement)),
      onGone: (id) => this.#schedule.drop(id),
      onEntry: (entry) => {
        for (const listener of this.#listeners) listener(entry);
      },
      onError,
    });
  }

  /** Reads what is there, and does what has become due meanwhile. @throws what the store throws */
  async start(): Promise<void> {
    const { head } = await this.#log.tail(ANNOUNCEMENTS_STREAM);
    const current = await this.#store.current();
    this.#board.start(
      head,
      current.filter(({ state }) => state === "live"),
    );
    // What was written between the two reads is known before anybody asks.
    await this.#board.reach((await this.#log.tail(ANNOUNCEMENTS_STREAM)).head);
    await this.tick();
    this.#timer = setInterval(() => {
      if (!this.#ticking) void this.tick();
    }, TICK_MS);
  }

  /** Writes what waits. The log must be open still. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#ticks;
    await this.#passings.flush().catch(this.#onError);
    await this.#board.stop();
  }

  /** Does what is due and writes watermarks; runs every second by itself. */
  tick(): Promise<void> {
    this.#ticks = this.#ticks.then(async () => {
      this.#ticking = true;
      await this.#schedule.run();
      await this.#passings.flush().catch(this.#onError);
      this.#ticking = false;
    });
    return this.#ticks;
  }

  /** Announces, now or at `startsAt`. A repeat of a `key` changes nothing and is answered as the first time, with `created` false. */
  async announce(by: string, payload: unknown, record: RecordAct): Promise<{ announcement: Announcement; created: boolean }> {
    const now = this.#clock();
    const { content, key } = parseAnnouncement(payload);
    const id =
      ID_PREFIX + (key === null ? randomBytes(ID_BYTES).toString("base64url") : hash("sha256", key, "base64url").slice(0, KEY_ID_LENGTH));
    const known = key === null ? null : await this.#store.find(id);
    if (known !== null) return { announcement: known.announcement, created: false };
    checkTimes(content, now, true);
    await requireAudience(content.audience, this.#members, now);
    if (this.#schedule.size >= MAX_CURRENT) {
      throw new BelfryError("bad_request", `There are ${MAX_CURRENT} announcements already; rescind one first.`);
    }
    const announcement: Announcement = { id, ...content, createdAt: isoTime(now), by };
    const wanted = placed({ id, revision: 1, createdAt: now, endedAt: null, why: null, seq: null, state: "scheduled" }, announcement, now);
    const { record: stored, changed } = await this.#records.change(
      id,
      (old) => (old === null ? wanted : null),
      () => record(id),
    );
    if (stored === null) throw notFound(id);
    this.#schedule.note(stored);
    return { announcement: stored.announcement, created: changed };
  }

  /**
   * Changes the given fields; null takes an optional one away. One that is scheduled appears when its new `startsAt` says; of one that is
   * live it stays. `by` is the author's still. @throws BelfryError `not_found` for one that has ended
   */
  async edit(id: string, _by: string, payload: unknown, record: RecordAct): Promise<Announcement> {
    const patch = parsePatch(payload);
    const present = this.#requireOpen(await this.#store.find(id), id);
    if (patch.audience && !isDeepStrictEqual(patch.audience, present.announcement.audience)) {
      await requireAudience(patch.audience, this.#members, this.#clock());
    }
    const { record: stored } = await this.#records.change(
      id,
      (old) => this.#amended(this.#requireOpen(old, id), patch),
      () => record(id),
    );
    if (stored === null) throw notFound(id);
    this.#schedule.note(stored);
    return stored.announcement;
  }

  /** Takes one back; `{ why? }`. @throws BelfryError `not_found` for one that has ended */
  async rescind(id: string, _by: string, payload: unknown, record: RecordAct): Promise<Shown> {
    const given = parseRescission(payload);
    const why = given ?? "rescinded";
    const endedAt = this.#clock();
    const { record: stored } = await this.#records.change(
      id,
      (old) => {
        const open = this.#requireOpen(old, id);
        return { ...open, revision: open.revision + 1, state: "rescinded", endedAt, why };
      },
      () => (given === null ? record(id) : record(id, given)),
    );
    this.#schedule.drop(id);
    return toShown(stored ?? raise(notFound(id)));
  }

  /** @throws BelfryError `not_found` */
  async get(id: string): Promise<Shown> {
    return toShown(await this.#find(id));
  }

  /** Newest first, those that have ended too; the page after the announcement `before`. @throws BelfryError `not_found` */
  async list({ before, limit }: { before?: string; limit: number }): Promise<{ items: Shown[]; more: boolean }> {
    const start = before === undefined ? null : await this.#find(before);
    const records = await this.#store.page(start, limit + 1);
    return { items: records.slice(0, limit).map(toShown), more: records.length > limit };
  }

  /** Who was reached, has seen, has acknowledged: numbers of all, and the page after the member `after`. @throws BelfryError `not_found` */
  async report(id: string, { after, limit }: { after?: string; limit: number }): Promise<Report> {
    await this.#passings.flush();
    return reportOf(rowsOf(await this.#find(id), this.#store, this.#members), after, limit);
  }

  /** The report of all members, in order of their ids. @throws BelfryError `not_found` */
  async *reportRows(id: string): AsyncGenerator<ReportRow> {
    await this.#passings.flush();
    for await (const rows of rowsOf(await this.#find(id), this.#store, this.#members)) yield* rows;
  }

  /**
   * Calls the listener with every entry of the stream, whichever node has written it, once views can say what it means. Returns the way to
   * stop that.
   */
  onEntry(listener: (entry: StoredEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Where the stream is, with the ends of all that is over by now in it: of one whose end is not written, nobody could say whether a client
   * that comes back shows it. @throws what the store throws
   */
  async tail(): Promise<Tail> {
    await this.#schedule.catchUp();
    return this.#log.tail(ANNOUNCEMENTS_STREAM);
  }

  /** The announcements as this member sees them, for one session, which may begin at any entry up to `upTo`. */
  view(member: MemberFacts, upTo = 0): Promise<AnnouncementView> {
    const { log, store, board, passings, clock } = this.#parts();
    return AnnouncementView.open({ log, store, board, passings, clock }, member, upTo);
  }

  /**
   * The member dismisses or acknowledges; all their devices follow. `unread`: how many announcements are left; `seq`: their inbox's head.
   * @throws BelfryError `not_found` where it is not there for them, `bad_request` where it can only be acknowledged
   */
  async settle(user: string, verb: SettleVerb, id: unknown, of: AnnouncementView | MemberFacts): Promise<{ seq: number; unread: number }> {
    const view = of instanceof AnnouncementView ? of : await this.view(of);
    return settle(this.#parts(), user, verb, id, view);
  }

  /** The member has laid eyes on all that reached them. Resolves once that is stored. */
  seen(user: string): Promise<void> {
    return this.#passings.seen(user);
  }

  #parts() {
    return { log: this.#log, store: this.#store, board: this.#board, passings: this.#passings, inbox: this.#inbox, clock: this.#clock };
  }

  async #find(id: string): Promise<AnnouncementRecord> {
    return (await this.#store.find(id)) ?? raise(notFound(id));
  }

  /** The record where it is scheduled or live. One whose end is only not written yet has ended. */
  #requireOpen(record: AnnouncementRecord | null, id: string): AnnouncementRecord {
    if (record === null) throw notFound(id);
    const { state, expiresAt } = record;
    const isOver = expiresAt !== null && expiresAt <= this.#clock();
    if (isOver || state === "expired") throw new BelfryError("not_found", "This announcement has expired; announce anew.");
    if (state === "rescinded") throw new BelfryError("not_found", "This announcement was rescinded; announce anew.");
    return record;
  }

  #amended(old: AnnouncementRecord, patch: Patch): AnnouncementRecord | null {
    const now = this.#clock();
    const { id, createdAt, by, ...present } = old.announcement;
    const content: Content = amend(present, patch);
    if (isDeepStrictEqual(content, present)) return null;
    const isNewStart = content.startsAt !== present.startsAt;
    if (isNewStart && old.state === "live") throw new BelfryError("bad_request", "startsAt cannot be changed: this announcement is live.");
    checkTimes(content, now, isNewStart);
    return placed({ ...old, revision: old.revision + 1 }, { id, ...content, createdAt, by }, now);
  }
}

/** The record with this announcement, live where its time has come. */
function placed(
  record: Omit<AnnouncementRecord, "announcement" | "startsAt" | "expiresAt">,
  announcement: Announcement,
  now: number,
): AnnouncementRecord {
  const startsAt = announcement.startsAt === undefined ? null : Date.parse(announcement.startsAt);
  const expiresAt = announcement.expiresAt === undefined ? null : Date.parse(announcement.expiresAt);
  const isLive = record.state === "live" || startsAt === null || startsAt <= now;
  return { ...record, announcement, startsAt, expiresAt, state: isLive ? "live" : "scheduled" };
}

function toShown({ announcement, state, endedAt, why }: AnnouncementRecord): Shown {
  if (state !== "rescinded" || endedAt === null) return { ...announcement, state };
  return { ...announcement, state, rescindedAt: isoTime(endedAt), why: why ?? "rescinded" };
}

function notFound(id: string): BelfryError {
  return new BelfryError("not_found", `There is no announcement ${JSON.stringify(id)}.`);
}

function raise(error: BelfryError): never {
  throw error;
}
