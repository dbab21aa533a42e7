import { setTimeout as pause } from "node:timers/promises";
import { Device } from "./device.js";
import { seeded } from "./forum-run.js";
import { checkDevice, checkStream, Findings } from "./harness-checks.js";
import { Caller } from "./harness-client.js";
import type { Cluster } from "./harness-cluster.js";
import { StoreReader } from "./harness-store.js";
import { until } from "./member.js";

/** How often somebody is told something, and how many at once. Milliseconds. */
const EVERY_MS = 40;
const TOGETHER = 4;

/** By when every device has all once nothing is at fault. Milliseconds. */
const CONVERGE_MS = 15_000;

/** Members who sit at the nodes, and a server that tells them things without pause. */
export class Load {
  readonly devices: readonly Device[];
  readonly caller: Caller;
  /** What each member was told, by what the service answered. */
  readonly #told = new Map<string, string[]>();
  readonly #random = seeded(7);
  #talking: Promise<unknown> | null = null;
  #isOver = false;

  /** `attemptMs`: how long one attempt of a call may take. */
  constructor(
    private readonly cluster: Cluster,
    { members, attemptMs }: { members: number; attemptMs?: number },
  ) {
    const places = { urls: cluster.urls, secret: cluster.keys.jwtSecret };
    this.devices = Array.from({ length: members }, (_, n) => new Device(`member-${n}`, places, seeded(n)));
    this.caller = new Caller(cluster.urls, cluster.keys, this.#random, attemptMs);
  }

  /** The devices that are at this node now. */
  at(node: number): Device[] {
    return this.devices.filter(({ link }) => link.place === node);
  }

  /** Everybody is there, at the nodes in turn. */
  async begin(): Promise<this> {
    for (const [n, device] of this.devices.entries()) device.come(n % this.cluster.nodes.length);
    await until("everybody is there", () => this.devices.every(({ isUp }) => isUp));
    return this;
  }

  /** Begins to tell members things. */
  talk(): void {
    this.#talking = Promise.all(Array.from({ length: TOGETHER }, (_, n) => this.#talk(n)));
  }

  /** Ends it, and resolves when all that was begun is answered. */
  async fallSilent(): Promise<void> {
    this.#isOver = true;
    await this.#talking;
  }

  /** Tells one member something, at one node. Resolves when it is answered. */
  async tell(node: number, user: string, text: string): Promise<void> {
    const caller = new Caller([this.cluster.urls[node] as string], this.cluster.keys, this.#random);
    await this.#tell(caller, [user], text);
  }

  /**
   * What is not as it must be: every device has, and the store has, exactly what was answered, each once, and no node has died.
   */
  async findings(): Promise<string[]> {
    const findings = new Findings();
    const reader = new StoreReader(this.cluster.nodes.find(({ hasDied }) => !hasDied)?.url ?? "", this.cluster.keys);
    for (const { name, hasDied, output } of this.cluster.nodes) if (hasDied) findings.add(`${name} died: ${output.slice(-2_000)}`);
    for (const device of this.devices) {
      const { user, streams } = device;
      const stored = await reader.inbox(user);
      await until(
        () => `${user} has ${stored.entries.length} entries, not ${streams.inbox.seq}`,
        () => device.isUp && streams.inbox.seq === stored.entries.length,
        CONVERGE_MS,
      );
      checkStream(findings, user, stored);
      findings.same(`${user} was told`, stored.items.map(({ text }) => String(text)).sort(), (this.#told.get(user) ?? []).sort());
      checkDevice(findings, user, device, stored, await reader.announcements(user));
    }
    findings.none("a server's call", this.caller.faults);
    return findings.all;
  }

  async end(): Promise<void> {
    await this.fallSilent();
    for (const device of this.devices) device.leave();
  }

  async #talk(lane: number): Promise<void> {
    for (let n = 0; !this.#isOver; n++) {
      await pause(EVERY_MS * 2 * this.#random());
      const users = this.devices.map(({ user }) => user).filter(() => this.#random() < 0.3);
      if (users.length > 0) await this.#tell(this.caller, users, `${lane}/${n}`);
    }
  }

  async #tell(caller: Caller, to: string[], text: string): Promise<void> {
    await caller.asServer("POST", "/v1/notifications", { to, type: "note", text, key: text });
    for (const user of to) this.#told.set(user, [...(this.#told.get(user) ?? []), text]);
  }
}
