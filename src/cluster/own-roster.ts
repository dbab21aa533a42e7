import type { Presence } from "../presence/index.js";
import type { HeardBeat } from "./beat.js";
import type { MessageBus } from "./bus.js";
import type { Doubts } from "./doubts.js";
import {
  LOOK_MS,
  MAX_ROSTER_USERS,
  MAX_UNCONFIRMED,
  ROSTER_EVERY_MS,
  ROSTER_FLUSH_MS,
  ROSTER_PART_CHARS,
  ROSTER_PART_USERS,
  SINCE_MARGIN_MS,
} from "./limits.js";
import type { PeerKeeper } from "./membership.js";
import { count, flag, record } from "./shapes.js";

export interface OwnRosterOptions {
  bus: MessageBus;
  presence: Pick<Presence, "onLocal" | "localUsers">;
  doubts: Doubts;
  /** Milliseconds since the Unix epoch. */
  clock: () => number;
}

/** What another node is known to know of this roster. */
interface Reader {
  /** The last change that it knows of; null where it does not know the roster. */
  knows: number | null;
  /** The first tick at which it did not. Milliseconds of a clock that nobody sets. */
  ignorantSince: number | null;
}

/** Changes up to `n` brought members who have been here since `since` at the latest, and not all nodes are known to know of them. */
interface Unconfirmed {
  n: number;
  since: number;
  toldAt: number | null;
}

/**
 * Tells the other nodes who is on this one: a numbered change after the other, and all of it to whom asks. A hint for a member goes only to
 * the nodes that are known to have the member; so what was appended elsewhere before the node there knew is in doubt, until it does.
 */
export class OwnRoster implements PeerKeeper {
  readonly #options: OwnRosterOptions;
  readonly #readers = new Map<string, Reader>();
  /** The number of the last change that was told. */
  #n = 0;
  /** Who has come or gone since, and whether they are here. Also those whose coming and going cancel out: a whole roster told meanwhile may have caught them. */
  readonly #pending = new Map<string, boolean>();
  /** The arrival of the first of them who came. Milliseconds since the Unix epoch. */
  #since = Number.POSITIVE_INFINITY;
  readonly #unconfirmed: Unconfirmed[] = [];
  #lookedAt = Number.NEGATIVE_INFINITY;
  #flushTimer: NodeJS.Timeout | null = null;
  readonly #asking = new Set<string>();
  #rosters = 0;
  #rosterTimer: NodeJS.Timeout | null = null;
  #rosterAt = Number.NEGATIVE_INFINITY;
  #stop: (() => void) | null = null;

  constructor(options: OwnRosterOptions) {
    this.#options = options;
    const { bus } = options;
    bus.on("known", (data, from) => {
      const known = record(data, "known");
      this.#confirmed(from, count(known.n, "n"), flag(known.anew, "anew"));
      this.#settle();
    });
    bus.on("want", (data, from) => {
      record(data, "want");
      this.#asked(from);
    });
  }

  /** The number of the last change that was told. */
  get n(): number {
    return this.#n;
  }

  start(): void {
    const { presence, clock } = this.#options;
    const note = (user: string, isHere: boolean) => {
      if (this.#pending.size >= MAX_ROSTER_USERS) this.#giveUp();
      this.#pending.set(user, isHere);
      if (isHere && this.#since === Number.POSITIVE_INFINITY) this.#since = clock() - SINCE_MARGIN_MS;
      this.#flushTimer ??= setTimeout(() => this.#flush(), ROSTER_FLUSH_MS).unref();
    };
    this.#stop = presence.onLocal(note);
    for (const user of presence.localUsers()) note(user, true);
  }

  stop(): void {
    this.#stop?.();
    this.#stop = null;
    for (const timer of [this.#flushTimer, this.#rosterTimer]) if (timer !== null) clearTimeout(timer);
  }

  heard(node: string, { knows }: HeardBeat): void {
    const reader = this.#readers.get(node);
    if (reader === undefined) this.#readers.set(node, { knows: null, ignorantSince: null });
    else if (knows === null) reader.knows = null;
    if (knows !== null) this.#confirmed(node, knows, false);
    this.#settle();
  }

  gone(node: string): void {
    this.#readers.delete(node);
    this.#asking.delete(node);
    this.#settle();
  }

  /** What time brings: what could not be sent goes now, and where a node takes long to know who is here, the store is looked at. */
  tick(now: number): void {
    if (this.#pending.size > 0 && this.#flushTimer === null) this.#flush();
    const since = this.#overdue(now);
    if (since === null || now - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = now;
    this.#options.doubts.raise(since);
  }

  /** Who came since the returned time is not known to all nodes although there was time for that; null where there is nobody. */
  #overdue(now: number): number | null {
    let overdue: number | null = null;
    for (const one of this.#unconfirmed) {
      one.toldAt ??= now;
      if (now - one.toldAt >= LOOK_MS) overdue = Math.min(overdue ?? one.since, one.since);
    }
    for (const reader of this.#readers.values()) {
      reader.ignorantSince = reader.knows === null ? (reader.ignorantSince ?? now) : null;
      if (reader.ignorantSince !== null && now - reader.ignorantSince >= LOOK_MS) overdue = 0;
    }
    return overdue;
  }

  /** `anew`: the node has just learned the whole roster, and did not know it before. */
  #confirmed(node: string, n: number, anew: boolean): void {
    const reader = this.#readers.get(node);
    if (reader === undefined) return;
    if (reader.knows === null || anew) this.#options.doubts.raise(0);
    reader.knows = Math.max(reader.knows ?? 0, Math.min(n, this.#n));
  }

  /** Hints for those whom all nodes know of now come from here on; what was appended before is looked for. */
  #settle(): void {
    let known = Number.POSITIVE_INFINITY;
    for (const { knows } of this.#readers.values()) known = Math.min(known, knows ?? -1);
    let since = Number.POSITIVE_INFINITY;
    for (let first = this.#unconfirmed[0]; first !== undefined && first.n <= known; first = this.#unconfirmed[0]) {
      since = Math.min(since, first.since);
      this.#unconfirmed.shift();
    }
    if (this.#readers.size > 0) this.#options.doubts.raise(since);
  }

  #flush(): void {
    this.#flushTimer = null;
    const before = this.#n;
    for (const users of cut(this.#pending.keys())) {
      const entered = users.filter((user) => this.#pending.get(user) === true);
      const left = users.filter((user) => this.#pending.get(user) === false);
      // What was not sent waits, and goes with what follows: so an outage costs one message, and not the whole roster.
      if (!this.#options.bus.toAll("moved", { n: this.#n + 1, entered, left })) break;
      this.#n++;
      for (const user of users) this.#pending.delete(user);
    }
    if (this.#n > before && this.#since < Number.POSITIVE_INFINITY) this.#watch(this.#since);
    if (this.#pending.size === 0) this.#since = Number.POSITIVE_INFINITY;
  }

  /** Redis has been away for too long to remember each change: the other nodes will notice that they lack one, and ask for all. */
  #giveUp(): void {
    this.#n++;
    this.#pending.clear();
    if (this.#since < Number.POSITIVE_INFINITY) this.#watch(this.#since);
    this.#since = Number.POSITIVE_INFINITY;
  }

  #watch(since: number): void {
    const last = this.#unconfirmed.at(-1);
    if (last === undefined || this.#unconfirmed.length < MAX_UNCONFIRMED) {
      this.#unconfirmed.push({ n: this.#n, since, toldAt: null });
    } else {
      last.n = this.#n;
      last.since = Math.min(last.since, since);
    }
    this.#settle();
  }

  #asked(node: string): void {
    if (!this.#readers.has(node) || this.#stop === null) return;
    this.#asking.add(node);
    if (this.#rosterTimer !== null) return;
    // Those who ask at the same time are answered at once.
    const wait = Math.max(ROSTER_FLUSH_MS, this.#rosterAt + ROSTER_EVERY_MS - performance.now());
    this.#rosterTimer = setTimeout(() => this.#tellAll(), wait).unref();
  }

  #tellAll(): void {
    const { bus, presence } = this.#options;
    const asking = [...this.#asking];
    this.#asking.clear();
    const [first, ...others] = asking;
    if (first === undefined) {
      this.#rosterTimer = null;
      return;
    }
    const parts = cut(presence.localUsers());
    if (parts.length === 0) parts.push([]);
    const head = { n: this.#n, id: ++this.#rosters, parts: parts.length };
    const send = (part: number): void => {
      const roster = { ...head, part, users: parts[part] };
      const isSent = others.length === 0 ? bus.toNode(first, "roster", roster) : bus.toAll("roster", roster);
      // Whoever lacks a part asks again. One part a turn, so that a large roster holds nobody up.
      if (isSent && part + 1 < parts.length && this.#stop !== null) setImmediate(() => send(part + 1));
      else this.#rosterSent();
    };
    send(0);
  }

  #rosterSent(): void {
    this.#rosterAt = performance.now();
    this.#rosterTimer = null;
    const next = this.#asking.values().next().value;
    if (next !== undefined) this.#asked(next);
  }
}

/** Members in lists that are short enough for one message each. */
function cut(users: Iterable<string>): string[][] {
  const parts: string[][] = [];
  let part: string[] = [];
  let chars = 0;
  for (const user of users) {
    if (part.length >= ROSTER_PART_USERS || chars > ROSTER_PART_CHARS) {
      parts.push(part);
      part = [];
      chars = 0;
    }
    part.push(user);
    chars += user.length;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
