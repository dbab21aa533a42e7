import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "@jest/globals";
import pino from "pino";
import { BelfryError } from "../../../src/errors.js";
import { Lease } from "../../../src/lease/index.js";
import { openMongoStore } from "../../../src/storage/mongo/index.js";
import type { Companion, Stores } from "../../../src/storage/types.js";
import { type StoredEntry, StreamLog } from "../../../src/stream/index.js";
import { until } from "../../support/member.js";
import { mark } from "../stores/companion.js";

/** Streams that all nodes write to, and writers of each node. */
const STREAMS = ["a", "b", "c"];
const WRITERS = 4;

/**
 * By when every call is answered: an append's ten seconds and a quarter, in which they are looked for; a read's two attempts, of which the
 * first ends when a server was silent for four seconds, the other after five without a primary. And a busy machine. Milliseconds.
 */
const ANSWER_MS = 15_000;

/** How long it may take until writes go on after the last fault. Milliseconds. */
const RECOVERY_MS = 120_000;

/** How often it is looked who has the lease. Milliseconds. */
const LOOK_MS = 20;

/** What a caller was answered: where the entries of this key are. */
type Acknowledged = Map<string, Array<{ stream: string; seq: number }>>;

interface Node {
  stores: Stores;
  log: StreamLog<Companion>;
  lease: Lease;
}

/**
 * Two nodes that write and read without pause, on a database of their own, in whatever state its servers are: entries, publications, and
 * entries with companions. What is not answered is sent again until it is.
 */
export class Run {
  readonly acknowledged: Acknowledged = new Map();
  /** Calls that were answered `unavailable`. */
  refused = 0;
  readonly #nodes: Node[];
  readonly #work: Promise<void>[] = [];
  /** What readers were given, by stream and seq. */
  readonly #seen = new Map<string, StoredEntry>();
  readonly #faults: unknown[] = [];
  #stopped = false;
  #abandoned = false;

  private constructor(nodes: Node[]) {
    this.#nodes = nodes;
    for (const [index, node] of nodes.entries()) {
      for (let writer = 0; writer < WRITERS; writer++) this.#begin(() => this.#append(node, `${index}.${writer}`));
      this.#begin(() => this.#publish(node, String(index)));
      this.#begin(() => this.#transact(node, String(index)));
      for (const stream of STREAMS) this.#begin(() => this.#follow(node, stream));
      this.#begin(() => this.#look(node));
    }
    this.#begin(() => this.#watchLeases());
  }

  /** `url` names the servers and no database. */
  static async start(url: string): Promise<Run> {
    const address = url.replace("/?", `/elections-${randomUUID().slice(0, 8)}?`);
    const open = async (holder: string): Promise<Node> => {
      const stores = await openMongoStore(address, pino({ level: "silent" }));
      const log = new StreamLog<Companion>({ store: stores.streams });
      const lease = new Lease({ store: stores.leases, name: "upkeep", holder, onError: () => {} });
      await lease.start();
      return { stores, log, lease };
    };
    return new Run([await open("one"), await open("two")]);
  }

  /** Resolves when so many more calls were answered. */
  async progress(count = 60): Promise<void> {
    const enough = this.acknowledged.size + count;
    await until(`${count} more writes are answered`, () => this.acknowledged.size >= enough || this.#faults.length > 0, RECOVERY_MS);
    if (this.#faults.length > 0) throw this.#faults[0];
  }

  /** Lets all end, and compares what was answered and seen with what is stored. */
  async verify(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#work);
    expect(this.#faults).toEqual([]);
    const [{ stores }] = this.#nodes as [Node];
    const stored = new Map<string, StoredEntry>();
    for (const stream of [...STREAMS, "marks.0", "marks.1"]) {
      const entries = await stores.streams.read(stream, 0, 1_000_000, 1_000_000);
      expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
      if (!stream.startsWith("marks")) expect(entries.map(({ unread }) => unread)).toEqual(entries.map(({ seq }) => seq));
      for (const entry of entries) stored.set(`${stream} ${entry.seq}`, entry);
    }
    for (const [key, places] of this.acknowledged) {
      for (const { stream, seq } of places) expect(stored.get(`${stream} ${seq}`)?.own).toBe(ownOf(key));
    }
    // Sent until they were answered, so there is nothing besides, and nothing twice.
    const answered = [...this.acknowledged.values()].reduce((sum, places) => sum + places.length, 0);
    expect(stored.size).toBe(answered);
    for (const [place, entry] of this.#seen) expect(stored.get(place)).toEqual(entry);
    for (const stream of ["marks.0", "marks.1"]) {
      const { head } = (await stores.streams.tails([stream])).get(stream) ?? { head: 0 };
      const seqs = Array.from({ length: head }, (_, index) => index + 1);
      const marks = await stores.inbox.marks(stream, seqs);
      expect(marks.map(({ seq }) => seq).toSorted((one, other) => one - other)).toEqual(seqs);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#abandoned = true;
    await Promise.all(this.#work);
    for (const { stores, log, lease } of this.#nodes) {
      await lease.stop();
      await log.close();
      await stores.close();
    }
  }

  #begin(work: () => Promise<void>): void {
    this.#work.push(
      work().catch((error: unknown) => {
        this.#faults.push(error);
        this.#stopped = true;
      }),
    );
  }

  /** Makes a call until it is answered with what was asked for; null where the run was given up. */
  async #insist<T>(what: string, call: () => Promise<T>): Promise<T | null> {
    for (;;) {
      const began = performance.now();
      try {
        return await call();
      } catch (error) {
        expect(error).toBeInstanceOf(BelfryError);
        expect((error as BelfryError).code).toBe("unavailable");
        this.refused++;
      } finally {
        const took = performance.now() - began;
        if (took > ANSWER_MS) this.#faults.push(new Error(`${what} took ${Math.round(took)} ms`));
      }
      if (this.#abandoned) return null;
      await pause(50);
    }
  }

  async #append({ log }: Node, writer: string): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      const stream = STREAMS[turn % STREAMS.length] as string;
      const key = `${writer}/${turn}`;
      const answer = await this.#insist("an append", () => log.append(stream, { key, kind: "note", own: ownOf(key), count: 1 }));
      if (answer !== null) this.acknowledged.set(key, [{ stream, seq: answer.seq }]);
      await pause(5);
    }
  }

  async #publish({ log }: Node, writer: string): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      const key = `published ${writer}/${turn}`;
      const plan = STREAMS.map((stream) => ({ stream, own: ownOf(key) }));
      const request = { id: key, alias: null, key, kind: "note", shared: "{}", plan, note: "[]" };
      const answer = await this.#insist("a publication", () => log.publish(request));
      if (answer === null) return;
      const places = answer.results.flatMap(({ stream, seq }) => (seq === null ? [] : [{ stream, seq }]));
      expect(places).toHaveLength(STREAMS.length);
      this.acknowledged.set(key, places);
      await pause(5);
    }
  }

  /** An entry, and a mark that is stored together with it. */
  async #transact({ log }: Node, writer: string): Promise<void> {
    const stream = `marks.${writer}`;
    for (let turn = 0; !this.#stopped; turn++) {
      const key = `marked ${writer}/${turn}`;
      const answer = await this.#insist("a transaction", () =>
        log.transact(stream, async (_tail, seq) => ({
          draft: { key, kind: "read", own: ownOf(key), count: 0 },
          companion: { of: "inbox", stream, marks: [mark(seq, { readSeq: seq, readAt: 1 })] },
        })),
      );
      if (answer !== null) this.acknowledged.set(key, [{ stream, seq: answer.seq }]);
      await pause(5);
    }
  }

  /** Reads a stream on from what was read before, as a session does. */
  async #follow({ log }: Node, stream: string): Promise<void> {
    for (let after = 0; !this.#stopped; ) {
      const page = await this.#insist("a page", () => log.page(stream, after, 50));
      for (const entry of page ?? []) {
        expect(entry.seq).toBe(after + 1);
        after = entry.seq;
        const place = `${stream} ${after}`;
        expect(this.#seen.get(place) ?? entry).toEqual(entry);
        this.#seen.set(place, entry);
      }
      await pause(10);
    }
  }

  /** A head that was seen never goes back. */
  async #look({ stores }: Node): Promise<void> {
    const heads = new Map<string, number>();
    while (!this.#stopped) {
      const tails = await this.#insist("a look at tails", () => stores.streams.tails(STREAMS));
      for (const [stream, { head }] of tails ?? []) {
        expect(head).toBeGreaterThanOrEqual(heads.get(stream) ?? 0);
        heads.set(stream, head);
      }
      await pause(10);
    }
  }

  async #watchLeases(): Promise<void> {
    while (!this.#stopped) {
      expect(this.#nodes.filter(({ lease }) => lease.isHeld).length).toBeLessThanOrEqual(1);
      await pause(LOOK_MS);
    }
  }
}

/** An entry's own content, by which it is known again. */
function ownOf(key: string): string {
  return JSON.stringify({ key });
}
