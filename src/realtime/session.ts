import type { Logger } from "pino";
import type { Socket } from "socket.io";
import type { Identity } from "../auth/index.js";
import { asBelfryError, BelfryError } from "../errors.js";
import type { StreamName } from "../inbox/requests.js";
import type { Cursor, StreamReader } from "../stream/index.js";
import { Feed, type FeedEvents } from "./feed.js";
import { MAX_BUFFERED_BYTES, MAX_REFUSED_REQUESTS, REQUEST_BURST, REQUESTS_A_SECOND, STALL_MS } from "./limits.js";
import type { MemberStream } from "./member-streams.js";
import { type Farewell, Outlet } from "./outlet.js";
import { RateLimit } from "./rate-limit.js";
import type { Requester, requestHandlers } from "./requests.js";

export interface SessionOptions {
  socket: Socket;
  identity: Identity;
  device: string | null;
  sources: MemberStream[];
  log: StreamReader;
  handlers: ReturnType<typeof requestHandlers>;
  events: FeedEvents & { slowConsumer(): void };
  logger: Logger;
}

/**
 * One connection of one member: what it is sent (feeds, through the outlet) and what it asks (requests). Order of a life:
 * constructed and registered for hints → `open` → live → `end`, by whoever is first: the client, an expired token, a limit, the operator.
 */
export class Session implements Requester {
  readonly user: string;
  readonly device: string | null;
  readonly feeds: Feed[];
  readonly #socket: Socket;
  readonly #outlet: Outlet;
  readonly #options: SessionOptions;
  readonly #rate = new RateLimit(REQUEST_BURST, REQUESTS_A_SECOND, Date.now());
  #expiresAt: number;
  #refused = 0;
  /** The last request taken; those before it are answered first. The rate limit bounds how many wait. */
  #requests: Promise<void> = Promise.resolve();
  #ended = false;
  /** When the streams' heads are to be compared with the store next. Milliseconds. */
  nextHeadCheck = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.user = options.identity.user;
    this.device = options.device;
    this.#expiresAt = options.identity.expiresAt;
    this.#outlet = new Outlet(options.socket);
    this.feeds = options.sources.map((source) => new Feed(source, options.log, this.#outlet, options.events));
    // A client may emit any name; an `error` event without a listener would end the process.
    options.socket.on("error", (error) => options.logger.debug({ error }, "socket error"));
    options.socket.onAny((event: unknown, ...args: unknown[]) => this.#onRequest(event, args));
  }

  /** Welcomes the client and starts its feeds. Nothing can be lost between: the session hears of new entries already. */
  async open(cursors: Partial<Record<StreamName, Cursor>>, online: () => number): Promise<void> {
    const { log } = this.#options;
    const epoch = await log.epoch();
    const tails = await log.tails(this.feeds.map((feed) => feed.source.stream));
    const openings = await Promise.all(
      this.feeds.map(async (feed) => {
        const tail = tails.get(feed.source.stream) ?? { head: 0, base: 1, unread: 0 };
        return [feed.source.name, await feed.open(cursors[feed.source.name], epoch, tail)] as const;
      }),
    );
    if (this.#ended) return;
    this.#outlet.emit("welcome", {
      user: this.user,
      session: this.#socket.id,
      online: online(),
      unread: openings.reduce((sum, [, opening]) => sum + opening.unread, 0),
      serverTime: new Date().toISOString(),
      streams: Object.fromEntries(openings),
    });
    for (const feed of this.feeds) feed.start();
  }

  source(name: StreamName): MemberStream {
    const feed = this.feeds.find((one) => one.source.name === name);
    if (feed === undefined) throw new BelfryError("bad_request", `There is no stream ${JSON.stringify(name)}.`);
    return feed.source;
  }

  renew({ expiresAt }: Identity): void {
    this.#expiresAt = expiresAt;
  }

  /** What time brings: expiry, stalls, reads to try again. Called about once a second. */
  sweep(now: number): void {
    if (now >= this.#expiresAt) {
      this.end({ code: "token_expired", message: "The token has expired; connect again with a new one.", reconnect: true });
    } else if (this.#outlet.stalledFor(now) > STALL_MS) {
      this.#endSlow();
    } else {
      for (const feed of this.feeds) feed.retry();
    }
  }

  /** Ends the session with a farewell. Harmless when it has ended. */
  end(farewell: Farewell): void {
    if (this.#ended) return;
    this.#outlet.close(farewell);
    this.ended();
  }

  /** The connection is gone. */
  ended(): void {
    this.#ended = true;
    this.#outlet.closed();
    for (const feed of this.feeds) feed.close();
  }

  #endSlow(): void {
    if (this.#ended) return;
    this.#options.events.slowConsumer();
    this.end({
      code: "slow_consumer",
      message: "This client reads too slowly; connect again when it can keep up.",
      reconnect: true,
      afterMs: 5_000,
    });
  }

  /** `event`: whatever stood first in the packet, which is a name only in an honest one. */
  #onRequest(event: unknown, args: unknown[]): void {
    const last = args.at(-1);
    const answer = (body: object): void => {
      if (!this.#ended && this.#mayBeSent() && typeof last === "function") last(body);
    };
    const payload = typeof args[0] === "function" ? undefined : args[0];
    try {
      this.#admit();
    } catch (thrown) {
      answer({ ok: false, error: asBelfryError(thrown).toBody() });
      return;
    }
    // One at a time, in order: a client's marks keep their order, and only one answer of each session is in memory before it is sent.
    this.#requests = this.#requests.then(() => this.#handle(event, payload, answer));
  }

  async #handle(event: unknown, payload: unknown, answer: (body: object) => void): Promise<void> {
    if (this.#ended || !this.#mayBeSent()) return;
    try {
      const name = String(event);
      const handler = this.#options.handlers.get(name);
      if (handler === undefined) throw new BelfryError("bad_request", `There is no event ${JSON.stringify(name.slice(0, 64))}.`);
      answer({ ok: true, ...(await handler(this, payload)) });
    } catch (thrown) {
      const error = asBelfryError(thrown);
      if (error.code === "internal") this.#options.logger.error({ err: thrown, event, user: this.user }, "request failed");
      answer({ ok: false, error: error.toBody() });
    }
  }

  /** Whether the client reads what it asked for; one that does not is cut off. */
  #mayBeSent(): boolean {
    if (this.#outlet.bufferedBytes() <= MAX_BUFFERED_BYTES) return true;
    this.#endSlow();
    return false;
  }

  #admit(): void {
    const retryAfterMs = this.#rate.take(Date.now());
    if (retryAfterMs === 0) {
      if (this.#refused > 0) this.#refused--;
      return;
    }
    if (++this.#refused > MAX_REFUSED_REQUESTS) {
      this.end({ code: "protocol_error", message: "Too many events in spite of `rate_limited` answers.", reconnect: false });
    }
    throw new BelfryError("rate_limited", `Too many events; wait ${retryAfterMs} ms.`, { retryAfterMs });
  }
}
