import { describe, expect, it } from "@jest/globals";
import type { Stores } from "../../../src/storage/types.js";
import { append, fresh, publish, record, row, rowsOf } from "../../support/rows.js";

/** A publication is the memory that makes a repeat harmless. */
export function publicationContract(stores: () => Stores): void {
  describe("publications", () => {
    it("are stored with their rows, and their content comes with every entry", async () => {
      const { streams } = stores();
      const [one, two] = [fresh("s"), fresh("s")];
      const publication = record(fresh("p"), [one, two], { alias: fresh("alias"), note: '{"why":["a"]}' });
      expect(await publish(streams, publication)).toEqual({ publications: [{ stored: true }], rows: [{ is: "stored" }, { is: "stored" }] });
      expect(await streams.publication(publication.id)).toEqual(publication);
      expect(await streams.publication(publication.alias as string)).toEqual(publication);
      for (const stream of [one, two]) {
        const expected = {
          seq: 1,
          at: publication.at,
          kind: "note",
          unread: 1,
          own: `{"to":"${stream}"}`,
          publication: publication.id,
          shared: publication.shared,
        };
        expect(await streams.read(stream, 0, 1, 10)).toEqual([expected]);
        expect(await streams.readAt(stream, [1])).toEqual([expected]);
        expect(await streams.readBack(stream, "note", 1, 2, 10)).toEqual([expected]);
      }
    });

    it("are known by no other name", async () => {
      expect(await stores().streams.publication(fresh("nobody"))).toBeNull();
    });

    it("with an id that is stored give back what is stored, and their rows are not tried", async () => {
      const { streams } = stores();
      const [one, two] = [fresh("s"), fresh("s")];
      const first = record(fresh("p"), [one], { note: '{"n":1}' });
      await publish(streams, first);
      const again = record(first.id, [one, two], { note: '{"n":2}' });
      expect(await publish(streams, again)).toEqual({
        publications: [{ stored: false, existing: first }],
        rows: [{ is: "skipped" }, { is: "skipped" }],
      });
      expect((await streams.tails([two])).get(two)?.head).toBe(0);
      expect(await streams.publication(first.id)).toEqual(first);
    });

    it("with an alias that is stored are the same publication under another id", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      const first = record(fresh("p"), [stream], { alias: fresh("alias") });
      await publish(streams, first);
      const other = record(fresh("p"), [stream], { alias: first.alias });
      expect((await publish(streams, other)).publications).toEqual([{ stored: false, existing: first }]);
      expect(await streams.publication(other.id)).toBeNull();
    });

    it("without an alias never collide by it", async () => {
      const { streams } = stores();
      const result = await publish(streams, record(fresh("p")), record(fresh("p")));
      expect(result.publications).toEqual([{ stored: true }, { stored: true }]);
    });

    it("that carry the attempt that is stored are stored, and their rows are tried", async () => {
      const { streams } = stores();
      const [one, two] = [fresh("s"), fresh("s")];
      const publication = record(fresh("p"), [one, two]);
      await streams.append({ publications: [publication], writes: [{ row: rowsOf(publication)[0] as never }] });
      expect(await publish(streams, publication)).toEqual({
        publications: [{ stored: true }],
        rows: [{ is: "repeat", seq: 1, publication: publication.id }, { is: "stored" }],
      });
    });

    it("twice in one batch are stored once", async () => {
      const { streams } = stores();
      const id = fresh("p");
      const [first, second] = [record(id), record(id)];
      const { publications } = await publish(streams, first, second);
      expect(publications).toEqual([{ stored: true }, { stored: false, existing: first }]);
    });

    it("sent twice at once are stored once, and both senders learn which", async () => {
      const { streams } = stores();
      for (let round = 0; round < 10; round++) {
        const id = fresh("p");
        const stream = fresh("s");
        const records = [record(id, [stream]), record(id, [stream]), record(id, [stream])];
        const results = await Promise.all(records.map((one) => publish(streams, one)));
        const winners = results.filter(({ publications }) => publications[0]?.stored);
        expect(winners).toHaveLength(1);
        const winner = await streams.publication(id);
        for (const { publications, rows } of results) {
          if (publications[0]?.stored === false) {
            expect(publications[0].existing).toEqual(winner);
            expect(rows).toEqual([{ is: "skipped" }]);
          }
        }
      }
    });

    it("that are duplicates do not keep other rows of the batch from being stored", async () => {
      const { streams } = stores();
      const [one, two, three] = [fresh("s"), fresh("s"), fresh("s")];
      const known = record(fresh("p"), [one]);
      await publish(streams, known);
      const again = record(known.id, [one]);
      const other = record(fresh("p"), [two]);
      const result = await streams.append({
        publications: [again, other],
        writes: [
          { row: row(one, 2, { key: again.key, publication: again.id }) },
          { row: rowsOf(other)[0] as never },
          { row: row(three, 1) },
        ],
      });
      expect(result.publications.map(({ stored }) => stored)).toEqual([false, true]);
      expect(result.rows).toEqual([{ is: "skipped" }, { is: "stored" }, { is: "stored" }]);
    });

    it("of which nothing is left but rows give entries without content", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await append(streams, row(stream, 1, { publication: fresh("never-stored") }));
      expect((await streams.read(stream, 0, 1, 1))[0]?.shared).toBeNull();
    });

    it("that are empty, large or odd come back to the letter", async () => {
      const { streams } = stores();
      const odd = ["__proto__", "a.b", "$gt", "🛎️", "x".repeat(128)];
      for (const name of odd) {
        const id = `${name}${fresh("/")}`;
        const plan = odd.map((stream) => ({ stream: `${stream}${id}`, own: '{"$x.y":"\\u0000"}' }));
        const publication = record(id, [], { plan, shared: JSON.stringify({ $where: 1, text: "é".repeat(20_000) }) });
        expect((await publish(streams, publication)).rows).toHaveLength(odd.length);
        expect(await streams.publication(id)).toEqual(publication);
      }
    });

    it("of fifty megabytes together fit into one batch", async () => {
      const { streams } = stores();
      const large = Array.from({ length: 50 }, () => record(fresh("p"), [], { shared: JSON.stringify({ text: "x".repeat(1_000_000) }) }));
      expect((await publish(streams, ...large)).publications.every(({ stored }) => stored)).toBe(true);
    });
  });

  describe("find", () => {
    it("says where a key stands, in all streams or in those named", async () => {
      const { streams } = stores();
      const names = [fresh("s"), fresh("s"), fresh("s")] as const;
      const publication = record(fresh("p"), [...names]);
      await publish(streams, publication);
      const all = await streams.find(publication.key);
      expect(all.map(({ stream }) => stream).sort()).toEqual([...names].sort());
      expect(all.every(({ seq, publication: id }) => seq === 1 && id === publication.id)).toBe(true);
      expect(await streams.find(publication.key, [names[1], fresh("elsewhere")])).toEqual([
        { stream: names[1], seq: 1, publication: publication.id },
      ]);
      expect(await streams.find(publication.key, [])).toEqual([]);
      expect(await streams.find(fresh("no-key"))).toEqual([]);
    });
  });
}
