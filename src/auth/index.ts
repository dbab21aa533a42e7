/** The door of `auth`: whose credential this is. */
export { ApiKeys } from "./api-keys.js";
export { bearerOf, looksLikeJwt } from "./bearer.js";
export { mintDemoToken } from "./demo-token.js";
export { type Identity, rankOf } from "./identity.js";
export { createTokenVerifier, MAX_TOKEN_LENGTH, type TokenVerifier } from "./token-verifier.js";
