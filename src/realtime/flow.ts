import type { Socket } from "socket.io";
import { MAX_BATCH_BYTES, MAX_BATCH_UPDATES, MIN_BATCH_GAP_MS } from "./limits.js";
import type { Outlet } from "./outlet.js";
import type { Packet } from "./packet.js";

type Connection = Socket["conn"];

/** What the engine keeps to itself of a connection. `pingTimeoutTimer` runs while a heartbeat's answer is awaited. */
interface Engine {
  sendPacket(type: "ping"): void;
  pingTimeoutTimer: NodeJS.Timeout | null;
}

/** The way out, as far as a flow needs it. */
export type FlowOutlet = Pick<Outlet, "writeEncoded" | "congested" | "ready">;

const markersOf = new WeakMap<Connection, Markers>();

/**
 * Marks places in what is sent on a connection, and says when the client has read up to them. A marker is one more of the engine's pings:
 * every client answers each with a pong, in order, and only after it has read what was sent before. The pings of the engine's heartbeat
 * are answered by the same pongs, so they are counted too. An answered marker counts as a heartbeat for the engine, an unanswered one does
 * not hold the next heartbeat up: a dead connection is noticed as soon as ever.
 */
export class Markers {
  readonly #connection: Connection;
  #pings: number;
  #pongs = 0;
  /** In order of the pings that stand for them. */
  #waiting: Array<{ ping: number; onRead: () => void }> = [];

  /** The connection's one counter: it must not miss a ping or a pong, whoever comes and goes. */
  static of(connection: Connection): Markers {
    const known = markersOf.get(connection);
    if (known !== undefined) return known;
    const markers = new Markers(connection);
    markersOf.set(connection, markers);
    return markers;
  }

  private constructor(connection: Connection) {
    this.#connection = connection;
    this.#pings = (connection as unknown as Engine).pingTimeoutTimer === null ? 0 : 1;
    connection.on("packetCreate", ({ type }: { type: string }) => {
      if (type === "ping") this.#pings++;
    });
    connection.on("heartbeat", () => this.#onPong());
  }

  /** Marks the place up to which everything is sent. `onRead` is called once the client has read that far; never, where it goes away. */
  mark(onRead: () => void): void {
    (this.#connection as unknown as Engine).sendPacket("ping");
    this.#waiting.push({ ping: this.#pings, onRead });
  }

  #onPong(): void {
    // A pong that nothing asked for answers nothing that is still to come.
    if (this.#pongs === this.#pings) return;
    this.#pongs++;
    while (this.#waiting[0] !== undefined && this.#waiting[0].ping <= this.#pongs) this.#waiting.shift()?.onRead();
  }
}

/**
 * Brings the newest of many values to one client, at the client's speed: what has changed is only noted, and looked up when it is sent. A
 * batch goes out once the client has read the one before, whatever the buffers between could hold, so a slow client skips values and is
 * never further behind than one batch.
 */
export class Flow<Key> {
  readonly #outlet: FlowOutlet;
  readonly #markers: Pick<Markers, "mark">;
  readonly #packetOf: (key: Key) => Packet | null;
  /** In the order in which they changed first since they were sent: none waits for ever behind busier ones. */
  readonly #changed = new Set<Key>();
  /** What the next batch waits for: the last one is read, the shortest gap is over. */
  #awaited = 0;
  #gap: NodeJS.Timeout | null = null;
  #closed = false;

  /** `packetOf`: what has changed, as it is now; null where there is nothing to tell of it. */
  constructor(outlet: FlowOutlet, markers: Pick<Markers, "mark">, packetOf: (key: Key) => Packet | null) {
    this.#outlet = outlet;
    this.#markers = markers;
    this.#packetOf = packetOf;
  }

  /** Something has changed: it is sent as soon as the client can take it. */
  changed(key: Key): void {
    if (this.#closed) return;
    this.#changed.add(key);
    if (this.#awaited === 0) this.#sendBatch();
  }

  close(): void {
    this.#closed = true;
    this.#changed.clear();
    if (this.#gap !== null) clearTimeout(this.#gap);
  }

  #sendBatch(): void {
    let updates = 0;
    let bytes = 0;
    for (const key of this.#changed) {
      if (updates === MAX_BATCH_UPDATES || bytes >= MAX_BATCH_BYTES) break;
      this.#changed.delete(key);
      const packet = this.#packetOf(key);
      if (packet === null) continue;
      updates++;
      bytes += Buffer.byteLength(packet.text);
      this.#outlet.writeEncoded(packet);
    }
    if (updates === 0) return;
    this.#awaited = 2;
    this.#markers.mark(this.#arrived);
    this.#gap = setTimeout(this.#arrived, MIN_BATCH_GAP_MS).unref();
  }

  readonly #arrived = (): void => {
    if (this.#closed || --this.#awaited > 0) return;
    if (!this.#outlet.congested) {
      this.#sendBatch();
      return;
    }
    // A client can answer what it did not read; then what the outlet holds is the bound.
    this.#awaited = 1;
    void this.#outlet.ready().then(this.#arrived);
  };
}
