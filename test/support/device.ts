import { type Answer, type Places, RoamingLink } from "./device-link.js";
import { type Item, Screen } from "./device-screen.js";
import { FollowedStream } from "./device-stream.js";
import { type Cursor, type Entry, tokenFor } from "./member.js";

const STREAMS = ["inbox", "announcements"] as const;
type StreamName = (typeof STREAMS)[number];

/** A stalled catch-up goes on after this. Milliseconds. */
const CATCH_UP_AGAIN_MS = 200;

interface Snapshot extends Cursor {
  stream: StreamName;
  unread: number;
  items: Item[];
}

interface Welcome {
  streams: Record<StreamName, { epoch: string; resume: string; from: number }>;
}

/**
 * A member's device that follows both streams by the client rule of docs/PROTOCOL.md, on whichever node will have it. It imports nothing of
 * `src`.
 */
export class Device {
  readonly screen = new Screen();
  readonly streams: Readonly<Record<StreamName, FollowedStream>> = {
    inbox: new FollowedStream((entry) => this.screen.applyInbox(entry)),
    announcements: new FollowedStream((entry) => this.screen.applyAnnouncement(entry)),
  };
  readonly link: RoamingLink;
  readonly #faults: string[] = [];
  readonly #catchingUp = new Set<StreamName>();

  /** The id under which the service keeps the cursors; then the device sends none. */
  readonly stored: string | null;

  constructor(
    readonly user: string,
    places: Places,
    random: () => number,
    { stored = null, dismissedBy }: { stored?: string | null; dismissedBy?: string } = {},
  ) {
    this.stored = stored;
    this.link = new RoamingLink({
      places,
      random,
      namespace: "/notifications",
      ...(dismissedBy === undefined ? {} : { dismissedBy }),
      auth: () => ({ token: tokenFor(places.secret, { sub: user }), ...this.#memory() }),
      onEvent: (event, payload) => this.#onEvent(event, payload),
      onLost: () => {
        this.#catchingUp.clear();
        for (const name of STREAMS) this.streams[name].disconnected();
      },
    });
  }

  /** What no right service does: entries pushed twice or out of their order on one connection, resets, refusals for good. */
  get faults(): string[] {
    return [...this.#faults, ...this.link.faults];
  }

  /** Whether it has a session that has been brought up to date. */
  get isUp(): boolean {
    return this.link.isSettled;
  }

  come(place?: number): this {
    this.link.come(place);
    return this;
  }

  leave(): void {
    this.link.leave();
  }

  /** Asks once; null where no answer came. */
  ask(event: string, payload: unknown): Promise<Answer | null> {
    return this.link.ask(event, payload);
  }

  /** Tells the service how far a device with a stored cursor has come. */
  async acknowledge(): Promise<void> {
    for (const stream of STREAMS) await this.ask("ack", { stream, seq: this.streams[stream].seq });
  }

  #memory(): object {
    if (this.stored !== null) return { device: this.stored };
    const cursors = STREAMS.map((name) => [name, this.streams[name].cursor]).filter(([, cursor]) => cursor !== null);
    return { cursors: Object.fromEntries(cursors) };
  }

  #onEvent(event: string, payload: Record<string, unknown>): void {
    if (event === "welcome") for (const name of STREAMS) this.#onWelcome(name, payload as unknown as Welcome);
    else if (event === "snapshot") this.#onSnapshot(payload as unknown as Snapshot);
    else if (event === "entries") this.#onEntries(payload as { stream: StreamName; epoch: string; entries: Entry[] });
    else if (event === "synced") this.#onSynced(payload as unknown as Cursor & { stream: StreamName; unread: number });
  }

  #onWelcome(name: StreamName, { streams }: Welcome): void {
    const { epoch, resume, from } = streams[name];
    const stream = this.streams[name];
    if (resume === "reset") this.#faults.push(`${name}: reset, with the cursor at ${stream.seq}`);
    if (resume === "exact") stream.resumed(epoch, from);
  }

  #onSnapshot({ stream, epoch, seq, unread, items }: Snapshot): void {
    this.streams[stream].replaced(epoch, seq);
    if (stream === "inbox") this.screen.replaceInbox(items, unread);
    // Newest first on the wire.
    else this.screen.replaceAnnouncements(items.toReversed(), unread);
  }

  #onEntries({ stream, epoch, entries }: { stream: StreamName; epoch: string; entries: Entry[] }): void {
    const fault = this.streams[stream].faultIn(entries);
    if (fault !== null) this.#faults.push(`${stream}: ${fault}`);
    this.#take(stream, epoch, entries);
  }

  #take(name: StreamName, epoch: string, entries: Entry[]): void {
    if (this.streams[name].take(epoch, entries)) void this.#catchUp(name);
  }

  #onSynced({ stream: name, epoch, seq, unread }: Cursor & { stream: StreamName; unread: number }): void {
    const { cursor } = this.streams[name];
    if (cursor?.epoch === epoch) {
      if (seq > cursor.seq) void this.#catchUp(name);
      if (seq === cursor.seq && name === "inbox") this.screen.unread = unread;
      if (seq === cursor.seq && name === "announcements") this.screen.unsettled = unread;
    }
    // The inbox comes first.
    if (name === "announcements") this.link.settled();
  }

  async #catchUp(name: StreamName): Promise<void> {
    const { cursor } = this.streams[name];
    if (cursor === null || this.#catchingUp.has(name)) return;
    this.#catchingUp.add(name);
    const { epoch, seq } = cursor;
    const answer = await this.ask("sync", { stream: name, after: { epoch, seq } });
    // Another connection has begun meanwhile, or none: it asks for itself.
    if (!this.#catchingUp.delete(name)) return;
    if (answer?.ok !== true) {
      setTimeout(() => this.streams[name].isWaiting && void this.#catchUp(name), CATCH_UP_AGAIN_MS);
      return;
    }
    this.#take(name, epoch, answer.entries as Entry[]);
    if (answer.more === true) await this.#catchUp(name);
  }
}
