import type { Link } from "../../src/cluster/types.js";

/**
 * What is wrong with a link. `cut`: it knows that it has no connection. Of these it knows nothing, until it is made anew: `mute`: what it
 * publishes vanishes; `deaf`: nothing comes; `dead`: both. `hung`: messages wait, both ways, until it is mended.
 */
export type Fault = "cut" | "mute" | "deaf" | "dead" | "hung";

/** What may happen to a message on its way: chances from 0 to 1, and the longest delay in milliseconds. */
export interface Weather {
  lost: number;
  doubled: number;
  /** Overtaken by what comes behind it. */
  shuffled: number;
  delay: number;
}

export const FINE: Weather = { lost: 0, doubled: 0, shuffled: 0, delay: 2 };

/** Numbers from 0 to 1, the same ones for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The channels that links of one process share, in place of a Redis. Works with fake timers. */
export class Loopback {
  weather: Weather = FINE;
  readonly #links = new Set<LoopbackLink>();

  constructor(readonly random: () => number = () => 0.5) {}

  link(): LoopbackLink {
    const link = new LoopbackLink(this, () => this.#links.delete(link));
    this.#links.add(link);
    return link;
  }

  /** Carries a message to all who are on the same side of a split. */
  carry(from: LoopbackLink, channel: string, text: string): void {
    for (const link of this.#links) if (link.side === from.side) link.take(channel, text);
  }
}

export class LoopbackLink implements Link {
  /** Links on different sides do not hear each other, as if Redis were two. */
  side = 0;
  renewed = 0;
  readonly published: Array<{ channel: string; text: string }> = [];
  #fault: Fault | null = null;
  #waiting: Array<() => void> = [];
  /** When the last message arrives: those behind it do not overtake it. */
  #lastAt = 0;
  readonly #listeners = new Map<string, Array<(text: string) => void>>();
  readonly #readyListeners: Array<() => void> = [];

  constructor(
    private readonly loopback: Loopback,
    private readonly forget: () => void,
  ) {}

  publish(channel: string, text: string): boolean {
    if (this.#fault === "cut") return false;
    this.published.push({ channel, text });
    if (this.#fault === "hung") this.#waiting.push(() => this.loopback.carry(this, channel, text));
    else if (this.#fault === null || this.#fault === "deaf") this.loopback.carry(this, channel, text);
    return true;
  }

  /** A message comes from the others, or back. */
  take(channel: string, text: string): void {
    if (!this.#listeners.has(channel)) return;
    const { weather, random } = this.loopback;
    if (random() < weather.lost) return;
    const delay = random() * weather.delay;
    const at = random() < weather.shuffled ? Date.now() + delay : Math.max(this.#lastAt, Date.now() + delay);
    this.#lastAt = Math.max(this.#lastAt, at);
    const times = random() < weather.doubled ? 2 : 1;
    for (let time = 0; time < times; time++) setTimeout(() => this.#arrive(channel, text), at - Date.now() + time * weather.delay);
  }

  subscribe(channel: string, listener: (text: string) => void): void {
    this.#listeners.set(channel, [...(this.#listeners.get(channel) ?? []), listener]);
  }

  onReady(listener: () => void): void {
    this.#readyListeners.push(listener);
    if (this.#fault === null) setTimeout(listener, 1);
  }

  renew(): void {
    this.renewed++;
    if (this.#fault === "cut" || this.#fault === null) return;
    const isHung = this.#fault === "hung";
    this.#waiting = [];
    // New connections to a Redis that hangs hang as well.
    if (!isHung) this.mend();
  }

  break(fault: Fault): void {
    this.mend();
    this.#fault = fault;
  }

  mend(): void {
    const isNew = this.#fault !== null && this.#fault !== "hung";
    this.#fault = null;
    for (const go of this.#waiting.splice(0)) go();
    if (isNew) for (const listener of this.#readyListeners) setTimeout(listener, 1);
  }

  close(): Promise<void> {
    this.#fault = "cut";
    this.forget();
    return Promise.resolve();
  }

  #arrive(channel: string, text: string): void {
    if (this.#fault === "hung") this.#waiting.push(() => this.#arrive(channel, text));
    else if (this.#fault === null || this.#fault === "mute") for (const listener of this.#listeners.get(channel) ?? []) listener(text);
  }
}
