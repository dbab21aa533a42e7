import { createHash, createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { EventAnswer } from "../community/types.js";
import type { ReplayOptions } from "./replay-options.js";

/** How long one hook is tried before the run is given up: longer than a restart of the service takes. Milliseconds. */
const TRY_FOR_MS = 60_000;
/** First and longest pause before a hook is tried again. Milliseconds. */
const PAUSE_MIN_MS = 200;
const PAUSE_MAX_MS = 5_000;
/** Threat: a service that takes a request and never answers. Milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;

/** What became of one hook. `fatal`: the next would fare no better, so the run ends. */
export type Sent =
  | { ok: true; answer: Partial<EventAnswer>; retries: number }
  | { ok: false; fault: string; fatal: boolean; retries: number };

/** Sends webhooks as Discourse does. */
export class HookSender {
  readonly #options: ReplayOptions;
  readonly #endpoint: URL;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#endpoint = new URL("v1/hooks/discourse", options.url.href.replace(/\/*$/, "/"));
  }

  /** Sends one body, again and again while the service is away, busy or broken. */
  async send(body: Buffer, signal: AbortSignal): Promise<Sent> {
    const headers = this.#headersOf(body);
    const deadline = Date.now() + TRY_FOR_MS;
    for (let retries = 0; ; retries += 1) {
      const { sent, waitMs } = await this.#try(body, headers, retries, signal);
      const late = Date.now() >= deadline;
      if (waitMs === null || late || signal.aborted) return sent;
      // Jitter, so that several replays do not come back together.
      const pause = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** retries) * (0.5 + Math.random() / 2);
      await sleep(Math.max(waitMs, pause), undefined, { signal }).catch(() => undefined);
    }
  }

  /** `waitMs` is null where a second try makes no sense, else the least time to wait. */
  async #try(
    body: Buffer,
    headers: Record<string, string>,
    retries: number,
    signal: AbortSignal,
  ): Promise<{ sent: Sent; waitMs: number | null }> {
    let response: Response;
    let text: string;
    try {
      const stop = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
      response = await fetch(this.#endpoint, { method: "POST", headers, body, signal: stop });
      text = await response.text();
    } catch (error) {
      const { message, cause } = error as Error & { cause?: { code?: string } };
      return { sent: { ok: false, fault: `no answer (${cause?.code ?? message})`, fatal: true, retries }, waitMs: 0 };
    }
    const answer = objectOf(text);
    if (response.ok) return { sent: { ok: true, answer, retries }, waitMs: null };
    const { status } = response;
    const passing = status >= 500 || status === 429;
    // Where this one is not let in, no other will be.
    const fatal = passing || status === 401 || status === 403 || status === 404;
    const said = (answer as { detail?: unknown }).detail ?? (answer as { title?: unknown }).title ?? "";
    const sent: Sent = { ok: false, fault: `${status} ${typeof said === "string" ? said : ""}`.trim(), fatal, retries };
    const retryAfter = Number(response.headers.get("retry-after"));
    return { sent, waitMs: passing ? Math.min(PAUSE_MAX_MS, (Number.isFinite(retryAfter) ? retryAfter : 0) * 1_000) : null };
  }

  #headersOf(body: Buffer): Record<string, string> {
    const { event, instance, secret } = this.#options;
    return {
      "Content-Type": "application/json",
      "X-Discourse-Instance": instance,
      "X-Discourse-Event": event,
      "X-Discourse-Event-Type": event.split("_")[0] as string,
      "X-Discourse-Event-Id": `replay-${nameOf(body)}`,
      "X-Discourse-Event-Signature": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    };
  }
}

/** The same for the same post and version, so that a second run of a file is a repeat. */
function nameOf(body: Buffer): string {
  const { post } = objectOf(body.toString()) as { post?: { id?: unknown; version?: unknown } };
  if (typeof post?.id === "number" && typeof post.version === "number") return `${post.id}-${post.version}`;
  return createHash("sha256").update(body).digest("hex").slice(0, 32);
}

function objectOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
