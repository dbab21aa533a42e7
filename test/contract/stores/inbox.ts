import { describe, expect, it } from "@jest/globals";
import type { InboxState, Mark } from "../../../src/inbox/types.js";
import type { Stores } from "../../../src/storage/types.js";
import { fresh, row } from "../../support/rows.js";
import { mark } from "./companion.js";

/** Marks, watermarks and device cursors. */
export function inboxContract(stores: () => Stores): void {
  const seqs = (marks: Mark[]) => marks.map(({ seq }) => seq);

  async function write(stream: string, marks: Mark[], state?: InboxState): Promise<void> {
    const companion = { of: "inbox" as const, stream, marks, ...(state === undefined ? {} : { state }) };
    const { rows } = await stores().streams.append({ publications: [], writes: [{ row: row(stream, 1), companion }] });
    expect(rows).toEqual([{ is: "stored" }]);
  }

  describe("the inbox", () => {
    it("of a member without anything is empty", async () => {
      const { inbox } = stores();
      const stream = fresh("s");
      expect(await inbox.state(stream)).toEqual({ readAll: [], seenUpTo: 0 });
      expect(await inbox.marks(stream, [1, 2])).toEqual([]);
      expect(await inbox.marks(stream, [])).toEqual([]);
      expect(await inbox.archived(stream, 0, 100, 10)).toEqual([]);
      expect(await inbox.markedUnread(stream, 0, 100, 10)).toEqual([]);
    });

    it("lists what is archived, newest first, within bounds", async () => {
      const { inbox } = stores();
      const stream = fresh("s");
      const marks = [1, 2, 3, 4, 5, 6].map((seq) => mark(seq, { readSeq: 9, readAt: 1, archivedAt: seq % 2 === 0 ? seq : null }));
      await write(stream, marks);
      await write(`${stream}x`, [mark(2, { archivedAt: 1 })]);
      expect(seqs(await inbox.archived(stream, 1, 100, 10))).toEqual([6, 4, 2]);
      expect(seqs(await inbox.archived(stream, 4, 100, 10))).toEqual([6, 4]);
      expect(seqs(await inbox.archived(stream, 1, 6, 10))).toEqual([4, 2]);
      expect(await inbox.archived(stream, 1, 100, 1)).toEqual([mark(6, { readSeq: 9, readAt: 1, archivedAt: 6 })]);
    });

    it("lists what was marked unread by itself, newest first, within bounds", async () => {
      const { inbox } = stores();
      const stream = fresh("s");
      await write(stream, [
        mark(1, { readSeq: 3 }),
        mark(2, { readSeq: 3, readAt: 5 }),
        mark(3),
        mark(4, { readSeq: 7 }),
        mark(5, { readSeq: 8, rescinded: "x" }),
      ]);
      expect(seqs(await inbox.markedUnread(stream, 1, 100, 10))).toEqual([5, 4, 1]);
      expect(seqs(await inbox.markedUnread(stream, 2, 5, 10))).toEqual([4]);
      expect(seqs(await inbox.markedUnread(stream, 1, 100, 2))).toEqual([5, 4]);
    });

    it("forgets the marks below a base and no others", async () => {
      const { inbox } = stores();
      const stream = fresh("s");
      await write(
        stream,
        [1, 2, 3, 4].map((seq) => mark(seq, { archivedAt: 1 })),
        { readAll: [{ upTo: 4, seq: 5, at: 6 }], seenUpTo: 4 },
      );
      await write(`${stream}x`, [mark(1)]);
      await inbox.deleteMarks(stream, 3);
      expect(seqs(await inbox.marks(stream, [1, 2, 3, 4])).sort()).toEqual([3, 4]);
      expect(await inbox.marks(`${stream}x`, [1])).toHaveLength(1);
      expect((await inbox.state(stream)).seenUpTo).toBe(4);
    });

    it("keeps many read-all marks in their order", async () => {
      const { inbox } = stores();
      const stream = fresh("s");
      const readAll = Array.from({ length: 200 }, (_, index) => ({ upTo: index, seq: index + 1, at: 1_767_225_600_000 + index }));
      await write(stream, [], { readAll, seenUpTo: 0 });
      expect((await inbox.state(stream)).readAll).toEqual(readAll);
    });
  });

  describe("device cursors", () => {
    const save = (user: string, device: string, seq: number, over: Partial<{ stream: string; epoch: string; at: number }> = {}) => ({
      user,
      device,
      stream: "inbox",
      epoch: "e",
      seq,
      at: seq,
      ...over,
    });

    it("are null for a device that is not known", async () => {
      expect(await stores().inbox.deviceCursors(fresh("u"), "phone")).toBeNull();
    });

    it("are kept by stream, and the last one counts", async () => {
      const { inbox } = stores();
      const user = fresh("u");
      await inbox.saveDeviceCursors([], 5);
      await inbox.saveDeviceCursors(
        [save(user, "phone", 1), save(user, "phone", 4, { stream: "announcements" }), save(user, "phone", 2)],
        5,
      );
      expect(await inbox.deviceCursors(user, "phone")).toEqual({ inbox: { epoch: "e", seq: 2 }, announcements: { epoch: "e", seq: 4 } });
      await inbox.saveDeviceCursors([save(user, "phone", 3, { epoch: "f" })], 5);
      expect(await inbox.deviceCursors(user, "phone")).toEqual({ inbox: { epoch: "f", seq: 3 }, announcements: { epoch: "e", seq: 4 } });
      expect(await inbox.deviceCursors(user, "phon")).toBeNull();
    });

    it("are kept for the newest devices of each member", async () => {
      const { inbox } = stores();
      const [user, other] = [fresh("u"), fresh("u")];
      await inbox.saveDeviceCursors([save(other, "d1", 1)], 3);
      for (const number of [1, 2, 3])
        await inbox.saveDeviceCursors([save(user, `d${number}`, number), save(user, `d${number}`, number, { stream: "a" })], 3);
      await inbox.saveDeviceCursors([save(user, "d1", 10)], 3);
      await inbox.saveDeviceCursors([save(user, "d4", 11)], 3);
      const known = await Promise.all(["d1", "d2", "d3", "d4"].map(async (device) => (await inbox.deviceCursors(user, device)) !== null));
      expect(known).toEqual([true, false, true, true]);
      expect(await inbox.deviceCursors(other, "d1")).not.toBeNull();
    });

    it("of more new devices than are kept are cut at once", async () => {
      const { inbox } = stores();
      const user = fresh("u");
      await inbox.saveDeviceCursors(
        Array.from({ length: 10 }, (_, index) => save(user, `d${index}`, index)),
        2,
      );
      const known = await Promise.all(
        Array.from({ length: 10 }, async (_, index) => (await inbox.deviceCursors(user, `d${index}`)) !== null),
      );
      expect(known.map((is, index) => (is ? index : null)).filter((index) => index !== null)).toEqual([8, 9]);
    });

    it("take any names", async () => {
      const { inbox } = stores();
      for (const name of ["__proto__", "constructor", "a.b", "$gt", "🛎️", "x".repeat(128)]) {
        const user = `${name}${fresh("/")}`;
        await inbox.saveDeviceCursors([save(user, name, 5, { stream: name })], 3);
        expect(await inbox.deviceCursors(user, name)).toEqual(Object.fromEntries([[name, { epoch: "e", seq: 5 }]]));
      }
    });
  });
}
