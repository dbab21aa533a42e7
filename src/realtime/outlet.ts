import type { Socket } from "socket.io";
import { isUnused } from "./connection.js";
import { DRAIN_AFTER_MS, FAREWELL_MS, HIGH_WATER_BYTES, HIGH_WATER_PACKETS } from "./limits.js";
import { Packet } from "./packet.js";

/** Why the server ends a session. docs/PROTOCOL.md, `goodbye`. */
export type FarewellCode = "replaced" | "kicked" | "banned" | "token_expired" | "draining" | "slow_consumer" | "protocol_error";

export interface Farewell {
  code: FarewellCode;
  message: string;
  reconnect: boolean;
  afterMs?: number;
}

export const TOKEN_EXPIRED: Farewell = {
  code: "token_expired",
  message: "The token has expired; connect again with a new one.",
  reconnect: true,
};

export const SLOW: Farewell = {
  code: "slow_consumer",
  message: "This client reads too slowly; connect again when it can keep up.",
  reconnect: true,
  afterMs: 5_000,
};

export const FLOODED: Farewell = {
  code: "protocol_error",
  message: "Too many events in spite of `rate_limited` answers.",
  reconnect: false,
};

/** A stopping node's. */
export function draining(): Farewell {
  const afterMs = Math.ceil(Math.random() * DRAIN_AFTER_MS);
  return { code: "draining", message: "This node is stopping; connect again.", reconnect: true, afterMs };
}

/** The end of a packet from this length on is always told: it alone may congest a connection. Characters, of up to 3 bytes each. */
const TELLING_LENGTH = HIGH_WATER_BYTES / 4;

type Connection = Socket["conn"];

/** What the engine's transport is when it is a WebSocket. Polling transports have no socket of their own. */
interface WebSocketTransport {
  socket?: { bufferedAmount: number; terminate(): void };
}

/**
 * The way out to one client in one namespace. Packets that are texts already go to the engine's connection as they are: Socket.IO would
 * encode them again for every socket. What waits for the reader is counted in both places where it can pile up, the engine's buffer and the
 * WebSocket's; the namespaces of one connection have these in common.
 */
export class Outlet {
  readonly #socket: Socket;
  readonly #connection: Connection;
  readonly #namespace: string;
  #waiters: Array<() => void> = [];
  /** Since when the reader stands still above the high-water mark; null while it keeps up. Milliseconds. */
  #behindSince: number | null = null;
  /** What `stalledFor` last found waiting. Bytes. */
  #waiting = 0;
  #closed = false;

  constructor(socket: Socket, namespace: string) {
    this.#socket = socket;
    this.#connection = socket.conn;
    this.#namespace = namespace;
  }

  /** Sends an event whose arguments are encoded: `["name",payload]`, or a packet of this namespace. */
  writeEncoded(event: string | Packet): void {
    if (this.#closed) return;
    const packet = typeof event === "string" ? new Packet(this.#namespace, event) : event;
    const { transport, readyState } = this.#connection;
    const isSmall = packet.text.length < TELLING_LENGTH;
    if (isSmall && transport.writable && transport.name === "websocket" && readyState === "open") {
      // Nothing waits before it, so the engine's queue and its events would only hand it on, at a fifth of what a delivery costs.
      transport.send(packet.ready as never);
      return;
    }
    // Behind what waits already, or large: somebody may have to wait for it.
    const onSent = isSmall && transport.writable ? undefined : this.#onDrain;
    this.#connection.write(packet.text, packet.optionsFor(transport.name) as never, onSent);
  }

  /** Sends an event. */
  emit(event: string, payload: unknown): void {
    if (!this.#closed) this.writeEncoded(JSON.stringify([event, payload]));
  }

  /** Whether the reader is too far behind to be given more. */
  get congested(): boolean {
    return isCongested(this.#connection);
  }

  /** Bytes that wait for the reader: in the WebSocket, and as packets in the engine. */
  bufferedBytes(): number {
    return bytesWaiting(this.#connection);
  }

  /** Resolves when the reader can take more, or the session has ended. */
  async ready(): Promise<void> {
    if (this.#closed || !this.congested) return;
    // The engine says so when packets leave its own buffer; what leaves the WebSocket's is told by the packets' callbacks.
    if (this.#waiters.length === 0) this.#connection.on("drain", this.#onDrain);
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /**
   * How long the reader has stood still above the high-water mark, whoever has filled the buffer: milliseconds. One that takes anything
   * since the last call does not stand still.
   */
  stalledFor(now: number): number {
    this.#onDrain();
    const before = this.#waiting;
    this.#waiting = this.bufferedBytes();
    if (!this.congested) return 0;
    if (this.#waiting < before) this.#behindSince = now;
    this.#behindSince ??= now;
    return now - this.#behindSince;
  }

  /**
   * Says farewell and disconnects. A Socket.IO client stays away after a DISCONNECT packet and comes back by itself after a lost connection,
   * so which of the two it gets follows `reconnect`: a client that is to come back loses the connection with all its namespaces, which come
   * back with it; one that is to stay away keeps the connection for the others, where there are any. What does not leave in time is cut.
   */
  close(farewell: Farewell): void {
    if (this.#closed) return;
    this.emit("goodbye", farewell);
    const transport = this.#transport;
    this.closed();
    // Not before the sessions of the other namespaces that end in the same turn have said farewell.
    if (farewell.reconnect) queueMicrotask(() => this.#connection.close());
    else this.#socket.disconnect();
    setTimeout(() => {
      if (farewell.reconnect || isUnused(this.#socket)) transport.socket?.terminate();
    }, FAREWELL_MS).unref();
  }

  /** The session has ended: nothing is sent any more, nobody waits any more. */
  closed(): void {
    this.#closed = true;
    this.#release();
  }

  get #transport(): WebSocketTransport {
    return this.#connection.transport as unknown as WebSocketTransport;
  }

  readonly #onDrain = (): void => {
    if (this.congested) return;
    this.#behindSince = null;
    this.#release();
  };

  #release(): void {
    if (this.#waiters.length === 0) return;
    this.#connection.off("drain", this.#onDrain);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}

/** Whether the reader of a connection is too far behind to be given more. */
export function isCongested(connection: Connection): boolean {
  // The engine gives a transport the next packets when all before have left for good.
  if (connection.transport.writable) return false;
  return writeBufferOf(connection).length > HIGH_WATER_PACKETS || bytesWaiting(connection) > HIGH_WATER_BYTES;
}

/** Bytes that wait for the reader of a connection: in the WebSocket, and as packets in the engine. */
export function bytesWaiting(connection: Connection): number {
  let bytes = (connection.transport as unknown as WebSocketTransport).socket?.bufferedAmount ?? 0;
  for (const packet of writeBufferOf(connection)) bytes += packet.data?.length ?? 0;
  return bytes;
}

function writeBufferOf(connection: Connection): Array<{ data?: string }> {
  return (connection as unknown as { writeBuffer: Array<{ data?: string }> }).writeBuffer;
}
