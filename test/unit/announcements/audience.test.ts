import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { audienceOf, audienceTest } from "../../../src/announcements/audience.js";
import type { Audience } from "../../../src/announcements/types.js";
import type { MemberRecord } from "../../../src/members/types.js";

const day = fc.integer({ min: 1, max: 28 }).map((date) => new Date(Date.UTC(2026, 0, date)).toISOString());
const audience: fc.Arbitrary<Audience> = fc.record(
  {
    roles: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1 }),
    users: fc.uniqueArray(fc.constantFrom("u0", "u1", "u2", "u3"), { minLength: 1 }),
    joinedBefore: day,
    joinedAfter: day,
  },
  { requiredKeys: [] },
);
const member = fc
  .record({ roles: fc.subarray(["a", "b", "c", "d"]), joined: fc.integer({ min: 1, max: 28 }) })
  .map(({ roles, joined }) => ({ roles, joinedAt: Date.UTC(2026, 0, joined) }));
const members = fc
  .array(member, { minLength: 4, maxLength: 8 })
  .map((all) => all.map((one, index): MemberRecord => ({ ...one, user: `u${index}`, name: null, mute: null, ban: null })));

/** The rule in the words of the contract: roles and users add up, the dates narrow. */
function isMeant({ roles, users, joinedBefore, joinedAfter }: Audience, one: MemberRecord): boolean {
  const byRole = roles !== undefined && one.roles.filter((role) => roles.includes(role)).length > 0;
  const byName = (users ?? []).includes(one.user);
  const anybody = roles === undefined && users === undefined;
  const joined = new Date(one.joinedAt).toISOString();
  if (joinedBefore !== undefined && joined >= joinedBefore) return false;
  if (joinedAfter !== undefined && joined <= joinedAfter) return false;
  return anybody || byRole || byName;
}

describe("any audience among any members", () => {
  it("is those whom roles or users name, narrowed by the dates, in order of their ids", async () => {
    await fc.assert(
      fc.asyncProperty(audience, members, async (asked, all) => {
        const expected = all.filter((one) => isMeant(asked, one)).map(({ user }) => user);
        expect(all.filter(audienceTest(asked)).map(({ user }) => user)).toEqual(expected);
        const walked: string[] = [];
        const directory = {
          page: async (after: string | null) => all.filter(({ user }) => after === null || user > after).slice(0, 3),
          find: async (user: string) => all.find((one) => one.user === user) ?? null,
        };
        for await (const page of audienceOf(asked, directory)) walked.push(...page.map(({ user }) => user));
        expect(walked).toEqual(expected);
      }),
    );
  });

  it("is everybody where nothing is said", () => {
    expect(audienceTest(undefined)({ user: "u", roles: [], joinedAt: 0 })).toBe(true);
  });
});
