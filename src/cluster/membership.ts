import type { Logger } from "pino";
import { type Beat, type HeardBeat, readBeat } from "./beat.js";
import { BEAT, type BusWatcher, type MessageBus, type Way } from "./bus.js";
import type { Doubts } from "./doubts.js";
import {
  BEAT_MS,
  CLOCK_SKEW_MS,
  DOWN_AFTER_MS,
  LOOK_FOR_MISSING_MS,
  MAX_LABEL_LENGTH,
  MAX_PEERS,
  MISSING_MS,
  PEER_GONE_MS,
  STANDSTILL_MS,
} from "./limits.js";
import type { ClusterObserver } from "./observer.js";
import { Probe } from "./probe.js";
import { record, time } from "./shapes.js";
import { type Link, Rubbish } from "./types.js";

/** Who keeps something about each other node. */
export interface PeerKeeper {
  /** The node says that it is there: for the first time where it is not kept already. */
  heard(node: string, beat: HeardBeat): void;
  gone(node: string): void;
  /** What time brings; called with every own beat. `now`: milliseconds of a clock that nobody sets. */
  tick(now: number): void;
}

export interface MembershipOptions {
  bus: MessageBus;
  link: Link;
  doubts: Doubts;
  keepers: PeerKeeper[];
  name: string;
  version: string;
  /** What beats say beyond what is known here. */
  report: () => Pick<Beat, "sessions" | "roster" | "knows">;
  observer: ClusterObserver;
  logger: Logger;
  /** Milliseconds since the Unix epoch. */
  clock: () => number;
}

interface Peer {
  name: string;
  heardAt: number;
  mark: number;
  late: boolean;
  draining: boolean;
  /** The highest number heard on each way, or null before the first. */
  all: number | null;
  own: number | null;
  /** What its last beat said it had sent to this node. */
  told: number | null;
  /** How far its clock is ahead. Milliseconds. */
  skew: number;
  /** How often in a row it was found far off; null: that was said. */
  skewed: number | null;
}

/** Says that this node is there, keeps account of who else is, and notices where messages of others were lost. */
export class Membership implements BusWatcher {
  readonly probe: Probe;
  readonly #options: MembershipOptions;
  readonly #peers = new Map<string, Peer>();
  /** Nodes that have become silent without a farewell, and when. */
  readonly #missing = new Map<string, number>();
  #foreignAt = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #tickedAt = 0;
  /** The last tick came long after the one before it. */
  #stoodStill = false;
  #draining = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: MembershipOptions) {
    const { link, doubts, observer, logger, bus } = options;
    this.#options = options;
    this.probe = new Probe({ link, doubts, observer, logger });
    bus.on(BEAT, (data, from) => this.#heard(from, readBeat(data, bus.node)));
    bus.on("bye", (_data, from) => {
      this.#gone(from, "it has said goodbye");
      this.#missing.delete(from);
    });
    this.probe.onState((isUp) => {
      // While nobody could be heard, nobody's silence meant anything.
      if (isUp) for (const peer of this.#peers.values()) peer.heardAt = performance.now();
    });
  }

  /** Other nodes that are there. */
  get size(): number {
    return this.#peers.size;
  }

  start(): void {
    const { link, doubts } = this.#options;
    this.#tickedAt = performance.now();
    this.probe.start(this.#tickedAt);
    link.onReady(() => {
      if (this.#timer === null) return;
      this.probe.connected(performance.now());
      // What was sent while this node was not subscribed is lost.
      doubts.raise(0);
      this.#beat();
    });
    this.#timer = setInterval(() => this.#tick(), BEAT_MS).unref();
    this.#beat();
  }

  stop(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#options.bus.toAll("bye", {});
  }

  /** Tells the others whether this node is about to stop. */
  drain(): void {
    this.#draining = true;
    if (this.#timer !== null) this.#beat();
  }

  echo(data: unknown): void {
    this.probe.echo(time(record(data, "a beat").mark, "mark"), performance.now());
  }

  foreign(): void {
    this.#foreignAt = performance.now();
  }

  received(from: string, way: Way, n: number): void {
    const peer = this.#peers.get(from);
    if (peer === undefined) return;
    const last = peer[way];
    if (last !== null && n > last + 1) this.#gap();
    if (last === null || n > last) peer[way] = n;
  }

  #heard(from: string, beat: HeardBeat): void {
    const known = this.#peers.get(from);
    // An older one that comes late says what is no longer so.
    if (known !== undefined && beat.mark <= known.mark) return;
    const peer = known ?? this.#meet(from, beat);
    peer.heardAt = performance.now();
    peer.mark = beat.mark;
    peer.late = beat.late;
    if (beat.draining && !peer.draining) this.#options.logger.info({ peer: peer.name }, "another node is about to stop");
    peer.draining = beat.draining;
    // Where messages are late on either side, a difference between the clocks shows nothing.
    if (this.probe.isUp && !beat.late) peer.skew = beat.at - this.#options.clock();
    this.#compareNumbers(peer, beat.sent);
    for (const keeper of this.#options.keepers) keeper.heard(from, beat);
  }

  #meet(node: string, { name, version }: HeardBeat): Peer {
    if (this.#peers.size >= MAX_PEERS) throw new Rubbish(`a node beyond the ${MAX_PEERS} that are kept`);
    const numbers = { all: null, own: null, told: null };
    const peer = { name, heardAt: 0, mark: 0, late: false, draining: false, ...numbers, skew: 0, skewed: 0 };
    this.#peers.set(node, peer);
    this.#options.bus.meet(node);
    this.#missing.delete(node);
    this.#options.logger.info({ peer: name, version }, "another node is there");
    return peer;
  }

  /**
   * What the node had sent to this one by its last beat must be here by this one: the two ways may overtake each other, but not for that
   * long.
   */
  #compareNumbers(peer: Peer, sent: number | null): void {
    if (peer.own !== null && peer.told !== null && peer.own < peer.told) {
      peer.own = peer.told;
      this.#gap();
    }
    // What was lost before the first look is covered by the doubt that follows when the node knows who is here.
    peer.own ??= sent;
    peer.told = sent;
  }

  #gap(): void {
    this.#options.observer.gap();
    this.#options.doubts.raise(0);
  }

  /** Looks at the newest beats only: those that have waited in Redis come with them. */
  #compareClocks(): void {
    const { observer, logger } = this.#options;
    let largest = 0;
    for (const peer of this.#peers.values()) {
      largest = Math.max(largest, Math.abs(peer.skew));
      if (peer.skewed === null) continue;
      peer.skewed = Math.abs(peer.skew) > CLOCK_SKEW_MS ? peer.skewed + 1 : 0;
      if (peer.skewed < 2) continue;
      peer.skewed = null;
      const seconds = Math.round(peer.skew / 1_000);
      logger.warn({ peer: peer.name, seconds }, "another node's clock is ahead of this one's by so many seconds: entries' times will jump");
    }
    observer.skew(largest / 1_000);
  }

  #tick(): void {
    const now = performance.now();
    // A process that stood still has not listened: what has come meanwhile is heard before anybody's silence counts. Once, not for ever.
    this.#stoodStill = now - this.#tickedAt > STANDSTILL_MS && !this.#stoodStill;
    this.#tickedAt = now;
    if (!this.#stoodStill || !this.probe.isUp) this.probe.tick(now);
    if (!this.#stoodStill && this.probe.isUp) this.#judge(now);
    for (const keeper of this.#options.keepers) keeper.tick(now);
    this.#beat();
    this.#compareClocks();
    this.#options.observer.peers(this.#peers.size);
  }

  /** Lets go of who is silent, and has the store looked at as long as somebody may be there whose messages do not come. */
  #judge(now: number): void {
    let isUnheard = now - this.#foreignAt < PEER_GONE_MS;
    for (const [node, peer] of this.#peers) {
      const silence = now - peer.heardAt;
      if (silence > DOWN_AFTER_MS || peer.late) isUnheard = true;
      if (silence <= PEER_GONE_MS) continue;
      this.#missing.set(node, now);
      this.#gone(node, "it is silent");
    }
    for (const [node, since] of this.#missing) {
      if (now - since > MISSING_MS || this.#missing.size > MAX_PEERS) this.#missing.delete(node);
      else isUnheard = true;
    }
    if (!isUnheard || now - this.#lookedAt < LOOK_FOR_MISSING_MS) return;
    this.#lookedAt = now;
    this.#options.doubts.raise(0);
  }

  #gone(node: string, why: string): void {
    const peer = this.#peers.get(node);
    if (peer === undefined) return;
    this.#peers.delete(node);
    this.#options.logger.info({ peer: peer.name }, `another node is gone: ${why}`);
    this.#options.bus.forget(node);
    for (const keeper of this.#options.keepers) keeper.gone(node);
  }

  #beat(): void {
    const { bus, name, version, report, clock } = this.#options;
    const beat: Beat = {
      at: clock(),
      mark: performance.now(),
      name: name.slice(0, MAX_LABEL_LENGTH),
      version: version.slice(0, MAX_LABEL_LENGTH),
      ...report(),
      sent: bus.sent(),
      draining: this.#draining,
      late: this.probe.isDown,
    };
    bus.toAll(BEAT, beat);
  }
}
