import { Elsewhere, type PeerMembers } from "./elsewhere.js";

/** How often those who listen hear of a change at most. Threat: a wave of connections, each of which would be told to everybody. Milliseconds. */
const TELL_EVERY_MS = 1_000;

/** How many members are here, and with how many sessions. */
export interface Online {
  users: number;
  sessions: number;
}

type Listener = (online: Online) => void;

/** Hears of a member whose first session on this node has begun (`isHere`), or whose last one has ended. */
type LocalListener = (user: string, isHere: boolean) => void;

/**
 * Counts who comes and goes, on this node and, as far as it is told, on the others. A member with three devices is one user and three
 * sessions, wherever they are.
 */
export class Presence {
  readonly #sessionsOf = new Map<string, number>();
  readonly #listeners = new Set<Listener>();
  readonly #localListeners = new Set<LocalListener>();
  readonly #elsewhere = new Elsewhere(
    (user) => this.#sessionsOf.has(user),
    () => this.#tell(),
  );
  #localSessions = 0;
  /** The number of members that listeners heard last. */
  #told = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  /** Members on all nodes. */
  get users(): number {
    return this.#sessionsOf.size + this.#elsewhere.users;
  }

  /** Sessions on all nodes. */
  get sessions(): number {
    return this.#localSessions + this.#elsewhere.sessions;
  }

  /** Sessions on this node. */
  get localSessions(): number {
    return this.#localSessions;
  }

  /** The members who are on this node. */
  localUsers(): Iterable<string> {
    return this.#sessionsOf.keys();
  }

  /** The members who are on any node, each once, in no order. May be walked while they come and go. */
  *members(): Iterable<string> {
    yield* this.#sessionsOf.keys();
    for (const user of this.#elsewhere.members()) if (!this.#sessionsOf.has(user)) yield user;
  }

  /** The member's sessions; on another node, of which is known only who is there, one. */
  sessionsOf(user: string): number {
    return (this.#sessionsOf.get(user) ?? 0) + this.#elsewhere.nodesOf(user).length;
  }

  /** The other nodes on which the member is, as far as this node has been told. */
  nodesOf(user: string): Iterable<string> {
    return this.#elsewhere.nodesOf(user);
  }

  /** What is to be known of one other node, as yet nothing. */
  peer(node: string): PeerMembers {
    return this.#elsewhere.peer(node);
  }

  /** A session of the member begins on this node. */
  enter(user: string): void {
    const sessions = this.#sessionsOf.get(user) ?? 0;
    this.#sessionsOf.set(user, sessions + 1);
    this.#localSessions++;
    if (sessions === 0) this.#moved(user, true);
    this.#tell();
  }

  /** One of the member's sessions on this node ends. Harmless for a member who is not here. */
  leave(user: string): void {
    const sessions = this.#sessionsOf.get(user);
    if (sessions === undefined) return;
    if (sessions === 1) this.#sessionsOf.delete(user);
    else this.#sessionsOf.set(user, sessions - 1);
    this.#localSessions--;
    if (sessions === 1) this.#moved(user, false);
    this.#tell();
  }

  /** Calls the listener when the number of members on all nodes has changed, at most once a second. Returns how to stop that. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls the listener at once when a member comes to this node or is no longer on it. Returns how to stop that. */
  onLocal(listener: LocalListener): () => void {
    this.#localListeners.add(listener);
    return () => this.#localListeners.delete(listener);
  }

  /** Nobody is told anything any more. */
  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#localListeners.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #moved(user: string, isHere: boolean): void {
    this.#elsewhere.here(user, isHere);
    for (const listener of this.#localListeners) listener(user, isHere);
  }

  #tell(): void {
    if (this.#timer !== null || this.#closed || this.users === this.#told) return;
    this.#told = this.users;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#tell();
    }, TELL_EVERY_MS).unref();
    for (const listener of this.#listeners) listener({ users: this.users, sessions: this.sessions });
  }
}
