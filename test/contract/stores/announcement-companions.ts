import { describe, expect, it } from "@jest/globals";
import type { Settled } from "../../../src/announcements/types.js";
import type { MemberChange, Sanction } from "../../../src/members/types.js";
import type { Companion, Stores } from "../../../src/storage/types.js";
import type { RowOutcome } from "../../../src/stream/types.js";
import { announced } from "../../support/announced.js";
import { append, fresh, row, T0 } from "../../support/rows.js";

/** Announcements, what members settle, and sanctions: each stored with its entry or not at all. */
export function announcementCompanionContract(stores: () => Stores): void {
  async function appendWith(companion: Companion, stream = fresh("s"), seq = 1, key?: string): Promise<RowOutcome | undefined> {
    const one = row(stream, seq, key === undefined ? {} : { key });
    return (await stores().streams.append({ publications: [], writes: [{ row: one, companion }] })).rows[0];
  }

  describe("an announcement with its entry", () => {
    it("is stored, revision by revision", async () => {
      const { announcements, streams } = stores();
      const stream = fresh("s");
      const first = announced({ state: "scheduled", startsAt: T0 });
      expect(await appendWith({ of: "announcement", record: first }, stream, 1)).toEqual({ is: "stored" });
      const second = { ...first, revision: 2, state: "live" as const, startsAt: null, seq: 2 };
      expect(await appendWith({ of: "announcement", record: second }, stream, 2)).toEqual({ is: "stored" });
      expect(await announcements.find(first.id)).toEqual(second);
      expect(await streams.read(stream, 0, 9, 9)).toHaveLength(2);
    });

    it.each([
      ["the first revision of one that there is", 1],
      ["the revision that is stored", 2],
      ["a revision after the next", 4],
    ])("is a conflict where it is %s, and neither is stored", async (_, revision) => {
      const { announcements, streams } = stores();
      const stream = fresh("s");
      const first = announced();
      const stored = { ...first, revision: 2 };
      await announcements.save(first);
      await announcements.save(stored);
      const stale = { ...first, revision, why: "stale" };
      expect(await appendWith({ of: "announcement", record: stale }, stream)).toEqual({ is: "conflict" });
      expect(await announcements.find(first.id)).toEqual(stored);
      expect((await streams.tails([stream])).get(stream)?.head).toBe(0);
    });

    it("is a conflict where it is the next revision of one that there is not", async () => {
      const stream = fresh("s");
      const record = announced({ revision: 2 });
      expect(await appendWith({ of: "announcement", record }, stream)).toEqual({ is: "conflict" });
      expect(await stores().announcements.find(record.id)).toBeNull();
      expect((await stores().streams.tails([stream])).get(stream)?.head).toBe(0);
    });

    it("is a repeat where its key is stored, whatever the revision", async () => {
      const { announcements } = stores();
      const stream = fresh("s");
      const record = announced();
      expect(await appendWith({ of: "announcement", record }, stream, 1, "k")).toEqual({ is: "stored" });
      const repeat = { is: "repeat", seq: 1, publication: null };
      expect(await appendWith({ of: "announcement", record }, stream, 2, "k")).toEqual(repeat);
      expect(await appendWith({ of: "announcement", record: { ...record, revision: 2 } }, stream, 2, "k")).toEqual(repeat);
      expect(await announcements.find(record.id)).toEqual(record);
    });

    it("is not stored where the place of its entry is taken", async () => {
      const { announcements, streams } = stores();
      const stream = fresh("s");
      await append(streams, row(stream, 1));
      const record = announced();
      expect(await appendWith({ of: "announcement", record }, stream, 1, "another")).toEqual({ is: "conflict" });
      expect(await announcements.find(record.id)).toBeNull();
    });

    it.each([
      ["one place", (_: number) => 0],
      ["places of their own", (writer: number) => writer],
    ])("that many write at once at %s is the winner's alone", async (_, place) => {
      const { announcements, streams } = stores();
      const stream = fresh("s");
      const record = announced();
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (__, writer) =>
          appendWith({ of: "announcement", record: { ...record, seq: writer } }, `${stream}${place(writer)}`, 1, `k${writer}`),
        ),
      );
      expect(outcomes.map((outcome) => outcome?.is).sort()).toEqual([...Array(7).fill("conflict"), "stored"]);
      const winner = outcomes.findIndex((outcome) => outcome?.is === "stored");
      expect((await announcements.find(record.id))?.seq).toBe(winner);
      expect((await streams.find(`k${winner}`, [`${stream}${place(winner)}`])).map(({ seq }) => seq)).toEqual([1]);
    });
  });

  describe("what a member has settled", () => {
    const settle = (user: string, announcement: string, settled: Partial<Settled>, stream?: string) =>
      appendWith({ of: "settled", user, announcement, settled: { dismissedAt: null, acknowledgedAt: null, ...settled } }, stream);

    it("is stored with its entry and merged into what there was", async () => {
      const { announcements } = stores();
      const [user, one, other] = [fresh("u"), fresh("a"), fresh("a")];
      expect(await settle(user, one, { dismissedAt: 1 })).toEqual({ is: "stored" });
      expect(await announcements.settledOf(user, [one])).toEqual(new Map([[one, { dismissedAt: 1, acknowledgedAt: null }]]));
      await settle(user, one, { acknowledgedAt: 2 });
      await settle(user, other, { acknowledgedAt: 3 });
      await settle(user, other, { acknowledgedAt: 4 });
      expect(await announcements.settledOf(user, [other, one, fresh("a")])).toEqual(
        new Map([
          [one, { dismissedAt: 1, acknowledgedAt: 2 }],
          [other, { dismissedAt: null, acknowledgedAt: 4 }],
        ]),
      );
      expect(await announcements.settledOf(user, [])).toEqual(new Map());
    });

    it("is known by the announcement too, for the members asked for", async () => {
      const { announcements } = stores();
      const [anna, ben, carl] = [fresh("u"), fresh("u"), fresh("u")];
      const announcement = fresh("a");
      for (const user of [anna, ben]) await settle(user, announcement, { dismissedAt: 7 });
      await settle(carl, fresh("a"), { dismissedAt: 8 });
      const settled = { dismissedAt: 7, acknowledgedAt: null };
      expect(await announcements.settledBy(announcement, [anna, carl])).toEqual(new Map([[anna, settled]]));
      expect((await announcements.settledBy(announcement, [carl, ben, anna])).size).toBe(2);
    });

    it.each(["$gt", "__proto__", "a.b", "🎺"])("may be about names such as %j", async (odd) => {
      const { announcements } = stores();
      await settle(odd, odd, { dismissedAt: 1 });
      const settled = { dismissedAt: 1, acknowledgedAt: null };
      expect(await announcements.settledOf(odd, [odd])).toEqual(new Map([[odd, settled]]));
      expect(await announcements.settledBy(odd, [odd])).toEqual(new Map([[odd, settled]]));
    });

    it("is not stored where the place of its entry is taken", async () => {
      const [user, announcement, stream] = [fresh("u"), fresh("a"), fresh("s")];
      await append(stores().streams, row(stream, 1, { key: "another" }));
      expect(await settle(user, announcement, { dismissedAt: 1 }, stream)).toEqual({ is: "conflict" });
      expect(await stores().announcements.settledOf(user, [announcement])).toEqual(new Map());
    });
  });

  describe("a sanction with its entry of the audit log", () => {
    const mute: Sanction = { until: T0 + 1, why: "spam", by: "mod", at: T0 };
    const ban: Sanction = { until: null, why: "threats", by: "admin", at: T0 };
    const sanction = (user: string, change: Omit<MemberChange, "of" | "user">, stream?: string) =>
      appendWith({ of: "member", user, ...change }, stream);
    const found = async (user: string) => (await stores().members.find([user])).get(user);

    async function known(user = fresh("u")): Promise<string> {
      await stores().members.meet([{ user, at: T0, name: "Anna", roles: ["member"] }]);
      return user;
    }

    it("is laid on the member and taken away, and nothing else of them changes", async () => {
      const user = await known();
      const before = await found(user);
      expect(await sanction(user, { mute })).toEqual({ is: "stored" });
      expect(await found(user)).toEqual({ ...before, mute, ban: null });
      await sanction(user, { ban });
      expect(await found(user)).toEqual({ ...before, mute, ban });
      await sanction(user, { mute: null, ban: { ...ban, until: 5 } });
      expect(await found(user)).toEqual({ ...before, mute: null, ban: { ...ban, until: 5 } });
      await sanction(user, { ban: null });
      expect(await found(user)).toEqual(before);
    });

    it("is replaced as a whole by the next one", async () => {
      const user = await known();
      await sanction(user, { mute });
      await sanction(user, { mute: { ...mute, until: null } });
      expect((await found(user))?.mute).toEqual({ ...mute, until: null });
    });

    it("does not make a member known", async () => {
      const user = fresh("u");
      const stream = fresh("s");
      expect(await sanction(user, { mute }, stream)).toEqual({ is: "stored" });
      expect(await found(user)).toBeUndefined();
      expect(await stores().streams.read(stream, 0, 9, 9)).toHaveLength(1);
    });

    it("of nothing changes nothing", async () => {
      const user = await known();
      await sanction(user, { mute });
      expect(await sanction(user, {})).toEqual({ is: "stored" });
      expect((await found(user))?.mute).toEqual(mute);
    });

    it.each(["$where", "constructor", "a.b", "🥁"])("finds a member whose id is %j", async (odd) => {
      await known(odd);
      await sanction(odd, { ban });
      expect((await found(odd))?.ban).toEqual(ban);
    });

    it("stays when the member is met or registered again", async () => {
      const user = await known();
      await sanction(user, { mute, ban });
      await known(user);
      expect(await stores().members.register({ user, name: "Anne" }, T0)).toMatchObject({ name: "Anne", mute, ban });
    });

    it("is not laid where the place of its entry is taken", async () => {
      const user = await known();
      const stream = fresh("s");
      await append(stores().streams, row(stream, 1, { key: "another" }));
      expect(await sanction(user, { ban }, stream)).toEqual({ is: "conflict" });
      expect((await found(user))?.ban).toBeNull();
    });
  });
}
