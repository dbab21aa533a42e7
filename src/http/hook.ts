import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { DiscourseHook } from "../community/index.js";
import { BelfryError } from "../errors.js";
import { formPayloadOf, jsonOf, mediaTypeOf, textOf } from "./body.js";
import { MAX_HEADER_ID_LENGTH } from "./limits.js";

/** What a 401 of the hook says: no registered scheme covers a signed body, so it names the header. */
export const HOOK_CHALLENGE = 'X-Discourse-Event-Signature realm="belfry", algorithm="sha256"';

/** The event by which Discourse tries a webhook out. */
const PING = "ping";

/** Reads Discourse webhooks: the signature first, over the bytes as they came, and the content only when it is right. */
export class HookReader {
  private readonly secret: KeyObject | null;

  /** @param secret null refuses every hook. */
  constructor(secret: string | null) {
    this.secret = secret === null ? null : createSecretKey(secret, "utf8");
  }

  /** The digest that the body must have. @throws BelfryError `forbidden` without a secret, `unauthorized` without a signature. */
  signatureOf(headers: IncomingHttpHeaders): Buffer {
    if (this.secret === null) throw new BelfryError("forbidden", "Hooks are refused: set DISCOURSE_SECRET to the webhook's secret.");
    const header = headers["x-discourse-event-signature"];
    if (header === undefined) throw new BelfryError("unauthorized", "The hook is not signed; give the webhook in Discourse a secret.");
    const hex = typeof header === "string" ? /^sha256=([0-9a-f]{64})$/i.exec(header)?.[1] : undefined;
    if (hex === undefined)
      throw new BelfryError("unauthorized", "X-Discourse-Event-Signature must be `sha256=` and 64 hexadecimal digits.");
    return Buffer.from(hex, "hex");
  }

  /** The hook, or null for a `ping`. @throws BelfryError `unauthorized` for a wrong signature, `bad_request` */
  read(headers: IncomingHttpHeaders, signature: Buffer, raw: Buffer): DiscourseHook | null {
    if (this.secret === null || !timingSafeEqual(createHmac("sha256", this.secret).update(raw).digest(), signature)) {
      throw new BelfryError("unauthorized", "The signature does not fit the body: DISCOURSE_SECRET and the webhook's secret differ.");
    }
    const event = idIn(headers, "x-discourse-event");
    if (event === PING) return null;
    if (event === "") throw new BelfryError("bad_request", "The header X-Discourse-Event is missing.");
    const type = mediaTypeOf(headers["content-type"]);
    const isForm = type === "application/x-www-form-urlencoded";
    if (!isForm && type !== "application/json") {
      throw new BelfryError("bad_request", "The hook's Content-Type must be application/json or application/x-www-form-urlencoded.");
    }
    const text = textOf(raw);
    const body = jsonOf(isForm ? formPayloadOf(text) : text);
    return { event, eventId: idIn(headers, "x-discourse-event-id") || null, instance: idIn(headers, "x-discourse-instance"), body };
  }
}

function idIn(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name] ?? "";
  if (typeof value !== "string" || value.length > MAX_HEADER_ID_LENGTH) {
    throw new BelfryError("bad_request", `The header ${name} is longer than ${MAX_HEADER_ID_LENGTH} characters.`);
  }
  return value;
}
