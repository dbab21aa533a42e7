import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { BelfryError } from "../../../src/errors.js";
import { parseRegistration, refuseBanned, refuseMuted, standing } from "../../../src/members/index.js";
import type { MemberRecord, Sanction } from "../../../src/members/types.js";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const sanction = (until: number | null, why = "spam"): Sanction => ({ until, why, by: "mod", at: NOW - 1 });
const member = (given: Partial<MemberRecord>): MemberRecord => ({
  user: "ada",
  name: null,
  roles: [],
  joinedAt: 0,
  mute: null,
  ban: null,
  ...given,
});

function refusalOf(act: () => void): BelfryError | null {
  try {
    act();
    return null;
  } catch (error) {
    return error as BelfryError;
  }
}

describe("a sanction", () => {
  it("stands until its end, and for good where it has none", () => {
    fc.assert(
      fc.property(fc.option(fc.integer({ min: NOW - 5, max: NOW + 5 })), (until) => {
        const given = sanction(until);
        expect(standing(given, NOW)).toBe(until === null || until > NOW ? given : null);
      }),
    );
    expect(standing(null, NOW)).toBeNull();
  });

  it("refuses with its reason and its end", () => {
    const until = NOW + 1_500;
    expect(refusalOf(() => refuseMuted(member({ mute: sanction(until) }), NOW))).toMatchObject({
      code: "muted",
      message: "You are muted until 2026-11-21T12:00:01.500Z: spam.",
    });
    expect(refusalOf(() => refuseBanned(member({ ban: sanction(null, "Spam, again!") }), NOW))).toMatchObject({
      code: "banned",
      status: 403,
      message: "You are banned for good: Spam, again!",
    });
  });

  it("refuses nobody before it is laid or after it has run out, and only for what it is", () => {
    for (const one of [member({}), member({ mute: sanction(NOW), ban: sanction(NOW) })]) {
      expect(refusalOf(() => refuseMuted(one, NOW))).toBeNull();
      expect(refusalOf(() => refuseBanned(one, NOW))).toBeNull();
    }
    expect(refusalOf(() => refuseBanned(member({ mute: sanction(null) }), NOW))).toBeNull();
    expect(refusalOf(() => refuseMuted(member({ ban: sanction(null) }), NOW))).toBeNull();
  });
});

describe("a registration", () => {
  it("says what it says, and no more", () => {
    expect(parseRegistration("ada", {})).toEqual({ user: "ada" });
    expect(parseRegistration("ada", { name: null, roles: null, joinedAt: null, other: 1 })).toEqual({ user: "ada" });
    expect(parseRegistration("ada", { name: "Ada", roles: ["gold", "gold"], joinedAt: "2026-11-21T13:00:00+01:00" })).toEqual({
      user: "ada",
      name: "Ada",
      roles: ["gold"],
      joinedAt: NOW,
    });
    expect(parseRegistration("ada", { name: "x".repeat(301) }).name).toHaveLength(300);
  });

  it.each<[unknown, unknown, RegExp]>([
    ["", {}, /id must be 1 to 128/],
    ["x".repeat(129), {}, /id must be/],
    ["a\0b", {}, /id must be/],
    [7, {}, /id must be a string/],
    ["ada", null, /registration must be an object/],
    ["ada", [], /registration must be an object/],
    ["ada", "x", /registration must be an object/],
    ["ada", { name: "" }, /name must have at least 1/],
    ["ada", { name: { $gt: "" } }, /name must be a string/],
    ["ada", { roles: "admin" }, /roles must be an array/],
    ["ada", { roles: [""] }, /roles\[0\] must be 1 to 64/],
    ["ada", { roles: ["x".repeat(65)] }, /roles\[0\] must be 1 to 64/],
    ["ada", { roles: Array(33).fill("x") }, /roles must have at most 32/],
    ["ada", { joinedAt: "yesterday" }, /joinedAt must be a time/],
    ["ada", { joinedAt: 1 }, /joinedAt must be a/],
  ])("of %j as %j is refused", (user, body, message) => {
    const error = refusalOf(() => parseRegistration(user, body));
    expect(error).toMatchObject({ code: "bad_request" });
    expect(error?.message).toMatch(message);
  });
});
