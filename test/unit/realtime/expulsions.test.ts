import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { AuditEntry } from "../../../src/moderation/index.js";
import { Expulsions } from "../../../src/realtime/expulsions.js";
import type { Farewell } from "../../../src/realtime/outlet.js";

let ended: Array<{ user: string; where: string; farewell: Farewell }> = [];
let act: (entry: Partial<AuditEntry>) => void = () => {};
let listening = false;
/** How the store has the ban of whoever it is asked for; null: it does not answer. */
let ban: { until: number | null } | undefined | null;
let expulsions: Expulsions;

beforeEach(() => {
  ended = [];
  ban = { until: null };
  jest.useFakeTimers({ now: Date.parse("2026-01-01T00:00:00Z") });
  const moderation = {
    onAct(listener: (entry: AuditEntry) => void) {
      listening = true;
      act = (entry) => listener({ id: "1", at: new Date().toISOString(), by: "mod", act: "ban", target: "ada", why: "spam", ...entry });
      return () => {
        listening = false;
      };
    },
  };
  const sessionsOf = (where: string) => (user: string) => [{ end: (farewell: Farewell) => ended.push({ user, where, farewell }) }];
  const members = {
    async find(user: string) {
      if (ban === null) throw new Error("the store is away");
      const standing = ban === undefined ? null : { ...ban, why: "spam", by: "mod", at: 0 };
      return { user, name: null, roles: [], joinedAt: 0, mute: null, ban: standing };
    },
  };
  expulsions = new Expulsions({ moderation, members }, [sessionsOf("/notifications"), sessionsOf("/live")]);
});

afterEach(() => {
  expulsions.close();
  expect(listening).toBe(false);
  jest.useRealTimers();
});

/** A session begins, and what follows from it has happened. */
async function begin(...users: string[]): Promise<void> {
  for (const user of users) expulsions.onSession(user);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

describe("expulsions", () => {
  it("end the sessions of whoever is kicked, in every namespace, and say why", () => {
    act({ act: "kick" });
    expect(ended.map(({ user, where }) => [user, where])).toEqual([
      ["ada", "/notifications"],
      ["ada", "/live"],
    ]);
    expect(ended[0]?.farewell).toMatchObject({ code: "kicked", reconnect: false, message: expect.stringContaining("spam") });
  });

  it("tell a banned member until when", () => {
    act({ until: "2026-02-01T00:00:00.000Z" });
    expect(ended[0]?.farewell).toMatchObject({
      code: "banned",
      message: expect.stringMatching(/until 2026-02-01.*spam/),
      reconnect: false,
    });
  });

  it("take no notice of acts that were refused, or that end nothing", () => {
    act({ refused: "A moderator cannot act on an admin." });
    act({ act: "mute" });
    act({ act: "kick", refused: "no" });
    act({ act: "announce", target: "a-1" });
    expect(ended).toEqual([]);
  });

  it("meet a session that begins right after the ban, and none that begins later or after a kick", async () => {
    act({});
    act({ act: "kick", target: "bea" });
    ended = [];
    await begin("ada", "bea");
    expect(ended.map(({ user }) => user)).toEqual(["ada", "ada"]);
    ended = [];
    jest.advanceTimersByTime(61_000);
    await begin("ada");
    expect(ended).toEqual([]);
  });

  it("forget a ban that was taken back or has run out, here or on another node", async () => {
    act({});
    act({ act: "unban" });
    act({ target: "bea", until: "2026-01-01T00:00:05.000Z" });
    act({ target: "cy" });
    ended = [];
    jest.advanceTimersByTime(5_000);
    ban = { until: Date.parse("2026-01-01T00:00:05Z") };
    await begin("ada", "bea");
    ban = undefined;
    await begin("cy");
    expect(ended).toEqual([]);
  });

  it("end a session rather than let a banned member in, where the store does not answer", async () => {
    act({});
    ended = [];
    ban = null;
    await begin("ada");
    expect(ended.map(({ user }) => user)).toEqual(["ada", "ada"]);
  });
});
