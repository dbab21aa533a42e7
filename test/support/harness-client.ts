import { createHmac } from "node:crypto";
import type { ServiceKeys } from "./service.js";

/** How long an attempt may take before the next node is asked: a frozen node would answer when it wakes. Milliseconds. */
const ATTEMPT_MS = 4_000;

/** The pause between two attempts. Milliseconds. */
const PAUSE_MS = 40;

/** How long a call may go without success: longer than any fault lasts. Milliseconds. */
const PATIENCE_MS = 90_000;

/** Calls that took longer than this are told of. Milliseconds. */
const SLOW_MS = 6_000;

/** Answers that say: not now. Everything else that is no success is a fault of the service. */
const NOT_NOW = new Set([429, 503]);

/** A call as it is repeated, to whichever node. */
export interface Call {
  method: "POST" | "PUT" | "PATCH" | "DELETE" | "GET";
  path: string;
  /** An API key or a member's token; none where the headers say it. */
  credential?: string;
  headers?: Record<string, string>;
  body?: unknown;
  /** Whether `not_found` is a success too: what was to be removed may have been by an attempt that was not answered. */
  goneIsDone?: boolean;
}

export interface Success {
  status: number;
  body: Record<string, unknown>;
}

/** A server that calls the nodes, and sends the same call again, to any of them, until it is answered with success. */
export class Caller {
  /** Answers that no right service gives to these calls. */
  readonly faults: string[] = [];
  /** Calls that took long, each with what its attempts came to. */
  readonly slow: string[] = [];
  /** Attempts that got no answer at all. */
  readonly broken: string[] = [];
  calls = 0;
  attempts = 0;

  constructor(
    private readonly urls: readonly string[],
    readonly keys: ServiceKeys,
    private readonly random: () => number,
    private readonly attemptMs = ATTEMPT_MS,
  ) {}

  /** @throws Error when it was refused for good, or took too long. */
  async untilDone(call: Call): Promise<Success> {
    this.calls++;
    const began = Date.now();
    const attempts: string[] = [];
    let last: unknown;
    while (Date.now() < began + PATIENCE_MS) {
      this.attempts++;
      const url = this.urls[Math.floor(this.random() * this.urls.length)] as string;
      try {
        const response = await fetch(`${url}${call.path}`, { ...requestOf(call), signal: AbortSignal.timeout(this.attemptMs) });
        const text = await response.text();
        const took = Date.now() - began;
        if (took > SLOW_MS && response.ok) this.slow.push(`${call.method} ${call.path} in ${took} ms: ${attempts.join("; ")}`);
        if (response.ok || (call.goneIsDone === true && response.status === 404))
          return { status: response.status, body: JSON.parse(text) as Record<string, unknown> };
        last = `${response.status} ${text}`;
        if (!NOT_NOW.has(response.status)) {
          this.faults.push(`${call.method} ${call.path}: ${last}`);
          if (response.status < 500) throw new Refused(String(last));
        }
      } catch (error) {
        if (error instanceof Refused) throw error;
        last = error;
        this.broken.push(`${call.method} ${call.path}: ${String(error)}`);
      }
      attempts.push(`${new URL(url).port} ${String(last).slice(0, 200)} at ${Date.now() - began}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    throw new Error(`${call.method} ${call.path} had no success in ${PATIENCE_MS} ms: ${String(last)}`);
  }

  /** Sends a webhook as Discourse does. */
  hook(event: string, id: string, post: object): Promise<Success> {
    const body = JSON.stringify({ post });
    const headers = {
      "x-discourse-event": event,
      "x-discourse-event-id": id,
      "x-discourse-event-type": "post",
      "x-discourse-instance": "https://forum.example",
      "x-discourse-event-signature": `sha256=${createHmac("sha256", this.keys.discourseSecret).update(body).digest("hex")}`,
    };
    return this.untilDone({ method: "POST", path: "/v1/hooks/discourse", headers, body });
  }

  /** A server's call. */
  asServer(method: Call["method"], path: string, body?: unknown): Promise<Success> {
    return this.untilDone({ method, path, credential: this.keys.apiKey, body });
  }
}

class Refused extends Error {}

function requestOf({ method, credential, headers = {}, body }: Call): RequestInit {
  return {
    method,
    headers: {
      ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  };
}
