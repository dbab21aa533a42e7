import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { setImmediate as breath } from "node:timers/promises";
import webPush from "web-push";
import { isPrivateAddress, literalAddressOf, lookupPublic, PrivateAddress } from "./addresses.js";
import { IDLE_MS, MAX_ANSWER_BYTES, MAX_SIGNATURES, MAX_TLS_SESSIONS, SEND_MS, SIGNATURE_MS } from "./limits.js";
import { type Outcome, outcomeOf } from "./outcome.js";
import { Slots } from "./slots.js";
import type { Subscription, VapidKeys } from "./types.js";

/** A message for one device. */
export interface Message {
  /** JSON text. */
  payload: string;
  /** For how long a push service keeps it for a device that is off. Seconds. */
  ttl: number;
  urgency: "low" | "normal" | "high";
  /** A message takes the place of one with the same topic that was not delivered yet: 1 to 32 characters of base64url. */
  topic: string;
}

export interface SenderOptions {
  keys: VapidKeys;
  /** Whom a push service can turn to (RFC 8292): a `mailto:` or `https:` address. */
  subject: string;
  /** Whether push services may stand at addresses that are not public. */
  allowPrivate: boolean;
  clock: () => number;
  /** How long a push service may take, in milliseconds. */
  timeoutMs?: number;
}

/**
 * Sends messages to push services. Encryption and signature are web-push's; the connection is made here, because it must end in time, go to
 * public addresses only, and read no answer of any size.
 */
export class Sender {
  readonly #options: SenderOptions;
  readonly #agent = new Agent({ keepAlive: true, timeout: IDLE_MS, maxCachedSessions: MAX_TLS_SESSIONS });
  readonly #stop = new AbortController();
  /** Encryption takes 0.3 ms of the event loop: one message a turn, so that sockets are served between any two. */
  readonly #sealing = new Slots(1);
  /** By push service. */
  readonly #signatures = new Map<string, { header: string; until: number }>();

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Makes one attempt. Never throws. */
  async send({ endpoint, keys }: Pick<Subscription, "endpoint" | "keys">, message: Message): Promise<Outcome> {
    const { allowPrivate, clock, timeoutMs = SEND_MS } = this.#options;
    const address = new URL(endpoint);
    const literal = literalAddressOf(address);
    if (literal !== null && !allowPrivate && isPrivateAddress(literal)) return { is: "gone", why: "its address is not public" };
    try {
      const { headers, body } = await this.#sealing.run("", () => this.#seal(address, keys, message));
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)]);
      const { status, retryAfter, text } = await this.#post(address, headers, body, signal);
      return outcomeOf(status, retryAfter, text, clock());
    } catch (error) {
      if (error instanceof PrivateAddress) return { is: "gone", why: error.message };
      return { is: "delayed", why: reasonOf(error), retryAfterMs: null };
    }
  }

  /** Cuts what is under way: it counts as not sent. */
  stop(): void {
    this.#stop.abort(new Error("the service is stopping"));
    this.#agent.destroy();
  }

  async #seal(
    address: URL,
    keys: Subscription["keys"],
    { payload, ttl, urgency, topic }: Message,
  ): Promise<{ headers: Record<string, string>; body: Buffer }> {
    await breath();
    const { headers, body } = webPush.generateRequestDetails({ endpoint: address.href, keys }, payload, {
      headers: { Authorization: this.#signature(address.origin) },
      TTL: ttl,
      urgency,
      topic,
    });
    return { headers, body: body as Buffer };
  }

  #signature(origin: string): string {
    const { keys, subject, clock } = this.#options;
    const known = this.#signatures.get(origin);
    if (known !== undefined && known.until > clock()) return known.header;
    const { Authorization: header } = webPush.getVapidHeaders(origin, subject, keys.publicKey, keys.privateKey, "aes128gcm");
    if (this.#signatures.size >= MAX_SIGNATURES) this.#signatures.clear();
    this.#signatures.set(origin, { header, until: clock() + SIGNATURE_MS });
    return header;
  }

  #post(
    address: URL,
    headers: Record<string, string>,
    body: Buffer,
    signal: AbortSignal,
  ): Promise<{ status: number; retryAfter: string | undefined; text: string }> {
    return new Promise((resolve, reject) => {
      const lookup = this.#options.allowPrivate ? {} : { lookup: lookupPublic };
      const sent = request(address, { method: "POST", headers, agent: this.#agent, signal, ...lookup }, (answer) => {
        const status = answer.statusCode as number;
        const done = (text: string) => resolve({ status, retryAfter: answer.headers["retry-after"], text });
        readBeginning(answer).then(done, () => done(""));
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }
}

/** The first part of an answer's body. One that is longer is cut off with its connection. */
async function readBeginning(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop destroys the stream.
    if (size > MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString("utf8").slice(0, MAX_ANSWER_BYTES);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  const cause = error.name === "AbortError" && error.cause instanceof Error ? error.cause.message : error.message;
  return code === undefined || cause.includes(String(code)) ? cause : `${code}: ${cause}`;
}
