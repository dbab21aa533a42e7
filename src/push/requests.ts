import { ECDH, hash } from "node:crypto";
import { z } from "zod";
import { checked, cutText, url } from "../checked.js";
import { isPrivateAddress, literalAddressOf } from "./addresses.js";
import { MAX_USER_AGENT_LENGTH } from "./limits.js";

/** Bytes of a public key of P-256 (uncompressed) and of the secret beside it (RFC 8291). */
const POINT_BYTES = 65;
const SECRET_BYTES = 16;

const endpoint = url.refine((text) => isPlain(text), "must be a https:// URL without a user name");
const subscription = z.object({
  endpoint,
  keys: z.object({
    p256dh: z.string().refine(isPoint, "must be a public key of P-256, as base64url"),
    auth: z.string().refine((text) => bytesOf(text)?.length === SECRET_BYTES, `must be ${SECRET_BYTES} bytes, as base64url`),
  }),
});
const leaving = z.object({ endpoint });

/** A browser's subscription, as it came. */
export interface Registration {
  endpoint: string;
  keys: { p256dh: string; auth: string };
}

/**
 * A `PushSubscription` as JSON. Fields that this version does not know are passed over. `allowPrivate`: an endpoint may name an address that
 * is not public.
 * @throws BelfryError `bad_request` that names the field and its fault.
 */
export function parseSubscription(payload: unknown, allowPrivate: boolean): Registration {
  const public_ = endpoint.refine((text) => allowPrivate || isPublic(new URL(text)), "must be an address of the public network");
  const given = checked(subscription.extend({ endpoint: public_ }), payload, "The subscription");
  return { endpoint: normal(given.endpoint), keys: given.keys };
}

/** Which endpoint is to go: `{ endpoint }`. @throws BelfryError `bad_request` */
export function parseEndpoint(payload: unknown): string {
  return normal(checked(leaving, payload, "The body").endpoint);
}

/** A name of an endpoint that says nothing of it: 132 bits of its hash. */
export function idOf(address: string): string {
  return hash("sha256", address, "base64url").slice(0, 22);
}

/** The browser's name as it is kept, or null. */
export function userAgentOf(header: string | undefined): string | null {
  const text = header?.replace(/\p{Cc}/gu, " ").trim() ?? "";
  return text === "" ? null : cutText(text, MAX_USER_AGENT_LENGTH);
}

/** One spelling of an address, so that the same one is the same device. */
function normal(address: string): string {
  const { href, hash: fragment } = new URL(address);
  return fragment === "" ? href : href.slice(0, -fragment.length);
}

function isPlain(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return protocol === "https:" && username === "" && password === "";
}

function isPublic(address: URL): boolean {
  const literal = literalAddressOf(address);
  return literal === null || !isPrivateAddress(literal);
}

function bytesOf(text: string): Buffer | null {
  // What else the decoder passes over would make another key of it.
  return /^[\w-]{1,128}={0,2}$/.test(text) ? Buffer.from(text, "base64url") : null;
}

function isPoint(text: string): boolean {
  const bytes = bytesOf(text);
  if (bytes?.length !== POINT_BYTES) return false;
  try {
    ECDH.convertKey(bytes, "prime256v1");
    return true;
  } catch {
    return false;
  }
}
