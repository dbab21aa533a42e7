import type { Socket } from "socket.io-client";
import type { Answer, ModelEntry, ServiceModel, StreamName } from "./sdk-model.js";

type Listener = (payload: unknown) => void;
type Cursor = { epoch: string; seq: number } | null | undefined;

/** What a packet with entries meets on the way. */
export type Fate = "arrives" | "lost" | "doubled" | "late";

/** One connection of a client to a model of the service; what travels waits until it is delivered. */
class FakeSocket {
  connected = false;
  readonly listeners = new Map<string, Listener>();
  readonly io = {};
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  on(event: string, listener: Listener): void {
    this.listeners.set(event, listener);
  }
  removeAllListeners(): void {
    this.listeners.clear();
  }
  disconnect(): void {
    this.#wire.left(this);
  }
  timeout(ms: number): { emitWithAck: (event: string, payload: object) => Promise<unknown> } {
    return {
      emitWithAck: async (event, payload) => {
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise((_resolve, reject) => {
          timer = setTimeout(() => reject(new Error("timeout")), ms);
        });
        try {
          return await Promise.race([this.#wire.ask(this, event, payload), late]);
        } finally {
          clearTimeout(timer);
        }
      },
    };
  }
}

/** The way between a store and a model of the service. It stands in for socket.io-client's `io`. */
export class Wire {
  readonly #model: ServiceModel;
  readonly #fates: () => Fate;
  /** On the way to the client, and from it; answers do not wait for entries. */
  #down: Array<() => void> = [];
  #up: Array<() => void> = [];
  #answers: Array<() => void> = [];
  #socket: FakeSocket | null = null;
  /** Asks that the service refuses before it answers again. */
  refusals: string[] = [];
  handshakes = 0;
  isDown = false;

  constructor(model: ServiceModel, fates: () => Fate = () => "arrives") {
    this.#model = model;
    this.#fates = fates;
    model.onEntry = (stream, entry) => this.#push(stream, [entry]);
  }

  readonly io = (_address: string, { auth }: { auth: { cursors: { inbox?: Cursor; announcements?: Cursor } } }): Socket => {
    const socket = new FakeSocket(this);
    this.handshakes++;
    this.#socket = socket;
    void Promise.resolve().then(() => (this.isDown ? this.#refuse(socket) : this.#welcome(socket, auth.cursors)));
    return socket as unknown as Socket;
  };

  get isQuiet(): boolean {
    return this.#down.length + this.#up.length + this.#answers.length === 0;
  }

  /** Brings some of what is on one of the ways, or all of everything. */
  deliver(way: "down" | "up" | "answers" | "all" = "all", count = Number.POSITIVE_INFINITY): void {
    const queues = { down: [this.#down], up: [this.#up], answers: [this.#answers], all: [this.#up, this.#down, this.#answers] }[way];
    for (const queue of queues) for (let i = 0; i < count && queue.length > 0; i++) queue.shift()?.();
  }

  cut(): void {
    const socket = this.#socket;
    this.#socket = null;
    const lost = [...this.#up, ...this.#answers];
    this.#down = [];
    this.#up = [];
    this.#answers = [];
    for (const one of lost) one();
    socket?.listeners.get("disconnect")?.("transport close");
  }

  left(socket: FakeSocket): void {
    if (this.#socket === socket) this.cut();
  }

  /** Something that the service says, as it is. */
  say(event: string, payload: unknown): void {
    this.#emit(event, payload);
  }

  ask(socket: FakeSocket, event: string, payload: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      // Whether the service has done it or not when the connection breaks, nobody knows.
      this.#up.push(() => {
        const refused = this.refusals.shift();
        const answer: Answer =
          refused === undefined
            ? this.#model.ask(event, payload as Record<string, unknown>)
            : { ok: false, error: { code: refused, message: refused, retryAfterMs: 1_000 } };
        const arrive = (): void => (this.#socket === socket ? resolve(structuredClone(answer)) : reject(new Error("disconnected")));
        if (this.#socket === socket) this.#answers.push(arrive);
        else arrive();
      });
    });
  }

  #refuse(socket: FakeSocket): void {
    socket.listeners.get("connect_error")?.(new Error("xhr poll error"));
  }

  #welcome(socket: FakeSocket, cursors: { inbox?: Cursor; announcements?: Cursor }): void {
    if (this.#socket !== socket) return;
    socket.connected = true;
    const names: StreamName[] = ["inbox", "announcements"];
    const resumes = names.map((name) => {
      const cursor = cursors[name];
      return cursor ? (this.#model.canResume(name, cursor) ? "exact" : "reset") : "snapshot";
    });
    const streams = Object.fromEntries(names.map((name, i) => [name, { epoch: this.#model.epoch, resume: resumes[i] }]));
    this.#emit("welcome", { user: "ada", serverTime: new Date().toISOString(), streams });
    names.forEach((stream, i) => {
      const { epoch } = this.#model;
      const cursor = cursors[stream];
      const seq = this.#model.head(stream);
      const unread = stream === "inbox" ? this.#model.unread : this.#model.unreadAnnouncements;
      if (resumes[i] === "exact")
        this.#push(
          stream,
          this.#model.entries[stream].filter((entry) => entry.seq > (cursor?.seq ?? 0)),
        );
      else {
        const all: object[] =
          stream === "inbox" ? this.#model.list("all") : [...this.#model.announcements.values()].reverse().map((one) => ({ ...one }));
        this.#emit("snapshot", { stream, epoch, seq, unread, items: all.slice(0, 5), more: all.length > 5 });
      }
      this.#emit("synced", { stream, epoch, seq, unread });
    });
  }

  #push(stream: StreamName, entries: ModelEntry[]): void {
    if (this.#socket?.connected !== true || entries.length === 0) return;
    const fate = this.#fates();
    const packet = { stream, epoch: this.#model.epoch, entries };
    if (fate === "lost") return;
    this.#emit("entries", packet);
    if (fate === "doubled") this.#emit("entries", packet);
    const last = this.#down.pop();
    const before = this.#down.pop();
    if (last !== undefined)
      this.#down.push(...(before === undefined ? [last] : fate === "late" && before.name === "entries" ? [last, before] : [before, last]));
  }

  #emit(event: string, payload: unknown): void {
    const socket = this.#socket;
    const packet = (): void => {
      if (socket === this.#socket) socket?.listeners.get(event)?.(structuredClone(payload));
    };
    Object.defineProperty(packet, "name", { value: event });
    this.#down.push(packet);
  }
}
