import { MAX_ID_LENGTH } from "../checked.js";
import type { PeerMembers, Presence } from "../presence/index.js";
import type { HeardBeat } from "./beat.js";
import type { MessageBus } from "./bus.js";
import { MAX_ROSTER_PARTS, MAX_ROSTER_USERS, MAX_WAITING_MOVES, ROSTER_EVERY_MS, ROSTER_PATIENCE_MS } from "./limits.js";
import type { PeerKeeper } from "./membership.js";
import { count, names, record } from "./shapes.js";
import { Rubbish } from "./types.js";

/** A change of a roster. */
interface Move {
  n: number;
  entered: string[];
  left: string[];
}

/** A whole roster that is being told in parts. Its members are taken for there already, since a hint too many harms nobody. */
interface Coming {
  id: number;
  n: number;
  missing: Set<number>;
  members: PeerMembers;
  /** When its last part came. */
  cameAt: number;
}

/** What is known of one other node's roster. */
interface Known {
  members: PeerMembers;
  /** The last change that is known, or null where the roster is not known at all. */
  n: number | null;
  coming: Coming | null;
  /** Changes that came before their turn. */
  waiting: Map<number, Move>;
  /** Whether a change is missing for which its turn does not wait: the whole roster must come. */
  isBehind: boolean;
  /** The number that the last beat told. */
  told: number;
  sessions: number;
  askedAt: number;
}

/** Learns from the other nodes who is on them, and asks for what is missing. */
export class PeerRosters implements PeerKeeper {
  readonly #bus: MessageBus;
  readonly #presence: Pick<Presence, "peer">;
  readonly #known = new Map<string, Known>();

  constructor(bus: MessageBus, presence: Pick<Presence, "peer">) {
    this.#bus = bus;
    this.#presence = presence;
    bus.on("moved", (data, from) => this.#moved(from, readMove(data)));
    bus.on("roster", (data, from) => this.#part(from, data));
  }

  /** For each node whose roster is known, the last change that is. */
  knows(): Record<string, number> {
    const knows: Record<string, number> = {};
    for (const [node, { n }] of this.#known) if (n !== null) knows[node] = n;
    return knows;
  }

  heard(node: string, { roster, sessions }: HeardBeat): void {
    const known = this.#known.get(node);
    if (known === undefined) {
      this.#meet(node, roster, sessions);
      return;
    }
    known.sessions = sessions;
    known.members.sessions(sessions);
    // A change that was told before the last beat has had its time to come.
    if (known.n !== null && known.n < known.told) known.isBehind = true;
    known.told = roster;
  }

  gone(node: string): void {
    const known = this.#known.get(node);
    if (known === undefined) return;
    this.#known.delete(node);
    known.members.gone();
    known.coming?.members.gone();
  }

  tick(): void {
    const now = performance.now();
    for (const [node, known] of this.#known) {
      if (known.coming !== null && now - known.coming.cameAt > ROSTER_PATIENCE_MS) dropComing(known);
      if (known.isBehind && known.coming === null) this.#ask(node, known);
    }
  }

  #meet(node: string, roster: number, sessions: number): void {
    const members = this.#presence.peer(node);
    members.sessions(sessions);
    const known: Known = {
      members,
      n: null,
      coming: null,
      waiting: new Map(),
      isBehind: true,
      told: roster,
      sessions,
      askedAt: Number.NEGATIVE_INFINITY,
    };
    this.#known.set(node, known);
    // Nobody has come there yet, so there is nothing to ask for.
    if (roster === 0) this.#reach(node, known, 0);
    else this.#ask(node, known);
  }

  #ask(node: string, known: Known): void {
    const now = performance.now();
    if (now - known.askedAt < ROSTER_EVERY_MS) return;
    known.askedAt = now;
    this.#bus.toNode(node, "want", {});
  }

  #moved(node: string, move: Move): void {
    const known = this.#known.get(node);
    if (known === undefined || (known.n !== null && move.n <= known.n)) return;
    if (known.members.size + move.entered.length > MAX_ROSTER_USERS) throw tooMany();
    if (known.n !== null && move.n === known.n + 1) {
      apply(known.members, move);
      this.#reach(node, known, move.n);
      return;
    }
    if (known.waiting.size < MAX_WAITING_MOVES) known.waiting.set(move.n, move);
    known.isBehind = true;
    if (known.coming === null) this.#ask(node, known);
  }

  #part(node: string, data: unknown): void {
    const roster = record(data, "a roster");
    const n = count(roster.n, "n");
    const id = count(roster.id, "id");
    const part = count(roster.part, "part");
    const parts = count(roster.parts, "parts");
    const users = names(roster.users, MAX_ID_LENGTH, "users");
    if (parts > MAX_ROSTER_PARTS || part >= parts) throw new Rubbish("a roster with a part that it cannot have");
    const known = this.#known.get(node);
    if (known === undefined) return;
    // It goes to all who may need it: others know as much or more already.
    if (known.n !== null && known.n >= n) {
      if (known.n === n) this.#nothingMore(known);
      return;
    }
    if (known.coming !== null && known.coming.id < id) dropComing(known);
    known.coming ??= {
      id,
      n,
      missing: new Set(Array(parts).keys()),
      members: this.#presence.peer(node),
      cameAt: 0,
    };
    const coming = known.coming;
    if (coming.id !== id || !coming.missing.has(part)) return;
    if (coming.members.size + users.length > MAX_ROSTER_USERS) {
      dropComing(known);
      throw tooMany();
    }
    coming.missing.delete(part);
    coming.cameAt = performance.now();
    coming.members.entered(users);
    if (coming.missing.size === 0) this.#complete(node, known, coming);
  }

  /** What seemed to follow was never told; if it was, the next beat says so. */
  #nothingMore(known: Known): void {
    known.waiting.clear();
    known.isBehind = false;
  }

  #complete(node: string, known: Known, { members, n }: Coming): void {
    known.members.gone();
    known.members = members;
    known.members.sessions(known.sessions);
    known.coming = null;
    this.#reach(node, known, n);
  }

  /** The changes up to `n` are known; those that waited for them follow. */
  #reach(node: string, known: Known, n: number): void {
    const anew = known.n === null;
    let reached = n;
    for (let next = known.waiting.get(n + 1); next !== undefined; next = known.waiting.get(reached + 1)) {
      apply(known.members, next);
      reached = next.n;
    }
    for (const waiting of known.waiting.keys()) if (waiting <= reached) known.waiting.delete(waiting);
    known.n = reached;
    known.isBehind = known.waiting.size > 0;
    this.#bus.toNode(node, "known", { n: reached, anew });
    if (known.isBehind) this.#ask(node, known);
  }
}

function readMove(data: unknown): Move {
  const move = record(data, "moved");
  const entered = names(move.entered, MAX_ID_LENGTH, "entered");
  const left = names(move.left, MAX_ID_LENGTH, "left");
  return { n: count(move.n, "n"), entered, left };
}

function apply(members: PeerMembers, { entered, left }: Move): void {
  members.entered(entered);
  members.left(left);
}

function dropComing(known: Known): void {
  known.coming?.members.gone();
  known.coming = null;
}

function tooMany(): Rubbish {
  return new Rubbish(`a roster of more than ${MAX_ROSTER_USERS} members`);
}
