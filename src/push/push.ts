import webPush from "web-push";
import { type Inbox, isoTime } from "../inbox/index.js";
import type { StreamReader } from "../stream/index.js";
import { Devices } from "./devices.js";
import { MAX_DEVICES } from "./limits.js";
import { idOf, parseEndpoint, parseSubscription, userAgentOf } from "./requests.js";
import { Sender } from "./sender.js";
import type { PushObserver, PushStore, Subscription, VapidKeys } from "./types.js";
import { Worker, type WorkerOptions } from "./worker.js";

export interface PushOptions extends Pick<WorkerOptions, "isConnected" | "isBanned" | "isMine" | "afterMs" | "onUnauthorized" | "onError"> {
  log: StreamReader;
  inbox: Pick<Inbox, "unseen" | "streamOf">;
  store: PushStore;
  /** Whom a push service can turn to: a `mailto:` or `https:` address. */
  subject: string;
  /** Whether push services may stand at addresses that are not public. */
  allowPrivate: boolean;
  observer: PushObserver;
  /** A device was given up: its push service, and why. */
  onRemoved: (user: string, service: string, why: string) => void;
  clock?: () => number;
  random?: () => number;
  /** How long a push service may take, in milliseconds. */
  timeoutMs?: number;
}

/** A device as its member sees it. `createdAt` is RFC 3339. */
export interface PushDevice {
  id: string;
  endpoint: string;
  createdAt: string;
  userAgent?: string;
}

/** What reaches members' devices while no page is open, or nobody looks at it. Errors: `unavailable`. */
export class Push {
  readonly #options: PushOptions;
  readonly #clock: () => number;
  readonly #devices: Devices;
  #keys: VapidKeys | null = null;
  #worker: Worker | null = null;

  constructor(options: PushOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
    const { store, inbox, onError } = options;
    this.#devices = new Devices({ store, streamOf: (user) => inbox.streamOf(user), onError });
  }

  /** Makes the service's keys where there are none, and begins. @throws what the store throws */
  async start(): Promise<void> {
    const { store, subject, allowPrivate, timeoutMs, onRemoved, random, ...rest } = this.#options;
    const keys = await store.keys(webPush.generateVAPIDKeys());
    const clock = this.#clock;
    const sender = new Sender({ keys, subject, allowPrivate, clock, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
    this.#keys = keys;
    this.#worker = new Worker({
      ...rest,
      store,
      devices: this.#devices,
      sender,
      clock,
      random: random ?? Math.random,
      onRemoved: ({ user, origin }, why) => onRemoved(user, origin, why),
    });
    this.#worker.start();
  }

  async stop(): Promise<void> {
    await this.#worker?.stop();
    await this.#devices.close();
  }

  /** What a browser needs to subscribe, base64url. */
  get publicKey(): string {
    if (this.#keys === null) throw new Error("push has not been started");
    return this.#keys.publicKey;
  }

  /** Devices of all members, as far as this node knows. */
  get devices(): number {
    return this.#devices.size;
  }

  /** Devices for which a message waits, on this node. */
  get waiting(): number {
    return this.#worker?.waiting ?? 0;
  }

  /** Whether the node that pushes must hear of what is appended to this stream. */
  isFollowed(stream: string): boolean {
    return this.#devices.has(stream);
  }

  /** Adds a device of the member, which is told of what comes from now on; again is harmless. @throws BelfryError `bad_request` */
  async subscribe(user: string, payload: unknown, userAgent: string | undefined): Promise<PushDevice> {
    const { store, log, inbox, allowPrivate } = this.#options;
    const { endpoint, keys } = parseSubscription(payload, allowPrivate);
    const { head } = await log.tail(inbox.streamOf(user));
    const made = { id: idOf(endpoint), user, endpoint, keys, createdAt: this.#clock(), userAgent: userAgentOf(userAgent) };
    const stored = await store.put({ ...made, cursor: head, failures: 0, retryAt: 0 }, MAX_DEVICES);
    this.#devices.know(stored, false);
    return shown(stored);
  }

  /** Takes a device away; one that is not there stays so. @throws BelfryError `bad_request` */
  async unsubscribe(user: string, payload: unknown): Promise<{ removed: boolean }> {
    const id = idOf(parseEndpoint(payload));
    const removed = await this.#options.store.remove(user, id);
    const device = this.#devices.find(id);
    if (device?.user === user) this.#devices.forget(device);
    return { removed };
  }

  /** The member's devices, the oldest first. */
  async list(user: string): Promise<{ items: PushDevice[] }> {
    return { items: (await this.#options.store.of(user)).map(shown) };
  }
}

function shown({ id, endpoint, createdAt, userAgent }: Subscription): PushDevice {
  return { id, endpoint, createdAt: isoTime(createdAt), ...(userAgent === null ? {} : { userAgent }) };
}
