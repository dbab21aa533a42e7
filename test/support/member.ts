import { createHmac } from "node:crypto";
import { io, type Socket } from "socket.io-client";

/** An entry as it comes over the wire. */
export interface Entry {
  seq: number;
  at: string;
  kind: string;
  unread?: number;
  data: Record<string, unknown> & { id?: string; ids?: string[]; upTo?: number };
}

export interface Cursor {
  epoch: string;
  seq: number;
}

/** A JWT (HS256) of these claims; `exp` is an hour ahead unless given. */
export function tokenFor(secret: string, claims: Record<string, unknown>): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ exp: Math.floor(Date.now() / 1000) + 3_600, ...claims })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

/** Between two looks at a condition. One that asks a process is asked ever less often, up to this: looking is work for it. Milliseconds. */
const LOOK_MS = 10;
const LONGEST_LOOK_MS = 150;

/** Waits until `condition` holds. @throws Error that names what was waited for. */
export async function until(what: string | (() => string), condition: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  const end = Date.now() + ms;
  for (let pause = LOOK_MS; ; ) {
    const holds = condition();
    if (holds === true || (await holds)) return;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${typeof what === "string" ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (typeof holds !== "boolean") pause = Math.min(pause * 1.5, LONGEST_LOOK_MS);
  }
}

/**
 * A member's device that follows the client rule of docs/PROTOCOL.md and nothing else: applies seq = cursor + 1, drops what it has, holds
 * what comes early and asks `sync`. It imports nothing of `src`.
 */
export class Member {
  readonly user: string;
  cursor: Cursor | null = null;
  /** All entries applied, by seq; what a snapshot skipped is not among them. */
  readonly applied = new Map<number, Entry>();
  /** Notifications as they look now, by id. */
  readonly items = new Map<string, Record<string, unknown>>();
  unread = 0;
  synced = 0;
  snapshots = 0;
  doubled = 0;
  readonly farewells: Array<{ code: string }> = [];
  readonly refusals: Array<{ code: string }> = [];
  #socket: Socket | null = null;
  readonly #held = new Map<number, Entry>();

  constructor(
    user: string,
    private readonly where: { url: string; secret: string },
  ) {
    this.user = user;
  }

  get socket(): Socket {
    if (this.#socket === null) throw new Error("not connected");
    return this.#socket;
  }

  get connected(): boolean {
    return this.#socket?.connected ?? false;
  }

  connect(options: { device?: string; token?: string } = {}): this {
    const { device, token } = options;
    // One that is trying to reconnect would go on beside the new one.
    this.disconnect();
    const socket = io(`${this.where.url}/notifications`, {
      forceNew: true,
      transports: ["websocket"],
      reconnectionDelay: 50,
      reconnectionDelayMax: 300,
      auth: (give) =>
        give({
          token: token ?? tokenFor(this.where.secret, { sub: this.user }),
          ...(this.cursor === null || device !== undefined ? {} : { cursors: { inbox: this.cursor } }),
          ...(device === undefined ? {} : { device }),
        }),
    });
    this.#socket = socket;
    socket.on("connect_error", (error) => {
      const { data } = error as Error & { data?: { code: string } };
      if (data !== undefined) this.refusals.push(data);
    });
    socket.on("goodbye", (farewell) => this.farewells.push(farewell));
    socket.on("snapshot", (snapshot) => snapshot.stream === "inbox" && this.#onSnapshot(snapshot));
    socket.on("entries", ({ stream, entries }) => stream === "inbox" && this.#onEntries(entries));
    socket.on("synced", ({ stream, epoch, seq, unread }) => {
      if (stream !== "inbox") return;
      this.cursor = { epoch, seq: this.cursor?.seq ?? seq };
      this.unread = unread;
      this.synced++;
    });
    return this;
  }

  /** Resolves when the session has been brought up to date once more. */
  async ready(): Promise<this> {
    const before = this.synced;
    await until(
      () => `${this.user} is synced (refusals: ${JSON.stringify(this.refusals)})`,
      () => this.synced > before,
    );
    return this;
  }

  disconnect(): void {
    this.#socket?.disconnect();
    this.#socket = null;
  }

  /** Asks with an acknowledgement. */
  ask(event: string, payload: unknown): Promise<Record<string, unknown> & { ok: boolean; error?: { code: string } }> {
    return this.socket.timeout(10_000).emitWithAck(event, payload);
  }

  #onSnapshot({ epoch, seq, unread, items }: { epoch: string; seq: number; unread: number; items: Array<{ id: string }> }): void {
    this.snapshots++;
    this.cursor = { epoch, seq };
    this.unread = unread;
    this.items.clear();
    this.applied.clear();
    this.#held.clear();
    for (const item of items) this.items.set(item.id, item);
  }

  #onEntries(entries: Entry[]): void {
    for (const entry of entries) this.#held.set(entry.seq, entry);
    const cursor = this.cursor as Cursor;
    for (const seq of [...this.#held.keys()].sort((one, other) => one - other)) {
      if (seq <= cursor.seq) {
        this.doubled++;
        this.#held.delete(seq);
      } else if (seq === cursor.seq + 1) {
        this.#apply(this.#held.get(seq) as Entry);
        this.#held.delete(seq);
        cursor.seq = seq;
      } else {
        void this.ask("sync", { stream: "inbox", after: { ...cursor } }).then((answer) =>
          this.#onEntries((answer.entries ?? []) as Entry[]),
        );
        return;
      }
    }
  }

  #apply(entry: Entry): void {
    this.applied.set(entry.seq, entry);
    this.unread = entry.unread as number;
    const { kind, data, at } = entry;
    const change = (ids: string[], fields: (item: Record<string, unknown>) => object) => {
      for (const id of ids) {
        const item = this.items.get(id);
        if (item !== undefined) Object.assign(item, fields(item));
      }
    };
    if (kind === "notification" || kind === "notification.updated") this.items.set(data.id as string, { ...data });
    else if (kind === "notification.rescinded") this.items.delete(data.id as string);
    else if (kind === "read") change(data.ids as string[], (item) => ({ readAt: item.readAt ?? at }));
    else if (kind === "unread") change(data.ids as string[], () => ({ readAt: null, archivedAt: null }));
    else if (kind === "archived") change(data.ids as string[], (item) => ({ readAt: item.readAt ?? at, archivedAt: at }));
    else if (kind === "unarchived") change(data.ids as string[], () => ({ archivedAt: null }));
    else if (kind === "read_all") {
      for (const item of this.items.values()) {
        if ((item.seq as number) <= (data.upTo as number)) item.readAt ??= at;
      }
    }
  }
}
