import { WebSocket } from "ws";
import { tokenOf } from "./call.js";
import { Channel, type Reply } from "./channel.js";
import { until } from "./member.js";
import type { Service } from "./service.js";

/** A value of a topic, as it comes over the wire. */
export interface Value {
  topic: string;
  seq: number;
  at: string;
  data: unknown;
}

/** A client of `/live` that keeps the latest value of each topic and checks that none goes back. It imports nothing of `src`. */
export class Board extends Channel {
  readonly latest = new Map<string, Omit<Value, "topic">>();
  /** Updates that were not newer than what the client had. A right server sends none. */
  readonly stale: Value[] = [];
  /** The numbers of members online that came, in order. */
  readonly online: number[] = [];

  /** Without a token as a guest. */
  constructor(service: Pick<Service, "url">, token?: string) {
    super(service, "/live", token === undefined ? {} : { token });
    this.socket.on("update", (value: Value) => {
      if (value.seq <= (this.latest.get(value.topic)?.seq ?? 0)) this.stale.push(value);
      else this.#keep(value.topic, value);
    });
    this.socket.on("online", ({ users }: { users: number }) => this.online.push(users));
  }

  get updates(): Value[] {
    return this.of("update") as unknown as Value[];
  }

  /** What the screen shows of a topic; undefined before anything came. */
  shows(topic: string): unknown {
    return this.latest.get(topic)?.data;
  }

  async join(...topics: string[]): Promise<Reply> {
    const answer = await this.ask("join", { topics });
    for (const [topic, value] of Object.entries((answer.topics ?? {}) as Record<string, Value | null>)) {
      if (value !== null && value.seq >= (this.latest.get(topic)?.seq ?? 0)) this.#keep(topic, value);
    }
    return answer;
  }

  #keep(topic: string, { seq, at, data }: Value): void {
    this.latest.set(topic, { seq, at, data });
  }
}

/**
 * A client of `/live` that takes in one packet of Socket.IO a second, whatever the network has brought, and answers a ping only once it has
 * come to it. Meanwhile its connection is not read.
 */
export class SlowBoard {
  /** The updates taken in so far. */
  readonly updates: Value[] = [];
  closed = false;
  readonly #socket: WebSocket;
  readonly #arrived: string[] = [];
  #hears: ((packet: string) => void) | null = null;
  #timer: NodeJS.Timeout | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      this.#arrived.push(String(data));
      if (this.#hears === null) socket.pause();
      else this.#take();
    });
    socket.on("close", () => {
      this.closed = true;
    });
    socket.on("error", () => {});
  }

  /** A connection that has joined the topic and reads slowly from then on. */
  static async join(service: Service, user: string, topic: string): Promise<SlowBoard> {
    const socket = new WebSocket(`${service.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
    const board = new SlowBoard(socket);
    const packets: string[] = [];
    board.#hears = (packet) => packets.push(packet);
    const heard = (start: string) => until(start, () => packets.some((packet) => packet.startsWith(start)));
    await heard("0{");
    socket.send(`40/live,${JSON.stringify({ token: tokenOf(service, user) })}`);
    await heard("40/live,");
    socket.send(`42/live,1${JSON.stringify(["join", { topics: [topic] }])}`);
    await heard("43/live,1");
    board.#hears = null;
    board.#timer = setInterval(() => board.#take(), 1_000);
    return board;
  }

  drop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#socket.terminate();
  }

  /** Takes in what has arrived up to the next packet, with the pings before it. */
  #take(): void {
    for (let frame = this.#arrived.shift(); frame !== undefined; frame = this.#arrived.shift()) {
      if (frame === "2") {
        this.#socket.send("3", () => {});
        continue;
      }
      this.#hears?.(frame);
      if (frame.startsWith('42/live,["update",')) this.updates.push(JSON.parse(frame.slice("42/live,".length))[1] as Value);
      break;
    }
    // Nothing is left to take in: what comes next is waited for.
    if (this.#arrived.length === 0) this.#socket.resume();
  }
}
