/** How often those who listen hear of a change at most. Threat: a wave of connections, each of which would be told to everybody. Milliseconds. */
const TELL_EVERY_MS = 1_000;

/** How many members are here, and with how many sessions. */
export interface Online {
  users: number;
  sessions: number;
}

type Listener = (online: Online) => void;

/** Counts who comes and goes. A member with three devices is one user and three sessions. */
export class Presence {
  readonly #sessionsOf = new Map<string, number>();
  readonly #listeners = new Set<Listener>();
  #sessions = 0;
  /** The number of members that listeners heard last. */
  #told = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  get users(): number {
    return this.#sessionsOf.size;
  }

  get sessions(): number {
    return this.#sessions;
  }

  /** A session of the member begins. */
  enter(user: string): void {
    this.#sessionsOf.set(user, (this.#sessionsOf.get(user) ?? 0) + 1);
    this.#sessions++;
    this.#tell();
  }

  /** One of the member's sessions ends. Harmless for a member who is not here. */
  leave(user: string): void {
    const sessions = this.#sessionsOf.get(user);
    if (sessions === undefined) return;
    if (sessions === 1) this.#sessionsOf.delete(user);
    else this.#sessionsOf.set(user, sessions - 1);
    this.#sessions--;
    this.#tell();
  }

  /** Calls the listener when the number of members has changed, at most once a second. Returns how to stop that. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Nobody is told anything any more. */
  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #tell(): void {
    if (this.#timer !== null || this.#closed || this.users === this.#told) return;
    this.#told = this.users;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#tell();
    }, TELL_EVERY_MS).unref();
    for (const listener of this.#listeners) listener({ users: this.users, sessions: this.#sessions });
  }
}
