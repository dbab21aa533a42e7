/**
 * The one table of errors. A code is what a client branches on (docs/PROTOCOL.md, "Errors"); the status is what HTTP says; `retry` tells a
 * machine whether the same request can succeed later without a change.
 */
const TABLE = {
  bad_request: { status: 400, title: "The request is malformed", retry: false },
  unauthorized: { status: 401, title: "A valid credential is needed", retry: false },
  token_expired: { status: 401, title: "The token has expired", retry: true },
  forbidden: { status: 403, title: "This credential may not do that", retry: false },
  banned: { status: 403, title: "This member is banned", retry: false },
  muted: { status: 403, title: "This member is muted", retry: false },
  origin_denied: { status: 403, title: "This origin is not allowed", retry: false },
  not_found: { status: 404, title: "There is nothing here", retry: false },
  reset: { status: 410, title: "The cursor cannot be continued", retry: false },
  too_large: { status: 413, title: "The request is too large", retry: false },
  rate_limited: { status: 429, title: "Too many requests", retry: true },
  too_many_connections: { status: 429, title: "Too many connections of one member", retry: true },
  internal: { status: 500, title: "The service failed", retry: true },
  unavailable: { status: 503, title: "Nothing was stored; try again", retry: true },
  overloaded: { status: 503, title: "The service is at its limit", retry: true },
  draining: { status: 503, title: "This node is stopping", retry: true },
} as const;

export type ErrorCode = keyof typeof TABLE;

/** What a client gets of an error over any transport. `retryAfterMs`: milliseconds. */
export interface ErrorBody {
  code: ErrorCode;
  message: string;
  retryAfterMs?: number;
}

/** The one class of errors that may reach a client. Its message says what is wrong and what to do, and holds no secret. */
export class BelfryError extends Error {
  override readonly name = "BelfryError";
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message?: string, options?: { retryAfterMs?: number; cause?: unknown }) {
    super(message ?? TABLE[code].title, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
  }

  get status(): number {
    return TABLE[this.code].status;
  }

  get title(): string {
    return TABLE[this.code].title;
  }

  get retry(): boolean {
    return TABLE[this.code].retry;
  }

  toBody(): ErrorBody {
    const body: ErrorBody = { code: this.code, message: this.message };
    if (this.retryAfterMs !== undefined) body.retryAfterMs = this.retryAfterMs;
    return body;
  }
}

/** Any thrown value as a `BelfryError`; what was not meant for clients becomes `internal` and keeps its cause for the log. */
export function asBelfryError(thrown: unknown): BelfryError {
  if (thrown instanceof BelfryError) return thrown;
  return new BelfryError("internal", "The service failed; the operator's log has the details.", { cause: thrown });
}
