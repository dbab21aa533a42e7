import { refusal } from "./refusal.js";
import type { ConnectOptions } from "./types.js";

/** A session is refreshed so long before its token expires, or at half of what is left where that is less. Source: docs/PROTOCOL.md. */
const BEFORE_EXPIRY_MS = 60_000;

export interface Claims {
  /** The member's id, where the token says it. */
  readonly user?: string;
  /** When it expires by the service's clock, milliseconds since 1970; NaN where it does not say. */
  readonly expiresAt: number;
}

/** What a token says of itself. Whether that is true, the service decides. */
export function claimsOf(token: string): Claims {
  try {
    const bytes = atob((token.split(".")[1] as string).replace(/-/g, "+").replace(/_/g, "/"));
    // `escape` turns bytes of UTF-8 into what `decodeURIComponent` reads; not every React Native has TextDecoder.
    const { sub, exp } = JSON.parse(decodeURIComponent(escape(bytes)));
    return { user: sub, expiresAt: exp * 1_000 };
  } catch {
    return { expiresAt: Number.NaN };
  }
}

/** How long a token that is valid for `left` milliseconds is used before the next one is asked for. */
export function useFor(left: number): number {
  return Math.max(left - BEFORE_EXPIRY_MS, left / 2);
}

/** Gives the member's token: the one at hand for as long as it is good. */
export interface Tokens {
  /** Whether a token that is not good any more can be replaced. */
  readonly canRenew: boolean;
  /** The one at hand is not good: the next call asks for another. */
  spoil(): void;
  /**
   * `serverNow` is the time by the service's clock, as far as it is known.
   * @throws BelfryRefusal `no_token`
   */
  get(serverNow: number): Promise<string>;
}

export function tokensOf(source: ConnectOptions["token"]): Tokens {
  const canRenew = typeof source === "function";
  let token = "";
  return {
    canRenew,
    spoil() {
      token = "";
    },
    async get(serverNow) {
      try {
        if (!canRenew) token = source;
        else if (!token || claimsOf(token).expiresAt - serverNow < BEFORE_EXPIRY_MS) token = await source();
        if (token && typeof token === "string") return token;
        throw new Error("it is no text");
      } catch (error) {
        throw refusal("no_token", `There is no token: ${error}`);
      }
    },
  };
}
