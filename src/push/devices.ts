import { GATHER_MS, STORE_RETRY_MS } from "./limits.js";
import type { Progress, PushStore, Subscription } from "./types.js";

/** A device as it is kept in memory: what must be known to wake it, and how far it is. */
export interface Device {
  readonly id: string;
  readonly user: string;
  readonly stream: string;
  /** Its push service. */
  readonly origin: string;
  cursor: number;
  failures: number;
  retryAt: number;
}

const NONE: readonly Device[] = [];

/** All devices, by stream; and what has become of them, on its way to the store. */
export class Devices {
  readonly #store: Pick<PushStore, "progress">;
  readonly #streamOf: (user: string) => string;
  readonly #onError: (error: unknown) => void;
  readonly #byId = new Map<string, Device>();
  readonly #byStream = new Map<string, Device[]>();
  /** Push services are few, and named once each, for as long as they have devices: members may make names up. */
  readonly #origins = new Map<string, { readonly name: string; devices: number }>();
  #moved = new Set<Device>();
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  #closed = false;

  constructor(options: { store: Pick<PushStore, "progress">; streamOf: (user: string) => string; onError: (error: unknown) => void }) {
    this.#store = options.store;
    this.#streamOf = options.streamOf;
    this.#onError = options.onError;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Whether somebody is told of what is new in this stream. */
  has(stream: string): boolean {
    return this.#byStream.has(stream);
  }

  of(stream: string): readonly Device[] {
    return this.#byStream.get(stream) ?? NONE;
  }

  isKnown(device: Device): boolean {
    return this.#byId.get(device.id) === device;
  }

  /** Takes a device up as the store has it. `isNewer`: also where it is known, since another node is at work on it. */
  know({ id, user, endpoint, cursor, failures, retryAt }: Subscription, isNewer: boolean): Device {
    const known = this.#byId.get(id);
    if (known !== undefined && known.user === user) {
      if (isNewer || cursor > known.cursor) Object.assign(known, { cursor, failures, retryAt });
      return known;
    }
    if (known !== undefined) this.forget(known);
    const origin = this.#enter(new URL(endpoint).origin);
    const device = { id, user, stream: this.#streamOf(user), origin, cursor, failures, retryAt };
    this.#byId.set(id, device);
    const others = this.#byStream.get(device.stream);
    if (others === undefined) this.#byStream.set(device.stream, [device]);
    else others.push(device);
    return device;
  }

  forget(device: Device): void {
    if (!this.isKnown(device)) return;
    this.#byId.delete(device.id);
    this.#moved.delete(device);
    this.#leave(device.origin);
    const others = this.of(device.stream).filter((one) => one !== device);
    if (others.length === 0) this.#byStream.delete(device.stream);
    else this.#byStream.set(device.stream, others);
  }

  find(id: string): Device | null {
    return this.#byId.get(id) ?? null;
  }

  all(): Iterable<Device> {
    return this.#byId.values();
  }

  /** Notes what has become of a device. It is written soon, together with what has become of others. */
  move(device: Device, change: Partial<Pick<Device, "cursor" | "failures" | "retryAt">>): void {
    Object.assign(device, change);
    if (!this.isKnown(device)) return;
    this.#moved.add(device);
    if (this.#writing === null) this.#saveIn(GATHER_MS);
  }

  /** Writes what is left; where that fails, the next start finds out by itself. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#writing;
    await this.#save();
  }

  #enter(origin: string): string {
    const service = this.#origins.get(origin) ?? { name: origin, devices: 0 };
    service.devices++;
    this.#origins.set(origin, service);
    return service.name;
  }

  #leave(origin: string): void {
    const service = this.#origins.get(origin);
    if (service !== undefined && --service.devices === 0) this.#origins.delete(origin);
  }

  #saveIn(ms: number): void {
    if (this.#closed || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#writing = this.#save().then((pause) => {
        this.#writing = null;
        if (this.#moved.size > 0) this.#saveIn(pause);
      });
    }, ms).unref();
  }

  /** Writes all that waits. Resolves with the milliseconds after which there may be another write. */
  async #save(): Promise<number> {
    const moved = this.#moved;
    if (moved.size === 0) return GATHER_MS;
    this.#moved = new Set();
    const changes = Array.from(moved, ({ id, user, cursor, failures, retryAt }): Progress => ({ id, user, cursor, failures, retryAt }));
    try {
      await this.#store.progress(changes);
      return GATHER_MS;
    } catch (error) {
      this.#onError(error);
      for (const device of moved) if (this.isKnown(device)) this.#moved.add(device);
      return STORE_RETRY_MS;
    }
  }
}
