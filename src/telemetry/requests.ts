import { randomUUID } from "node:crypto";
import { asBelfryError } from "../errors.js";
import type { Following } from "./context.js";
import type { Distribution } from "./distribution.js";
import type { Family } from "./family.js";
import type { Tally } from "./tally.js";
import type { Origin, Span, Trail, TrailStart } from "./types.js";

/** Methods that are told apart; any other token is one in the eyes of HTTP. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]);

/** What became of a request by socket: `refused` was the caller's fault, `failed` the service's. */
type SocketOutcome = "ok" | "refused" | "failed";

/** Requests over HTTP: rate, errors, duration, and a span where there are traces. */
export class HttpRequests {
  readonly #seconds: Family<Distribution>;
  readonly #following: Following;

  /** `seconds`: labelled route, method, status. */
  constructor(seconds: Family<Distribution>, following: Following) {
    this.#seconds = seconds;
    this.#following = following;
  }

  /** Whether it is worth reading what trace a caller has begun. */
  get areTraced(): boolean {
    return this.#following.tracing !== null;
  }

  /** A request has come in. */
  begin(start: TrailStart): Trail {
    return new HttpTrail(start, this.#seconds, this.#following);
  }
}

class HttpTrail implements Trail {
  readonly request: string;
  readonly #method: string;
  readonly #seconds: Family<Distribution>;
  readonly #following: Following;
  readonly #span: Span | null;
  readonly #startedAt = performance.now();
  #ended = false;

  constructor({ id, method, isTraced, traceparent }: TrailStart, seconds: Family<Distribution>, following: Following) {
    this.request = id;
    this.#method = METHODS.has(method) ? method : "other";
    this.#seconds = seconds;
    this.#following = following;
    const tracing = isTraced ? following.tracing : null;
    this.#span =
      tracing?.start(this.#method, {
        kind: "server",
        parent: traceparent,
        attributes: { "http.request.method": this.#method, "belfry.request": id },
      }) ?? null;
  }

  run<T>(work: () => T): T {
    return this.#following.run({ request: this.request, trace: this.#span?.traceparent ?? null }, work);
  }

  end(route: string, status: number | null): number {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    if (this.#ended) return seconds;
    this.#ended = true;
    this.#seconds.of(route, this.#method, status === null ? "aborted" : `${Math.floor(status / 100)}xx`).observe(seconds);
    if (this.#span !== null) {
      this.#span.rename(`${this.#method} ${route}`);
      this.#span.note({ "http.route": route, ...(status === null ? {} : { "http.response.status_code": status }) });
      if (status === null || status >= 500) this.#span.fail(String(status ?? "aborted"));
      this.#span.end();
    }
    return seconds;
  }
}

/** A request by socket, as the namespace's handlers have it. */
type Handler<Args extends unknown[]> = (...args: Args) => Promise<object>;

/** Requests by socket, in the same way, and who was let into a namespace. */
export class SocketRequests {
  readonly #seconds: Family<Distribution>;
  readonly #handshakes: Family<Tally>;
  readonly #following: Following;

  /** `seconds`: labelled namespace, event, outcome; `handshakes`: namespace, outcome. */
  constructor(seconds: Family<Distribution>, handshakes: Family<Tally>, following: Following) {
    this.#seconds = seconds;
    this.#handshakes = handshakes;
    this.#following = following;
  }

  /** The same handlers, by event, each followed. What no handler is for becomes no label. */
  observed<Args extends unknown[]>(namespace: string, handlers: ReadonlyMap<string, Handler<Args>>): ReadonlyMap<string, Handler<Args>> {
    return new Map(
      Array.from(handlers, ([event, handle]): [string, Handler<Args>] => [
        event,
        (...args) => this.follow(namespace, event, () => handle(...args)),
      ]),
    );
  }

  /** The same decision on a connection, counted by what it was. */
  admitting<Args extends unknown[], T>(namespace: string, admit: (...args: Args) => Promise<T>): (...args: Args) => Promise<T> {
    return async (...args) => {
      try {
        const accepted = await admit(...args);
        this.#handshakes.of(namespace, "accepted").add();
        return accepted;
      } catch (error) {
        this.#handshakes.of(namespace, asBelfryError(error).code).add();
        throw error;
      }
    };
  }

  /** Does the work of one request. `event` must be one that the program knows: it becomes a label. */
  async follow<T>(namespace: string, event: string, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const { origin, span } = this.#begin(namespace, event);
    let outcome: SocketOutcome = "ok";
    try {
      return await (origin === null ? work() : this.#following.run(origin, work));
    } catch (thrown) {
      const { code, status } = asBelfryError(thrown);
      outcome = status >= 500 ? "failed" : "refused";
      if (outcome === "failed") span?.fail(code);
      else span?.note({ "error.type": code });
      throw thrown;
    } finally {
      this.#seconds.of(namespace, event, outcome).observe((performance.now() - startedAt) / 1000);
      span?.end();
    }
  }

  #begin(namespace: string, event: string): { origin: Origin | null; span: Span | null } {
    const { isOn, tracing } = this.#following;
    if (!isOn) return { origin: null, span: null };
    const request = randomUUID();
    const attributes = { "belfry.namespace": namespace, "belfry.request": request };
    const span = tracing?.start(`${namespace} ${event}`, { kind: "server", parent: null, attributes }) ?? null;
    return { origin: { request, trace: span?.traceparent ?? null }, span };
  }
}
