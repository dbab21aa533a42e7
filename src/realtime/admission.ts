import { BelfryError } from "../errors.js";
import {
  MAX_WAITING_OPENINGS,
  OPENING_MS,
  OPENING_WAIT_MS,
  OPENINGS_AT_ONCE,
  RETRY_OPENING_MAX_MS,
  RETRY_OPENING_MIN_MS,
  RETRY_STOPPING_MS,
} from "./limits.js";

/** How much of the average time of an opening the newest one is. */
const NEWEST_SHARE = 0.05;

/** What an opening is taken to last before any has been seen. Milliseconds. */
const FIRST_GUESS_MS = 50;

/** A place among the sessions that are being opened. */
export interface Opening {
  /** The session is open, or has ended: the next may begin. Harmless when called again. */
  done(): void;
}

/** Whose turn it is or shall be. */
interface Client {
  isGone: boolean;
  /** Gives up its place, or its wait for one. */
  leave(): void;
}

/** One that waits for its turn. */
interface Waiting {
  enter(): void;
  refuse(error: BelfryError): void;
}

/**
 * The gate in front of sessions. Opening one costs the store and the event loop more than hours of its life, so however many come at once,
 * few are opened at a time, in the order in which they came; those who would wait too long are refused, and told to come back when there
 * may be a place, at moments that are spread at random over the time that all before them need.
 */
export class Admission {
  readonly #waiting = new Set<Waiting>();
  readonly #random: () => number;
  #opening = 0;
  /** How long an opening has lasted of late, on average. Milliseconds. */
  #lasts = FIRST_GUESS_MS;
  /** When all who were refused would have been served, one after the other. Milliseconds of `performance.now()`. */
  #servedAt = 0;
  #isClosed = false;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves when a session may be opened. `whenGone` calls what it is given once the client is gone.
   * @throws BelfryError `overloaded` where there is no place in time, `draining` where the node stops.
   */
  async enter(whenGone: (left: () => void) => void): Promise<Opening> {
    if (this.#isClosed) throw stopping();
    const isFull = this.#opening >= OPENINGS_AT_ONCE;
    if (isFull && this.#waiting.size >= this.#longestQueue) throw this.#overloaded();
    const client: Client = { isGone: false, leave: () => {} };
    whenGone(() => {
      client.isGone = true;
      client.leave();
    });
    if (isFull) await this.#turn(client);
    else this.#opening++;
    return this.#begin(client);
  }

  /** Refuses all who wait and whoever comes. */
  close(): void {
    this.#isClosed = true;
    for (const one of this.#waiting) one.refuse(stopping());
  }

  /** As many as will have their turn in time. */
  get #longestQueue(): number {
    return Math.min(MAX_WAITING_OPENINGS, OPENING_WAIT_MS / this.#pace);
  }

  /** Milliseconds from one turn to the next. */
  get #pace(): number {
    return this.#lasts / OPENINGS_AT_ONCE;
  }

  #turn(client: Client): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): boolean => {
        clearTimeout(timer);
        return this.#waiting.delete(one);
      };
      const one: Waiting = {
        enter: () => leave() && resolve(),
        refuse: (error) => leave() && reject(error),
      };
      const timer = setTimeout(() => one.refuse(this.#overloaded()), OPENING_WAIT_MS).unref();
      this.#waiting.add(one);
      client.leave = () => one.refuse(new BelfryError("overloaded", "The client is gone."));
    });
  }

  /** The place is taken already. */
  #begin(client: Client): Opening {
    const began = performance.now();
    let isDone = false;
    const done = (): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      this.#lasts += (performance.now() - began - this.#lasts) * NEWEST_SHARE;
      this.#leave();
    };
    const timer = setTimeout(done, OPENING_MS).unref();
    client.leave = done;
    if (client.isGone) done();
    return { done };
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#opening--;
    else next.enter();
  }

  #overloaded(): BelfryError {
    const now = performance.now();
    // Whoever was refused before has a place before this one.
    this.#servedAt = Math.max(this.#servedAt, now + this.#waiting.size * this.#pace) + this.#pace;
    this.#servedAt = Math.min(this.#servedAt, now + RETRY_OPENING_MAX_MS / 2);
    // Anywhere in a time whose middle is that place: the mean is right, and no two come together.
    const retryAfterMs = Math.ceil(RETRY_OPENING_MIN_MS + this.#random() * 2 * (this.#servedAt - now));
    return new BelfryError("overloaded", "Too many come at once; connect again in a moment.", { retryAfterMs });
  }
}

/** The refusal of a node that stops. */
export function stopping(): BelfryError {
  const retryAfterMs = Math.ceil(Math.random() * RETRY_STOPPING_MS);
  return new BelfryError("draining", "This node is stopping; connect again.", { retryAfterMs });
}
