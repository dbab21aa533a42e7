import { describe, expect, it } from "@jest/globals";
import type { Stores } from "../../../src/storage/types.js";
import { append, fill, fresh, publish, record, row, T0 } from "../../support/rows.js";

/** Trimming moves the base and never the numbering. */
export function trimContract(stores: () => Stores): void {
  const tailOf = async (stream: string) => (await stores().streams.tails([stream])).get(stream);
  const kept = async (stream: string) => (await stores().streams.read(stream, 0, 1_000, 1_000)).map(({ seq }) => seq);
  const NEVER = T0 + 1_000_000_000;

  describe("trimming", () => {
    it("moves the base up and never down", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await fill(streams, stream, 6);
      await streams.setBase(stream, 4);
      expect(await tailOf(stream)).toEqual({ head: 6, base: 4, unread: 6 });
      await streams.setBase(stream, 2);
      expect((await tailOf(stream))?.base).toBe(4);
      await streams.setBase(stream, 5);
      expect((await tailOf(stream))?.base).toBe(5);
    });

    it("deletes below the base only what is old enough, and says how many", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await fill(streams, stream, 8);
      await streams.setBase(stream, 6);
      expect(await streams.deleteBelowBase(stream, T0)).toBe(0);
      expect(await streams.deleteBelowBase(stream, T0 + 3_000)).toBe(2);
      expect(await kept(stream)).toEqual([3, 4, 5, 6, 7, 8]);
      expect(await streams.deleteBelowBase(stream, NEVER)).toBe(3);
      expect(await kept(stream)).toEqual([6, 7, 8]);
      expect(await streams.deleteBelowBase(stream, NEVER)).toBe(0);
    });

    it("deletes nothing of a stream without a base", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await fill(streams, stream, 3);
      expect(await streams.deleteBelowBase(stream, NEVER)).toBe(0);
    });

    it("keeps the last entry, so that numbering and counter go on", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await fill(streams, stream, 5);
      await streams.setBase(stream, 6);
      expect(await streams.deleteBelowBase(stream, NEVER)).toBe(4);
      expect(await tailOf(stream)).toEqual({ head: 5, base: 6, unread: 5 });
      expect(await append(streams, row(stream, 6))).toEqual([{ is: "stored" }]);
      expect(await tailOf(stream)).toEqual({ head: 6, base: 6, unread: 6 });
    });

    it("leaves the neighbours of a stream alone", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      for (const name of [stream, `${stream}a`, stream.slice(0, -1)]) await fill(streams, name, 3);
      await streams.setBase(stream, 4);
      await streams.deleteBelowBase(stream, NEVER);
      expect(await kept(`${stream}a`)).toEqual([1, 2, 3]);
      expect(await kept(stream.slice(0, -1))).toEqual([1, 2, 3]);
    });

    it("names the oldest entry that is physically kept", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await fill(streams, stream, 5);
      await streams.setBase(stream, 4);
      await streams.deleteBelowBase(stream, NEVER);
      expect(await streams.streams(stream.slice(0, -1), 1)).toEqual([{ stream, oldest: 4, oldestAt: T0 + 4_000 }]);
    });

    it("finds the last entry that is older than a time", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await fill(streams, stream, 10);
      expect(await streams.lastBefore(stream, T0)).toBe(0);
      expect(await streams.lastBefore(stream, T0 + 1_000)).toBe(0);
      expect(await streams.lastBefore(stream, T0 + 1_001)).toBe(1);
      expect(await streams.lastBefore(stream, T0 + 6_500)).toBe(6);
      expect(await streams.lastBefore(stream, NEVER)).toBe(10);
      expect(await streams.lastBefore(fresh("empty"), NEVER)).toBe(0);
      await streams.setBase(stream, 4);
      await streams.deleteBelowBase(stream, NEVER);
      expect(await streams.lastBefore(stream, T0 + 2_000)).toBe(0);
    });

    it("recognises a key for as long as its entry is kept, below the base too", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      await fill(streams, stream, 3);
      await streams.setBase(stream, 3);
      expect(await append(streams, row(stream, 4, { key: `${stream}/1` }))).toEqual([{ is: "repeat", seq: 1, publication: null }]);
      await streams.deleteBelowBase(stream, NEVER);
      expect(await append(streams, row(stream, 4, { key: `${stream}/1` }))).toEqual([{ is: "stored" }]);
    });

    it("deletes old publications, at most as many as asked, and leaves young ones", async () => {
      const { streams } = stores();
      const old = [0, 1, 2].map((hour) => record(fresh("p"), [], { at: T0 - 365 * 86_400_000 + hour }));
      const young = record(fresh("p"));
      await publish(streams, young, ...old);
      const limit = T0 - 300 * 86_400_000;
      expect(await streams.deletePublications(limit, 2)).toBe(2);
      expect(await streams.deletePublications(limit, 2)).toBe(1);
      expect(await streams.deletePublications(limit, 2)).toBe(0);
      for (const { id } of old) expect(await streams.publication(id)).toBeNull();
      expect(await streams.publication(young.id)).toEqual(young);
    });

    it("lets entries outlive their publication", async () => {
      const { streams } = stores();
      const stream = fresh("s");
      const publication = record(fresh("p"), [stream], { at: T0 - 365 * 86_400_000 });
      await publish(streams, publication);
      await streams.deletePublications(T0 - 300 * 86_400_000, 1);
      expect((await streams.read(stream, 0, 1, 1))[0]).toMatchObject({ publication: publication.id, shared: null });
    });
  });
}
