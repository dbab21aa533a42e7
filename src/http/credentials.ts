import { type ApiKeys, bearerOf, type Identity, looksLikeJwt, type TokenVerifier } from "../auth/index.js";
import { BelfryError } from "../errors.js";

/** Admits servers. @throws BelfryError `unauthorized`, or `forbidden` for a member's token. */
export function requireServer(authorization: string | undefined, apiKeys: ApiKeys): void {
  const credential = bearerOf(authorization);
  if (apiKeys.matches(credential)) return;
  if (looksLikeJwt(credential)) throw new BelfryError("forbidden", "This call is for servers: send an API key, not a member's token.");
  throw new BelfryError("unauthorized", "This API key is not known.");
}

/** Admits members. @throws BelfryError `forbidden` for an API key, and what `TokenVerifier.verify` throws. */
export async function requireMember(authorization: string | undefined, apiKeys: ApiKeys, verifier: TokenVerifier): Promise<Identity> {
  const credential = bearerOf(authorization);
  if (apiKeys.matches(credential)) throw new BelfryError("forbidden", "This call is for members: send a member's token, not an API key.");
  return verifier.verify(credential);
}
