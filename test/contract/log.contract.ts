import { setImmediate as breathe } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { BelfryError } from "../../src/errors.js";
import type { InboxChange } from "../../src/inbox/types.js";
import { type PublishRequest, type StoredEntry, StreamLog, type StreamStore } from "../../src/stream/index.js";
import { type Fault, faulty } from "../support/faulty-store.js";
import { fresh } from "../support/rows.js";
import type { OpenStore, StoreUnderTest } from "./stores/under-test.js";

/** Far enough in the future that every entry below the base is also deleted. Milliseconds. */
const LATER = 365 * 86_400_000;

/**
 * What the core makes of a store, under the conditions in which it usually goes wrong. `nodes`: `shared`, several nodes may use one store,
 * each with a connection of its own; `one`, a single process owns it.
 */
export function logContract(name: string, open: OpenStore, nodes: "shared" | "one"): void {
  describe(`${name}: the promises of a log`, () => {
    let store: StoreUnderTest;
    const logs: StreamLog<InboxChange>[] = [];

    beforeAll(async () => {
      store = await open();
    });
    afterEach(async () => {
      for (const log of logs.splice(0)) await log.close();
    });
    afterAll(() => store.destroy());

    function logOn(streams: StreamStore<InboxChange>, clock?: () => number): StreamLog<InboxChange> {
      const log = new StreamLog<InboxChange>(clock === undefined ? { store: streams } : { store: streams, clock });
      logs.push(log);
      return log;
    }

    async function manyLogs(count: number): Promise<StreamLog<InboxChange>[]> {
      const made: StreamLog<InboxChange>[] = [];
      for (let index = 0; index < count; index++)
        made.push(logOn(nodes === "shared" ? (await store.reopen()).streams : store.stores.streams));
      return made;
    }

    it("64 writers of four nodes on one stream leave no gap, share no seq and lose nothing", async () => {
      const stream = fresh("s");
      const four = await manyLogs(4);
      const acknowledged = new Map<string, number>();
      await Promise.all(
        Array.from({ length: 64 }, async (_, writer) => {
          for (let turn = 0; turn < 4; turn++) {
            const key = `${writer}/${turn}`;
            const { seq, repeated } = await append(four[writer % 4] as StreamLog<InboxChange>, stream, key);
            expect(repeated).toBe(false);
            acknowledged.set(key, seq);
          }
        }),
      );
      const entries = await readAll(store.stores.streams, stream);
      expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 256 }, (_, index) => index + 1));
      expect(entries.map(({ unread }) => unread)).toEqual(Array.from({ length: 256 }, (_, index) => index + 1));
      expect(new Set(acknowledged.values()).size).toBe(256);
      for (const { seq, own } of entries) expect(acknowledged.get(keyOf(own))).toBe(seq);
    });

    it("a key sent many times at once is stored once, and all learn the same seq", async () => {
      const stream = fresh("s");
      const two = await manyLogs(2);
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, index) => append(two[index % 2] as StreamLog<InboxChange>, stream, "once")),
      );
      expect(new Set(answers.map(({ seq }) => seq))).toEqual(new Set([1]));
      expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
      expect(await readAll(store.stores.streams, stream)).toHaveLength(1);
    });

    it("a key sent again later gets its first seq, from every node", async () => {
      const stream = fresh("s");
      const [one, two] = (await manyLogs(2)) as [StreamLog<InboxChange>, StreamLog<InboxChange>];
      await append(one, stream, "a");
      await append(one, stream, "b");
      await append(two, stream, "c");
      expect(await append(one, stream, "a")).toMatchObject({ seq: 1, repeated: true });
      expect(await append(two, stream, "b")).toMatchObject({ seq: 2, repeated: true });
      expect(await one.tail(stream)).toEqual({ head: 3, base: 1, unread: 3 });
    });

    it("an entry behind a repeat of its own burst stands at the next seq, without a gap", async () => {
      const stream = fresh("s");
      const log = logOn(store.stores.streams);
      await append(log, stream, "known");
      const burst = await Promise.all(["known", "new", "known", "newer"].map((key) => append(log, stream, key)));
      expect(burst.map(({ seq }) => seq)).toEqual([1, 2, 1, 3]);
      expect((await readAll(store.stores.streams, stream)).map(({ own }) => keyOf(own))).toEqual(["known", "new", "newer"]);
    });

    it("a reader that pages while writers append sees every entry once and in order", async () => {
      const stream = fresh("s");
      const total = 240;
      const [reader, ...writers] = (await manyLogs(3)) as [StreamLog<InboxChange>, ...StreamLog<InboxChange>[]];
      const seen: number[] = [];
      const reading = (async () => {
        while (seen.length < total) {
          await breathe();
          for (const { seq } of await reader.page(stream, seen.length, 7)) {
            expect(seq).toBe(seen.length + 1);
            seen.push(seq);
          }
        }
      })();
      const writing = Promise.all(
        Array.from({ length: 24 }, async (_, writer) => {
          for (let turn = 0; turn < total / 24; turn++) {
            await append(writers[writer % writers.length] as StreamLog<InboxChange>, stream, `${writer}/${turn}`);
          }
        }),
      );
      await Promise.all([reading, writing]);
      expect(seen).toHaveLength(total);
    });

    it("listeners hear each entry after it is durable, in order and with its content", async () => {
      const [stream, other] = [fresh("s"), fresh("s")];
      const log = logOn(store.stores.streams);
      const heard: Array<[string, StoredEntry]> = [];
      const stop = log.subscribe((name, entry) => heard.push([name, entry]));
      await Promise.all([
        append(log, stream, "a"),
        append(log, stream, "b"),
        log.publish(request(fresh("p"), [stream, other])),
        append(log, stream, "a"),
      ]);
      stop();
      await append(log, stream, "unheard");
      const stored = await readAll(store.stores.streams, stream);
      expect(heard.filter(([name]) => name === stream).map(([, entry]) => entry)).toEqual(stored.slice(0, -1));
      expect(heard.filter(([name]) => name === other).map(([, entry]) => entry)).toEqual(await readAll(store.stores.streams, other));
    });

    it("a publication sent twice at once is stored once, and both senders learn the same seqs", async () => {
      const two = await manyLogs(2);
      for (const senders of [[two[0], two[0]], two] as Array<StreamLog<InboxChange>[]>) {
        const [id, streams] = [fresh("p"), [fresh("s"), fresh("s"), fresh("s")]];
        const answers = await Promise.all(senders.map((log) => log.publish(request(id, streams))));
        expect(answers.map(({ duplicate }) => duplicate).sort()).toEqual([false, true]);
        for (const { results } of answers) expect(results).toEqual(streams.map((stream) => ({ stream, seq: 1, mine: true })));
        for (const stream of streams) expect(await readAll(store.stores.streams, stream)).toHaveLength(1);
      }
    });

    it("a publication is the same under its alias, and another one with its key gives nobody a second entry", async () => {
      const log = logOn(store.stores.streams);
      const streams = [fresh("s"), fresh("s")] as const;
      const first = request(fresh("p"), [streams[0]], { alias: fresh("alias") });
      await log.publish(first);
      expect((await log.publish({ ...first, id: fresh("p") })).duplicate).toBe(true);
      const related = await log.publish(request(fresh("p"), [...streams], { key: first.key }));
      expect(related.results).toEqual([
        { stream: streams[0], seq: 1, mine: false },
        { stream: streams[1], seq: 1, mine: true },
      ]);
    });

    it("a publication for a thousand streams reaches each once", async () => {
      const log = logOn(store.stores.streams);
      const streams = Array.from({ length: 1_000 }, () => fresh("wide"));
      const { results } = await log.publish(request(fresh("p"), streams));
      expect(results).toEqual(streams.map((stream) => ({ stream, seq: 1, mine: true })));
    });

    describe.each<[string, Fault[]]>([
      ["was lost after the batch was stored", ["performed"]],
      ["was lost before the batch was stored", ["dropped"]],
      ["was lost and the batch arrives later", ["late"]],
      ["was lost again and again", ["dropped", "performed", "late", "dropped"]],
    ])("when the answer of the store %s", (_, faults) => {
      it("entries are stored exactly once", async () => {
        const stream = fresh("s");
        const broken = faulty(store.stores.streams, faults);
        const log = logOn(broken);
        const answers = await Promise.all(["a", "b", "c", "d", "e"].map((key) => append(log, stream, key)));
        expect(answers.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
        expect(broken.left).toBe(0);
        expect((await readAll(store.stores.streams, stream)).map(({ own }) => keyOf(own))).toEqual(["a", "b", "c", "d", "e"]);
      });

      it("publications are stored exactly once, and are no duplicates of themselves", async () => {
        const streams = [fresh("s"), fresh("s"), fresh("s")];
        const log = logOn(faulty(store.stores.streams, faults));
        const sent = request(fresh("p"), streams);
        const { duplicate, results } = await log.publish(sent);
        if (!faults.includes("late")) expect(duplicate).toBe(false);
        expect(results).toEqual(streams.map((stream) => ({ stream, seq: 1, mine: true })));
        for (const stream of streams)
          expect(await readAll(store.stores.streams, stream)).toMatchObject([{ seq: 1, publication: sent.id, shared: sent.shared }]);
      });
    });

    it("listeners hear of an entry whose answer was lost, once it is known to be stored", async () => {
      const stream = fresh("s");
      const log = logOn(faulty(store.stores.streams, ["performed", "dropped", "performed"]));
      const heard: number[] = [];
      log.subscribe((name, { seq }) => {
        if (name === stream) heard.push(seq);
      });
      for (const key of ["a", "b", "c"]) await append(log, stream, key);
      expect(heard).toEqual([1, 2, 3]);
    });

    it("trimming under a reader gives complete pages or a reset, never a gap", async () => {
      const stream = fresh("s");
      const log = logOn(store.stores.streams);
      const trimming = logOn(store.stores.streams, () => Date.now() + LATER);
      const total = 120;
      for (let from = 0; from < total; from += 40)
        await Promise.all(Array.from({ length: 40 }, (_, index) => append(log, stream, `${from + index}`)));
      let [cursor, resets] = [0, 0];
      const reading = (async () => {
        while (cursor < total) {
          await breathe();
          try {
            for (const { seq } of await log.page(stream, cursor, 5)) {
              expect(seq).toBe(cursor + 1);
              cursor = seq;
            }
          } catch (error) {
            expect(error).toBeInstanceOf(BelfryError);
            expect((error as BelfryError).code).toBe("reset");
            resets++;
            cursor = (await log.tail(stream)).base - 1;
          }
        }
      })();
      const cutting = (async () => {
        for (let base = 10; base <= total + 1; base += 10) {
          await breathe();
          await trimming.trim(stream, base);
        }
      })();
      await Promise.all([reading, cutting]);
      await trimming.trim(stream, total + 1);
      expect(await log.tail(stream)).toEqual({ head: total, base: total + 1, unread: total });
      expect(await append(log, stream, "next")).toMatchObject({ seq: total + 1, unread: total + 1 });
      expect(resets).toBeLessThanOrEqual(total);
    });

    it("the heads of streams that went on are told, of any writer, and of no other stream", async () => {
      const [stream, other] = [fresh("s"), fresh("s")];
      const [one, two] = (await manyLogs(2)) as [StreamLog<InboxChange>, StreamLog<InboxChange>];
      for (const name of [stream, other]) await append(one, name, "seen");
      const seen = new Map([
        [stream, 1],
        [other, 1],
      ]);
      expect(await two.headsAfter(seen)).toEqual(new Map());
      for (const key of ["a", "b", "c"]) await append(one, stream, key);
      expect(await two.headsAfter(seen)).toEqual(new Map([[stream, 4]]));
    });

    it("a cursor before the base or past the head is reset; one at either end is not", async () => {
      const stream = fresh("s");
      const log = logOn(store.stores.streams);
      for (let index = 0; index < 6; index++) await append(log, stream, `${index}`);
      await log.trim(stream, 4);
      const code = (after: number) =>
        log.page(stream, after, 10).then(
          (entries) => entries.length,
          (error: BelfryError) => error.code,
        );
      expect(await Promise.all([2, 3, 5, 6, 7].map(code))).toEqual(["reset", 3, 1, 0, "reset"]);
    });
  });
}

function append(log: StreamLog<InboxChange>, stream: string, key: string) {
  return log.append(stream, { key, kind: "note", own: JSON.stringify({ key }), count: 1 });
}

/** The key that `append` put into the entry's own content. */
function keyOf(own: string): string {
  return (JSON.parse(own) as { key: string }).key;
}

function request(id: string, streams: string[], over: Partial<PublishRequest> = {}): PublishRequest {
  const plan = streams.map((stream) => ({ stream, own: `{"to":${JSON.stringify(stream)}}` }));
  return { id, alias: null, key: `about-${id}`, kind: "notification", shared: `{"id":${JSON.stringify(id)}}`, plan, note: "{}", ...over };
}

async function readAll(streams: StreamStore<InboxChange>, stream: string): Promise<StoredEntry[]> {
  return streams.read(stream, 0, 1_000_000, 1_000_000);
}
