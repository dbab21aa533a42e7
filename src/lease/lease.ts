import type { LeaseStore } from "./types.js";

/**
 * For how long the lease is taken. A third of it goes by between two renewals, so two in a row may fail; when its holder dies, another node
 * has it after one and a third. Milliseconds.
 */
const TTL_MS = 10_000;
const RENEWALS = 3;

/** The part of that time for which the holder trusts it: the store's clock may run a little faster than this machine's. */
const TRUSTED = 0.9;

/** Two clocks of this machine, in milliseconds: one that never jumps, and one that goes on while the machine is suspended. */
export interface Clocks {
  steady(): number;
  wall(): number;
}

export interface LeaseOptions {
  store: LeaseStore;
  name: string;
  /** Names this process among all that ever want the lease. */
  holder: string;
  /** Called when this process comes to have the lease, and when it notices that it has it no more. */
  onChange?: (isHeld: boolean) => void;
  /** Called with the first failure of several in a row. */
  onError: (error: unknown) => void;
  clocks?: Clocks;
}

/**
 * A lease that this process tries to have, and keeps once it has it, until it is stopped. Two processes may both act on it for a moment: what
 * was begun under the lease can end after it. So it spares work and never makes work safe: whoever acts under it must bear to be doubled.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #clocks: Clocks;
  /** Until when it is held for sure, by each clock; null where it is not. */
  #until: { steady: number; wall: number } | null = null;
  #told = false;
  #failing = false;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | null = null;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#clocks = options.clocks ?? { steady: () => performance.now(), wall: Date.now };
  }

  /** Whether this process surely has the lease: not where it stood still, or could not reach the store, for longer than the lease holds. */
  get isHeld(): boolean {
    if (this.#until === null || this.#stopping !== null) return false;
    return this.#clocks.steady() < this.#until.steady && this.#clocks.wall() < this.#until.wall;
  }

  /** Begins to try; resolves after the first attempt, whatever came of it. */
  start(): Promise<void> {
    this.#running = this.#attempt();
    return this.#running;
  }

  /** Gives the lease back, so that another node has it at once. Harmless when called again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
    this.#tell();
    if (this.#until === null) return;
    const { store, name, holder, onError } = this.#options;
    // Where that fails it runs out by itself.
    await store.release(name, holder).catch(onError);
  }

  async #attempt(): Promise<void> {
    // As it was before the store was asked: the store counts from a later moment.
    const [steady, wall] = [this.#clocks.steady(), this.#clocks.wall()];
    await this.#take(steady, wall);
    if (this.#stopping !== null) return;
    this.#tell();
    const wait = Math.max(0, steady + TTL_MS / RENEWALS - this.#clocks.steady());
    this.#timer = setTimeout(() => {
      this.#running = this.#attempt();
    }, wait).unref();
  }

  async #take(steady: number, wall: number): Promise<void> {
    const { store, name, holder, onError } = this.#options;
    try {
      const taken = await store.take(name, holder, TTL_MS);
      this.#until = taken ? { steady: steady + TTL_MS * TRUSTED, wall: wall + TTL_MS * TRUSTED } : null;
      this.#failing = false;
    } catch (error) {
      // What was held before is held until it runs out.
      if (!this.#failing) onError(error);
      this.#failing = true;
    }
  }

  #tell(): void {
    const held = this.isHeld;
    if (held === this.#told) return;
    this.#told = held;
    this.#options.onChange?.(held);
  }
}
