import type { Logger } from "pino";
import type { Doubts } from "./doubts.js";
import { DOWN_AFTER_MS, LOOK_MS, RENEW_AFTER_MS, UP_WITHIN_MS } from "./limits.js";
import type { ClusterObserver } from "./observer.js";
import type { Link } from "./types.js";

export interface ProbeOptions {
  link: Link;
  doubts: Doubts;
  observer: ClusterObserver;
  logger: Logger;
}

/**
 * Whether this node hears itself through Redis. Connections that look well prove nothing: only a beat that has gone out and come back in
 * time does. Times are those of a clock that nobody sets, in milliseconds.
 */
export class Probe {
  readonly #options: ProbeOptions;
  readonly #listeners = new Set<(isUp: boolean) => void>();
  #state: "starting" | "up" | "down" = "starting";
  /** When the newest beat was sent that has come back; at first, when the first could have been. */
  #echo = 0;
  #triedAt = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#state === "up";
  }

  /** It was up, or could have been by now, and is not. */
  get isDown(): boolean {
    return this.#state === "down";
  }

  onState(listener: (isUp: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(now: number): void {
    this.#echo = now;
    this.#triedAt = now;
    this.#options.observer.state(false);
  }

  /** A beat that was sent at `sent` has come back. */
  echo(sent: number, now: number): void {
    if (sent > now) return;
    this.#echo = Math.max(this.#echo, sent);
    if (!this.isUp && now - sent <= UP_WITHIN_MS) this.#turnUp();
  }

  /** The link has new connections. */
  connected(now: number): void {
    this.#triedAt = now;
  }

  /** To be called with every beat. */
  tick(now: number): void {
    const silence = now - this.#echo;
    if (silence > DOWN_AFTER_MS && this.#state !== "down") this.#turnDown();
    // Connections that were made just now are given time.
    if (silence > RENEW_AFTER_MS && now - this.#triedAt >= RENEW_AFTER_MS) {
      this.#triedAt = now;
      this.#options.link.renew();
    }
    if (!this.isUp && now - this.#lookedAt >= LOOK_MS) {
      this.#lookedAt = now;
      this.#options.doubts.raise(0);
    }
  }

  #turnUp(): void {
    const { logger, observer, doubts } = this.#options;
    this.#state = "up";
    observer.state(true);
    logger.info("Redis carries messages between nodes");
    doubts.raise(0);
    for (const listener of this.#listeners) listener(true);
  }

  #turnDown(): void {
    const { logger, observer, doubts } = this.#options;
    const wasUp = this.isUp;
    this.#state = "down";
    logger.warn("Redis does not carry messages between nodes: until it does, sessions look at the store every second");
    if (!wasUp) return;
    observer.state(false);
    doubts.raise(0);
    for (const listener of this.#listeners) listener(false);
  }
}
