import { describe, expect, it } from "@jest/globals";
import type { MemberRecord } from "../../../src/members/types.js";
import type { Stores } from "../../../src/storage/types.js";
import { fresh, T0 } from "../../support/rows.js";

/** A member as they are when nothing but their id and their first moment is known. */
function member(user: string, over: Partial<MemberRecord> = {}): MemberRecord {
  return { user, name: null, roles: [], joinedAt: T0, mute: null, ban: null, ...over };
}

/** Who is known. Sanctions come with entries of the audit log: see announcement-companions.ts. */
export function memberContract(stores: () => Stores): void {
  const found = async (user: string) => (await stores().members.find([user])).get(user);

  describe("members", () => {
    it("who were never met are not known", async () => {
      const { members } = stores();
      expect(await members.find([fresh("u"), fresh("u")])).toEqual(new Map());
      expect(await members.find([])).toEqual(new Map());
    });

    it("are known from when they are met, with what was learned of them", async () => {
      const { members } = stores();
      const [plain, full, absent] = [fresh("u"), fresh("u"), fresh("u")];
      const known = { name: "Anna", roles: ["member", "moderator"] };
      await members.meet([
        { user: plain, at: T0 },
        { user: full, at: T0 + 1, ...known },
      ]);
      expect(await members.find([absent, full, plain])).toEqual(
        new Map([
          [plain, member(plain)],
          [full, member(full, { joinedAt: T0 + 1, ...known })],
        ]),
      );
    });

    it("who are met again take over what is given, and keep the rest", async () => {
      const { members } = stores();
      const user = fresh("u");
      await members.meet([{ user, at: T0, name: "Anna", roles: ["member"] }]);
      await members.meet([{ user, at: T0 }]);
      expect(await found(user)).toEqual(member(user, { name: "Anna", roles: ["member"] }));
      await members.meet([{ user, at: T0, name: "Anne" }]);
      expect(await found(user)).toEqual(member(user, { name: "Anne", roles: ["member"] }));
      await members.meet([{ user, at: T0, roles: ["b", "a"] }]);
      expect(await found(user)).toEqual(member(user, { name: "Anne", roles: ["b", "a"] }));
      await members.meet([{ user, at: T0, roles: [] }]);
      expect(await found(user)).toEqual(member(user, { name: "Anne" }));
    });

    it("have joined at the earliest moment at which they were met", async () => {
      const { members } = stores();
      const user = fresh("u");
      for (const at of [T0, T0 + 5, T0 - 5, T0 - 1]) await members.meet([{ user, at }]);
      expect((await found(user))?.joinedAt).toBe(T0 - 5);
    });

    it("met more than once in one write count as met one after the other", async () => {
      const { members } = stores();
      const user = fresh("u");
      await members.meet([
        { user, at: T0 + 2, name: "First", roles: ["a"] },
        { user, at: T0 },
        { user, at: T0 + 1, name: "Last" },
      ]);
      expect(await found(user)).toEqual(member(user, { name: "Last", roles: ["a"] }));
    });

    it("are met by the thousand, known and new ones mixed", async () => {
      const { members } = stores();
      const users = Array.from({ length: 1_000 }, () => fresh("many"));
      await members.meet(users.slice(0, 500).map((user) => ({ user, at: T0 })));
      await members.meet(users.map((user, index) => ({ user, at: T0 + index, name: `N${index}` })));
      await members.meet([]);
      const known = await members.find(users);
      expect(known.size).toBe(1_000);
      for (const [index, user] of users.entries()) {
        expect(known.get(user)).toEqual(member(user, { name: `N${index}`, joinedAt: index < 500 ? T0 : T0 + index }));
      }
    });

    it("met by many at once are known once, since the earliest moment", async () => {
      const { members } = stores();
      const users = Array.from({ length: 20 }, () => fresh("u"));
      await Promise.all(
        Array.from({ length: 10 }, (_, index) => members.meet(users.map((user) => ({ user, at: T0 + index, roles: ["member"] })))),
      );
      expect(await members.find(users)).toEqual(new Map(users.map((user) => [user, member(user, { roles: ["member"] })])));
    });

    it("registered by a server are as it says, and joined when it says", async () => {
      const { members } = stores();
      const user = fresh("u");
      await members.meet([{ user, at: T0, name: "Anna", roles: ["a"] }]);
      const registered = member(user, { name: "Anne", roles: ["b"], joinedAt: T0 + 9 });
      expect(await members.register({ user, name: "Anne", roles: ["b"], joinedAt: T0 + 9 }, T0 + 20)).toEqual(registered);
      expect(await found(user)).toEqual(registered);
    });

    it("registered without some fields keep those", async () => {
      const { members } = stores();
      const user = fresh("u");
      await members.register({ user, name: "Anna", roles: ["a"], joinedAt: T0 }, T0 + 20);
      const known = member(user, { name: "Anna", roles: ["a"] });
      expect(await members.register({ user }, T0 - 20)).toEqual(known);
      expect(await members.register({ user, roles: [] }, T0 - 20)).toEqual({ ...known, roles: [] });
      expect(await members.register({ user, joinedAt: T0 - 7 }, T0)).toEqual({ ...known, roles: [], joinedAt: T0 - 7 });
      expect(await members.register({ user, name: "Anne" }, T0)).toEqual({ ...known, name: "Anne", roles: [], joinedAt: T0 - 7 });
    });

    it("whom a server makes known join now, unless it says when", async () => {
      const { members } = stores();
      const [one, other] = [fresh("u"), fresh("u")];
      expect(await members.register({ user: one }, T0)).toEqual(member(one));
      expect(await members.register({ user: other, joinedAt: T0 + 50, roles: ["x"] }, T0)).toEqual(
        member(other, { joinedAt: T0 + 50, roles: ["x"] }),
      );
    });

    it("registered by many at once are known once", async () => {
      const { members } = stores();
      const user = fresh("u");
      const answers = await Promise.all(Array.from({ length: 10 }, () => members.register({ user, name: "Anna", joinedAt: T0 }, T0 + 1)));
      for (const answer of answers) expect(answer).toEqual(member(user, { name: "Anna" }));
      expect(await found(user)).toEqual(member(user, { name: "Anna" }));
    });

    it("are listed by their ids in pages, each once and as found", async () => {
      const { members } = stores();
      const prefix = fresh("page");
      const users = ["", " ", "!", "10", "9", "A", "a", "aa", "b", "é", "🛎️"].map((end) => `${prefix}${end}`);
      await members.meet(users.toReversed().map((user) => ({ user, at: T0, name: user, roles: ["member"] })));
      const listed: MemberRecord[] = [];
      // The prefix is the first of its members, so the walk begins right before it.
      for (let after: string | null = prefix.slice(0, -1); ; ) {
        const page: MemberRecord[] = (await members.page(after, 4)).filter(({ user }) => user.startsWith(prefix));
        listed.push(...page);
        if (page.length < 4) break;
        after = page.at(-1)?.user ?? null;
      }
      expect(listed).toEqual(users.map((user) => member(user, { name: user, roles: ["member"] })));
      expect(await members.page(null, 3)).toHaveLength(3);
      expect(await members.page(null, 0)).toEqual([]);
    });

    it.each(["$gt", "__proto__", "constructor", "a.b.c", "🥁", "NULL", "'; DROP TABLE members; --"])("may be called %j", async (odd) => {
      const { members } = stores();
      const user = `${odd}${fresh("/")}`;
      const known = { name: odd, roles: [odd, "$set", '"', "\\"] };
      await members.meet([{ user, at: T0, ...known }]);
      expect(await found(user)).toEqual(member(user, known));
      expect(await members.register({ user, ...known }, T0)).toEqual(member(user, known));
    });

    it("are told apart where their ids differ only in case, in accents, in form", async () => {
      const { members } = stores();
      const base = fresh("u");
      const users = [`${base}e`, `${base}E`, `${base}é`, `${base}e\u0301`];
      await members.meet(users.map((user, index) => ({ user, at: T0 + index })));
      const known = await members.find(users);
      expect(users.map((user) => known.get(user)?.joinedAt)).toEqual([0, 1, 2, 3].map((index) => T0 + index));
    });
  });
}
