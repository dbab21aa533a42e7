import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { Presence } from "../../../src/presence/index.js";

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe("presence", () => {
  it("counts a member with three devices once", () => {
    const presence = new Presence();
    for (const user of ["ada", "ada", "bruno", "ada"]) presence.enter(user);
    expect([presence.users, presence.sessions]).toEqual([2, 4]);
    presence.leave("ada");
    presence.leave("bruno");
    expect([presence.users, presence.sessions]).toEqual([1, 2]);
    presence.leave("bruno");
    expect([presence.users, presence.sessions]).toEqual([1, 2]);
  });

  it("tells of the first change at once, and of a wave once a second, with the number as it is then", () => {
    const presence = new Presence();
    const told: object[] = [];
    presence.subscribe((online) => told.push(online));
    for (let member = 0; member < 1_000; member++) presence.enter(`member-${member}`);
    expect(told).toEqual([{ users: 1, sessions: 1 }]);
    jest.advanceTimersByTime(999);
    expect(told).toHaveLength(1);
    jest.advanceTimersByTime(1);
    expect(told.slice(1)).toEqual([{ users: 1_000, sessions: 1_000 }]);
  });

  it("says nothing where the number of members is the one that was told last", () => {
    const presence = new Presence();
    const told: number[] = [];
    presence.subscribe(({ users }) => told.push(users));
    presence.enter("ada");
    presence.enter("ada");
    presence.enter("bruno");
    presence.leave("bruno");
    jest.advanceTimersByTime(60_000);
    expect(told).toEqual([1]);
  });

  it("tells nobody who has stopped listening, and nobody at all once it is closed", () => {
    const presence = new Presence();
    const told: string[] = [];
    const stop = presence.subscribe(() => told.push("first"));
    presence.subscribe(() => told.push("second"));
    stop();
    presence.enter("ada");
    presence.enter("bruno");
    presence.close();
    jest.advanceTimersByTime(60_000);
    expect(told).toEqual(["second"]);
  });

  it("is right after any coming and going, and never tells twice within a second", () => {
    const step = fc.record({ user: fc.constantFrom("ada", "bruno", "chi"), enters: fc.boolean(), ms: fc.nat(700) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const presence = new Presence();
        const sessions = new Map<string, number>();
        const told: Array<{ users: number; at: number }> = [];
        presence.subscribe(({ users }) => told.push({ users, at: Date.now() }));
        for (const { user, enters, ms } of steps) {
          const before = sessions.get(user) ?? 0;
          sessions.set(user, enters ? before + 1 : Math.max(0, before - 1));
          if (enters) presence.enter(user);
          else presence.leave(user);
          jest.advanceTimersByTime(ms);
        }
        const counts = [...sessions.values()].filter((count) => count > 0);
        expect(presence.users).toBe(counts.length);
        expect(presence.sessions).toBe(counts.reduce((sum, count) => sum + count, 0));
        jest.advanceTimersByTime(1_000);
        expect(told.at(-1)?.users ?? 0).toBe(counts.length);
        for (const [index, { at }] of told.entries()) expect(at - (told[index - 1]?.at ?? -1_000)).toBeGreaterThanOrEqual(1_000);
        presence.close();
      }),
    );
  });
});
