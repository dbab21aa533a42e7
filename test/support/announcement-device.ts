import { io, type Socket } from "socket.io-client";
import { type Cursor, type Entry, tokenFor, until } from "./member.js";

const STREAMS = ["inbox", "announcements"] as const;
type StreamName = (typeof STREAMS)[number];

/** An announcement on a screen. */
interface Item extends Record<string, unknown> {
  id: string;
  dismissedAt: string | null;
  acknowledgedAt: string | null;
}

type Times = Pick<Item, "dismissedAt" | "acknowledgedAt">;

/** What a device keeps of a stream. */
interface Followed {
  cursor: Cursor | null;
  unread: number;
  held: Map<number, Entry>;
  catchingUp: boolean;
}

interface Snapshot extends Cursor {
  stream: StreamName;
  unread: number;
  items: Item[];
}

interface Welcome {
  unread: number;
  streams: Record<StreamName, { epoch: string; head: number; unread: number; resume: string; from: number }>;
}

type Answer = Record<string, unknown> & { ok: boolean; error?: { code: string; message: string } };

/**
 * A member's device that follows both streams by the client rule of docs/PROTOCOL.md, shows announcements by its tables and counts them as it
 * says. Keeps every frame that it was sent. It imports nothing of `src`.
 */
export class AnnouncementDevice {
  readonly streams: Record<StreamName, Followed> = { inbox: followed(), announcements: followed() };
  /** Announcements on the screen, by id, in the order in which they came. */
  readonly items = new Map<string, Item>();
  /** Every entry of the announcements stream that was applied, by seq. */
  readonly applied = new Map<number, Entry>();
  /** Every text that came over the connection, of all connections. */
  readonly frames: string[] = [];
  /** What each connection was welcomed with. */
  readonly welcomes: Welcome[] = [];
  readonly snapshots: StreamName[] = [];
  readonly refusals: Array<{ code: string }> = [];
  /** How often `synced` came for the announcements. */
  synced = 0;
  #socket: Socket | null = null;

  constructor(
    readonly user: string,
    readonly where: { url: string; jwtSecret: string },
    readonly roles: string[] = [],
  ) {}

  get socket(): Socket {
    if (this.#socket === null) throw new Error(`${this.user} is not connected`);
    return this.#socket;
  }

  get connected(): boolean {
    return this.#socket?.connected ?? false;
  }

  /** The announcements' number on the badge, as counted. */
  get unread(): number {
    return this.streams.announcements.unread;
  }

  get seq(): number {
    return this.streams.announcements.cursor?.seq ?? -1;
  }

  /** Ids on the screen. */
  get ids(): string[] {
    return [...this.items.keys()].sort();
  }

  /** Goes on from these cursors instead of what the device has. */
  resume(cursors: Partial<Record<StreamName, Cursor>>): this {
    for (const name of STREAMS) this.streams[name].cursor = cursors[name] === undefined ? null : { ...cursors[name] };
    return this;
  }

  /** With a `device`, the service's own cursors are used and those of the client are not sent. */
  connect({ device }: { device?: string } = {}): this {
    this.disconnect();
    const { url, jwtSecret } = this.where;
    const socket = io(`${url}/notifications`, {
      forceNew: true,
      transports: ["websocket"],
      reconnectionDelay: 50,
      reconnectionDelayMax: 300,
      auth: (give) => {
        const cursors = STREAMS.map((name) => [name, this.streams[name].cursor]).filter(([, cursor]) => cursor !== null);
        const token = tokenFor(jwtSecret, { sub: this.user, roles: this.roles });
        give(device === undefined ? { token, cursors: Object.fromEntries(cursors) } : { token, device });
      },
    });
    this.#socket = socket;
    socket.io.on("open", () => socket.io.engine.on("data", (text) => this.frames.push(String(text))));
    socket.on("connect_error", (error) => {
      const { data } = error as Error & { data?: { code: string } };
      if (data !== undefined) this.refusals.push(data);
    });
    socket.on("disconnect", () => {
      for (const name of STREAMS) this.streams[name].held.clear();
    });
    socket.on("welcome", (welcome: Welcome) => {
      this.welcomes.push(welcome);
      // A client that keeps nothing goes on from where the service says.
      for (const name of STREAMS) {
        const { epoch, resume, from } = welcome.streams[name];
        if (resume === "exact") this.streams[name].cursor ??= { epoch, seq: from };
      }
    });
    socket.on("snapshot", (snapshot: Snapshot) => this.#onSnapshot(snapshot));
    socket.on("entries", ({ stream, epoch, entries }) => this.#onEntries(stream, epoch, entries));
    socket.on("synced", (synced) => this.#onSynced(synced));
    return this;
  }

  /** Resolves when a session has been brought up to date once more. */
  async ready(): Promise<this> {
    const before = this.synced;
    await until(
      () => `${this.user} is synced (refusals: ${JSON.stringify(this.refusals)})`,
      () => this.synced > before,
    );
    return this;
  }

  /** Resolves when everything up to `seq` of the announcements is applied. */
  async reaches(seq: number, ms?: number): Promise<void> {
    await until(
      () => `${this.user} has seq ${seq} of the announcements, and not ${this.seq}`,
      () => this.seq >= seq,
      ms,
    );
  }

  disconnect(): void {
    this.#socket?.disconnect();
    this.#socket = null;
  }

  /** Asks with an acknowledgement. */
  ask(event: string, payload: unknown): Promise<Answer> {
    return this.socket.timeout(10_000).emitWithAck(event, payload);
  }

  #onSnapshot({ stream, epoch, seq, unread, items }: Snapshot): void {
    this.snapshots.push(stream);
    Object.assign(this.streams[stream], { cursor: { epoch, seq }, unread });
    this.streams[stream].held.clear();
    if (stream === "inbox") return;
    this.items.clear();
    this.applied.clear();
    // Newest first on the wire.
    for (const item of items.toReversed()) this.items.set(item.id, item);
  }

  #onEntries(name: StreamName, epoch: string, entries: Entry[]): void {
    const stream = this.streams[name];
    const { cursor, held } = stream;
    if (cursor === null || cursor.epoch !== epoch) return;
    for (const entry of entries) held.set(entry.seq, entry);
    for (let entry = held.get(cursor.seq + 1); entry !== undefined; entry = held.get(cursor.seq + 1)) {
      this.#apply(name, entry);
      cursor.seq = entry.seq;
    }
    for (const seq of held.keys()) {
      if (seq <= cursor.seq) held.delete(seq);
    }
    if (held.size > 0) void this.#catchUp(name);
  }

  #onSynced({ stream: name, epoch, seq, unread }: Cursor & { stream: StreamName; unread: number }): void {
    const stream = this.streams[name];
    if (stream.cursor?.epoch === epoch) {
      if (seq > stream.cursor.seq) void this.#catchUp(name);
      if (seq === stream.cursor.seq) stream.unread = unread;
    }
    if (name === "announcements") this.synced++;
  }

  async #catchUp(name: StreamName): Promise<void> {
    const stream = this.streams[name];
    if (stream.catchingUp) return;
    stream.catchingUp = true;
    const { cursor } = stream;
    const answer = await this.ask("sync", { stream: name, after: cursor }).catch(() => null);
    stream.catchingUp = false;
    if (cursor === null || answer?.ok !== true) return;
    this.#onEntries(name, cursor.epoch, answer.entries as Entry[]);
    if (answer.more === true) await this.#catchUp(name);
  }

  #apply(name: StreamName, entry: Entry): void {
    const { kind, data, at } = entry;
    if (name === "inbox") {
      this.streams.inbox.unread = entry.unread as number;
      if (kind === "dismissed" || kind === "acknowledged") this.#settle(data.announcement as string, `${kind}At`, at);
      return;
    }
    this.applied.set(entry.seq, entry);
    const id = data.id as string;
    const shown = this.items.get(id);
    if (kind === "announcement.rescinded" || data.hidden === true) {
      if (shown === undefined) return;
      this.items.delete(id);
      if (isUnsettled(shown)) this.streams.announcements.unread--;
      return;
    }
    const { dismissedAt = null, acknowledgedAt = null } = shown ?? {};
    const item: Item = { dismissedAt, acknowledgedAt, ...data, id };
    this.items.set(id, item);
    if (shown === undefined && isUnsettled(item)) this.streams.announcements.unread++;
  }

  #settle(id: string, field: keyof Times, at: string): void {
    const item = this.items.get(id);
    if (item === undefined) return;
    if (isUnsettled(item)) this.streams.announcements.unread--;
    item[field] ??= at;
  }
}

/** What a screen shows as not dealt with yet. */
export function isUnsettled({ dismissedAt, acknowledgedAt }: Times): boolean {
  return dismissedAt === null && acknowledgedAt === null;
}

function followed(): Followed {
  return { cursor: null, unread: 0, held: new Map(), catchingUp: false };
}
