import type { Logger } from "pino";
import type { Presence } from "../presence/index.js";
import type { StreamLog } from "../stream/index.js";
import { MessageBus } from "./bus.js";
import { Doubts } from "./doubts.js";
import { Hints } from "./hints.js";
import { Membership } from "./membership.js";
import type { ClusterObserver } from "./observer.js";
import { OwnRoster } from "./own-roster.js";
import { PeerRosters } from "./peer-rosters.js";
import type { AdapterClient, Link } from "./types.js";

export interface ClusterOptions {
  /** The way to Redis. Closing it stays its owner's business, after `stop`. */
  link: Link;
  /** The clients for Socket.IO's adapter. */
  adapterClients: () => { pub: AdapterClient; sub: AdapterClient };
  /** What `deploymentOf` makes of the store's epoch. */
  deployment: string;
  /** What the operator calls this node, and its release. */
  name: string;
  version: string;
  log: Pick<StreamLog, "onAppend" | "hear" | "hearHead">;
  presence: Presence;
  /** Whether every node must hear of the stream's entries at once. */
  isShared: (stream: string) => boolean;
  /** The member whose stream it is; null where it is nobody's. */
  userOf: (stream: string) => string | null;
  logger: Logger;
  metrics: ClusterObserver;
  /** Milliseconds since the Unix epoch. */
  clock?: () => number;
}

/** What rooms tell each other has names of its own, apart from those of this room. */
const TOLD = "told:";

/**
 * The other nodes: what is appended on one reaches the members on all, and each knows who is where. Nothing here is needed for anything to
 * be right: what is lost between nodes is named in a doubt, and found in the store.
 */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #bus: MessageBus;
  readonly #doubts = new Doubts();
  readonly #ownRoster: OwnRoster;
  readonly #membership: Membership;
  readonly #hints: Hints;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { link, deployment, name, version, log, presence, isShared, userOf, logger, metrics: observer, clock = Date.now } = options;
    const bus = new MessageBus({ link, deployment, observer, logger });
    const doubts = this.#doubts;
    const ownRoster = new OwnRoster({ bus, presence, doubts, clock });
    const peerRosters = new PeerRosters(bus, presence);
    const report = () => ({ sessions: presence.localSessions, roster: ownRoster.n, knows: peerRosters.knows() });
    const keepers = [peerRosters, ownRoster];
    this.#bus = bus;
    this.#ownRoster = ownRoster;
    this.#membership = new Membership({ bus, link, doubts, keepers, name, version, report, observer, logger, clock });
    this.#hints = new Hints({ bus, log, presence, isShared, userOf });
  }

  /** Begins to be one of the nodes. What shall hear of others must be there before. */
  start(): void {
    this.#bus.start(this.#membership);
    this.#ownRoster.start();
    this.#hints.start();
    this.#membership.start();
  }

  /** Says goodbye. Harmless when called again. */
  stop(): void {
    this.#hints.stop();
    this.#membership.stop();
    this.#ownRoster.stop();
    this.#doubts.stop();
  }

  /** Whether this node hears itself through Redis, so that hints can be expected. */
  get isUp(): boolean {
    return this.#membership.probe.isUp;
  }

  /** How many other nodes there are. */
  get peers(): number {
    return this.#membership.size;
  }

  /** Lets the other nodes know that this one is about to stop. */
  drain(): void {
    this.#membership.drain();
  }

  /** Calls the listener when `isUp` has changed. Returns how to stop that. */
  onState(listener: (isUp: boolean) => void): () => void {
    return this.#membership.probe.onState(listener);
  }

  /**
   * Calls the listener when hints may have been lost: sessions that began at or after `since` (milliseconds since the Unix epoch by this
   * node's clock; 0: all) must look at the store. Returns how to stop that.
   */
  onDoubt(listener: (since: number) => void): () => void {
    return this.#doubts.on(listener);
  }

  /** Tells every other node that has a session of the member. What is told may be lost, late, doubled or out of order. */
  tellNodesOf(user: string, kind: string, data: unknown): void {
    for (const node of this.#options.presence.nodesOf(user)) this.#bus.toNode(node, TOLD + kind, data);
  }

  /** Calls the listener with what other nodes tell; it throws on a wrong shape, which is then ignored and counted. Returns how to stop that. */
  on(kind: string, listener: (data: unknown) => void): () => void {
    return this.#bus.on(TOLD + kind, (data) => listener(data));
  }

  /** Counts something that came from another node by Socket.IO's own way and cannot be understood. */
  rubbish(): void {
    this.#options.metrics.rubbish();
  }

  /** What @socket.io/redis-adapter is made with. */
  adapter(): { pub: AdapterClient; sub: AdapterClient; key: string } {
    return { ...this.#options.adapterClients(), key: `belfry:${this.#options.deployment}:io` };
  }
}
