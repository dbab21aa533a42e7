import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { WebSocket } from "ws";
import { tokenFor, until } from "./member.js";
import type { Service } from "./service.js";

/**
 * A WebSocket that speaks Engine.IO and Socket.IO by hand, one text a frame, so that a test can say what no client library would. It answers
 * pings and keeps every other text that comes.
 */
export class RawSocket {
  readonly heard: string[] = [];
  closed = false;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      const text = String(data);
      if (text === "2") this.send("3");
      else this.heard.push(text);
    });
    socket.on("close", () => {
      this.closed = true;
    });
    // A connection that is cut while something is sent to it says so here; `closed` tells as much.
    socket.on("error", () => {});
  }

  /** A connection that has joined no namespace. */
  static async open(service: Service): Promise<RawSocket> {
    const socket = new WebSocket(`${service.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
    const raw = new RawSocket(socket);
    await until("the connection's first frame", () => raw.heard.length > 0);
    return raw;
  }

  /** A connection that has joined `/notifications` as a member and is synced. `auth`: fields besides the token. */
  static async join(service: Service, user: string, auth: object = {}): Promise<RawSocket> {
    const raw = await RawSocket.open(service);
    raw.send(joinPacket(service, user, auth));
    await until("both streams are synced", () => raw.heard.filter((text) => text.startsWith('42/notifications,["synced"')).length === 2);
    return raw;
  }

  /** Sends frames as they are; a connection that has gone swallows them. */
  send(...frames: Array<string | Buffer>): void {
    for (const frame of frames) this.#socket.send(frame, () => {});
  }

  /** Stops reading: what the server sends piles up on its way, pings too. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Resolves with the first text that starts so, among those that came or come. */
  async hears(start: string, ms?: number): Promise<string> {
    const found = () => this.heard.find((text) => text.startsWith(start));
    await until(
      () => `${start} (closed: ${this.closed}; heard ${this.heard.slice(-3).join(" ").slice(0, 500)})`,
      () => found() !== undefined,
      ms,
    );
    return found() as string;
  }

  async isCut(ms?: number): Promise<void> {
    await until("the connection is cut", () => this.closed, ms);
  }

  /** Ends the connection without a word. */
  drop(): void {
    this.#socket.terminate();
  }
}

/** The packet that joins `/notifications` as a member. */
export function joinPacket(service: Service, user: string, auth: object = {}): string {
  return `40/notifications,${JSON.stringify({ token: tokenFor(service.jwtSecret, { sub: user }), ...auth })}`;
}

/** What a connection to the service's port was answered. */
export interface RawAnswer {
  text: string;
  /** Whether the service ended the connection, by itself. */
  ended: boolean;
}

/**
 * Writes bytes to the service's port and resolves when the service ends the connection, or when the answer satisfies `enough`. `more` goes
 * on writing, every 20 ms, until then.
 */
export function exchange(
  service: Service,
  bytes: string | Buffer,
  { enough = () => false, more, ms = 20_000 }: { enough?: (text: string) => boolean; more?: () => string; ms?: number } = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(service.url);
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    const ticking = setInterval(() => more !== undefined && socket.writable && socket.write(more()), 20);
    const timer = setTimeout(() => finish(() => reject(new Error(`no end after ${ms} ms; heard: ${text.slice(0, 500)}`))), ms);
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      clearInterval(ticking);
      socket.destroy();
      settle();
    };
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (enough(text)) finish(() => resolve({ text, ended: false }));
    });
    // A reset ends a connection too.
    socket.on("error", () => {});
    socket.on("close", () => finish(() => resolve({ text, ended: true })));
  });
}

/** The memory that a process holds now: bytes. Linux only. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1_024;
}

/** The value of a counter or gauge of the service's `/metrics`. */
export async function metric(service: Service, name: string): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}
