import { setImmediate as breath } from "node:timers/promises";
import type { StreamReader } from "../stream/index.js";
import type { Device, Devices } from "./devices.js";
import { LEASE_LOOK_MS, SWEEP_MS, SWEEP_SHARE, SWEEP_STEP } from "./limits.js";
import type { PushStore } from "./types.js";

export interface SweepOptions {
  store: Pick<PushStore, "page">;
  devices: Devices;
  log: Pick<StreamReader, "headsAfter">;
  /** Whether this node pushes; the others only learn which devices there are. */
  isMine: () => boolean;
  /** Called with a device whose stream goes on after its cursor. */
  onAhead: (device: Device) => void;
  /** Called with a device that is there no more. */
  onGone: (device: Device) => void;
  /** Called after each look at all devices: with null, or why it has failed. */
  onEnd: (error: unknown) => void;
  clock: () => number;
}

/**
 * Looks at all devices again and again: which there are, and for which there is more than they were told of. So this node finds what it was not
 * told, what was left when the last one ended, and devices that another node has added.
 */
export class Sweep {
  readonly #options: SweepOptions;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;
  /** Whether this node pushed, as it was seen last. */
  #wasMine = false;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  start(): void {
    this.#wait(0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }

  /** Waits so long, or until it comes to this node to push: then it has to find what the last one has left. */
  #wait(ms: number): void {
    const step = Math.min(ms, LEASE_LOOK_MS);
    this.#timer = setTimeout(() => {
      const isMine = this.#options.isMine();
      const isNew = isMine && !this.#wasMine;
      this.#wasMine = isMine;
      if (ms > step && !isNew) this.#wait(ms - step);
      else this.#running = this.#run();
    }, step).unref();
  }

  async #run(): Promise<void> {
    const { clock, onEnd } = this.#options;
    const begun = clock();
    await this.#look().then(() => onEnd(null), onEnd);
    if (!this.#stopped) this.#wait(Math.max(SWEEP_MS, (clock() - begun) / SWEEP_SHARE));
  }

  async #look(): Promise<void> {
    const { store, devices, isMine, onGone } = this.#options;
    const gone = new Set(devices.all());
    for (let after: string | null = null; !this.#stopped; ) {
      const page = await store.page(after, SWEEP_STEP);
      const found = page.map((subscription) => devices.know(subscription, !isMine()));
      for (const device of found) gone.delete(device);
      if (isMine()) await this.#compare(found);
      after = page.at(-1)?.id ?? null;
      if (page.length < SWEEP_STEP) break;
      await breath();
    }
    // One that ended early has not seen all of them.
    if (!this.#stopped) for (const device of gone) onGone(device);
  }

  async #compare(found: Device[]): Promise<void> {
    const seen = new Map<string, number>();
    for (const { stream, cursor } of found) seen.set(stream, Math.min(cursor, seen.get(stream) ?? cursor));
    const ahead = await this.#options.log.headsAfter(seen);
    for (const device of found) if (ahead.has(device.stream)) this.#options.onAhead(device);
  }
}
