import type { Logger } from "pino";
import type { Socket } from "socket.io";
import type { AnnouncementView } from "../announcements/index.js";
import type { Identity } from "../auth/index.js";
import { BelfryError } from "../errors.js";
import type { StreamName } from "../inbox/requests.js";
import type { MemberRecord } from "../members/index.js";
import type { Cursor, StreamReader, Tail } from "../stream/index.js";
import type { Progress } from "../tasks/index.js";
import type { Opening } from "./admission.js";
import { Feed, type FeedEvents, type FeedReader } from "./feed.js";
import { Intake, unknownEvent } from "./intake.js";
import { STALL_MS } from "./limits.js";
import { AnnouncementStream, inboxOf, type MemberStream } from "./member-streams.js";
import { type Farewell, FLOODED, Outlet, SLOW, TOKEN_EXPIRED } from "./outlet.js";
import { ProgressFeed } from "./progress.js";
import type { Requester, requestHandlers } from "./requests.js";

export interface SessionOptions {
  socket: Socket;
  identity: Identity;
  member: MemberRecord;
  device: string | null;
  /** Its place at the gate. */
  opening: Opening;
  rooms: SessionRooms;
}

/** Of these a feed tells its session. */
type FeedMoment = "reset" | "showing" | "synced";

/** What all sessions of a node have in common. */
export interface SessionRooms {
  log: StreamReader;
  turns: FeedReader["turns"];
  inbox: Parameters<typeof inboxOf>[1];
  announcements: { tail(): Promise<Tail>; view(member: MemberRecord, upTo?: number): Promise<AnnouncementView> };
  tasks: { running(user: string): Promise<Progress[]> };
  presence: { readonly users: number };
  handlers: ReturnType<typeof requestHandlers>;
  events: Pick<FeedEvents, "observer" | "replayed" | "reset"> & { slowConsumer(): void };
  logger: Logger;
}

/**
 * One connection of one member: what it is sent (feeds, through the outlet) and what it asks (requests). Order of a life:
 * constructed and registered for hints → `open` → live → `end`, by whoever is first: the client, an expired token, a limit, the operator, a
 * moderator.
 */
export class Session implements Requester {
  readonly user: string;
  readonly device: string | null;
  readonly feeds: [inbox: Feed, announcements: Feed];
  readonly #socket: Socket;
  readonly #outlet: Outlet;
  readonly #rooms: SessionRooms;
  readonly #opening: Opening;
  readonly #announcements = new AnnouncementStream();
  readonly #progress: ProgressFeed;
  readonly #intake: Intake;
  /** Resolves when the client has been welcomed. What it asks before waits for that. */
  readonly #opened: Promise<void>;
  #onOpened: () => void = () => {};
  #identity: Identity;
  #member: MemberRecord;
  /** Tasks that were heard of while those that run are read; null before and after. */
  #heardOf: Set<string> | null = null;
  #showsProgress = false;
  #ended = false;
  /** When it was there for hints. Milliseconds since the Unix epoch. */
  startedAt = 0;
  /** When the streams' heads are to be compared with the store next. Milliseconds. */
  nextHeadCheck = 0;

  constructor({ socket, identity, member, device, opening, rooms }: SessionOptions) {
    this.#socket = socket;
    this.#opening = opening;
    this.#rooms = rooms;
    this.#identity = identity;
    this.#member = member;
    this.user = identity.user;
    this.device = device;
    this.#opened = new Promise((resolve) => {
      this.#onOpened = resolve;
    });
    this.#outlet = new Outlet(socket, "/notifications");
    this.#progress = new ProgressFeed(this.#outlet);
    const inbox = inboxOf(this.user, rooms.inbox, (entry) => this.#announcements.settledBy(entry));
    this.feeds = [
      this.#feed(inbox, {
        // What it has missed may have settled announcements that it has, and comes no more.
        reset: () => this.feeds[1].restart(),
        synced: () => this.#onInboxSynced(),
      }),
      // What the client has been given of its inbox decides how announcements look and are counted: it must have come to the client too.
      this.#feed(this.#announcements, { showing: () => this.feeds[0].flush() }),
    ];
    this.#intake = new Intake({
      socket,
      outlet: this.#outlet,
      handle: async (event, payload) => {
        await this.#opened;
        const handler = rooms.handlers.get(event);
        if (handler === undefined) throw unknownEvent(event);
        return { answer: await handler(this, payload) };
      },
      onFlood: () => this.end(FLOODED),
      onSlow: () => this.#endSlow(),
      logger: rooms.logger,
    });
  }

  /** Names the session among those of all nodes. */
  get id(): string {
    return this.#socket.id;
  }

  get connection(): object {
    return this.#socket.conn;
  }

  get name(): string | null {
    return this.#member.name;
  }

  get announcements(): AnnouncementView {
    return this.#announcements.view;
  }

  /** Welcomes the client and starts its feeds. Nothing can be lost between: the session hears of new entries already. */
  async open(cursors: Partial<Record<StreamName, Cursor>>): Promise<void> {
    const { log, announcements, presence } = this.#rooms;
    const [inbox, announced] = this.feeds;
    const epoch = await log.epoch();
    const ofInbox = await inbox.open(cursors.inbox, epoch, await log.tail(inbox.source.stream));
    // After the inbox: what it settles from here on comes as entries, what it settled before is stored, and what it has settled was announced.
    const tail = await announcements.tail();
    await this.#announcements.load(() => announcements.view(this.#member, tail.head));
    const ofAnnouncements = await announced.open(cursors.announcements, epoch, tail);
    // What was settled on another device may be counted already: the inbox is not synced before it has said so.
    inbox.onHead((await log.tail(inbox.source.stream)).head);
    if (this.#ended) return;
    this.#outlet.emit("welcome", {
      user: this.user,
      session: this.#socket.id,
      online: presence.users,
      unread: ofInbox.unread + ofAnnouncements.unread,
      serverTime: new Date().toISOString(),
      streams: { inbox: ofInbox, announcements: ofAnnouncements },
    });
    this.#onOpened();
    inbox.start();
  }

  source(name: StreamName): MemberStream {
    const feed = this.feeds.find((one) => one.source.name === name);
    if (feed === undefined) throw new BelfryError("bad_request", `There is no stream ${JSON.stringify(name)}.`);
    return feed.source;
  }

  async renew(identity: Identity, member: MemberRecord): Promise<void> {
    // Other roles may have other announcements.
    if (!areSame(member.roles, this.#member.roles)) {
      await this.#announcements.load(() => this.#rooms.announcements.view(member));
      this.feeds[1].restart();
    }
    this.#identity = identity;
    this.#member = member;
  }

  /** A task of the member has moved. */
  onProgress(progress: Progress): void {
    this.#heardOf?.add(progress.task);
    if (this.#showsProgress) this.#progress.offer(progress);
  }

  /** A task of the member has ended. */
  onTaskEnd(task: string): void {
    this.#heardOf?.add(task);
    this.#progress.drop(task);
  }

  /** What time brings: expiry, stalls, reads to try again. Called about once a second. */
  sweep(now: number): void {
    if (now >= this.#identity.expiresAt) this.end(TOKEN_EXPIRED);
    else if (this.#outlet.stalledFor(now) > STALL_MS) this.#endSlow();
    else for (const feed of this.feeds) feed.retry();
  }

  /** Resolves when what the client asked until now is answered. */
  settled(): Promise<void> {
    return this.#intake.settled();
  }

  /** Ends the session with a farewell. Harmless when it has ended. */
  end(farewell: Farewell): void {
    if (this.#ended) return;
    this.#outlet.close(farewell);
    this.ended();
  }

  /** The connection is gone. */
  ended(): void {
    this.#ended = true;
    this.#opening.done();
    this.#outlet.closed();
    this.#intake.close();
    this.#progress.close();
    for (const feed of this.feeds) feed.close();
  }

  #endSlow(): void {
    if (this.#ended) return;
    this.#rooms.events.slowConsumer();
    this.end(SLOW);
  }

  #feed(source: MemberStream, { reset = nothing, showing = nothing, synced = nothing }: Partial<Record<FeedMoment, () => void>>): Feed {
    const { log, turns, events, logger } = this.#rooms;
    const failed = (err: unknown): void =>
      logger.warn({ err, user: this.user }, "a member's stream could not be read; the session tries again");
    const held = (): void => this.#opening.done();
    const wasReset = (): void => {
      events.reset();
      reset();
    };
    return new Feed(source, { log, turns }, this.#outlet, { ...events, reset: wasReset, held, failed, showing, synced });
  }

  #onInboxSynced(): void {
    this.#opening.done();
    this.feeds[1].start();
    if (!this.#showsProgress) void this.#showRunning();
  }

  /** A member who comes in the middle of a task sees where it is. What is heard meanwhile is newer than what is read. */
  async #showRunning(): Promise<void> {
    this.#showsProgress = true;
    const heardOf = new Set<string>();
    this.#heardOf = heardOf;
    try {
      for (const progress of await this.#rooms.tasks.running(this.user)) {
        if (!heardOf.has(progress.task)) this.#progress.offer(progress);
      }
    } catch (err) {
      this.#rooms.logger.warn({ err, user: this.user }, "a member's running tasks could not be read; their next report shows them");
    }
    this.#heardOf = null;
  }
}

function nothing(): void {}

/** Both lists hold each role once. */
function areSame(roles: string[], others: string[]): boolean {
  return roles.length === others.length && roles.every((one) => others.includes(one));
}
