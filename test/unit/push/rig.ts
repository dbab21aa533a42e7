import { createECDH, randomBytes } from "node:crypto";
import { jest } from "@jest/globals";
import { Devices } from "../../../src/push/devices.js";
import { START_SETTLE_MS } from "../../../src/push/limits.js";
import type { Outcome } from "../../../src/push/outcome.js";
import { idOf } from "../../../src/push/requests.js";
import type { PushStore } from "../../../src/push/types.js";
import { Worker } from "../../../src/push/worker.js";
import { type Embedded, openEmbedded, tell } from "../../support/embedded.js";

export const AFTER_MS = 60_000;
const KEYS = { p256dh: createECDH("prime256v1").generateKeys().toString("base64url"), auth: randomBytes(16).toString("base64url") };
export const TAKEN: Outcome = { is: "taken" };
export const AWAY: Outcome = { is: "delayed", why: "status 503", retryAfterMs: null };

/** A service that pushes, on a store of its own, by the test's clock; push services are what `answer` says. */
export class Rig {
  embedded!: Embedded;
  /** What push services were given, as `device:seq`. */
  sent: string[] = [];
  payloads: Array<Record<string, unknown>> = [];
  connected = new Set<string>();
  banned = new Set<string>();
  isMine = true;
  errors: unknown[] = [];
  removed: string[] = [];
  unauthorized: string[] = [];
  counts = { sent: 0, failed: 0, removed: 0 };
  answer: (device: string, seq: number) => Outcome | Promise<Outcome> = () => TAKEN;
  worker!: Worker;
  devices!: Devices;
  #subjects = 0;
  #life = { isOver: false };

  async open(): Promise<this> {
    this.embedded = await openEmbedded();
    this.embedded.clock.now = Date.now();
    this.begin();
    await this.pass(START_SETTLE_MS);
    return this;
  }

  /** A process that begins with what the store has. */
  begin(): void {
    const { log, inbox, stores } = this.embedded;
    const onError = (error: unknown) => this.errors.push(error);
    const life = { isOver: false };
    this.#life = life;
    const progress: PushStore["progress"] = async (changes) => {
      if (life.isOver) throw new Error("power cut");
      await stores.push.progress(changes);
    };
    this.devices = new Devices({ store: { progress }, streamOf: (user) => inbox.streamOf(user), onError });
    this.worker = new Worker({
      log,
      inbox,
      store: stores.push,
      devices: this.devices,
      sender: {
        send: async ({ endpoint }, { payload }) => {
          const device = endpoint.slice(endpoint.lastIndexOf("/") + 1);
          const said = JSON.parse(payload) as { id: string };
          const seq = Number.parseInt(said.id.slice(said.id.lastIndexOf("-") + 1), 36);
          const outcome = await this.answer(device, seq);
          if (outcome.is === "taken") {
            this.sent.push(`${device}:${seq}`);
            this.payloads.push(said);
          }
          return outcome;
        },
        stop: () => {},
      },
      isConnected: (user) => this.connected.has(user),
      isBanned: async (user) => this.banned.has(user),
      isMine: () => this.isMine,
      afterMs: AFTER_MS,
      observer: { sent: () => this.counts.sent++, failed: () => this.counts.failed++, removed: () => this.counts.removed++ },
      onRemoved: (device, why) => this.removed.push(`${device.user} ${device.origin} ${why}`),
      onUnauthorized: (origin, why) => this.unauthorized.push(`${origin} ${why}`),
      onError,
      clock: Date.now,
      random: () => 1,
    });
    this.worker.start();
  }

  /** Ends the process. */
  async end(): Promise<void> {
    const stopping = this.worker.stop();
    await jest.advanceTimersByTimeAsync(2_000);
    await stopping;
    await this.devices.close();
  }

  /** From now on this process writes nothing more of what it does. */
  cutPower(): void {
    this.#life.isOver = true;
  }

  async close(): Promise<void> {
    await this.end();
    await this.embedded.close();
  }

  async pass(ms: number): Promise<void> {
    await jest.advanceTimersByTimeAsync(ms);
    this.embedded.clock.now = Date.now();
    // The store answers in turns of the event loop, which the fake clock does not count.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    await jest.advanceTimersByTimeAsync(0);
  }

  /** Adds a device of the member, at a push service of its own unless told otherwise. */
  async add(user: string, name = `phone-of-${user}`, host = name): Promise<string> {
    const { log, inbox, stores } = this.embedded;
    const endpoint = `https://${host}.example/${name}`;
    const { head } = await log.tail(inbox.streamOf(user));
    const made = { id: idOf(endpoint), user, endpoint, keys: KEYS, createdAt: Date.now(), userAgent: null };
    this.devices.know(await stores.push.put({ ...made, cursor: head, failures: 0, retryAt: 0 }, 20), false);
    return name;
  }

  async tell(user: string): Promise<{ id: string; seq: number }> {
    const telling = tell(this.embedded, user, `${user}-${this.#subjects++}`);
    await this.pass(0);
    return telling;
  }

  async cursor(name: string, host = name): Promise<number | undefined> {
    return (await this.embedded.stores.push.find(idOf(`https://${host}.example/${name}`)))?.cursor;
  }
}
