/** A value that was sent a moment ago, or waits to be sent. */
interface Slot<V> {
  /** The newest that was not sent. */
  latest: V | null;
  sentAt: number;
  /** Runs until the next may be sent. */
  timer: NodeJS.Timeout | null;
}

export interface PaceOptions<V> {
  /** The least time between two values of one key. Milliseconds. */
  everyMs: number;
  send: (value: V) => void;
  /** Whether nothing may be sent now; what waits goes when `resume` is called. */
  isHeld?: () => boolean;
}

/** Sends the newest of many values of each key at a pace that is bounded; what comes last is always sent. */
export class Pace<V> {
  readonly #options: PaceOptions<V>;
  readonly #slots = new Map<string, Slot<V>>();
  #closed = false;

  constructor(options: PaceOptions<V>) {
    this.#options = options;
  }

  /** The key has a new value. */
  offer(key: string, value: V): void {
    if (this.#closed) return;
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = { latest: null, sentAt: 0, timer: null };
      this.#slots.set(key, slot);
    }
    slot.latest = value;
    this.#send(key, slot);
  }

  /** What was not sent of the key is not sent any more. */
  drop(key: string): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    slot.latest = null;
    if (slot.timer === null) this.#slots.delete(key);
  }

  /** What was held may go. */
  resume(): void {
    for (const [key, slot] of this.#slots) this.#send(key, slot);
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#slots.values()) if (timer !== null) clearTimeout(timer);
    this.#slots.clear();
  }

  #send(key: string, slot: Slot<V>): void {
    if (slot.latest === null || slot.timer !== null || this.#options.isHeld?.() === true) return;
    const value = slot.latest;
    slot.latest = null;
    slot.sentAt = performance.now();
    this.#options.send(value);
    this.#rest(key, slot, this.#options.everyMs);
  }

  #rest(key: string, slot: Slot<V>, ms: number): void {
    slot.timer = setTimeout(() => {
      slot.timer = null;
      // Timers count from the beginning of the turn that set them, so they can be early by as much as that turn took.
      const early = slot.sentAt + this.#options.everyMs - performance.now();
      if (early > 0) this.#rest(key, slot, Math.ceil(early));
      else if (slot.latest === null) this.#slots.delete(key);
      else this.#send(key, slot);
    }, ms).unref();
  }
}
