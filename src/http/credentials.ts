import type { IncomingMessage } from "node:http";
import { type ApiKeys, bearerOf, type Identity, looksLikeJwt, rankOf, type TokenVerifier } from "../auth/index.js";
import { BelfryError } from "../errors.js";
import { refuseBanned } from "../members/index.js";
import type { MemberRecord } from "../members/types.js";
import type { Actor } from "../moderation/types.js";
import { RateLimits } from "../rate-limit.js";
import type { Addressed } from "./address.js";
import { MAX_LIMITED_MEMBERS, MEMBER_BURST, MEMBER_CALLS_A_SECOND } from "./limits.js";
import type { MembersApi } from "./ports.js";

/** By whom acts with an API key are done. */
const SERVER = "server";

export interface CredentialsOptions {
  apiKeys: ApiKeys;
  verifier: TokenVerifier;
  members: Pick<MembersApi, "arrive">;
  /** The address of a request's client. */
  addressOf: (request: Addressed) => string | null;
  clock: () => number;
}

/** A member whose token was found good: what it says, and what is known of them. */
export interface Visitor {
  identity: Identity;
  member: MemberRecord;
}

/** Admits servers. @throws BelfryError `unauthorized`, or `forbidden` for a member's token. */
export function requireServer(authorization: string | undefined, apiKeys: ApiKeys): void {
  const credential = bearerOf(authorization);
  if (apiKeys.matches(credential)) return;
  if (looksLikeJwt(credential)) throw new BelfryError("forbidden", "This call is for servers: send an API key, not a member's token.");
  throw new BelfryError("unauthorized", "This API key is not known.");
}

/** Tells whose credential a request has. Members are held to a rate, and the banned are refused whatever they ask for. */
export class Credentials {
  readonly #options: CredentialsOptions;
  readonly #limits = new RateLimits({ burst: MEMBER_BURST, perSecond: MEMBER_CALLS_A_SECOND, maxKeys: MAX_LIMITED_MEMBERS });

  constructor(options: CredentialsOptions) {
    this.#options = options;
  }

  /** Admits servers. @throws BelfryError `unauthorized`, or `forbidden` for a member's token. */
  requireServer(request: IncomingMessage): void {
    requireServer(request.headers.authorization, this.#options.apiKeys);
  }

  /**
   * Admits members.
   * @throws BelfryError `forbidden` for an API key, `rate_limited`, `banned`, and what `TokenVerifier.verify` throws.
   */
  async requireMember(request: IncomingMessage): Promise<Visitor> {
    const credential = bearerOf(request.headers.authorization);
    if (this.#options.apiKeys.matches(credential)) {
      throw new BelfryError("forbidden", "This call is for members: send a member's token, not an API key.");
    }
    return this.#visit(credential);
  }

  /**
   * Who acts: a server, or a member with the rank that their token gives, which may be none.
   * @throws BelfryError `unauthorized`, `rate_limited`, `banned`, and what `TokenVerifier.verify` throws.
   */
  async requireStaff(request: IncomingMessage): Promise<Actor> {
    const { apiKeys, addressOf } = this.#options;
    const credential = bearerOf(request.headers.authorization);
    // Before anything is awaited: a connection that ends meanwhile has no address any more.
    const from = addressOf(request);
    if (apiKeys.matches(credential)) return { by: SERVER, rank: "server", from };
    const { identity } = await this.#visit(credential);
    return { by: identity.user, rank: rankOf(identity.roles), from };
  }

  async #visit(credential: string): Promise<Visitor> {
    const { verifier, members, clock } = this.#options;
    const identity = await verifier.verify(credential);
    const retryAfterMs = this.#limits.take(identity.user, clock());
    if (retryAfterMs > 0)
      throw new BelfryError("rate_limited", "This member calls too often; wait before the next call.", { retryAfterMs });
    const member = await members.arrive(identity);
    refuseBanned(member, clock());
    return { identity, member };
  }
}
