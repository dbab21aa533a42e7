import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/**
 * What the way through the proxy is like. `open`: everything passes. `refusing`: new connections are reset, those there are go on.
 * `paused`: bytes wait, new connections too, and nothing is lost (a network that stands still for a while). `deaf`: half-open, bytes are
 * taken and thrown away, and neither side is told; what was deaf is reset when the way is healed, because nothing could repair it.
 */
type Way = "open" | "refusing" | "paused" | "deaf";

/** Which connections become deaf, by their number: they are counted from 0. */
type Choice = (connection: number) => boolean;

/** Bytes on the way, and when they are due. */
interface Parcel {
  data: Buffer | null;
  due: number;
}

/** A TCP proxy on 127.0.0.1 in front of a server of this machine, whose way can be cut, refused, paused, made deaf and made slow. */
export class FaultProxy {
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #way: Way = "open";
  #choice: Choice = () => true;
  #delay = 0;
  #count = 0;

  private constructor(target: number) {
    // Half-open is what a connection is told to be by either end; the proxy hands that on instead of deciding itself.
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client, target));
  }

  /** `port`: one that the caller has chosen; 0 takes a free one. */
  static async start(target: number, port = 0): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.#server.listen(port, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are there now. */
  get connections(): number {
    return this.#links.size;
  }

  /** Resets all connections, once: new ones pass. */
  cut(): void {
    for (const link of this.#links) link.reset();
  }

  /** Resets all connections, and new ones until it is healed. */
  refuse(): void {
    this.#way = "refusing";
    this.cut();
  }

  /** Nothing passes until it is healed; then everything does. */
  pause(): void {
    this.#way = "paused";
    for (const link of this.#links) link.pause();
  }

  /** Connections, those that come too, swallow what they are given until it is healed; then they are reset. */
  deafen(choice: Choice = () => true): void {
    this.#way = "deaf";
    this.#choice = choice;
    for (const link of this.#links) if (choice(link.number)) link.deafen();
  }

  /** Everything takes this long to pass, each way, in its order. Milliseconds. */
  slow(ms: number): void {
    this.#delay = ms;
  }

  /** The way is as it was at the start. */
  heal(): void {
    this.#way = "open";
    this.#delay = 0;
    for (const link of this.#links) {
      if (link.isDeaf) link.reset();
      else link.resume();
    }
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(client: Socket, target: number): void {
    if (this.#way === "refusing") {
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    const link = new Link(client, target, this.#count++, () => this.#delay);
    this.#links.add(link);
    link.onEnd = () => this.#links.delete(link);
    if (this.#way === "paused") link.pause();
    else if (this.#way === "deaf" && this.#choice(link.number)) link.deafen();
  }
}

/** One connection through the proxy: two sockets, and what is on the way between them. */
class Link {
  isDeaf = false;
  onEnd: () => void = () => {};
  readonly #sockets: readonly [Socket, Socket];
  readonly #timers = new Set<NodeJS.Timeout>();
  #paused = false;

  constructor(
    client: Socket,
    target: number,
    readonly number: number,
    private readonly delay: () => number,
  ) {
    const server = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true });
    this.#sockets = [client, server];
    this.#carry(client, server);
    this.#carry(server, client);
  }

  pause(): void {
    this.#paused = true;
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const socket of this.#sockets) socket.resume();
  }

  deafen(): void {
    this.isDeaf = true;
    // What is swallowed has to be read.
    this.resume();
  }

  reset(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const socket of this.#sockets) abort(socket);
    this.onEnd();
  }

  #carry(from: Socket, to: Socket): void {
    const queue: Parcel[] = [];
    let draining = false;
    const deliver = (): void => {
      for (let next = queue[0]; next !== undefined && next.due <= Date.now(); next = queue[0]) {
        queue.shift();
        if (this.isDeaf) continue;
        if (next.data === null) to.end();
        else if (!to.write(next.data) && !draining) {
          draining = true;
          from.pause();
          to.once("drain", () => {
            draining = false;
            if (!this.#paused) from.resume();
          });
        }
      }
      const first = queue[0];
      if (first !== undefined) this.#after(first.due - Date.now(), deliver);
    };
    const put = (data: Buffer | null): void => {
      if (this.isDeaf) return;
      const due = Math.max(Date.now() + this.delay(), queue.at(-1)?.due ?? 0);
      queue.push({ data, due });
      if (queue.length === 1) deliver();
    };
    from.setNoDelay(true);
    from.on("data", put);
    from.on("end", () => put(null));
    // A reset is handed on as one; an orderly end has gone through the queue before both are closed.
    from.on("error", () => !this.isDeaf && this.reset());
    from.on("close", () => {
      if (to.destroyed) this.onEnd();
    });
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        act();
      },
      Math.max(0, ms),
    );
    this.#timers.add(timer);
  }
}

/**
 * Resets a connection. One that is about to end in order is closed: Node 20 takes a reset that libuv refuses then for done, and the handle,
 * which is never closed, keeps the process in its own end for ever.
 */
function abort(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}
