import { pino } from "pino";
import { Cluster, type ClusterObserver, type Link } from "../../src/cluster/index.js";
import { Presence } from "../../src/presence/index.js";
import type { StoredEntry } from "../../src/stream/index.js";
import type { LoopbackLink } from "./loopback-link.js";

type EntryListener = (stream: string, entry: StoredEntry) => void;
type HeadListener = (stream: string, seq: number) => void;

/** A session of a member on one node. Times are by the real (or faked) clock. */
export interface TestSession {
  user: string;
  startedAt: number;
  /** By the node's clock, which may be wrong. */
  startedByClock: number;
}

/** Something heard, and when. */
interface At<T> {
  at: number;
  what: T;
}

let names = 0;

/** What one node counts, in place of metrics. */
class Counts implements ClusterObserver {
  in = 0;
  out = 0;
  rubbishes = 0;
  gaps = 0;
  drops = 0;
  largestSkew = 0;
  readonly states: boolean[] = [];

  message(direction: "in" | "out"): void {
    this[direction]++;
  }
  rubbish(): void {
    this.rubbishes++;
  }
  gap(): void {
    this.gaps++;
  }
  state(isUp: boolean): void {
    this.states.push(isUp);
  }
  peers(): void {}
  skew(seconds: number): void {
    this.largestSkew = seconds;
  }
  dropped(): void {
    this.drops++;
  }
}

/** A node without sockets and without a store: entries are made up, and what is heard is kept. */
export class TestNode<L extends Link = LoopbackLink> {
  readonly presence = new Presence();
  readonly cluster: Cluster;
  readonly counts = new Counts();
  readonly sessions = new Set<TestSession>();
  readonly heard: Array<At<{ stream: string; entry: StoredEntry }>> = [];
  readonly heads: Array<{ stream: string; seq: number }> = [];
  readonly doubts: Array<At<number>> = [];
  readonly logged: Array<{ level: number; msg: string }> = [];
  #onEntry: EntryListener = () => {};
  #onHead: HeadListener = () => {};

  /** `ahead`: by how much this node's clock is wrong, in milliseconds. `refuses`: whether what is heard is more than anybody can take. */
  constructor(
    readonly link: L,
    private readonly options: { ahead?: number; refuses?: (entry: StoredEntry) => boolean; deployment?: string } = {},
  ) {
    const write = (line: string) => this.logged.push(JSON.parse(line));
    this.cluster = new Cluster({
      link: this.link,
      adapterClients: () => {
        throw new Error("these nodes have no sockets");
      },
      deployment: options.deployment ?? "0123456789abcdef",
      name: `node-${names++}`,
      version: "1.0.0",
      log: {
        onAppend: (entry, head = () => {}) => {
          this.#onEntry = entry;
          this.#onHead = head;
          return () => {
            this.#onEntry = () => {};
            this.#onHead = () => {};
          };
        },
        hear: (stream, entry) => {
          if (options.refuses?.(entry) === true) return new Error("refused");
          this.heard.push({ at: Date.now(), what: { stream, entry } });
          return null;
        },
        hearHead: (stream, seq) => {
          this.heads.push({ stream, seq });
          return null;
        },
      },
      presence: this.presence,
      isShared: (stream) => stream === "announcements",
      userOf: (stream) => (stream.startsWith("inbox:") ? stream.slice("inbox:".length) : null),
      logger: pino({ level: "debug" }, { write }),
      metrics: this.counts,
      clock: () => this.now(),
    });
    this.cluster.onDoubt((since) => this.doubts.push({ at: Date.now(), what: since }));
  }

  now(): number {
    return Date.now() + (this.options.ahead ?? 0);
  }

  enter(user: string): TestSession {
    const session = { user, startedAt: Date.now(), startedByClock: this.now() };
    this.sessions.add(session);
    this.presence.enter(user);
    return session;
  }

  leave(session: TestSession): void {
    if (this.sessions.delete(session)) this.presence.leave(session.user);
  }

  append(stream: string, seq: number, more: Partial<StoredEntry> = {}): void {
    this.#onEntry(stream, { seq, at: Date.now(), kind: "notification", unread: 1, own: "{}", publication: null, shared: null, ...more });
  }

  appendUnheard(stream: string, seq: number): void {
    this.#onHead(stream, seq);
  }

  /** As if killed: nothing is said any more. */
  kill(): void {
    void this.link.close();
    this.cluster.stop();
    this.presence.close();
  }

  /** The first moment from `from` on at which the session heard of the entry, or was told to look; null where there is none. */
  coveredAt(session: TestSession, stream: string, seq: number, from: number): number | null {
    const heard = this.heard.find(({ at, what }) => at >= from && what.stream === stream && what.entry.seq === seq);
    const doubt = this.doubts.find(({ at, what }) => at >= from && what <= session.startedByClock);
    const first = Math.min(heard?.at ?? Number.POSITIVE_INFINITY, doubt?.at ?? Number.POSITIVE_INFINITY);
    return first === Number.POSITIVE_INFINITY ? null : first;
  }

  /** Members on this node. */
  get users(): string[] {
    return [...new Set(Array.from(this.sessions, ({ user }) => user))].sort();
  }
}

/** The id that a started node has given itself. */
export function idOf({ link }: TestNode): string {
  return JSON.parse(link.published[0]?.text ?? "{}").from;
}
