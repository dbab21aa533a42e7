/** The words of telemetry that other rooms know. */

/** What made an entry, so that its way to a screen can be followed. */
export interface Origin {
  /** Id of the request. */
  request: string | null;
  /** The request's trace, as the header `traceparent` of W3C Trace Context has it. */
  trace: string | null;
}

/** What is noted with a span. */
export type Attributes = Record<string, string | number | boolean>;

/** A piece of work of a trace. */
export interface Span {
  /** By which work that follows from it goes on with the trace: a `traceparent` of W3C Trace Context. */
  readonly traceparent: string;
  rename(name: string): void;
  note(attributes: Attributes): void;
  /** The work failed; `code` is an error's. */
  fail(code: string): void;
  /** `at`: milliseconds since the Unix epoch; now, where it is not given. */
  end(at?: number): void;
}

/** `server`: for somebody outside who waits; `consumer`: of something that was handed over; `internal`: the rest. */
export type SpanKind = "server" | "consumer" | "internal";

export interface SpanStart {
  kind: SpanKind;
  /** The `traceparent` of what this follows from; null begins a trace, as does one that is malformed. */
  parent: string | null;
  attributes?: Attributes;
}

/** Where spans are begun. Nothing of it throws, whatever becomes of the place that they are sent to. */
export interface Tracing {
  start(name: string, options: SpanStart): Span;
  /** Sends what waits, but not for long. */
  stop(): Promise<void>;
}

/** One request of HTTP on its way, from its headers to the end of its answer. */
export interface Trail {
  /** Its id. */
  readonly request: string;
  /** Runs a part of its work, so that what comes of it is known as the request's. */
  run<T>(work: () => T): T;
  /**
   * It has been answered; returns how long that took in seconds. `route`: the route's pattern, never the path. `status`: null where the
   * caller went away before.
   */
  end(route: string, status: number | null): number;
}

/** What is known of a request when it begins. */
export interface TrailStart {
  id: string;
  method: string;
  /** Whether it is worth a trace. */
  isTraced: boolean;
  /** The trace that the caller has begun, where it may. */
  traceparent: string | null;
}
