import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Members } from "../../../src/members/index.js";
import { until } from "../../support/member.js";
import { MemoryMembers } from "../../support/member-store.js";

const NOW = Date.parse("2026-01-01T00:00:00Z");

let store: MemoryMembers;
let members: Members;
let errors: unknown[];
/** Members with something in their inbox. */
let told: Set<string>;

beforeEach(() => {
  told = new Set();
  store = new MemoryMembers();
  errors = [];
  members = new Members({ store, wasTold: async (user) => told.has(user), clock: () => NOW, onError: (error) => errors.push(error) });
});
afterEach(() => members.close());

describe("a member who was told of something", () => {
  it("is known, even where the node that was to write so has died before", async () => {
    expect(await members.find("bob")).toBeNull();
    told.add("bob");
    expect(await members.require("bob")).toEqual({ user: "bob", name: null, roles: [], joinedAt: NOW, mute: null, ban: null });
    expect(store.records.has("bob")).toBe(true);
  });
});

describe("a member who arrives", () => {
  const ada = { user: "ada", name: "Ada", roles: ["gold", "moderator"] };

  it("is known from then on, with what their token says", async () => {
    const record = { ...ada, joinedAt: NOW, mute: null, ban: null };
    expect(await members.arrive(ada)).toEqual(record);
    expect(await members.find("ada")).toEqual(record);
  });

  it("costs one read, and a write only where something is new", async () => {
    await members.arrive(ada);
    store.calls.length = 0;
    await members.arrive(ada);
    await members.arrive({ ...ada, roles: ["moderator", "gold"] });
    await members.arrive({ ...ada, name: null });
    expect(store.calls).toEqual(["find ada", "find ada", "find ada"]);
    expect(await members.arrive({ ...ada, name: "Ada L." })).toMatchObject({ name: "Ada L.", roles: ada.roles });
    expect(await members.arrive({ ...ada, name: null, roles: ["gold", "admin"] })).toMatchObject({
      name: "Ada L.",
      roles: ["gold", "admin"],
    });
    expect(await members.arrive({ ...ada, name: null, roles: [] })).toMatchObject({ name: "Ada L.", roles: [] });
    expect(store.calls.filter((call) => call.startsWith("meet"))).toHaveLength(3);
    expect(await members.find("ada")).toMatchObject({ name: "Ada L.", roles: [], joinedAt: NOW });
  });

  it("keeps their sanctions, and is not refused here", async () => {
    await members.arrive(ada);
    const ban = { until: null, why: "spam", by: "mod", at: 1 };
    store.records.set("ada", { ...(await members.require("ada")), ban });
    expect((await members.arrive(ada)).ban).toEqual(ban);
    expect((await members.arrive({ ...ada, roles: [] })).ban).toEqual(ban);
  });

  it("has been there since they were first heard of", async () => {
    members.heardOf(["ada"], NOW - 5_000);
    expect((await members.arrive(ada)).joinedAt).toBe(NOW - 5_000);
    expect((await members.find("ada"))?.joinedAt).toBe(NOW - 5_000);
  });

  it("may come to read while the store takes no writes, and is noted later", async () => {
    store.failures = 1;
    expect(await members.arrive(ada)).toMatchObject({ user: "ada", roles: ada.roles });
    expect(store.records.size).toBe(0);
    await until("the write", () => store.records.has("ada"));
  });
});

describe("members who are heard of", () => {
  it("are written together, within a second", async () => {
    members.heardOf(["ada", "bruno"], NOW - 1);
    members.heardOf(["bruno", "clara"], NOW - 2);
    await until("the write", () => store.records.size === 3);
    expect(store.calls).toEqual(["meet ada bruno clara"]);
    expect([...store.records.values()].map(({ joinedAt }) => NOW - joinedAt)).toEqual([1, 2, 2]);
  });

  it("cost nothing once they are known", async () => {
    await members.arrive({ user: "ada", name: null, roles: [] });
    await members.register({ user: "bruno" });
    members.heardOf(["clara"], NOW);
    await members.find("clara");
    store.calls.length = 0;
    members.heardOf(["ada", "bruno", "clara"], NOW - 1);
    await members.close();
    expect(store.calls).toEqual([]);
  });

  it("are found before they are written, and strangers are not", async () => {
    members.heardOf(["ada"], NOW);
    expect(await members.find("ada")).toEqual({ user: "ada", name: null, roles: [], joinedAt: NOW, mute: null, ban: null });
    expect(await members.require("ada")).toMatchObject({ user: "ada" });
    expect(await members.find("bruno")).toBeNull();
    await expect(members.require("bruno")).rejects.toMatchObject({ code: "not_found" });
  });

  it("wait for a store that is away, and are asked for in vain meanwhile", async () => {
    store.failures = 2;
    members.heardOf(["ada"], NOW);
    await expect(members.find("ada")).rejects.toMatchObject({ code: "unavailable" });
    await until("the failure", () => errors.length === 1);
    members.heardOf(["bruno"], NOW);
    await until("the next try", () => store.records.size === 2);
    expect(errors).toEqual([expect.objectContaining({ code: "unavailable" })]);
  });

  it("are held in bounded number while the store is away", async () => {
    const crowd = Array.from({ length: 60_000 }, (_, n) => `m${n}`);
    members.heardOf(crowd, NOW);
    await members.close();
    expect(store.records.size).toBe(50_000);
  });

  it("are remembered in bounded number: the longest known are written again", async () => {
    const crowd = Array.from({ length: 200_001 }, (_, n) => `m${n}`);
    for (let start = 0; start < crowd.length; start += 50_000) {
      const part = crowd.slice(start, start + 50_000);
      members.heardOf(part, NOW);
      await until("the crowd", () => store.records.size === start + part.length);
    }
    store.calls.length = 0;
    members.heardOf(crowd, NOW);
    await members.close();
    expect(store.calls).toEqual(["meet m0"]);
  });

  it("are written when the service stops, or it is told that they were not", async () => {
    members.heardOf(["ada"], NOW);
    store.failures = 1;
    await members.close();
    expect(errors).toHaveLength(1);
    await members.close();
    expect(store.records.has("ada")).toBe(true);
    members.heardOf(["bruno"], NOW);
    await members.close();
    expect(store.records.has("bruno")).toBe(false);
  });

  it("have joined at the earliest moment at which they were seen, and never in the future", async () => {
    const user = fc.constantFrom("a", "b", "c", "d");
    const at = fc.integer({ min: NOW - 1_000, max: NOW + 1_000 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ users: fc.array(user), at }), { maxLength: 20 }), async (sightings) => {
        const memory = new MemoryMembers();
        const room = new Members({ store: memory, wasTold: async () => false, clock: () => NOW, onError: (error) => errors.push(error) });
        const expected = new Map<string, number>();
        for (const sighting of sightings) {
          room.heardOf(sighting.users, sighting.at);
          for (const one of sighting.users) expected.set(one, Math.min(NOW, sighting.at, expected.get(one) ?? NOW));
        }
        await room.close();
        expect(new Map([...memory.records].map(([one, { joinedAt }]) => [one, joinedAt]))).toEqual(expected);
      }),
    );
  });
});

describe("a member whom a server registers", () => {
  it("is as the server says; what is left out stays", async () => {
    await members.arrive({ user: "ada", name: "Ada", roles: ["gold"] });
    const joinedAt = NOW - 86_400_000;
    expect(await members.register({ user: "ada", joinedAt })).toMatchObject({ name: "Ada", roles: ["gold"], joinedAt });
    expect(await members.register({ user: "ada", name: "Ada L.", roles: [] })).toMatchObject({ name: "Ada L.", roles: [], joinedAt });
    expect(await members.register({ user: "bruno" })).toEqual({
      user: "bruno",
      name: null,
      roles: [],
      joinedAt: NOW,
      mute: null,
      ban: null,
    });
  });

  it("has joined when the server says, whatever was heard of them before", async () => {
    members.heardOf(["ada"], NOW - 10_000);
    await members.register({ user: "ada", joinedAt: NOW - 5_000 });
    await members.close();
    expect(store.records.get("ada")?.joinedAt).toBe(NOW - 5_000);
  });
});

it("members come in pages, in the order of their ids", async () => {
  for (const user of ["c", "a", "b"]) await members.register({ user });
  const first = await members.page(null, 2);
  expect(first.map(({ user }) => user)).toEqual(["a", "b"]);
  expect((await members.page("b", 2)).map(({ user }) => user)).toEqual(["c"]);
});
