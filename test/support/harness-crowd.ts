import { setTimeout as pause } from "node:timers/promises";
import { Device } from "./device.js";
import { RoamingBoard } from "./device-board.js";
import type { Places } from "./device-link.js";
import { seeded } from "./forum-run.js";
import { Hand } from "./harness-hand.js";
import { until } from "./member.js";

/** Screens of `/live`. */
const BOARDS = 3;

/** Devices of the one who is banned: one for each node, and they stay while they may. */
const OUTLAWS_DEVICES = 3;

/** How long one of those who come and go stays, or stays away. Milliseconds. */
const STAY_MS: [least: number, most: number] = [200, 1_800];

/** How often a device with a stored cursor says how far it has come. Milliseconds. */
const ACKNOWLEDGE_MS = 500;

/** By when all who are to be there at the beginning are. Milliseconds. */
const ARRIVE_MS = 30_000;

/** A member with devices. `sitting` are there all the time, `fleeting` come and go, `late` come when all is over. */
export interface CrowdMember {
  user: string;
  sitting: Device[];
  fleeting: Device[];
  late: Device[];
  hand: Hand;
}

/** A member who is banned on the way, and comes back when the ban is over. */
export interface Outlaw {
  user: string;
  devices: Device[];
}

export interface CrowdOptions {
  places: Places;
  seed: number;
  topics: string[];
  /** Whether a member would be refused who writes to another. */
  isBlocked: (from: string, to: string) => boolean;
}

/** The members of a run who have devices, with what they do, and the screens of live boards. Everything they choose is the seed's. */
export class Crowd {
  readonly members: readonly CrowdMember[];
  readonly outlaw: Outlaw;
  readonly boards: readonly RoamingBoard[];
  #isOver = false;
  readonly #random: () => number;

  /** The last of the users is the outlaw. */
  constructor(users: readonly string[], { places, seed, topics, isBlocked }: CrowdOptions) {
    let count = 0;
    // Each has numbers of its own, so that what one chooses does not hang on when the others do.
    const luck = (): (() => number) => seeded(seed * 1_000 + count++);
    this.#random = luck();
    const members = users.slice(0, -1);
    this.members = members.map((user, index): CrowdMember => {
      const sitting = [new Device(user, places, luck())];
      const fleeting = [new Device(user, places, luck(), { stored: index % 3 === 0 ? "phone" : null })];
      const late = index % 2 === 0 ? [new Device(user, places, luck())] : [];
      const friends = members.filter((other) => other !== user && !isBlocked(user, other));
      return { user, sitting, fleeting, late, hand: new Hand(user, [...sitting, ...fleeting], luck(), friends) };
    });
    const user = users.at(-1) as string;
    this.outlaw = {
      user,
      devices: Array.from({ length: OUTLAWS_DEVICES }, () => new Device(user, places, luck(), { dismissedBy: "banned" })),
    };
    this.boards = Array.from({ length: BOARDS }, (_, index) => new RoamingBoard(`watcher-${index}`, places, luck(), topics));
  }

  get devices(): Device[] {
    return [...this.members.flatMap(({ sitting, fleeting, late }) => [...sitting, ...fleeting, ...late]), ...this.outlaw.devices];
  }

  /** Everybody who sits is there, spread over the nodes. */
  async arrive(): Promise<void> {
    for (const [index, { sitting }] of this.members.entries()) for (const device of sitting) device.come(index % 3);
    for (const [index, board] of this.boards.entries()) board.link.come(index);
    for (const [index, device] of this.outlaw.devices.entries()) device.come(index);
    const sitting = [...this.members.flatMap((member) => member.sitting), ...this.outlaw.devices];
    const all = [...sitting.map(({ link }) => link), ...this.boards.map(({ link }) => link)];
    await until("the crowd has arrived", () => all.every(({ isSettled }) => isSettled), ARRIVE_MS);
  }

  /** Those who come and go do so until `assemble`. */
  async comeAndGo(): Promise<void> {
    const devices = this.members.flatMap(({ fleeting }) => fleeting);
    const stored = this.devices.filter((device) => device.stored !== null);
    const acknowledging = setInterval(() => {
      for (const device of stored) if (device.isUp) void device.acknowledge();
    }, ACKNOWLEDGE_MS);
    await Promise.all(
      devices.map(async (device) => {
        for (;;) {
          const [least, most] = STAY_MS;
          await pause(least + this.#random() * (most - least));
          if (this.#isOver) return;
          if (device.link.isWanted) device.leave();
          else device.come();
        }
      }),
    );
    clearInterval(acknowledging);
  }

  /** Everybody does so many things. */
  async work(count: number): Promise<void> {
    await Promise.all(this.members.map(({ hand }) => hand.work(count)));
  }

  /** All come, those too who were not there yet; not the outlaw. */
  assemble(): void {
    this.#isOver = true;
    for (const device of this.devices) if (!this.outlaw.devices.includes(device)) device.come();
  }

  /** The outlaw, whom nobody bans any more, comes back. */
  pardon(): void {
    for (const device of this.outlaw.devices) device.come();
  }

  leave(): void {
    this.#isOver = true;
    for (const { hand } of this.members) hand.rest();
    for (const device of this.devices) device.leave();
    for (const board of this.boards) board.link.leave();
  }
}
