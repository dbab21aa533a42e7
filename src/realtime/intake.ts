import type { Logger } from "pino";
import type { Socket } from "socket.io";
import { asBelfryError, BelfryError } from "../errors.js";
import { RateLimit } from "../rate-limit.js";
import { MAX_BUFFERED_BYTES, MAX_REFUSED_REQUESTS, REQUEST_BURST, REQUESTS_A_SECOND } from "./limits.js";
import type { Outlet } from "./outlet.js";

/** What came of a request: the answer's fields besides `ok`, and what is to be done once the answer is on its way. */
export interface Handled {
  answer: object;
  afterwards?: () => void;
}

export interface IntakeOptions {
  socket: Socket;
  outlet: Pick<Outlet, "bufferedBytes" | "ready">;
  /** Does what a client asks. @throws BelfryError, which is the answer then. */
  handle: (event: string, payload: unknown) => Promise<Handled>;
  /** The client goes on in spite of refusals. */
  onFlood: () => void;
  /** The client does not read what it asked for. */
  onSlow: () => void;
  logger: Logger;
}

/** Takes what one client asks, whatever it sends: one request at a time, in order, at a bounded rate, each answered once. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #rate = new RateLimit(REQUEST_BURST, REQUESTS_A_SECOND, Date.now());
  #refused = 0;
  #waiting = 0;
  /** The last request taken; those before it are answered first. */
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
    // A client may emit any name; an `error` event without a listener would end the process.
    options.socket.on("error", (error) => options.logger.debug({ error }, "socket error"));
    options.socket.onAny((event: unknown, ...args: unknown[]) => this.#onRequest(event, args));
  }

  /** Resolves when all that has come until now is answered. */
  settled(): Promise<void> {
    return this.#last;
  }

  /** Nothing is done or answered any more. */
  close(): void {
    this.#closed = true;
  }

  /** `event`: whatever stood first in the packet, which is a name only in an honest one. */
  #onRequest(event: unknown, args: unknown[]): void {
    const last = args.at(-1);
    const answer = (body: object): void => {
      if (this.#mayBeSent() && typeof last === "function") last(body);
    };
    const payload = typeof args[0] === "function" ? undefined : args[0];
    try {
      this.#admit();
    } catch (thrown) {
      answer({ ok: false, error: asBelfryError(thrown).toBody() });
      return;
    }
    this.#waiting++;
    this.#last = this.#last.then(() => this.#handle(event, payload, answer));
  }

  async #handle(event: unknown, payload: unknown, answer: (body: object) => void): Promise<void> {
    const { outlet, handle, logger } = this.#options;
    // Answers can be large: the next is made when the client has taken in the last.
    await outlet.ready();
    this.#waiting--;
    if (!this.#mayBeSent()) return;
    try {
      const handled = await handle(String(event), payload);
      answer({ ok: true, ...handled.answer });
      handled.afterwards?.();
    } catch (thrown) {
      const error = asBelfryError(thrown);
      if (error.code === "internal") logger.error({ err: thrown, event }, "request failed");
      answer({ ok: false, error: error.toBody() });
    }
  }

  /** Whether the client reads what it asked for; one that does not is cut off. */
  #mayBeSent(): boolean {
    if (this.#closed) return false;
    if (this.#options.outlet.bufferedBytes() <= MAX_BUFFERED_BYTES) return true;
    this.#options.onSlow();
    return false;
  }

  #admit(): void {
    // As many as may come at once may wait.
    const retryAfterMs = this.#waiting >= REQUEST_BURST ? 1_000 : this.#rate.take(Date.now());
    if (retryAfterMs === 0) {
      if (this.#refused > 0) this.#refused--;
      return;
    }
    if (++this.#refused > MAX_REFUSED_REQUESTS) this.#options.onFlood();
    throw new BelfryError("rate_limited", `Too many events; wait ${retryAfterMs} ms.`, { retryAfterMs });
  }
}

/** The error for an event that no namespace or session knows. */
export function unknownEvent(event: string): BelfryError {
  return new BelfryError("bad_request", `There is no event ${JSON.stringify(event.slice(0, 64))}.`);
}
