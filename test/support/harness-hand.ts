import { setTimeout as pause } from "node:timers/promises";
import type { Device } from "./device.js";
import type { Item } from "./device-screen.js";

/** How long a member looks before doing something. Milliseconds. */
const LOOK_MS: [least: number, most: number] = [150, 900];

/** The pause before the same is asked again. Milliseconds. */
const AGAIN_MS = 60;

/** What asking again can mend. */
const LATER = new Set(["unavailable", "rate_limited", "internal"]);

/** What a member has done: all of it was answered with success, so all of it must be there at the end. */
export interface Deeds {
  read: Set<string>;
  archived: Set<string>;
  /** The highest seq up to which all was read. */
  readUpTo: number;
  /** Announcements that were dismissed or acknowledged. */
  settled: Map<string, "dismissedAt" | "acknowledgedAt">;
  sent: Array<{ to: string; text: string }>;
}

/** A member's hand: does one thing after the other on any device of theirs, and asks for the same until it is answered. */
export class Hand {
  readonly deeds: Deeds = { read: new Set(), archived: new Set(), readUpTo: 0, settled: new Map(), sent: [] };
  /** Answers that no right service gives. */
  readonly faults: string[] = [];
  #rests = false;

  constructor(
    readonly user: string,
    private readonly devices: readonly Device[],
    private readonly random: () => number,
    /** Whom this member writes to. */
    private readonly friends: readonly string[],
  ) {}

  /** Does nothing any more, whatever it has not been answered. */
  rest(): void {
    this.#rests = true;
  }

  /** Does so many things. Those for which there is no occasion are left out. */
  async work(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const [least, most] = LOOK_MS;
      await pause(least + this.random() * (most - least));
      await this.#act(n);
    }
  }

  async #act(n: number): Promise<void> {
    const luck = this.random();
    const device = this.#any(this.devices.filter(({ isUp }) => isUp));
    if (device === undefined) return;
    const { screen, streams } = device;
    const unread = this.#any([...screen.inbox.values()].filter(({ readAt }) => readAt === null));
    if (luck < 0.3 && unread !== undefined) {
      if (await this.#ask("read", { ids: [unread.id] })) this.deeds.read.add(unread.id);
    } else if (luck < 0.45 && unread !== undefined) {
      if (await this.#ask("archive", { ids: [unread.id] })) this.deeds.archived.add(unread.id);
    } else if (luck < 0.6) {
      const upTo = streams.inbox.seq;
      if (upTo > 0 && (await this.#ask("read_all", { upTo }))) this.deeds.readUpTo = Math.max(this.deeds.readUpTo, upTo);
    } else if (luck < 0.8) {
      const to = this.#any(this.friends);
      if (to === undefined) return;
      const text = `message ${n} of ${this.user} to ${to}`;
      if (await this.#ask("send", { to, text, key: `key-${n}` })) this.deeds.sent.push({ to, text });
    } else {
      await this.#settle(
        this.#any(
          [...screen.announcements.values()].filter(({ acknowledgedAt, dismissedAt }) => acknowledgedAt === null && dismissedAt === null),
        ),
      );
    }
  }

  async #settle(announcement: Item | undefined): Promise<void> {
    if (announcement === undefined) return;
    const { id, mandatory } = announcement;
    const [verb, field] = mandatory === true ? (["acknowledge", "acknowledgedAt"] as const) : (["dismiss", "dismissedAt"] as const);
    if (await this.#ask(verb, { announcement: id })) this.deeds.settled.set(id, field);
  }

  /** Asks until it is answered, on whichever device is up. False: there is nothing here any more, which is no fault. */
  async #ask(event: string, payload: object): Promise<boolean> {
    while (!this.#rests) {
      const answer = await this.#any(this.devices.filter(({ isUp }) => isUp))?.ask(event, payload);
      if (answer?.ok === true) return true;
      const code = answer?.error?.code;
      if (code === "internal") this.faults.push(`${event} ${JSON.stringify(payload)}: ${JSON.stringify(answer?.error)}`);
      if (code === "not_found" && event !== "send") return false;
      if (code !== undefined && !LATER.has(code)) {
        this.faults.push(`${event} ${JSON.stringify(payload)}: ${JSON.stringify(answer?.error)}`);
        return false;
      }
      await pause(AGAIN_MS);
    }
    return false;
  }

  #any<T>(of: readonly T[]): T | undefined {
    return of[Math.floor(this.random() * of.length)];
  }
}
