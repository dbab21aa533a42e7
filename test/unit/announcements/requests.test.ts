import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { announce, at, type Node, START, unrecorded, World } from "./harness.js";

const GOOD = { title: "News", text: "There is news." };

let world: World;
let node: Node;

beforeEach(async () => {
  world = new World();
  world.know("ada", ["moderator"]);
  world.know("bob");
  node = await world.node();
});
afterEach(() => world.close());

const faulty: Array<[string, unknown, string, RegExp]> = [
  ["that is nothing", undefined, "bad_request", /The announcement/],
  ["that is a list", [], "bad_request", /The announcement/],
  ["without a title", { text: "x" }, "bad_request", /title is missing/],
  ["with an empty title", { ...GOOD, title: "" }, "bad_request", /title/],
  ["with a title of 201 characters", { ...GOOD, title: "x".repeat(201) }, "bad_request", /title must have at most 200/],
  ["without a text", { title: "x" }, "bad_request", /text is missing/],
  ["with a text of 4,001 characters", { ...GOOD, text: "x".repeat(4_001) }, "bad_request", /text must have at most 4000/],
  ["with a script for a url", { ...GOOD, url: "javascript:alert(1)" }, "bad_request", /url must be a URL/],
  ["with a level of its own", { ...GOOD, level: "fatal" }, "bad_request", /level must be one of info, warning, critical/],
  ["that is mandatory in words", { ...GOOD, mandatory: "yes" }, "bad_request", /mandatory/],
  ["with a start that is no time", { ...GOOD, startsAt: "tomorrow" }, "bad_request", /startsAt must be a time/],
  ["with a start in the past", { ...GOOD, startsAt: at(-6) }, "bad_request", /startsAt is in the past/],
  ["with an end in the past", { ...GOOD, expiresAt: at(0) }, "bad_request", /expiresAt is in the past/],
  ["that ends as it starts", { ...GOOD, startsAt: at(60), expiresAt: at(60) }, "bad_request", /expiresAt must be after startsAt/],
  ["with a key that is empty", { ...GOOD, key: "" }, "bad_request", /key/],
  ["for a list that is no audience", { ...GOOD, audience: ["bob"] }, "bad_request", /audience/],
  ["for an empty list of roles", { ...GOOD, audience: { roles: [] } }, "bad_request", /audience\.roles/],
  ["for an empty list of users", { ...GOOD, audience: { users: [] } }, "bad_request", /audience\.users/],
  ["for a user who is not known", { ...GOOD, audience: { users: ["bob", "eve", "zoe"] } }, "not_found", /"eve"/],
  ["for a role that nobody has", { ...GOOD, audience: { roles: ["owner"] } }, "bad_request", /matches nobody/],
  ["for those who joined before all others", { ...GOOD, audience: { joinedBefore: at(-90_000) } }, "bad_request", /matches nobody/],
  ["for a known user who joined too late", { ...GOOD, audience: { users: ["bob"], joinedBefore: at(-90_000) } }, "bad_request", /nobody/],
  ["for a span that has passed", { ...GOOD, audience: { joinedAfter: at(-9), joinedBefore: at(-5) } }, "bad_request", /nobody/],
  ["for dates the wrong way round", { ...GOOD, audience: { joinedAfter: at(9), joinedBefore: at(9) } }, "bad_request", /joinedAfter/],
];

describe("an announcement", () => {
  it.each(faulty)("%s is refused, and nothing is written", async (_what, payload, code, message) => {
    const recorded: string[] = [];
    const refused = node.room.announce("mia", payload, async (id) => void recorded.push(id));
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect([recorded, world.store.writes]).toEqual([[], 0]);
  });

  it("gets what was not said: level info, dismissible, not mandatory", async () => {
    const { announcement, created } = await node.room.announce("mia", { ...GOOD, url: null, audience: {}, key: null }, unrecorded);
    expect(created).toBe(true);
    expect(announcement).toEqual({
      ...GOOD,
      id: expect.stringMatching(/^a-[\w-]{12}$/),
      level: "info",
      dismissible: true,
      mandatory: false,
      createdAt: at(0),
      by: "mia",
    });
  });

  it("that is mandatory cannot be dismissed, whatever else was said", async () => {
    const { announcement } = await node.room.announce("mia", { ...GOOD, mandatory: true, dismissible: true }, unrecorded);
    expect(announcement).toMatchObject({ mandatory: true, dismissible: true });
  });

  it("keeps its times in UTC, and may have begun a moment ago", async () => {
    const { announcement } = await node.room.announce(
      "mia",
      { ...GOOD, startsAt: at(-5), expiresAt: "2026-01-01T02:00:00+01:00" },
      unrecorded,
    );
    expect(announcement).toMatchObject({ startsAt: at(-5), expiresAt: at(3_600) });
    expect(world.kinds()).toEqual(["announcement"]);
  });

  it("may be for members to come", async () => {
    await announce(node, { audience: { joinedAfter: at(10), joinedBefore: at(20) } });
    await announce(node, { audience: { joinedAfter: at(0) } });
    expect(world.kinds()).toHaveLength(2);
  });

  it("is refused where a thousand are there already", async () => {
    for (let count = 0; count < 1_000; count++) await announce(node, { startsAt: at(60) });
    await expect(announce(node)).rejects.toMatchObject({ code: "bad_request", message: expect.stringMatching(/1000 announcements/) });
  });
});

describe("a change", () => {
  it.each([
    ["that is nothing", undefined, /The change/],
    ["that takes the title away", { title: null }, /title/],
    ["to an end in the past", { expiresAt: at(0) }, /expiresAt is in the past/],
    ["to an audience of nobody", { audience: { roles: ["owner"] } }, /matches nobody/],
    ["of the start of a live one", { startsAt: at(60) }, /startsAt cannot be changed/],
  ])("%s is refused, and nothing is written", async (_what, payload, message) => {
    const id = await announce(node);
    const before = world.store.writes;
    const recorded: string[] = [];
    const refused = node.room.edit(id, "mia", payload, async (target) => void recorded.push(target));
    await expect(refused).rejects.toMatchObject({ code: "bad_request", message: expect.stringMatching(message) });
    expect([recorded, world.store.writes]).toEqual([[], before]);
  });

  it("to an unknown user names them", async () => {
    const id = await announce(node);
    await expect(node.room.edit(id, "mia", { audience: { users: ["eve"] } }, unrecorded)).rejects.toMatchObject({
      code: "not_found",
      message: expect.stringMatching(/"eve"/),
    });
  });

  it("of one that is not there, or has ended, is refused", async () => {
    const rescinded = await announce(node);
    await node.room.rescind(rescinded, "mia", {}, unrecorded);
    const expiring = await announce(node, { expiresAt: at(10) });
    world.clock.now = START + 10_000;
    for (const id of ["a-none", rescinded, expiring]) {
      await expect(node.room.edit(id, "mia", { text: "x" }, unrecorded)).rejects.toMatchObject({ code: "not_found" });
      await expect(node.room.rescind(id, "mia", { why: "x" }, unrecorded)).rejects.toMatchObject({ code: "not_found" });
    }
  });

  it("cannot give a reason of 501 characters for a rescission", async () => {
    const id = await announce(node);
    const refused = node.room.rescind(id, "mia", { why: "x".repeat(501) }, unrecorded);
    await expect(refused).rejects.toMatchObject({ code: "bad_request", message: expect.stringMatching(/why/) });
  });
});
