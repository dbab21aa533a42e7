import { setImmediate as breath } from "node:timers/promises";
import { type Inbox, isoTime } from "../inbox/index.js";
import type { StreamReader } from "../stream/index.js";
import type { StoredEntry } from "../stream/types.js";
import { Complaints } from "./complaints.js";
import type { Device, Devices } from "./devices.js";
import { type Circumstances, dueAt } from "./due.js";
import { type Finding, findFor, NEVER } from "./finding.js";
import { LAST_SENDS_MS, LOOKS_AT_ONCE, MAX_AGE_MS, START_SETTLE_MS, STORE_RETRY_MS } from "./limits.js";
import { consequenceOf, type Outcome } from "./outcome.js";
import { encodePayload } from "./payload.js";
import type { Sender } from "./sender.js";
import { Slots } from "./slots.js";
import { Sweep } from "./sweep.js";
import { Turns } from "./turns.js";
import type { PushObserver, PushStore, Subscription } from "./types.js";

export interface WorkerOptions {
  log: StreamReader;
  inbox: Pick<Inbox, "unseen">;
  store: Pick<PushStore, "find" | "remove" | "page">;
  devices: Devices;
  sender: Pick<Sender, "send" | "stop">;
  /** Whether the member has a session on any node, or may have one that this node does not know of. */
  isConnected: (user: string) => boolean;
  isBanned: (user: string) => Promise<boolean>;
  /** Whether this node pushes. Two may do so for a moment: a device shows what comes twice once. */
  isMine: () => boolean;
  /** For how long a connected member may leave a notification unseen, in milliseconds. */
  afterMs: number;
  observer: PushObserver;
  /** A device was given up: the end of its push service's name, and why. */
  onRemoved: (device: Device, why: string) => void;
  /** A push service does not accept this service itself, and why. Called once in an hour for each, and for so many. */
  onUnauthorized: (origin: string, why: string) => void;
  /** Called with the first failure of several in a row. */
  onError: (error: unknown) => void;
  clock: () => number;
  random: () => number;
}

/** When a device is looked at next, and whether that is under way. */
interface Watch {
  timer: NodeJS.Timeout | null;
  lookAt: number;
  isBusy: boolean;
}

/** The longest that a timer can wait. Milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Decides what devices are sent, and sends it. The outbox is the member's stream: a device's cursor says how far it was served, and what comes
 * after it is decided in its order, as things stand at that time. So nothing is lost with a process, and what was read meanwhile is not sent.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #watches = new WeakMap<Device, Watch>();
  readonly #running = new Set<Promise<void>>();
  readonly #looks = new Slots(LOOKS_AT_ONCE);
  readonly #turns = new Turns();
  /** Devices of which it is known how far the node that pushed before has come with them. */
  #caughtUp = new WeakSet<Device>();
  /** Devices for which something is due that no push service has taken. */
  readonly #owed = new Set<Device>();
  readonly #complaints = new Complaints();
  readonly #sweep: Sweep;
  #settledAt = 0;
  #unsubscribe: (() => void) | null = null;
  #stopped = false;
  #failing = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#sweep = new Sweep({
      ...options,
      isMine: () => this.#isMine(),
      onAhead: (device) => {
        if (this.#isIdle(device)) this.wake(device, options.clock());
      },
      onGone: (device) => this.#forget(device),
      onEnd: (error) => {
        if (error === null) this.#failing = false;
        else this.#fault(error);
      },
    });
  }

  /** Devices for which a message waits: for its push service, or for the next attempt. */
  get waiting(): number {
    return this.#owed.size;
  }

  start(): void {
    const { log, clock } = this.#options;
    this.#settledAt = clock() + START_SETTLE_MS;
    this.#unsubscribe = log.subscribe(
      (stream, entry) => this.#onEntry(stream, entry),
      (stream) => this.#wakeAll(stream, clock()),
    );
    this.#sweep.start();
  }

  /** Ends what is under way within a moment. What was not sent is so by whoever has the lease next. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe?.();
    const cut = setTimeout(() => this.#options.sender.stop(), LAST_SENDS_MS);
    await Promise.all([this.#sweep.stop(), ...this.#running]);
    clearTimeout(cut);
    this.#options.sender.stop();
  }

  /** Looks at a device at that time (ms), if it is not looked at before. */
  wake(device: Device, at: number): void {
    if (this.#stopped) return;
    const watch = this.#watchOf(device);
    const lookAt = Math.max(at, device.retryAt);
    if (lookAt >= watch.lookAt) return;
    watch.lookAt = lookAt;
    if (!watch.isBusy) this.#arm(device, watch);
  }

  #onEntry(stream: string, { kind, at }: StoredEntry): void {
    const { devices, clock, afterMs } = this.#options;
    const [first] = devices.of(stream);
    if (first === undefined) return;
    // What is no notification is passed over at leisure.
    this.#wakeAll(stream, kind === "notification" ? dueAt(at, this.#circumstances(first.user)) : clock() + afterMs);
  }

  #wakeAll(stream: string, at: number): void {
    const { devices } = this.#options;
    if (!devices.has(stream) || !this.#isMine()) return;
    for (const device of devices.of(stream)) this.wake(device, at);
  }

  #circumstances(user: string): Circumstances {
    const { clock, isConnected, afterMs } = this.#options;
    return { now: clock(), isConnected: isConnected(user), afterMs, settledAt: this.#settledAt };
  }

  #watchOf(device: Device): Watch {
    const known = this.#watches.get(device);
    if (known !== undefined) return known;
    const watch: Watch = { timer: null, lookAt: NEVER, isBusy: false };
    this.#watches.set(device, watch);
    return watch;
  }

  #arm(device: Device, watch: Watch): void {
    if (watch.timer !== null) clearTimeout(watch.timer);
    watch.timer = null;
    if (watch.lookAt === NEVER || this.#stopped) return;
    const pause = Math.min(Math.max(0, watch.lookAt - this.#options.clock()), MAX_TIMER_MS);
    watch.timer = setTimeout(() => this.#look(device, watch), pause).unref();
  }

  #look(device: Device, watch: Watch): void {
    if (this.#stopped) return;
    watch.timer = null;
    watch.lookAt = NEVER;
    watch.isBusy = true;
    const running = this.#serve(device)
      .catch((error: unknown) => {
        this.#fault(error);
        return this.#options.clock() + STORE_RETRY_MS;
      })
      .then((lookAt) => {
        watch.isBusy = false;
        watch.lookAt = Math.max(Math.min(watch.lookAt, lookAt), device.retryAt);
        if (this.#options.devices.isKnown(device)) this.#arm(device, watch);
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Does what is to be done for a device now. Resolves with the time (ms) at which to look again. */
  async #serve(device: Device): Promise<number> {
    if (!this.#isAtWork(device)) return NEVER;
    if (!this.#caughtUp.has(device)) {
      const caughtUp = this.#caughtUp;
      const subscription = await this.#subscriptionOf(device);
      if (subscription === null) return NEVER;
      caughtUp.add(device);
      if (this.#isOvertaken(device, subscription)) return this.#options.clock();
    }
    const found = await this.#find(device);
    if (found.due.length === 0) return this.#settle(device, found);
    this.#owed.add(device);
    return this.#turns.run(device.origin, async () => {
      if (!this.#isAtWork(device)) return NEVER;
      // Whoever had to wait for the slot may have seen it meanwhile.
      const now = await this.#find(device);
      return now.due.length === 0 ? this.#settle(device, now) : this.#send(device, now);
    });
  }

  #isAtWork(device: Device): boolean {
    const isAtWork = !this.#stopped && this.#isMine() && this.#options.devices.isKnown(device);
    if (!isAtWork) this.#owed.delete(device);
    return isAtWork;
  }

  /** Once another node has pushed, what is known here of how far devices are is out of date. */
  #isMine(): boolean {
    const isMine = this.#options.isMine();
    if (!isMine) this.#caughtUp = new WeakSet();
    return isMine;
  }

  /** The device as it is stored; null where it has gone, or is another member's by now. */
  async #subscriptionOf(device: Device): Promise<Subscription | null> {
    const subscription = await this.#options.store.find(device.id);
    if (subscription?.user === device.user) return subscription;
    this.#forget(device);
    return null;
  }

  /** Whether another node has come further with this device. Then it is decided anew, from there: what was found may have been sent. */
  #isOvertaken(device: Device, subscription: Subscription): boolean {
    if (subscription.cursor <= device.cursor) return false;
    this.#options.devices.know(subscription, false);
    return true;
  }

  /** A few at once, and between two turns: many devices may be due at the same time. */
  #find(device: Device): Promise<Finding> {
    return this.#looks.run("", async () => {
      await breath();
      return findFor(device, this.#circumstances(device.user), this.#options);
    });
  }

  #settle(device: Device, { upTo, lookAt }: Pick<Finding, "upTo" | "lookAt">): number {
    this.#owed.delete(device);
    if (upTo !== device.cursor) this.#options.devices.move(device, { cursor: upTo });
    return lookAt;
  }

  async #send(device: Device, found: Finding): Promise<number> {
    const { devices, sender, isBanned, observer, clock } = this.#options;
    const subscription = await this.#subscriptionOf(device);
    if (subscription === null) return NEVER;
    // Where the lease went and came back unnoticed.
    if (this.#isOvertaken(device, subscription)) return clock();
    if (await isBanned(device.user)) return this.#settle(device, found);
    for (const { notification, at } of found.due) {
      if (!this.#isAtWork(device)) return NEVER;
      const outcome = await sender.send(subscription, {
        payload: encodePayload(device.user, notification, found.unread, isoTime(at)),
        ttl: Math.max(1, Math.round((at + MAX_AGE_MS - clock()) / 1_000)),
        urgency: notification.reason === "watching" ? "low" : "normal",
        topic: notification.id,
      });
      if (outcome.is !== "taken") return this.#failed(device, outcome);
      this.#turns.prove(device.origin);
      observer.sent();
      devices.move(device, { cursor: notification.seq, failures: 0, retryAt: 0 });
    }
    return this.#settle(device, found);
  }

  async #failed(device: Device, outcome: Exclude<Outcome, { is: "taken" }>): Promise<number> {
    const { store, devices, observer, onRemoved, onUnauthorized, clock, random } = this.#options;
    // What was cut by the end of this process says nothing of the device.
    if (this.#stopped) return NEVER;
    observer.failed();
    if (outcome.is === "delayed") this.#turns.doubt(device.origin);
    if (outcome.is === "unauthorized" && this.#complaints.isNew(device.origin, clock())) onUnauthorized(device.origin, outcome.why);
    const failures = device.failures + 1;
    const consequence = consequenceOf(outcome, failures, random());
    if (consequence.is === "later") {
      devices.move(device, { ...(consequence.counts ? { failures } : {}), retryAt: clock() + consequence.afterMs });
      return device.retryAt;
    }
    await store.remove(device.user, device.id);
    this.#forget(device);
    observer.removed();
    onRemoved(device, outcome.why);
    return NEVER;
  }

  #forget(device: Device): void {
    const watch = this.#watches.get(device);
    if (watch?.timer != null) clearTimeout(watch.timer);
    this.#owed.delete(device);
    this.#options.devices.forget(device);
  }

  /** While the store is away every look fails; that is told once. */
  #fault(error: unknown): void {
    if (!this.#failing) this.#options.onError(error);
    this.#failing = true;
  }

  #isIdle(device: Device): boolean {
    const { isBusy, lookAt } = this.#watchOf(device);
    return !isBusy && lookAt === NEVER;
  }
}
