import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { BelfryError } from "../../../src/errors.js";
import { refuseBanned, refuseMuted } from "../../../src/members/index.js";
import { Moderation } from "../../../src/moderation/index.js";
import type { Actor } from "../../../src/moderation/types.js";
import { faulty } from "../../support/faulty-store.js";
import { ADMIN, MOD, NOBODY, openRig, type Rig, refusalOf, SERVER } from "./rig.js";

const ACTS = ["mute", "ban", "unmute", "unban", "kick"] as const;

let rig: Rig;
let moderation: Moderation;

beforeEach(async () => {
  rig = await openRig();
  moderation = rig.moderation;
});
afterEach(() => rig.close());

const at = () => new Date(rig.clock.now).toISOString();
const inAnHour = () => new Date(rig.clock.now + 3_600_000).toISOString();

describe("an act", () => {
  it("that mutes a member holds until its end, and is answered with what was written", async () => {
    const until = inAnHour();
    const laid = { user: "ada", until, why: "spam", by: "mod", at: at() };
    expect(await moderation.mute(MOD, "ada", { until, why: " spam " })).toEqual(laid);
    const ada = await rig.members.require("ada");
    expect(ada).toMatchObject({ mute: { until: Date.parse(until), why: "spam", by: "mod", at: rig.clock.now }, ban: null });
    expect(() => refuseMuted(ada, rig.clock.now)).toThrow(`You are muted until ${until}: spam.`);
    expect(() => refuseBanned(ada, rig.clock.now)).not.toThrow();
    expect((await moderation.audit({ limit: 10 })).items).toEqual([
      { id: "1", at: at(), by: "mod", act: "mute", target: "ada", why: "spam", until, from: "198.51.100.7" },
    ]);
  });

  it("that names no end is for good", async () => {
    expect(await moderation.ban(ADMIN, "ada", { why: "spam" })).toMatchObject({ until: null });
    expect(await moderation.mute(SERVER, "ada", { why: "spam", until: null })).toMatchObject({ until: null });
    expect(await rig.members.require("ada")).toMatchObject({ mute: { until: null, by: "server" }, ban: { until: null, by: "root" } });
    expect(await rig.entries()).toEqual([
      { by: "root", act: "ban", target: "ada", why: "spam" },
      { by: "server", act: "mute", target: "ada", why: "spam", from: "203.0.113.9" },
    ]);
  });

  it("on a member who is muted or banned replaces what they had", async () => {
    for (const act of ["mute", "ban"] as const) {
      await moderation[act](MOD, "ada", { why: "first" });
      await moderation[act](ADMIN, "ada", { why: "second", until: inAnHour() });
      expect((await rig.members.require("ada"))[act]).toMatchObject({ why: "second", by: "root", until: Date.parse(inAnHour()) });
    }
  });

  it("can be taken back, with a reason or without", async () => {
    await moderation.mute(MOD, "ada", { why: "spam" });
    await moderation.ban(MOD, "ada", { why: "spam" });
    expect(await moderation.unmute(MOD, "ada", { why: "a mistake" })).toEqual({ user: "ada", why: "a mistake", by: "mod", at: at() });
    expect(await moderation.unban(SERVER, "ada")).toEqual({ user: "ada", by: "server", at: at() });
    expect(await rig.members.require("ada")).toMatchObject({ mute: null, ban: null });
    expect((await rig.entries()).slice(2)).toEqual([
      { by: "mod", act: "unmute", target: "ada", why: "a mistake", from: "198.51.100.7" },
      { by: "server", act: "unban", target: "ada", from: "203.0.113.9" },
    ]);
  });

  it("that kicks changes nothing of the member, and needs nobody online", async () => {
    await moderation.mute(MOD, "ada", { why: "spam" });
    const before = await rig.members.require("ada");
    expect(await moderation.kick(MOD, "ada", { why: "calm down" })).toEqual({ user: "ada", why: "calm down", by: "mod", at: at() });
    expect(await rig.members.require("ada")).toEqual(before);
    expect((await rig.entries())[1]).toMatchObject({ act: "kick", target: "ada", why: "calm down" });
  });

  it("reaches a member who was only heard of", async () => {
    rig.members.heardOf(["clara"], rig.clock.now);
    await moderation.ban(MOD, "clara", { why: "spam" });
    expect((await rig.members.require("clara")).ban).toMatchObject({ why: "spam" });
  });

  it("is done once, with one entry, where the store's answer is lost", async () => {
    const { moderation: unlucky } = rig.node(faulty(rig.stores.streams, ["performed"]));
    await unlucky.ban(MOD, "ada", { why: "spam" });
    expect(await rig.entries()).toHaveLength(1);
    expect((await rig.members.require("ada")).ban).toMatchObject({ why: "spam" });
  });
});

describe("an act is refused, changes nothing, and is in the audit log with why", () => {
  const until = () => inAnHour();
  const why = "spam";
  type Case = [string, (typeof ACTS)[number], Actor, unknown, () => unknown, string, RegExp];
  it.each<Case>([
    ["on nobody known", "mute", MOD, "stranger", () => ({ why }), "not_found", /No member/],
    ["on no id", "ban", MOD, "", () => ({ why }), "bad_request", /user must be 1 to 128/],
    ["on too long an id", "ban", MOD, "x".repeat(129), () => ({ why }), "bad_request", /user must be/],
    ["on an operator", "kick", MOD, { $gt: "" }, () => ({ why }), "bad_request", /user must be a string/],
    ["on nothing", "unban", MOD, undefined, () => ({ why }), "bad_request", /user is missing/],
    ["on oneself", "kick", MOD, "mod", () => ({ why }), "bad_request", /themselves/],
    ["on oneself as an admin", "ban", ADMIN, "root", () => ({ why }), "bad_request", /themselves/],
    ["without a payload", "mute", MOD, "ada", () => undefined, "bad_request", /payload is missing/],
    ["with null", "ban", MOD, "ada", () => null, "bad_request", /payload must be an object/],
    ["with a list", "kick", MOD, "ada", () => [], "bad_request", /payload must be an object/],
    ["without a reason", "mute", MOD, "ada", () => ({ until: until() }), "bad_request", /why is missing/],
    ["without a reason to ban", "ban", MOD, "ada", () => ({}), "bad_request", /why is missing/],
    ["without a reason to kick", "kick", MOD, "ada", () => ({}), "bad_request", /why is missing/],
    ["with a blank reason", "kick", MOD, "ada", () => ({ why: " \n" }), "bad_request", /why must have at least 1/],
    ["with too long a reason", "mute", MOD, "ada", () => ({ why: "x".repeat(501) }), "bad_request", /why must have at most 500/],
    ["with a reason that holds a null", "mute", MOD, "ada", () => ({ why: "a\0b" }), "bad_request", /control characters/],
    ["with a reason that is no text", "unmute", MOD, "ada", () => ({ why: 7 }), "bad_request", /why must be a string/],
    ["with an end in the past", "mute", MOD, "ada", () => ({ why, until: "2020-01-01T00:00:00Z" }), "bad_request", /future/],
    ["with an end right now", "ban", MOD, "ada", () => ({ why, until: at() }), "bad_request", /future/],
    ["with an end that is no time", "mute", MOD, "ada", () => ({ why, until: "tomorrow" }), "bad_request", /until must be a time/],
    ["with an end as a number", "ban", MOD, "ada", () => ({ why, until: 1e15 }), "bad_request", /until must be/],
    ["of a moderator on an admin", "mute", MOD, "root", () => ({ why }), "forbidden", /cannot act on an admin/],
    ["of a moderator who bans an admin", "ban", MOD, "root", () => ({ why }), "forbidden", /cannot act on an admin/],
    ["of a moderator who kicks an admin", "kick", MOD, "root", () => ({ why }), "forbidden", /cannot act on an admin/],
    ["of a moderator who frees an admin", "unmute", MOD, "root", () => ({ why }), "forbidden", /cannot act on an admin/],
    ["of a member without the role", "ban", NOBODY, "bruno", () => ({ why }), "forbidden", /need the role/],
    ["of a member without the role on themselves", "unmute", NOBODY, "ada", () => ({}), "forbidden", /need the role/],
    ["on one who is not muted", "unmute", MOD, "ada", () => ({ why }), "not_found", /no mute/],
    ["on one who is not banned", "unban", SERVER, "ada", () => undefined, "not_found", /no ban/],
  ])("%s (%s)", async (_what, act, actor, user, payload, code, message) => {
    const before = await rig.members.page(null, 100);
    const refusal = await refusalOf(moderation[act](actor, user, payload()));
    expect(refusal).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(await rig.members.page(null, 100)).toEqual(before);
    const entries = await rig.entries();
    expect(entries).toEqual([expect.objectContaining({ by: actor.by, act, refused: refusal.message })]);
    const isId = typeof user === "string" && user !== "" && user.length <= 128;
    expect(entries[0]?.target).toBe(isId ? user : undefined);
  });

  it("with nothing that is longer than an entry may be", async () => {
    const payload = { why: "x".repeat(100_000), until: "y".repeat(100_000) };
    await refusalOf(moderation.ban({ ...MOD, from: "z".repeat(100_000) }, "u".repeat(100_000), payload));
    const [entry] = await rig.entries();
    expect(entry).toMatchObject({ why: "x".repeat(500) });
    expect(JSON.stringify(entry).length).toBeLessThan(1_500);
  });
});

describe("rank", () => {
  it("lets admins and servers act on admins, and moderators on each other", async () => {
    await rig.members.arrive({ user: "root2", name: null, roles: ["admin"] });
    await rig.members.arrive({ user: "mod2", name: null, roles: ["moderator"] });
    await moderation.mute(ADMIN, "root2", { why: "w" });
    await moderation.ban(SERVER, "root", { why: "w" });
    await moderation.kick(MOD, "mod2", { why: "w" });
    expect((await rig.entries()).some(({ refused }) => refused !== undefined)).toBe(false);
  });

  it("of the target is what it is at the moment of the act", async () => {
    await rig.members.arrive({ user: "ada", name: null, roles: ["admin"] });
    expect((await refusalOf(moderation.mute(MOD, "ada", { why: "w" }))).code).toBe("forbidden");
    await rig.members.arrive({ user: "ada", name: null, roles: [] });
    await moderation.mute(MOD, "ada", { why: "w" });
  });

  it("of servers is no member's: one may be called as they are", async () => {
    await rig.members.arrive({ user: "server", name: null, roles: [] });
    await moderation.ban(SERVER, "server", { why: "w" });
    expect((await rig.members.require("server")).ban).not.toBeNull();
  });
});

describe("a mute that has run out", () => {
  it("cannot be ended, and holds nobody back", async () => {
    await moderation.mute(MOD, "ada", { why: "w", until: inAnHour() });
    rig.clock.now += 3_600_000;
    expect((await refusalOf(moderation.unmute(MOD, "ada"))).code).toBe("not_found");
    const ada = await rig.members.require("ada");
    expect(() => refuseMuted(ada, rig.clock.now)).not.toThrow();
  });
});

describe("two moderators at once", () => {
  it.each(["one node", "two nodes"])("on %s: of two who end a ban one has done it, and the other is told", async (nodes) => {
    const other = nodes === "one node" ? moderation : rig.node().moderation;
    await moderation.ban(MOD, "ada", { why: "w" });
    const answers = await Promise.allSettled([moderation.unban(MOD, "ada"), other.unban(ADMIN, "ada")]);
    expect(answers.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(answers.find((one) => one.status === "rejected")).toMatchObject({ reason: { code: "not_found" } });
    expect((await rig.entries()).map(({ act, refused }) => [act, refused !== undefined])).toEqual([
      ["ban", false],
      ["unban", false],
      ["unban", true],
    ]);
  });

  it.each(["one node", "two nodes"])("on %s: what holds of two mutes is what the log has last", async (nodes) => {
    const other = nodes === "one node" ? moderation : rig.node().moderation;
    await Promise.all([
      ...[1, 2, 3].map((n) => moderation.mute(MOD, "ada", { why: `mod ${n}` })),
      ...[1, 2, 3].map((n) => other.mute(ADMIN, "ada", { why: `root ${n}` })),
    ]);
    const entries = await rig.entries();
    expect(entries).toHaveLength(6);
    expect((await rig.members.require("ada")).mute?.why).toBe(entries.at(-1)?.why);
  });
});

describe("the rate of acts", () => {
  it("is bounded for each member; what is above it is not even written", async () => {
    for (let n = 0; n < 60; n++) expect((await refusalOf(moderation.ban(NOBODY, "bruno", { why: "w" }))).code).toBe("forbidden");
    expect(await refusalOf(moderation.ban(NOBODY, "bruno", { why: "w" }))).toMatchObject({ code: "rate_limited", retryAfterMs: 200 });
    const guarded = moderation.guard(NOBODY, { act: "announce" }, () => Promise.resolve(1));
    expect(await refusalOf(guarded)).toMatchObject({ code: "rate_limited" });
    expect(await rig.entries()).toHaveLength(60);
    await moderation.mute(MOD, "ada", { why: "w" });
    rig.clock.now += 1_000;
    const codes: string[] = [];
    for (let n = 0; n < 6; n++) codes.push((await refusalOf(moderation.ban(NOBODY, "bruno", { why: "w" }))).code);
    expect(codes).toEqual([...Array(5).fill("forbidden"), "rate_limited"]);
  });

  it("is not bounded for servers", async () => {
    await Promise.all(Array.from({ length: 200 }, () => moderation.kick(SERVER, "ada", { why: "w" })));
    expect(await rig.entries()).toHaveLength(200);
  });
});

describe("an act of another room", () => {
  const words = { act: "announce", why: "as asked" };

  it("is written before it is done, with what the room says of it", async () => {
    const answer = await moderation.guard(MOD, words, async (record) => {
      await record("announcement-1", "new");
      expect(await rig.entries()).toHaveLength(1);
      await record();
      return 7;
    });
    expect(answer).toBe(7);
    expect(await rig.entries()).toEqual([
      { by: "mod", act: "announce", target: "announcement-1", why: "new", from: "198.51.100.7" },
      { by: "mod", act: "announce", why: "as asked", from: "198.51.100.7" },
    ]);
  });

  it("is not begun for a member without the role, and that is written", async () => {
    let begun = false;
    const refusal = await refusalOf(
      moderation.guard(NOBODY, { ...words, target: "announcement-1" }, async () => {
        begun = true;
      }),
    );
    expect([refusal.code, begun]).toEqual(["forbidden", false]);
    expect(await rig.entries()).toEqual([
      { by: "ada", act: "announce", target: "announcement-1", why: "as asked", refused: refusal.message, from: "192.0.2.1" },
    ]);
  });

  it.each<[unknown, boolean]>([
    [new BelfryError("bad_request", "text is missing."), true],
    [new BelfryError("not_found"), true],
    [new BelfryError("too_large"), true],
    [new BelfryError("unavailable"), false],
    [new BelfryError("internal"), false],
    [new BelfryError("rate_limited"), false],
    [new Error("a fault of the room"), false],
  ])("that ends with %s passes it on (and writes it: %s)", async (error, isWritten) => {
    const guarded = moderation.guard(SERVER, words, () => Promise.reject(error));
    await expect(guarded).rejects.toBe(error);
    const refused = isWritten ? [expect.objectContaining({ act: "announce", refused: (error as Error).message })] : [];
    expect(await rig.entries()).toEqual(refused);
  });
});

it("an act that the store cannot take is neither done nor called refused", async () => {
  const away = { require: () => Promise.reject(new BelfryError("unavailable")) };
  const lonely = new Moderation({ log: rig.log, streams: rig.stores.streams, members: away, onError: () => {} });
  expect((await refusalOf(lonely.ban(MOD, "ada", { why: "w" }))).code).toBe("unavailable");
  expect(await rig.entries()).toEqual([]);
});
