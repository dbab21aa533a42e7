import { currentOrigin, type Following } from "./context.js";
import type { Origin, Span, Tracing } from "./types.js";

/** What is handed to the log to be stored, as far as a trace is concerned. */
export interface Publication {
  id: string;
  plan: readonly unknown[];
}

/** What goes to the store as one. */
export interface Batch {
  publications: ReadonlyArray<{ id: string }>;
  writes: readonly unknown[];
}

/**
 * The parts of an event's trace between its request and its deliveries: `community decide`, until the log was given what is to be stored, and
 * `stream append`, until that is durable. Rooms know nothing of traces: what is handed to them is wrapped.
 */
export class EventSpans {
  readonly #tracing: Tracing;
  readonly #following: Following;
  /** When the last decision of the events was handed on that come with this origin. Milliseconds since the Unix epoch. */
  readonly #decidedAt = new WeakMap<Origin, number>();
  /** Spans of publications that are on their way to the store. */
  readonly #appending = new Map<string, Span>();

  constructor(tracing: Tracing, following: Following) {
    this.#tracing = tracing;
    this.#following = following;
  }

  /** The same work with a span that ends when the last publication was handed on, or with the work where none was. */
  deciding<Args extends unknown[], T>(work: (...args: Args) => Promise<T>): (...args: Args) => Promise<T> {
    return async (...args) => {
      const outer = currentOrigin();
      if (outer === null) return work(...args);
      const span = this.#tracing.start("community decide", { kind: "internal", parent: outer.trace });
      // An origin of its own, so that of two calls each has its own time.
      const origin = { ...outer };
      try {
        return await this.#following.run(origin, () => work(...args));
      } catch (error) {
        span.fail(error instanceof Error ? error.name : "error");
        throw error;
      } finally {
        span.end(this.#decidedAt.get(origin));
      }
    };
  }

  /** The same with a span until all is durable. */
  publishing<Request extends Publication, T>(publish: (request: Request) => Promise<T>): (request: Request) => Promise<T> {
    return async (request) => {
      const origin = currentOrigin();
      if (origin === null) return publish(request);
      this.#decidedAt.set(origin, Date.now());
      const attributes = { "belfry.event": request.id, "belfry.recipients": request.plan.length };
      const span = this.#tracing.start("stream append", { kind: "internal", parent: origin.trace, attributes });
      this.#appending.set(request.id, span);
      try {
        return await publish(request);
      } catch (error) {
        span.fail(error instanceof Error ? error.name : "error");
        throw error;
      } finally {
        span.end();
        if (this.#appending.get(request.id) === span) this.#appending.delete(request.id);
      }
    };
  }

  /** The same, noting with what else a publication went to the store. */
  appending<Request extends Batch, T>(append: (batch: Request) => Promise<T>): (batch: Request) => Promise<T> {
    return (batch) => {
      const attributes = { "belfry.batch.rows": batch.writes.length, "belfry.batch.publications": batch.publications.length };
      for (const { id } of batch.publications) this.#appending.get(id)?.note(attributes);
      return append(batch);
    };
  }
}
