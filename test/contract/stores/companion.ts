import { describe, expect, it } from "@jest/globals";
import type { InboxChange, Mark } from "../../../src/inbox/types.js";
import type { Stores } from "../../../src/storage/types.js";
import { append, fresh, publish, record, row } from "../../support/rows.js";

/** A mark with the fields that do not matter filled in. */
export function mark(seq: number, over: Partial<Mark> = {}): Mark {
  return { seq, readSeq: 0, readAt: null, archivedAt: null, rescinded: null, ...over };
}

/** An entry and what it changes are stored together or not at all. */
export function companionContract(stores: () => Stores): void {
  async function appendWith(stream: string, seq: number, change: Omit<InboxChange, "of" | "stream">, key?: string) {
    const one = row(stream, seq, key === undefined ? {} : { key });
    return (await stores().streams.append({ publications: [], writes: [{ row: one, companion: { of: "inbox", stream, ...change } }] }))
      .rows[0];
  }

  describe("companions", () => {
    it("are stored with their row", async () => {
      const { inbox } = stores();
      const stream = fresh("s");
      await append(stores().streams, row(stream, 1));
      const marks = [mark(1, { readSeq: 2, readAt: 5 }), mark(7, { readSeq: 2, archivedAt: 6, rescinded: "deleted" })];
      const state = { readAll: [{ upTo: 1, seq: 2, at: 5 }], seenUpTo: 1 };
      expect(await appendWith(stream, 2, { marks, state })).toEqual({ is: "stored" });
      expect((await inbox.marks(stream, [1, 7])).sort((one, other) => one.seq - other.seq)).toEqual(marks);
      expect(await inbox.state(stream)).toEqual(state);
    });

    it("replace marks and state as a whole", async () => {
      const { inbox } = stores();
      const stream = fresh("s");
      await appendWith(stream, 1, {
        marks: [mark(1, { readSeq: 1, readAt: 5, archivedAt: 6, rescinded: "x" })],
        state: { readAll: [{ upTo: 1, seq: 1, at: 1 }], seenUpTo: 9 },
      });
      await appendWith(stream, 2, { marks: [mark(1, { readSeq: 2 })] });
      expect(await inbox.marks(stream, [1])).toEqual([mark(1, { readSeq: 2 })]);
      expect((await inbox.state(stream)).seenUpTo).toBe(9);
      await appendWith(stream, 3, { marks: [], state: { readAll: [], seenUpTo: 10 } });
      expect(await inbox.state(stream)).toEqual({ readAll: [], seenUpTo: 10 });
    });

    it("can move the base, which takes the marks below it away", async () => {
      const { inbox, streams } = stores();
      const stream = fresh("s");
      await append(streams, row(stream, 1));
      await append(streams, row(stream, 2));
      await appendWith(stream, 3, { marks: [mark(1, { readSeq: 3 }), mark(2, { readSeq: 3 })] });
      expect(await appendWith(stream, 4, { marks: [], base: 2 })).toEqual({ is: "stored" });
      expect((await streams.tails([stream])).get(stream)).toMatchObject({ head: 4, base: 2 });
      expect(await inbox.marks(stream, [1, 2])).toEqual([mark(2, { readSeq: 3 })]);
      expect(await appendWith(stream, 4, { marks: [], base: 3 }, "another")).toEqual({ is: "conflict" });
      expect((await streams.tails([stream])).get(stream)).toMatchObject({ base: 2 });
    });

    it("of a row that is a conflict are not stored", async () => {
      const { inbox, streams } = stores();
      const stream = fresh("s");
      await append(streams, row(stream, 1));
      const change = { marks: [mark(1, { readSeq: 1, readAt: 1 })], state: { readAll: [], seenUpTo: 5 } };
      expect(await appendWith(stream, 1, change, "another")).toEqual({ is: "conflict" });
      expect(await inbox.marks(stream, [1])).toEqual([]);
      expect(await inbox.state(stream)).toEqual({ readAll: [], seenUpTo: 0 });
    });

    it("of a row that is a repeat are not stored", async () => {
      const { inbox, streams } = stores();
      const stream = fresh("s");
      await append(streams, row(stream, 1, { key: "k" }));
      expect(await appendWith(stream, 2, { marks: [mark(1, { readSeq: 2 })] }, "k")).toEqual({ is: "repeat", seq: 1, publication: null });
      expect(await inbox.marks(stream, [1])).toEqual([]);
    });

    it("of a row that is skipped are not stored", async () => {
      const { inbox, streams } = stores();
      const stream = fresh("s");
      const known = record(fresh("p"));
      await publish(streams, known);
      const again = record(known.id, [stream]);
      const writes = [{ row: row(stream, 1, { publication: known.id }), companion: { of: "inbox" as const, stream, marks: [mark(1)] } }];
      expect((await streams.append({ publications: [again], writes })).rows).toEqual([{ is: "skipped" }]);
      expect(await inbox.marks(stream, [1])).toEqual([]);
    });

    it("can go with a row of a publication of the same batch", async () => {
      const { inbox, streams } = stores();
      const stream = fresh("s");
      const publication = record(fresh("p"), [stream]);
      const writes = [
        {
          row: row(stream, 1, { key: publication.key, publication: publication.id }),
          companion: { of: "inbox" as const, stream, marks: [mark(3)] },
        },
      ];
      expect((await streams.append({ publications: [publication], writes })).rows).toEqual([{ is: "stored" }]);
      expect((await streams.read(stream, 0, 1, 1))[0]?.shared).toBe(publication.shared);
      expect(await inbox.marks(stream, [3])).toEqual([mark(3)]);
    });

    it("settle each by itself among rows without one", async () => {
      const { inbox, streams } = stores();
      const names = Array.from({ length: 40 }, () => fresh("s"));
      await append(streams, ...names.filter((_, index) => index % 4 === 1).map((name) => row(name, 1)));
      const { rows } = await streams.append({
        publications: [],
        writes: names.map((stream, index) => {
          const one = row(stream, 1, { key: "new" });
          return index % 2 === 0 ? { row: one } : { row: one, companion: { of: "inbox" as const, stream, marks: [mark(1)] } };
        }),
      });
      expect(rows.map(({ is }) => is)).toEqual(names.map((_, index) => (index % 4 === 1 ? "conflict" : "stored")));
      for (const [index, name] of names.entries()) expect(await inbox.marks(name, [1])).toHaveLength(index % 4 === 3 ? 1 : 0);
    });

    it("of many writers at one place: exactly the winner's is stored", async () => {
      const { inbox, streams } = stores();
      const stream = fresh("s");
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, writer) => appendWith(stream, 1, { marks: [mark(1, { readSeq: 1, readAt: writer })] }, `w${writer}`)),
      );
      expect(outcomes.filter((outcome) => outcome?.is === "stored")).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome?.is === "conflict")).toHaveLength(7);
      const winner = outcomes.findIndex((outcome) => outcome?.is === "stored");
      expect(await streams.find(`w${winner}`, [stream])).toHaveLength(1);
      expect((await inbox.marks(stream, [1]))[0]?.readAt).toBe(winner);
    });
  });
}
