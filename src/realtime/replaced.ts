import type { Namespace } from "socket.io";
import { z } from "zod";
import { checked, id } from "../checked.js";
import type { Presence } from "../presence/index.js";
import { hearOthers } from "./adapter.js";
import { MAX_AHEAD_MS, MAX_RIVALS } from "./limits.js";
import type { Nodes } from "./nodes.js";
import type { Farewell } from "./outlet.js";

const REPLACED: Farewell = { code: "replaced", message: "A newer connection of this member took over.", reconnect: false };

/** How other nodes are told which session of a member is the newest here. */
const EVENT = "replaced";

const claim = z.object({ user: id, session: id, at: z.int().nonnegative() });

/** Which session of a member is the newest, as one node knows it. */
type Claim = z.output<typeof claim>;

/** A session, as far as another may take its place. */
interface Replaceable {
  readonly id: string;
  readonly user: string;
  end(farewell: Farewell): void;
}

export interface SinglePolicyRooms<S extends Replaceable> {
  sessionsOf(user: string): Iterable<S>;
  /** Null where this node is the only one. `namespace`: joined to the others'. */
  others: { namespace: Namespace; nodes: Pick<Nodes, "rubbish">; presence: Pick<Presence, "localUsers" | "nodesOf"> } | null;
  clock?: () => number;
}

/**
 * One session a member, over all nodes: the newest ends the others. Sessions are ordered by (time of beginning, id), which all nodes agree
 * on, so of two that begin at once exactly one is left. The times are of a logical clock (Lamport's): it is never behind one that was heard
 * of, so a session that begins after another was told of is newer, also where its node's own clock is minutes behind.
 *
 * A message can be lost. So while a member is on this node and, as its roster says, on another one too, every sweep tells it again.
 */
export class SinglePolicy<S extends Replaceable> {
  readonly #rooms: SinglePolicyRooms<S>;
  readonly #clock: () => number;
  /** When each session of this node began. */
  readonly #beganAt = new WeakMap<S, number>();
  #last = 0;
  readonly #unsubscribe: () => void;

  constructor(rooms: SinglePolicyRooms<S>) {
    this.#rooms = rooms;
    this.#clock = rooms.clock ?? Date.now;
    const listener = (told: unknown): void => this.#hear(checked(claim, told, EVENT));
    const { others } = rooms;
    this.#unsubscribe = others === null ? () => {} : hearOthers(others.namespace, EVENT, others.nodes, listener);
  }

  /** A session begins: it takes the place of all others. To be called before it is one of `sessionsOf`. Local ones go first. */
  begins(session: S): void {
    for (const older of this.#rooms.sessionsOf(session.user)) older.end(REPLACED);
    this.#last = Math.max(this.#clock(), this.#last + 1);
    this.#beganAt.set(session, this.#last);
    this.#tell(session);
  }

  /** What time brings: to be called about once a second. */
  sweep(): void {
    const { others, sessionsOf } = this.#rooms;
    if (others === null) return;
    let told = 0;
    for (const user of others.presence.localUsers()) {
      if (isEmpty(others.presence.nodesOf(user))) continue;
      for (const session of sessionsOf(user)) this.#tell(session);
      if (++told === MAX_RIVALS) return;
    }
  }

  close(): void {
    this.#unsubscribe();
  }

  /** @throws Error where no honest node says such a thing. */
  #hear(told: Claim): void {
    if (told.at > this.#clock() + MAX_AHEAD_MS) throw new Error("a session of a time that is yet to come");
    this.#last = Math.max(this.#last, told.at);
    for (const session of [...this.#rooms.sessionsOf(told.user)]) {
      if (this.#isOlder(session, told)) session.end(REPLACED);
      // The other node has not heard of this one.
      else if (session.id !== told.session) this.#tell(session);
    }
  }

  #isOlder(session: S, { at, session: id }: Claim): boolean {
    const began = this.#beganAt.get(session) ?? 0;
    return began === at ? session.id < id : began < at;
  }

  #tell(session: S): void {
    const at = this.#beganAt.get(session);
    if (at === undefined) return;
    const told: Claim = { user: session.user, session: session.id, at };
    this.#rooms.others?.namespace.serverSideEmit(EVENT, told);
  }
}

function isEmpty(items: Iterable<unknown>): boolean {
  for (const _item of items) return false;
  return true;
}
