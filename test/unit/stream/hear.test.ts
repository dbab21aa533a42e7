import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Follower, type Origin, type StoredEntry, StreamLog } from "../../../src/stream/index.js";
import { LOOKS_AFTER_OTHERS } from "../../../src/stream/limits.js";
import { type Embedded, openEmbedded } from "../../support/embedded.js";
import { faulty } from "../../support/faulty-store.js";
import { until } from "../../support/member.js";

let embedded: Embedded;
const logs: StreamLog[] = [];

beforeEach(async () => {
  embedded = await openEmbedded();
});

afterEach(async () => {
  for (const log of logs.splice(0)) await log.close();
  await embedded.close();
});

/** A log of another node, on the same store. */
function node(options: Partial<ConstructorParameters<typeof StreamLog>[0]> = {}): StreamLog {
  const log = new StreamLog({ store: embedded.stores.streams, ...options });
  logs.push(log);
  return log;
}

let keys = 0;

function append(log: StreamLog, stream = "s", count = 1) {
  return log.append(stream, { key: `key-${keys++}`, kind: "notification", own: "{}", count });
}

function entry(seq: number): StoredEntry {
  return { seq, at: 0, kind: "notification", unread: 0, own: "{}", publication: null, shared: null };
}

function listener() {
  const heard: number[] = [];
  const add = (_stream: string, { seq }: StoredEntry) => heard.push(seq);
  return { heard, add };
}

describe("what another node has appended", () => {
  it("is heard by those who listen to all, and not by those who listen for what is appended here", async () => {
    const log = node();
    const [all, here] = [listener(), listener()];
    log.subscribe(all.add, (_stream, seq) => all.heard.push(-seq));
    const stop = log.onAppend(here.add, (_stream, seq) => here.heard.push(-seq));
    await append(log);
    log.hear("s", entry(7));
    log.hearHead("s", 9);
    expect([all.heard, here.heard]).toEqual([[1, 7, -9], [1]]);
    stop();
    await append(log);
    expect([all.heard.at(-1), here.heard]).toEqual([2, [1]]);
  });

  it("throws nothing where a listener does, and keeps no other from hearing", () => {
    const log = node();
    const all = listener();
    const failure = new Error("not to be read");
    log.subscribe(() => {
      throw failure;
    });
    log.subscribe(all.add);
    expect(log.hear("s", entry(7))).toBe(failure);
    expect(log.hear("s", entry(8))).toBe(failure);
    expect(log.hearHead("s", 9)).toBeNull();
    expect(all.heard).toEqual([7, 8]);
  });

  it("saves the next append a conflict", async () => {
    let conflicts = 0;
    const observer = { batch: () => {}, conflict: () => conflicts++ };
    const [log, other] = [node({ observer }), node()];
    await append(log);
    await append(other);
    expect(await append(log)).toMatchObject({ seq: 3, unread: 3 });
    expect(conflicts).toBe(1);
    const { seq } = await append(other);
    log.hear("s", entry(seq));
    expect(await append(log)).toMatchObject({ seq: 5, unread: 5 });
    log.hearHead("s", (await append(other)).seq);
    expect(await append(log)).toMatchObject({ seq: 7, unread: 7 });
    expect(conflicts).toBe(1);
  });

  it("is only a rumour: what the store does not have leads to no gap, no wrong counter and no endless looking", async () => {
    const streams = embedded.stores.streams;
    let looks = 0;
    const look = (places: Parameters<typeof streams.look>[0]) => {
      looks++;
      return streams.look(places);
    };
    const log = node({ store: new Proxy(streams, { get: (target, name) => (name === "look" ? look : bound(target, name)) }) });
    await append(log);
    log.hear("s", { ...entry(40), unread: 99 });
    log.hearHead("s", 2);
    expect(await append(log)).toMatchObject({ seq: 2, unread: 2 });
    for (let seq = 3; seq < 40; seq++) expect(await append(log)).toMatchObject({ seq, unread: seq });
    expect(looks).toBe(LOOKS_AFTER_OTHERS);
  });

  it("is followed although hints are lost, once it is known that others write there too", async () => {
    let conflicts = 0;
    const observer = { batch: () => {}, conflict: () => conflicts++ };
    const [log, other] = [node({ observer }), node()];
    await append(log);
    log.hear("s", entry((await append(other)).seq));
    for (let round = 0; round < 3; round++) {
      await append(log);
      await append(other);
    }
    expect(await append(log)).toMatchObject({ seq: 9, unread: 9 });
    expect(conflicts).toBe(0);
  });

  it("moves no base that a decision builds on: that is read with the whole tail", async () => {
    const [log, other] = [node(), node()];
    for (let count = 0; count < 3; count++) await append(log);
    await other.trim("s", 3);
    log.hear("s", entry((await append(other)).seq));
    await append(log);
    const bases: number[] = [];
    await log.transact("s", async ({ base }) => {
      bases.push(base);
      return null;
    });
    expect(bases).toEqual([3]);
  });

  it("is not asked for for ever, where a stream gets nothing but marks and nobody else writes any more", async () => {
    let reads = 0;
    const streams = embedded.stores.streams;
    const tails = (names: string[]) => {
      reads++;
      return streams.tails(names);
    };
    const log = node({ store: new Proxy(streams, { get: (target, name) => (name === "tails" ? tails : bound(target, name)) }) });
    await append(log);
    log.hearHead("s", 2);
    reads = 0;
    for (let seq = 2; seq < 30; seq++) {
      const draft = { key: `mark-${seq}`, kind: "seen", own: "{}", count: 0 };
      expect(await log.transact("s", async () => ({ draft, companion: undefined }))).toMatchObject({ seq });
    }
    expect(reads).toBe(LOOKS_AFTER_OTHERS);
  });

  it("costs nothing where it is not news", async () => {
    let reads = 0;
    const streams = embedded.stores.streams;
    const tails = (names: string[]) => {
      reads++;
      return streams.tails(names);
    };
    const log = node({ store: new Proxy(streams, { get: (target, name) => (name === "tails" ? tails : bound(target, name)) }) });
    await append(log);
    log.hear("s", entry(1));
    log.hear("elsewhere", entry(5));
    expect(await append(log)).toMatchObject({ seq: 2 });
    expect(reads).toBe(1);
  });

  it("leaves a decision alone that was taken before: it is taken anew, because the stream went on", async () => {
    const [log, other] = [node(), node()];
    const heads: number[] = [];
    await append(log);
    const decide = async ({ head }: { head: number }) => {
      heads.push(head);
      if (heads.length === 1) {
        const { seq } = await append(other);
        // After the decision is taken, and before it goes to the store.
        let turns = 20;
        const soon = (): unknown => (turns-- > 0 ? Promise.resolve().then(soon) : log.hear("s", entry(seq)));
        soon();
      }
      return { draft: { key: "decided", kind: "read", own: `{"head":${head}}`, count: 0 }, companion: undefined };
    };
    expect(await log.transact("s", decide)).toMatchObject({ seq: 3, unread: 2 });
    expect(heads).toEqual([1, 2]);
    expect((await log.page("s", 2, 1))[0]?.own).toBe('{"head":2}');
  });

  it("leaves an entry in flight alone", async () => {
    const streams = embedded.stores.streams;
    const other = node();
    await other.append("s", { key: "twice", kind: "notification", own: "{}", count: 1 });
    let onAppend = () => {};
    const store = new Proxy(streams, {
      get(target, name) {
        if (name !== "append") return bound(target, name);
        return (batch: Parameters<typeof streams.append>[0]) => {
          onAppend();
          return streams.append(batch);
        };
      },
    });
    const log = node({ store });
    await append(log);
    onAppend = () => log.hear("s", entry(50));
    const repeat = { key: "twice", kind: "notification", own: "{}", count: 1 };
    expect(await log.append("s", repeat)).toEqual({ seq: 1, unread: 2, repeated: true });
    expect(await append(log)).toMatchObject({ seq: 3, unread: 3 });
  });

  it("never makes a wrong entry, whenever it is heard, whatever it says", async () => {
    const act = fc.record({
      is: fc.constantFrom("append", "decide", "other", "hear", "wait"),
      stream: fc.constantFrom("a", "b"),
      seq: fc.integer({ min: 1, max: 60 }),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
        run++;
        const [log, other] = [node(), node()];
        const name = (stream: string) => `${run}:${stream}`;
        const seen = new Map<string, number>();
        const work: Promise<unknown>[] = [];
        for (const { is, stream, seq } of acts) {
          if (is === "append") work.push(append(log, name(stream)));
          if (is === "other") work.push(append(other, name(stream)));
          if (is === "hear") log.hear(name(stream), entry(seq));
          if (is === "wait") await new Promise((resolve) => setImmediate(resolve));
          if (is === "decide") {
            const key = `decided-${keys++}`;
            const decide = async ({ head, unread }: { head: number; unread: number }) => {
              await new Promise((resolve) => setImmediate(resolve));
              seen.set(key, unread);
              return { draft: { key, kind: "halved", own: `{"head":${head}}`, count: -Math.floor(unread / 2) }, companion: undefined };
            };
            work.push(log.transact(name(stream), decide));
          }
        }
        await Promise.all(work);
        for (const stream of ["a", "b"]) {
          const { head } = await log.tail(name(stream));
          const entries = await embedded.stores.streams.read(name(stream), 0, head, 1_000);
          let unread = 0;
          for (const [index, one] of entries.entries()) {
            expect(one.seq).toBe(index + 1);
            // What was decided was decided on the entry right before.
            if (one.kind === "halved") expect(JSON.parse(one.own)).toEqual({ head: index });
            unread = one.kind === "halved" ? unread - Math.floor(unread / 2) : unread + 1;
            expect(one.unread).toBe(unread);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

function bound(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name);
  return typeof value === "function" ? value.bind(target) : value;
}

describe("a follower that hears what other nodes append", () => {
  it("gives each entry once and in order, however hints come", async () => {
    const [log, other] = [node(), node()];
    const given: number[] = [];
    const hints: StoredEntry[] = [];
    other.onAppend((_stream, one) => hints.push(one));
    const follower = new Follower({ log, stream: "s", onEntry: ({ seq }) => given.push(seq), onError: () => {} });
    follower.start(0);
    for (let count = 0; count < 30; count++) await append(other);
    const told = (seq: number) => log.hear("s", hints[seq - 1] as StoredEntry);
    for (const seq of [1, 2, 2, 1, 5, 4, 3, 9]) told(seq);
    await until("the follower has caught up", () => given.length === 30);
    for (const seq of [30, 12, 1]) told(seq);
    await append(log);
    expect(given).toEqual(Array.from({ length: 31 }, (_, index) => index + 1));
    // What is not stored is looked for once, and nothing hangs.
    log.hear("s", entry(1_000));
    await append(log);
    await follower.reach(32);
    expect(given.at(-1)).toBe(32);
    await follower.stop();
  });
});

describe("the origin of an entry", () => {
  const ambient = new AsyncLocalStorage<Origin>();
  const origin = () => ambient.getStore() ?? null;

  function heardBy(log: StreamLog): Map<string, Origin | undefined> {
    const heard = new Map<string, Origin | undefined>();
    log.onAppend((stream, one) => heard.set(stream, one.origin));
    return heard;
  }

  it("goes with what a request appends, publishes or decides, also where many share a batch or go again", async () => {
    const log = node({ store: faulty(embedded.stores.streams, ["dropped"]), origin });
    const heard = heardBy(log);
    const of = (request: string): Origin => ({ request, trace: null });
    const publish = (id: string, streams: string[]) => {
      const plan = streams.map((stream) => ({ stream, own: "{}" }));
      return log.publish({ id, alias: null, key: id, kind: "notification", shared: "{}", note: "[]", plan });
    };
    const decide = async () => ({ draft: { key: "decided", kind: "read", own: "{}", count: 0 }, companion: undefined });
    await Promise.all([
      ambient.run(of("first"), () => publish("event-1", ["a", "b"])),
      ambient.run(of("second"), () => publish("event-2", ["c"])),
      ambient.run(of("third"), () => append(log, "d")),
      ambient.run(of("fourth"), () => log.transact("e", decide)),
      append(log, "f"),
    ]);
    const requests = Object.fromEntries([...heard].map(([stream, one]) => [stream, one?.request]));
    expect(requests).toEqual({ a: "first", b: "first", c: "second", d: "third", e: "fourth", f: undefined });
  });

  it("is not stored, and not there at all where nobody asked for it", async () => {
    const [traced, plain] = [node({ origin }), node()];
    const heard: StoredEntry[] = [];
    plain.onAppend((_stream, one) => heard.push(one));
    await ambient.run({ request: "first", trace: null }, () => append(traced));
    await ambient.run({ request: "second", trace: null }, () => append(plain));
    expect(heard.map((one) => "origin" in one)).toEqual([false]);
    expect((await plain.page("s", 0, 10)).map((one) => "origin" in one)).toEqual([false, false]);
  });
});
