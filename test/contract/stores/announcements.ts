import { describe, expect, it } from "@jest/globals";
import { type AnnouncementRecord, MAX_PASSINGS } from "../../../src/announcements/types.js";
import type { Stores } from "../../../src/storage/types.js";
import { announced } from "../../support/announced.js";
import { fresh, T0 } from "../../support/rows.js";
import { announcementCompanionContract } from "./announcement-companions.js";

/** Announcements, and how far members were reached and have seen. */
export function announcementContract(stores: () => Stores): void {
  const ids = (records: AnnouncementRecord[]) => records.map(({ id }) => id);

  describe("announcements", () => {
    it("come back as they were saved, with and without times", async () => {
      const { announcements } = stores();
      const plain = announced();
      const full = announced({ revision: 1, state: "rescinded", startsAt: 1, expiresAt: 2, endedAt: 3, why: "expired", seq: 4 });
      expect(await announcements.find(plain.id)).toBeNull();
      expect([await announcements.save(plain), await announcements.save(full)]).toEqual([true, true]);
      expect(await announcements.find(plain.id)).toEqual(plain);
      expect(await announcements.find(full.id)).toEqual(full);
    });

    it("are replaced as a whole by their next revision, and by no other", async () => {
      const { announcements } = stores();
      const first = announced({ expiresAt: 5, seq: 1 });
      expect(await announcements.save({ ...first, revision: 2 })).toBe(false);
      expect(await announcements.find(first.id)).toBeNull();
      expect(await announcements.save(first)).toBe(true);
      expect(await announcements.save({ ...first, state: "expired" })).toBe(false);
      expect(await announcements.save({ ...first, revision: 3 })).toBe(false);
      expect(await announcements.find(first.id)).toEqual(first);
      const second = { ...first, revision: 2, expiresAt: null, why: "x" };
      expect(await announcements.save(second)).toBe(true);
      expect(await announcements.save(second)).toBe(false);
      expect(await announcements.find(first.id)).toEqual(second);
    });

    it.each([1, 2])("of many who save revision %d at once, one succeeds", async (revision) => {
      const { announcements } = stores();
      const record = announced();
      if (revision === 2) await announcements.save(record);
      const saved = await Promise.all(
        Array.from({ length: 8 }, (_, writer) => announcements.save({ ...record, revision, endedAt: writer })),
      );
      expect(saved.filter(Boolean)).toHaveLength(1);
      expect((await announcements.find(record.id))?.endedAt).toBe(saved.indexOf(true));
    });

    it("that are live or scheduled are current, in the order of their creation and then of their ids", async () => {
      const { announcements } = stores();
      const { createdAt } = announced();
      const [late, early] = [announced({ createdAt: createdAt + 1 }), announced({ createdAt: createdAt - 1, state: "scheduled" })];
      const prefix = fresh("a");
      const [b, a] = [announced({ id: `${prefix}b`, createdAt }), announced({ id: `${prefix}a`, createdAt })];
      const over = [announced({ state: "expired" }), announced({ state: "rescinded" })];
      for (const record of [late, b, a, early, ...over]) await announcements.save(record);
      expect((await announcements.current()).slice(-4)).toEqual([early, a, b, late]);
      await announcements.save({ ...b, revision: 2, state: "rescinded" });
      expect(ids((await announcements.current()).slice(-3))).toEqual(ids([early, a, late]));
    });

    it("are listed newest first, those of one moment by id, in pages", async () => {
      const { announcements } = stores();
      const { createdAt } = announced();
      const prefix = fresh("a");
      const made = ["1", "2", "3"].map((name) => announced({ id: prefix + name, createdAt, state: "expired" }));
      const before = announced({ createdAt: createdAt - 1 });
      const newest = announced();
      for (const record of [...made, newest, before]) await announcements.save(record);
      const expected = [newest, ...made.reverse(), before];
      expect(await announcements.page(null, 5)).toEqual(expected);
      expect(await announcements.page(newest, 2)).toEqual(expected.slice(1, 3));
      expect(await announcements.page(expected[2] as AnnouncementRecord, 2)).toEqual(expected.slice(3));
      expect(await announcements.page(null, 0)).toEqual([]);
    });
  });

  describe("watermarks", () => {
    it("of members who were never reached are left out", async () => {
      const { announcements } = stores();
      expect(await announcements.watermarks([fresh("u")])).toEqual(new Map());
      expect(await announcements.watermarks([])).toEqual(new Map());
      await expect(announcements.pass("reached", 1, T0, [])).resolves.toBeUndefined();
    });

    it("remember each passing, of new and known members in one write", async () => {
      const { announcements } = stores();
      const [one, other, absent] = [fresh("u"), fresh("u"), fresh("u")];
      await announcements.pass("reached", 3, T0, [one]);
      await announcements.pass("reached", 5, T0 + 1, [one, other]);
      const first = { upTo: 3, at: T0 };
      const second = { upTo: 5, at: T0 + 1 };
      expect(await announcements.watermarks([other, absent, one])).toEqual(
        new Map([
          [one, { reached: [first, second], seen: [] }],
          [other, { reached: [second], seen: [] }],
        ]),
      );
    });

    it("only move up", async () => {
      const { announcements } = stores();
      const [ahead, behind] = [fresh("u"), fresh("u")];
      await announcements.pass("reached", 5, T0, [ahead]);
      await announcements.pass("reached", 3, T0 + 1, [ahead, behind]);
      await announcements.pass("reached", 5, T0 + 2, [ahead]);
      const marks = await announcements.watermarks([ahead, behind]);
      expect(marks.get(ahead)?.reached).toEqual([{ upTo: 5, at: T0 }]);
      expect(marks.get(behind)?.reached).toEqual([{ upTo: 3, at: T0 + 1 }]);
    });

    it("keep apart how far members were reached and how far they have seen", async () => {
      const { announcements } = stores();
      const user = fresh("u");
      await announcements.pass("seen", 2, T0, [user]);
      await announcements.pass("reached", 1, T0 + 1, [user]);
      await announcements.pass("seen", 4, T0 + 2, [user]);
      const seen = [
        { upTo: 2, at: T0 },
        { upTo: 4, at: T0 + 2 },
      ];
      expect((await announcements.watermarks([user])).get(user)).toEqual({ reached: [{ upTo: 1, at: T0 + 1 }], seen });
    });

    it("never go back in time, though the clocks of two nodes differ", async () => {
      const { announcements } = stores();
      const user = fresh("u");
      await announcements.pass("reached", 1, T0 + 10, [user]);
      await announcements.pass("reached", 2, T0, [user]);
      const reached = [
        { upTo: 1, at: T0 + 10 },
        { upTo: 2, at: T0 + 10 },
      ];
      expect((await announcements.watermarks([user])).get(user)?.reached).toEqual(reached);
    });

    it("keep the newest passings", async () => {
      const { announcements } = stores();
      const user = fresh("u");
      const count = MAX_PASSINGS + 3;
      for (let upTo = 1; upTo <= count; upTo++) await announcements.pass("seen", upTo, T0 + upTo, [user]);
      const kept = Array.from({ length: MAX_PASSINGS }, (_, index) => ({ upTo: index + 4, at: T0 + index + 4 }));
      expect((await announcements.watermarks([user])).get(user)).toEqual({ reached: [], seen: kept });
    });

    it.each(["$gt", "__proto__", "a.b.c", "", "🎺", "$set"])("may be those of a member with any id, such as %j", async (odd) => {
      const { announcements } = stores();
      await announcements.pass("reached", 1, T0, [odd]);
      await announcements.pass("reached", 2, T0 + 1, [odd]);
      expect((await announcements.watermarks([odd])).get(odd)?.reached).toEqual([
        { upTo: 1, at: T0 },
        { upTo: 2, at: T0 + 1 },
      ]);
    });

    it("moved by many at once end at the highest, for every member", async () => {
      const { announcements } = stores();
      const users = Array.from({ length: 40 }, () => fresh("u"));
      await Promise.all(Array.from({ length: 12 }, (_, index) => announcements.pass("reached", 12 - index, T0, users.slice(index))));
      const marks = await announcements.watermarks(users);
      for (const [index, user] of users.entries()) {
        const seqs = marks.get(user)?.reached.map(({ upTo }) => upTo) ?? [];
        expect(seqs.at(-1)).toBe(12);
        expect(seqs).toEqual([...new Set(seqs)].sort((one, other) => one - other));
        expect(seqs[0]).toBeGreaterThanOrEqual(12 - Math.min(index, 11));
      }
    });
  });

  announcementCompanionContract(stores);
}
