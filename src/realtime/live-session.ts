import type { Logger } from "pino";
import type { Socket } from "socket.io";
import type { Identity, TokenVerifier } from "../auth/index.js";
import { BelfryError } from "../errors.js";
import { parseRefresh } from "../inbox/requests.js";
import { type Members, refuseBanned } from "../members/index.js";
import type { Metrics } from "../telemetry/index.js";
import { parseTopics, type Viewer } from "../topics/index.js";
import type { Boards, Watcher } from "./boards.js";
import { Flow, Markers } from "./flow.js";
import { type Handled, Intake, unknownEvent } from "./intake.js";
import { MAX_JOINED_TOPICS, ONLINE_GAP_MS, STALL_MS } from "./limits.js";
import { type Farewell, FLOODED, Outlet, SLOW, TOKEN_EXPIRED } from "./outlet.js";
import type { Packet } from "./packet.js";

/** What a client may ask for. */
const REQUESTS = new Set(["join", "leave", "refresh"]);

/** What flows besides topics: how many members are online. No topic's name is a symbol. */
const ONLINE = Symbol("online");

export interface LiveSessionOptions {
  socket: Socket;
  /** Null for a guest. */
  identity: Identity | null;
  boards: Boards;
  /** The event `online`, as it is now. */
  online: () => Packet;
  verifier: TokenVerifier;
  members: Pick<Members, "arrive">;
  slowConsumer: () => void;
  requests: Metrics["sockets"];
  logger: Logger;
}

/** One connection to `/live`, of a member or a guest: the topics that it has joined, and the newest of each. */
export class LiveSession implements Watcher {
  /** Null for a guest. */
  readonly user: string | null;
  readonly #options: LiveSessionOptions;
  readonly #outlet: Outlet;
  readonly #flow: Flow<string | typeof ONLINE>;
  readonly #intake: Intake;
  /** Topics joined, each with the seq that the client was given last; 0 for none. */
  readonly #joined = new Map<string, number>();
  #viewer: Viewer | null;
  /** Milliseconds; a guest has nothing that expires. */
  #expiresAt: number;
  #onlineAt = 0;
  /** The event `online` that the client was given last. */
  #onlineGiven = "";
  #ended = false;

  constructor(options: LiveSessionOptions) {
    const { socket, identity, logger } = options;
    this.#options = options;
    this.user = identity?.user ?? null;
    this.#viewer = identity === null ? null : { roles: identity.roles };
    this.#expiresAt = identity?.expiresAt ?? Number.POSITIVE_INFINITY;
    this.#outlet = new Outlet(socket, "/live");
    this.#flow = new Flow(this.#outlet, Markers.of(socket.conn), (key) => this.#packetOf(key));
    this.#intake = new Intake({
      socket,
      outlet: this.#outlet,
      handle: (event, payload) => {
        const work = () => this.#handle(event, payload);
        return REQUESTS.has(event) ? options.requests.follow("/live", event, work) : work();
      },
      onFlood: () => this.end(FLOODED),
      onSlow: () => this.#endSlow(),
      logger,
    });
    this.#flow.changed(ONLINE);
  }

  get connection(): object {
    return this.#options.socket.conn;
  }

  changed(topic: string): void {
    if (this.#joined.has(topic)) this.#flow.changed(topic);
  }

  /** The number of members online has changed. One that follows too soon on the last waits for a sweep. */
  onlineChanged(now: number): void {
    if (now - this.#onlineAt >= ONLINE_GAP_MS) this.#flow.changed(ONLINE);
  }

  /** What time brings: expiry, stalls, a number that waits. Called about once a second. */
  sweep(now: number): void {
    if (now >= this.#expiresAt) this.end(TOKEN_EXPIRED);
    else if (this.#outlet.stalledFor(now) > STALL_MS) this.#endSlow();
    // Also where the number has only come back to one that presence told before, and this client was given another between.
    else if (this.#options.online().event !== this.#onlineGiven) this.onlineChanged(now);
  }

  /** Resolves when what the client asked until now is answered. */
  settled(): Promise<void> {
    return this.#intake.settled();
  }

  /** Ends the session with a farewell. Harmless when it has ended. */
  end(farewell: Farewell): void {
    if (this.#ended) return;
    this.#outlet.close(farewell);
    this.ended();
  }

  /** The connection is gone. */
  ended(): void {
    this.#ended = true;
    this.#outlet.closed();
    this.#intake.close();
    this.#flow.close();
    this.#options.boards.unwatch(this.#joined.keys(), this);
    this.#joined.clear();
  }

  #endSlow(): void {
    if (this.#ended) return;
    this.#options.slowConsumer();
    this.end(SLOW);
  }

  /** What is sent is what is true when it is sent: whoever may no longer look gets nothing. */
  #packetOf(key: string | typeof ONLINE): Packet | null {
    if (key === ONLINE) {
      const packet = this.#options.online();
      if (packet.event === this.#onlineGiven) return null;
      this.#onlineAt = Date.now();
      this.#onlineGiven = packet.event;
      return packet;
    }
    const given = this.#joined.get(key);
    const shown = this.#options.boards.latest(key, this.#viewer);
    if (given === undefined || shown === null || shown.seq <= given) return null;
    this.#joined.set(key, shown.seq);
    return shown.update;
  }

  async #handle(event: string, payload: unknown): Promise<Handled> {
    switch (event) {
      case "join":
        return this.#join(parseTopics(payload));
      case "leave":
        return this.#leave(parseTopics(payload));
      case "refresh":
        return this.#refresh(parseRefresh(payload));
      default:
        throw unknownEvent(event);
    }
  }

  async #join(names: string[]): Promise<Handled> {
    const { boards } = this.#options;
    const added = names.filter((name) => !this.#joined.has(name));
    if (this.#joined.size + added.length > MAX_JOINED_TOPICS) {
      throw new BelfryError("bad_request", `A connection can join at most ${MAX_JOINED_TOPICS} topics; leave some first.`);
    }
    boards.watch(added, this);
    try {
      await boards.read(names, this.#viewer);
    } catch (error) {
      boards.unwatch(added, this);
      throw error;
    }
    const shown = names.map((name) => [name, boards.latest(name, this.#viewer)] as const);
    return {
      answer: { topics: Object.fromEntries(shown.map(([name, one]) => [name, one?.answer ?? null])) },
      afterwards: () => {
        if (this.#ended) {
          boards.unwatch(added, this);
          return;
        }
        for (const [name, one] of shown) {
          this.#joined.set(name, Math.max(this.#joined.get(name) ?? 0, one?.seq ?? 0));
          // What came since the answer was made.
          this.#flow.changed(name);
        }
      },
    };
  }

  async #leave(names: string[]): Promise<Handled> {
    for (const name of names) this.#joined.delete(name);
    this.#options.boards.unwatch(names, this);
    return { answer: {} };
  }

  async #refresh(token: string): Promise<Handled> {
    if (this.user === null) throw new BelfryError("forbidden", "A guest has no token to refresh; connect with one instead.");
    const identity = await this.#options.verifier.verify(token);
    if (identity.user !== this.user) {
      throw new BelfryError("forbidden", "The new token is another member's; disconnect and connect with it instead.");
    }
    refuseBanned(await this.#options.members.arrive(identity), Date.now());
    this.#viewer = { roles: identity.roles };
    this.#expiresAt = identity.expiresAt;
    // The new roles may open what the old ones did not.
    for (const name of this.#joined.keys()) this.#flow.changed(name);
    return { answer: { expiresAt: new Date(identity.expiresAt).toISOString() } };
  }
}
