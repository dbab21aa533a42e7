import { BelfryError } from "../errors.js";

/**
 * The credential of an `Authorization` header (RFC 6750).
 * @throws BelfryError `unauthorized` where there is none, or another scheme.
 */
export function bearerOf(header: string | undefined): string {
  if (header === undefined || header === "") throw new BelfryError("unauthorized", "Send a credential as `Authorization: Bearer …`.");
  const credential = /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1];
  if (credential === undefined)
    throw new BelfryError("unauthorized", "The Authorization header must be `Bearer`, a space and the credential.");
  return credential;
}

/** Whether a credential has a JWT's form: three base64url parts of which the first is a JOSE header. Says nothing about its validity. */
export function looksLikeJwt(credential: string): boolean {
  const header = /^(eyJ[\w-]*)\.[\w-]*\.[\w-]*$/.exec(credential)?.[1];
  if (header === undefined) return false;
  try {
    const value: unknown = JSON.parse(Buffer.from(header, "base64url").toString());
    return typeof value === "object" && value !== null && "alg" in value;
  } catch {
    return false;
  }
}
