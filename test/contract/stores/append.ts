import { describe, expect, it } from "@jest/globals";
import type { Stores } from "../../../src/storage/types.js";
import { append, fill, fresh, row } from "../../support/rows.js";

/** A row is a compare-and-set of its own. */
export function appendContract(stores: () => Stores): void {
  describe("append", () => {
    it("stores a row at the next seq and shows it in the tail", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      expect(await append(streams, row(stream, 1, { unread: 1 }))).toEqual([{ is: "stored" }]);
      expect(await append(streams, row(stream, 2, { unread: 7 }))).toEqual([{ is: "stored" }]);
      expect((await streams.tails([stream])).get(stream)).toEqual({ head: 2, base: 1, unread: 7 });
    });

    it("refuses a row whose seq is taken as a conflict and keeps what is there", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await append(streams, row(stream, 1, { own: '{"first":true}' }));
      expect(await append(streams, row(stream, 1, { key: "another", own: '{"first":false}' }))).toEqual([{ is: "conflict" }]);
      expect((await streams.readAt(stream, [1]))[0]?.own).toBe('{"first":true}');
    });

    it("answers a key that the stream has with the seq where it stands and its publication", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await append(streams, row(stream, 1, { key: "k", publication: "gone" }));
      await append(streams, row(stream, 2));
      expect(await append(streams, row(stream, 3, { key: "k" }))).toEqual([{ is: "repeat", seq: 1, publication: "gone" }]);
      expect((await streams.tails([stream])).get(stream)?.head).toBe(2);
    });

    it("answers a row that is sent again as it was with its own seq", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await append(streams, row(stream, 1));
      expect(await append(streams, row(stream, 1))).toEqual([{ is: "repeat", seq: 1, publication: null }]);
    });

    it("never stores a row whose seq and key are both taken, by whichever it is refused", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await append(streams, row(stream, 1, { key: "k" }));
      await append(streams, row(stream, 2, { key: "other" }));
      const [outcome] = await append(streams, row(stream, 2, { key: "k" }));
      expect(["repeat", "conflict"]).toContain(outcome?.is);
      expect((await streams.readAt(stream, [2]))[0]?.seq).toBe(2);
      expect(await streams.find("k", [stream])).toEqual([{ stream, seq: 1, publication: null }]);
    });

    it("takes the same key in different streams", async () => {
      const { streams } = stores();
      const [one, two] = [fresh("s"), fresh("s")];
      expect(await append(streams, row(one, 1, { key: "shared" }), row(two, 1, { key: "shared" }))).toEqual([
        { is: "stored" },
        { is: "stored" },
      ]);
    });

    it("settles each row of a batch by itself, in the order of the batch", async () => {
      const { streams } = stores();
      const names = [fresh("a"), fresh("b"), fresh("c"), fresh("d"), fresh("e")] as const;
      await append(streams, row(names[1], 1, { key: "k" }));
      await append(streams, row(names[3], 1));
      const outcomes = await append(
        streams,
        row(names[0], 1),
        row(names[1], 2, { key: "k" }),
        row(names[2], 1),
        row(names[3], 1, { key: "late" }),
        row(names[4], 1),
      );
      expect(outcomes.map(({ is }) => is)).toEqual(["stored", "repeat", "stored", "conflict", "stored"]);
      const tails = await streams.tails([...names]);
      expect(names.map((name) => tails.get(name)?.head)).toEqual([1, 1, 1, 1, 1]);
    });

    it("stores a batch of a thousand rows", async () => {
      const { streams } = stores();
      const names = Array.from({ length: 1_000 }, () => fresh("wide"));
      const outcomes = await append(streams, ...names.map((name) => row(name, 1, { key: "wide" })));
      expect(outcomes.every(({ is }) => is === "stored")).toBe(true);
      const tails = await streams.tails(names);
      expect(names.filter((name) => tails.get(name)?.head === 1)).toHaveLength(1_000);
    });

    it("lets exactly one of many writers have a seq", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      const outcomes = await Promise.all(Array.from({ length: 20 }, (_, writer) => append(streams, row(stream, 1, { key: `w${writer}` }))));
      expect(
        outcomes
          .flat()
          .map(({ is }) => is)
          .sort(),
      ).toEqual([...Array(19).fill("conflict"), "stored"]);
    });

    it("lets exactly one of many writers have a key, and tells the others where it stands or to look again", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await fill(streams, stream, 3);
      const outcomes = (await Promise.all(Array.from({ length: 20 }, () => append(streams, row(stream, 4, { key: "once" }))))).flat();
      expect(outcomes.filter(({ is }) => is === "stored")).toHaveLength(1);
      for (const outcome of outcomes) if (outcome.is === "repeat") expect(outcome.seq).toBe(4);
      expect(await streams.find("once", [stream])).toHaveLength(1);
    });

    it("keeps times, counters and texts to the letter, whatever they contain", async () => {
      const { streams } = stores();
      const odd = JSON.stringify({ $set: { "a.b": 1 }, __proto__x: "🛎️ \u0000 \\ \" ' ; --", nested: { $gt: "" } });
      for (const name of [
        "👩‍🚀 emoji",
        "$where",
        "a.b.c",
        "__proto__",
        "constructor",
        "x".repeat(128),
        "'; DROP TABLE entries; --",
        "%_",
      ]) {
        const stream = `${name}${fresh("/")}`;
        const key = `${name} key`;
        await append(streams, row(stream, 1, { key, own: odd, kind: name, at: 1_767_225_600_123, unread: 2_000_000_000 }));
        expect(await streams.read(stream, 0, 1, 10)).toEqual([
          { seq: 1, at: 1_767_225_600_123, kind: name, unread: 2_000_000_000, own: odd, publication: null, shared: null },
        ]);
        expect(await streams.find(key, [stream])).toEqual([{ stream, seq: 1, publication: null }]);
        expect((await streams.tails([stream])).get(stream)?.head).toBe(1);
        expect(await append(streams, row(stream, 2, { key }))).toEqual([{ is: "repeat", seq: 1, publication: null }]);
      }
    });

    it("tells names apart that differ only in case, in accents, in form", async () => {
      const { streams } = stores();
      const base = fresh("n");
      const names = [`${base}e`, `${base}E`, `${base}é`, `${base}e\u0301`];
      for (const [index, name] of names.entries())
        expect(await append(streams, row(name, 1, { unread: index }))).toEqual([{ is: "stored" }]);
      const tails = await streams.tails(names);
      expect(names.map((name) => tails.get(name)?.unread)).toEqual([0, 1, 2, 3]);
    });
  });
}
