import type { Socket } from "socket.io";
import { FAREWELL_MS, HIGH_WATER_BYTES, HIGH_WATER_PACKETS } from "./limits.js";

/** Why the server ends a session. docs/PROTOCOL.md, `goodbye`. */
export type FarewellCode = "replaced" | "token_expired" | "draining" | "slow_consumer" | "protocol_error";

export interface Farewell {
  code: FarewellCode;
  message: string;
  reconnect: boolean;
  afterMs?: number;
}

/** What the engine's transport is when it is a WebSocket. Polling transports have no socket of their own. */
interface WebSocketTransport {
  socket?: { bufferedAmount: number; terminate(): void };
}

/**
 * The way out to one client. Packets that are texts already go to the engine's connection as they are: Socket.IO would encode them again
 * for every socket. What waits for the reader is counted in both places where it can pile up, the engine's buffer and the WebSocket's.
 */
export class Outlet {
  readonly #socket: Socket;
  #waiters: Array<() => void> = [];
  /** Since when the reader stands still above the high-water mark; null while it keeps up. Milliseconds. */
  #behindSince: number | null = null;
  /** What `stalledFor` last found waiting. Bytes. */
  #waiting = 0;
  #closed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    // The engine says so when packets leave its own buffer; what leaves the WebSocket's is told by each packet's callback.
    socket.conn.on("drain", this.#onDrain);
  }

  /** Sends an event whose arguments are encoded: `["name",payload]`. */
  writeEncoded(event: string): void {
    if (this.#closed) return;
    const packet = `2/notifications,${event}`;
    const framed = this.#socket.conn.transport.name === "websocket";
    const options = framed ? { compress: false, wsPreEncodedFrame: [textFrame(`4${packet}`)] } : { compress: false };
    this.#socket.conn.write(packet, options as never, this.#onDrain);
  }

  /** Sends an event. */
  emit(event: string, payload: unknown): void {
    if (!this.#closed) this.writeEncoded(JSON.stringify([event, payload]));
  }

  /** Whether the reader is too far behind to be given more. */
  get congested(): boolean {
    return this.#writeBuffer.length > HIGH_WATER_PACKETS || this.bufferedBytes() > HIGH_WATER_BYTES;
  }

  /** Bytes that wait for the reader: in the WebSocket, and as packets in the engine. */
  bufferedBytes(): number {
    let bytes = this.#transport.socket?.bufferedAmount ?? 0;
    for (const packet of this.#writeBuffer) bytes += packet.data?.length ?? 0;
    return bytes;
  }

  /** Resolves when the reader can take more, or the session has ended. */
  async ready(): Promise<void> {
    if (this.#closed || !this.congested) return;
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
   * Says farewell and disconnects; cuts the transport if the farewell does not leave in time. A Socket.IO client stays away after a
   * DISCONNECT packet and comes back by itself after a lost connection, so which of the two it gets follows `reconnect`.
   */
  close(farewell: Farewell): void {
    if (this.#closed) return;
    this.emit("goodbye", farewell);
    const transport = this.#transport;
    this.closed();
    if (farewell.reconnect) this.#socket.conn.close();
    else this.#socket.disconnect(true);
    setTimeout(() => transport.socket?.terminate(), FAREWELL_MS).unref();
  }

  /** The session has ended: nothing is sent any more, nobody waits any more. */
  closed(): void {
    this.#closed = true;
    this.#socket.conn.off("drain", this.#onDrain);
    this.#release();
  }

  get #transport(): WebSocketTransport {
    return this.#socket.conn.transport as unknown as WebSocketTransport;
  }

  get #writeBuffer(): Array<{ data?: string }> {
    return (this.#socket.conn as unknown as { writeBuffer: Array<{ data?: string }> }).writeBuffer;
  }

  readonly #onDrain = (): void => {
    if (this.congested) return;
    this.#behindSince = null;
    this.#release();
  };

  #release(): void {
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}

/**
 * A WebSocket text frame of a server (RFC 6455, 5.2: FIN, opcode 1, no mask), head and text in one buffer. The engine takes such frames as
 * they are, as Socket.IO's own adapter makes them for broadcasts; one buffer is one plain write, which took 4 of 44 µs off a delivery.
 */
function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = 0x81;
  if (head === 2) frame[1] = length;
  else if (head === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, head);
  return frame;
}
