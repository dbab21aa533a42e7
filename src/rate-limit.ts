/** Forgotten buckets for each one taken from, so that the idle go faster than new ones come. */
const FORGET_A_TAKE = 2;

/** What each key may take, and of how many keys a bucket is kept at most. */
export interface RateLimitsOptions {
  burst: number;
  perSecond: number;
  maxKeys: number;
}

/** A token bucket: `burst` at once, `perSecond` on average. */
export class RateLimit {
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #at: number;

  constructor(burst: number, perSecond: number, now: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes one token. 0: taken; else the milliseconds after which there is one again. */
  take(now: number): number {
    this.#tokens = this.#tokensAt(now);
    this.#at = now;
    if (this.#tokens >= 1) {
      this.#tokens--;
      return 0;
    }
    return Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1000);
  }

  /** Whether it is as good as a new one. */
  isFull(now: number): boolean {
    return this.#tokensAt(now) >= this.#burst;
  }

  #tokensAt(now: number): number {
    return Math.min(this.#burst, this.#tokens + (Math.max(0, now - this.#at) / 1000) * this.#perSecond);
  }
}

/**
 * A bucket for each key. Full ones are forgotten, since a new one is as good. Above `maxKeys` the one that was used longest ago goes whatever
 * it holds: its key then has a full one again, which costs less than memory without bound.
 */
export class RateLimits {
  readonly #options: RateLimitsOptions;
  /** In order of use, the longest unused first. */
  readonly #limits = new Map<string, RateLimit>();

  constructor(options: RateLimitsOptions) {
    this.#options = options;
  }

  /** Keys of which a bucket is kept. */
  get size(): number {
    return this.#limits.size;
  }

  /** Takes one of the key's tokens. 0: taken; else the milliseconds after which there is one again. */
  take(key: string, now: number): number {
    const limit = this.#limits.get(key) ?? new RateLimit(this.#options.burst, this.#options.perSecond, now);
    this.#limits.delete(key);
    this.#forget(now);
    this.#limits.set(key, limit);
    return limit.take(now);
  }

  #forget(now: number): void {
    let left = FORGET_A_TAKE;
    for (const [key, limit] of this.#limits) {
      if (left-- === 0) return;
      if (!limit.isFull(now) && this.#limits.size < this.#options.maxKeys) return;
      this.#limits.delete(key);
    }
  }
}
