import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { MemberFacts } from "../../../src/announcements/audience.js";
import { announce, at, type Node, START, unrecorded, World } from "./harness.js";

let world: World;
let node: Node;

beforeEach(async () => {
  world = new World();
  node = await world.node();
});
afterEach(() => world.close());

/** The member comes, and is sent all that is there. */
async function come(member: MemberFacts): Promise<void> {
  const view = await node.room.view(member);
  view.passed((await view.snapshot()).seq);
  await world.pass(1, node);
}

/** The time so many seconds after the start, of a row. */
const row = (user: string, reached: number | null, seen: number | null, acknowledged: number | null) => {
  const [reachedAt, seenAt, acknowledgedAt] = [reached, seen, acknowledged].map((seconds) => (seconds === null ? null : at(seconds)));
  return { user, reachedAt, seenAt, acknowledgedAt };
};

describe("the report of an announcement", () => {
  it("tells who was reached, has seen and has acknowledged, and when", async () => {
    const [absent, acted, looked, reached, waved] = ["absent", "acted", "looked", "reached", "waved"].map((user) => world.know(user));
    if (!absent || !acted || !looked || !reached || !waved) throw new Error("five members are known");
    world.know("stranger", [], START + 1);
    const id = await announce(node, { audience: { joinedBefore: at(0) } });
    await come(reached);
    await come(looked);
    await node.room.seen("looked");
    await world.pass(1, node);
    await node.room.settle("acted", "acknowledge", id, acted);
    await world.pass(1, node);
    await node.room.settle("waved", "dismiss", id, waved);
    await come(waved);
    expect(await node.room.report(id, { limit: 50 })).toEqual({
      audience: 5,
      reached: 4,
      seen: 3,
      acknowledged: 1,
      members: [
        row("absent", null, null, null),
        row("acted", 3, 3, 3),
        row("looked", 1, 2, null),
        row("reached", 0, null, null),
        row("waved", 4, 4, null),
      ],
      more: false,
    });
  });

  it("does not count those who came after its end", async () => {
    const [ada, bob] = [world.know("ada"), world.know("bob")];
    const id = await announce(node);
    await come(ada);
    await node.room.rescind(id, "mia", {}, unrecorded);
    await node.room.seen("ada");
    await world.pass(1, node);
    const later = await announce(node);
    await come(bob);
    expect(await node.room.report(id, { limit: 50 })).toMatchObject({ audience: 2, reached: 1, seen: 1, acknowledged: 0 });
    expect((await node.room.report(later, { limit: 50 })).members).toEqual([row("ada", null, null, null), row("bob", 2, null, null)]);
  });

  it("of a scheduled one has an audience and nothing else", async () => {
    world.know("ada");
    const id = await announce(node, { startsAt: at(60) });
    expect(await node.room.report(id, { limit: 50 })).toMatchObject({ audience: 1, reached: 0, members: [row("ada", null, null, null)] });
  });

  it("counts all of 1,200 members, and gives them in pages and as rows, in order of their ids", async () => {
    for (let count = 0; count < 1_199; count++) world.know(`m${count}`, count % 2 === 0 ? ["even"] : []);
    world.know("\u{1f514}", ["even"]);
    world.know("\uff21", ["even"]);
    const id = await announce(node, { audience: { roles: ["even"], users: ["m1"] } });
    const rows: string[] = [];
    for await (const { user } of node.room.reportRows(id)) rows.push(user);
    expect([rows.length, new Set(rows).size, rows.slice(-2)]).toEqual([603, 603, ["\uff21", "\u{1f514}"]]);
    const paged: string[] = [];
    for (let more = true; more; ) {
      const last = paged.at(-1);
      const page = await node.room.report(id, last === undefined ? { limit: 100 } : { limit: 100, after: last });
      expect([page.audience, page.reached]).toEqual([603, 0]);
      paged.push(...page.members.map(({ user }) => user));
      more = page.more;
    }
    expect(paged).toEqual(rows);
  });

  it("of named users is theirs alone, also where one of them is not known any more", async () => {
    for (const user of ["cy", "ada", "bob", "eve"]) world.know(user);
    const id = await announce(node, { audience: { users: ["eve", "cy", "ada"] } });
    world.members.splice(
      world.members.findIndex(({ user }) => user === "cy"),
      1,
    );
    const { audience, members } = await node.room.report(id, { limit: 50, after: "ada" });
    expect([audience, members.map(({ user }) => user)]).toEqual([2, ["eve"]]);
  });

  it("of none is not there", async () => {
    await expect(node.room.report("a-none", { limit: 50 })).rejects.toMatchObject({ code: "not_found" });
    await expect(node.room.reportRows("a-none")[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "not_found" });
  });
});
