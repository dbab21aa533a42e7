import type { RefusalFacts } from "./types.js";

/** The service, or the SDK, has not done what was asked. Branch on `code`; `message` is for people. */
export class BelfryRefusal extends Error implements RefusalFacts {
  declare readonly code: string;
  declare readonly retryAfterMs?: number;

  constructor(facts: RefusalFacts) {
    super(facts.message);
    Object.assign(this, { name: "BelfryRefusal", ...facts });
  }
}

/** One of the SDK's own. */
export const refusal = (code: string, message: string): BelfryRefusal => new BelfryRefusal({ code, message });

export const OFFLINE = refusal("offline", "There is no connection.");
