/**
 * Members looked at in one turn of the event loop where a node is gone. Threat: a large node whose end holds up everybody's messages; this
 * many take about a millisecond.
 */
const SWEEP_STEP = 5_000;

/**
 * What is known of who is on one other node. Where all of it is learned anew, a second one takes its place: members whom both name are on
 * that node once.
 */
export interface PeerMembers {
  /** How many members are on the node. */
  readonly size: number;
  entered(users: Iterable<string>): void;
  left(users: Iterable<string>): void;
  /** The node says that it has so many sessions. */
  sessions(count: number): void;
  /** None of these members counts any more; final. */
  gone(): void;
}

/** A node, as members are noted to be on it. */
interface Peer {
  readonly node: string;
  /** The answer for a member who is on this node alone: most are, and it is asked for with every entry. */
  readonly only: readonly string[];
  size: number;
  sessions: number;
  isGone: boolean;
}

const NOWHERE: readonly string[] = [];
const NO_PEERS: Peer[] = [];

/**
 * Who is on other nodes. One map from members to nodes serves all nodes, since where a member is is asked far more often than who is on a
 * node; what is left of a node that is gone is swept out of it step by step, and counts until then, but nothing is sent there any more.
 */
export class Elsewhere {
  readonly #peersOf = new Map<string, Peer | Peer[]>();
  readonly #peers = new Set<Peer>();
  readonly #isHere: (user: string) => boolean;
  readonly #changed: () => void;
  /** Members who are here as well. */
  #alsoHere = 0;
  #sweeping = false;
  /** Another node has gone during a sweep. */
  #again = false;

  /** `isHere`: whether the member has a session on this node. `changed` is called after what may have changed a number. */
  constructor(isHere: (user: string) => boolean, changed: () => void) {
    this.#isHere = isHere;
    this.#changed = changed;
  }

  /** Members who are on other nodes and not here. */
  get users(): number {
    return this.#peersOf.size - this.#alsoHere;
  }

  /** Sessions on other nodes. */
  get sessions(): number {
    let sessions = 0;
    for (const peer of this.#peers) sessions += peer.sessions;
    return sessions;
  }

  /** The other nodes on which the member is, each once. */
  nodesOf(user: string): readonly string[] {
    const at = this.#peersOf.get(user);
    if (at === undefined) return NOWHERE;
    if (!Array.isArray(at)) return at.isGone ? NOWHERE : at.only;
    return [...new Set(at.filter(({ isGone }) => !isGone).map(({ node }) => node))];
  }

  /** The member's first session on this node begins (`isHere`), or the last one ends. To be called after `isHere` has changed. */
  here(user: string, isHere: boolean): void {
    if (this.#peersOf.has(user)) this.#alsoHere += isHere ? 1 : -1;
  }

  /** The members who are on other nodes, those included who are here as well. */
  *members(): Iterable<string> {
    for (const [user, at] of this.#peersOf) {
      if (Array.isArray(at) ? at.some(({ isGone }) => !isGone) : !at.isGone) yield user;
    }
  }

  /** A node of which nothing is known yet. */
  peer(node: string): PeerMembers {
    const peer: Peer = { node, only: [node], size: 0, sessions: 0, isGone: false };
    this.#peers.add(peer);
    return {
      get size() {
        return peer.size;
      },
      entered: (users) => {
        if (peer.isGone) return;
        for (const user of users) this.#add(user, peer);
        this.#changed();
      },
      left: (users) => {
        if (peer.isGone) return;
        for (const user of users) this.#remove(user, peer);
        this.#changed();
      },
      sessions: (count) => {
        peer.sessions = count;
      },
      gone: () => {
        if (!this.#peers.delete(peer)) return;
        peer.isGone = true;
        if (peer.size > 0) this.#sweep();
      },
    };
  }

  #add(user: string, peer: Peer): void {
    const at = this.#peersOf.get(user);
    if (at === undefined) {
      this.#peersOf.set(user, peer);
      if (this.#isHere(user)) this.#alsoHere++;
    } else if (!Array.isArray(at)) {
      if (at === peer) return;
      this.#peersOf.set(user, at.isGone ? peer : [at, peer]);
    } else {
      if (at.includes(peer)) return;
      at.push(peer);
    }
    peer.size++;
  }

  #remove(user: string, peer: Peer): void {
    const at = this.#peersOf.get(user);
    if (at === undefined || !(at === peer || (Array.isArray(at) && at.includes(peer)))) return;
    peer.size--;
    this.#keep(user, at, (one) => one !== peer);
  }

  /** Keeps of the nodes that the member is on those that fit; of a single one it is known that it does not. */
  #keep(user: string, at: Peer | Peer[], fits: (peer: Peer) => boolean): void {
    const kept = Array.isArray(at) ? at.filter(fits) : NO_PEERS;
    const [first] = kept;
    if (first !== undefined) {
      this.#peersOf.set(user, kept.length === 1 ? first : kept);
      return;
    }
    this.#peersOf.delete(user);
    if (this.#isHere(user)) this.#alsoHere--;
  }

  #sweep(): void {
    this.#again = true;
    if (this.#sweeping) return;
    this.#sweeping = true;
    this.#again = false;
    this.#sweepFrom(this.#peersOf.entries());
  }

  #sweepFrom(rest: Iterator<[string, Peer | Peer[]]>): void {
    for (let count = 0; count < SWEEP_STEP; count++) {
      const next = rest.next();
      if (next.done === true) {
        this.#sweeping = false;
        this.#changed();
        if (this.#again) this.#sweep();
        return;
      }
      const [user, at] = next.value;
      if (Array.isArray(at) ? at.some(({ isGone }) => isGone) : at.isGone) this.#keep(user, at, ({ isGone }) => !isGone);
    }
    this.#changed();
    setImmediate(() => this.#sweepFrom(rest));
  }
}
