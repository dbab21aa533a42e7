import { setTimeout as delay } from "node:timers/promises";
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from "jose";
import { cutText, MAX_NAME_LENGTH } from "../checked.js";
import type { Config } from "../config/index.js";
import { BelfryError } from "../errors.js";
import { type Identity, rolesOf } from "./identity.js";

/** Threat: work spent on decoding what was never a token. Tokens with many claims stay below 4 KiB. Characters. */
export const MAX_TOKEN_LENGTH = 8_192;

/** Threat: an id that fills keys of the store. Source: the wire contract, "Ids and users". */
const MAX_USER_LENGTH = 128;

/** Control characters would end a name early in a store, and then two members have one. */
const USER = new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${MAX_USER_LENGTH}}$`, "u");

/** Threat: tokens with made-up key ids that make this service hammer the identity provider. At most one fetch in this time. */
const JWKS_COOLDOWN_MS = 1_000;

/** Threat: connections that pile up behind an identity provider that does not answer. */
const JWKS_TIMEOUT_MS = 5_000;

/** The last moment that a Date can hold (ECMA-262): what is later is as good as this. */
const LAST_MOMENT_MS = 8.64e15;

/** Tells who a member's token speaks for. */
export interface TokenVerifier {
  /**
   * @throws BelfryError `unauthorized` (with what is wrong), `token_expired`, or `unavailable` where the key set cannot be fetched.
   */
  verify(token: unknown): Promise<Identity>;
}

type Check = (token: string) => Promise<JWTPayload>;

/** A verifier for the one way that is configured. The algorithm is the key's, never the token's choice. */
export function createTokenVerifier(config: Pick<Config, "tokenKeys" | "jwtIssuer" | "jwtAudience">): TokenVerifier {
  const check = checkFor(config);
  return {
    async verify(token) {
      if (token === undefined || token === null || token === "") throw new BelfryError("unauthorized", "A token is needed.");
      if (typeof token !== "string") throw new BelfryError("unauthorized", "The token must be a string.");
      if (token.length > MAX_TOKEN_LENGTH)
        throw new BelfryError("unauthorized", `The token is longer than ${MAX_TOKEN_LENGTH} characters.`);
      let payload: JWTPayload;
      try {
        payload = await check(token);
      } catch (error) {
        throw refusalOf(error);
      }
      return identityOf(payload);
    },
  };
}

function checkFor({ tokenKeys, jwtIssuer, jwtAudience }: Pick<Config, "tokenKeys" | "jwtIssuer" | "jwtAudience">): Check {
  const options: JWTVerifyOptions = { clockTolerance: 0, requiredClaims: ["exp", "sub"] };
  if (jwtIssuer !== null) options.issuer = jwtIssuer;
  if (jwtAudience !== null) options.audience = jwtAudience;

  if (tokenKeys.kind === "secret") {
    const pinned = { ...options, algorithms: ["HS256"] };
    // Imported once: from bytes, jose would import the key again for every token.
    const key = crypto.subtle.importKey("raw", tokenKeys.secret as Uint8Array<ArrayBuffer>, { name: "HMAC", hash: "SHA-256" }, false, [
      "verify",
    ]);
    return async (token) => (await jwtVerify(token, await key, pinned)).payload;
  }
  if (tokenKeys.kind === "public-key") {
    const pinned = { ...options, algorithms: [tokenKeys.algorithm] };
    return async (token) => (await jwtVerify(token, tokenKeys.key, pinned)).payload;
  }
  const keySet = createRemoteJWKSet(tokenKeys.url, { cooldownDuration: JWKS_COOLDOWN_MS, timeoutDuration: JWKS_TIMEOUT_MS });
  const find = waitingOut(keySet);
  const pinned = { ...options, algorithms: ["RS256", "ES256"] };
  return async (token) => (await jwtVerify(token, find, pinned)).payload;
}

/** A key set whose cooldown delays tokens with a new key instead of refusing them: after a rotation they are the honest ones. */
function waitingOut(keySet: ReturnType<typeof createRemoteJWKSet>): JWTVerifyGetKey {
  return async (header, token) => {
    try {
      return await keySet(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !keySet.coolingDown) throw error;
      await delay(JWKS_COOLDOWN_MS);
      return await keySet(header, token);
    }
  };
}

function identityOf(payload: JWTPayload): Identity {
  const { sub, exp, roles = [], name } = payload;
  if (typeof sub !== "string" || !USER.test(sub)) {
    throw new BelfryError(
      "unauthorized",
      `The token's \`sub\` must be a string of 1 to ${MAX_USER_LENGTH} characters, none of them a control character.`,
    );
  }
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === "string")) {
    throw new BelfryError("unauthorized", "The token's `roles` must be an array of strings.");
  }
  return {
    user: sub,
    roles: rolesOf(roles),
    // A name is only shown: one of another kind is none, and costs nobody their session.
    name: typeof name === "string" && name !== "" ? cutText(name, MAX_NAME_LENGTH) : null,
    expiresAt: Math.min((exp ?? 0) * 1000, LAST_MOMENT_MS),
  };
}

/** What went wrong, in words that say what to do and repeat nothing of the token. */
function refusalOf(error: unknown): BelfryError {
  const refuse = (message: string) => new BelfryError("unauthorized", message);
  if (error instanceof errors.JWTExpired) return new BelfryError("token_expired", "The token has expired; get a new one.");
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.reason === "missing") return refuse(`The token has no \`${error.claim}\`, which is needed.`);
    if (error.claim === "nbf") return refuse("The token is not valid yet (`nbf`).");
    return refuse(`The token's \`${error.claim}\` is not what this service expects.`);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return refuse("The token's signature does not match this service's key.");
  if (error instanceof errors.JOSEAlgNotAllowed) return refuse("The token's `alg` is not the one that this service accepts.");
  if (error instanceof errors.JWKSNoMatchingKey) return refuse("The token's key is not in the key set.");
  if (error instanceof errors.JWKSMultipleMatchingKeys)
    return refuse("Several keys of the key set could be the token's; its header needs `kid`.");
  const malformed = [errors.JWSInvalid, errors.JWTInvalid, errors.JOSENotSupported];
  if (malformed.some((kind) => error instanceof kind)) return refuse("This is not a valid signed JWT.");
  // What is left comes from fetching or reading the key set.
  return new BelfryError("unavailable", "The keys of tokens cannot be fetched; try again.", { cause: error });
}
