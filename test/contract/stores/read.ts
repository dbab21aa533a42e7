import { describe, expect, it } from "@jest/globals";
import type { Stores } from "../../../src/storage/types.js";
import { append, fill, fresh, row, T0 } from "../../support/rows.js";

/** What was stored can be read from any place, in either direction. */
export function readContract(stores: () => Stores): void {
  const seqs = (entries: Array<{ seq: number }>) => entries.map(({ seq }) => seq);

  describe("reading", () => {
    it("gives the entries after a seq up to another, in order, at most as many as asked", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await fill(streams, stream, 12);
      await append(streams, row(`${stream}0`, 1), row(stream.slice(0, -1), 1));
      expect(seqs(await streams.read(stream, 0, 12, 100))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
      expect(seqs(await streams.read(stream, 3, 7, 100))).toEqual([4, 5, 6, 7]);
      expect(seqs(await streams.read(stream, 3, 12, 2))).toEqual([4, 5]);
      expect(seqs(await streams.read(stream, 9, 12, 2))).toEqual([10, 11]);
      expect(await streams.read(stream, 12, 12, 10)).toEqual([]);
      expect(await streams.read(stream, 5, 3, 10)).toEqual([]);
      expect(await streams.read(fresh("empty"), 0, 10, 10)).toEqual([]);
    });

    it("gives a page of a thousand entries", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await fill(streams, stream, 250);
      expect(seqs(await streams.read(stream, 0, 1_000, 1_000))).toHaveLength(250);
    });

    it("goes back over the entries of one kind, newest first", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await fill(streams, stream, 10, (seq) => ({ kind: seq % 3 === 0 ? "read" : "notification" }));
      expect(seqs(await streams.readBack(stream, "notification", 1, 11, 100))).toEqual([10, 8, 7, 5, 4, 2, 1]);
      expect(seqs(await streams.readBack(stream, "notification", 4, 10, 100))).toEqual([8, 7, 5, 4]);
      expect(seqs(await streams.readBack(stream, "notification", 1, 11, 2))).toEqual([10, 8]);
      expect(seqs(await streams.readBack(stream, "read", 1, 11, 100))).toEqual([9, 6, 3]);
      expect(await streams.readBack(stream, "nothing", 1, 11, 100)).toEqual([]);
    });

    it("gives the entries at certain seqs and leaves out those that are missing", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await fill(streams, stream, 5);
      expect(seqs(await streams.readAt(stream, [5, 2, 99])).sort()).toEqual([2, 5]);
      expect(await streams.readAt(stream, [])).toEqual([]);
      expect(await streams.readAt(fresh("empty"), [1])).toEqual([]);
    });

    it("gives the tails of many streams, empty ones included", async () => {
      const { streams } = stores();
      const names = Array.from({ length: 130 }, () => fresh("s"));
      for (let seq = 1; seq <= 3; seq++) {
        const longer = names.filter((_, index) => index % 4 >= seq);
        await append(streams, ...longer.map((name) => row(name, seq, { unread: seq * 10 })));
      }
      await streams.setBase(names[3] as string, 2);
      const tails = await streams.tails([...names, names[1] as string]);
      expect(tails.size).toBe(130);
      for (const [index, name] of names.entries()) {
        const head = index % 4;
        expect(tails.get(name)).toEqual({ head, base: index === 3 ? 2 : 1, unread: head * 10 });
      }
      expect(await streams.tails([])).toEqual(new Map());
    });

    it("tells which of many entries there are, and the counter after each", async () => {
      const { streams } = stores();
      const names = Array.from({ length: 1_100 }, () => fresh("s"));
      for (let from = 0; from < names.length; from += 100)
        await append(streams, ...names.slice(from, from + 100).map((name) => row(name, 1, { unread: 5 })));
      const places = (seq: number) => names.map((stream) => ({ stream, seq }));
      expect(await streams.look(places(2))).toEqual([]);
      expect(await streams.look(places(1))).toHaveLength(names.length);
      const moved = names.filter((_, index) => index % 100 === 7);
      for (const seq of [2, 3]) await append(streams, ...moved.map((name) => row(name, seq, { unread: seq * 10 })));
      const found = await streams.look([...places(2), ...moved.map((stream) => ({ stream, seq: 3 }))]);
      const expected = moved.flatMap((stream) => [2, 3].map((seq) => ({ stream, seq, unread: seq * 10 })));
      const inOrder = (all: typeof found) => all.map((one) => JSON.stringify(one)).toSorted();
      expect(inOrder(found)).toEqual(inOrder(expected));
      expect(await streams.look([{ stream: fresh("s"), seq: 1 }])).toEqual([]);
      expect(await streams.look([])).toEqual([]);
    });

    it("does not see what trimming has deleted", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await fill(streams, stream, 5);
      await streams.setBase(stream, 6);
      await streams.deleteBelowBase(stream, Number.MAX_SAFE_INTEGER);
      const seqs = async () => (await streams.look([1, 4, 5, 6].map((seq) => ({ stream, seq })))).map(({ seq }) => seq);
      expect(await seqs()).toEqual([5]);
      await append(streams, row(stream, 6));
      expect((await seqs()).toSorted()).toEqual([5, 6]);
    });

    it("walks over all streams in the store's order, page by page, each once", async () => {
      const { streams } = stores();
      const prefix = fresh("walk");
      const names = ["", " ", "!", "a", "aa", "b", "é", "🛎️"].map((end) => `${prefix}${end}`);
      for (const name of names) await fill(streams, name, 3);
      const walked: string[] = [];
      let after: string | null = null;
      for (;;) {
        const page: Array<{ stream: string; oldest: number; oldestAt: number }> = await streams.streams(after, 4);
        walked.push(...page.map(({ stream }) => stream));
        for (const one of page.filter(({ stream }) => stream.startsWith(prefix))) {
          expect(one).toEqual({ stream: one.stream, oldest: 1, oldestAt: T0 + 1_000 });
        }
        if (page.length < 4) break;
        after = page.at(-1)?.stream ?? null;
      }
      expect(new Set(walked).size).toBe(walked.length);
      expect(walked.filter((name) => name.startsWith(prefix)).sort()).toEqual([...names].sort());
    });

    it("answers a ping", async () => {
      await expect(stores().streams.ping()).resolves.toBeUndefined();
    });
  });
}
