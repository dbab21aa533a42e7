import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { MemberFacts } from "../../../src/announcements/audience.js";
import { announce, at, type Node, START, shownAfter, unrecorded, World } from "./harness.js";

const SECRET = "for moderators only";

let world: World;
let node: Node;
let ada: MemberFacts;
let bob: MemberFacts;

beforeEach(async () => {
  world = new World();
  ada = world.know("ada", ["moderator"]);
  bob = world.know("bob");
  node = await world.node();
});
afterEach(() => world.close());

describe("an entry on a member's socket", () => {
  it("is whole for those whom it is for, and for others only a place in the stream", async () => {
    const id = await announce(node, { text: SECRET, audience: { roles: ["moderator"] } });
    await node.room.edit(id, "mia", { title: SECRET }, unrecorded);
    const live = { id, title: SECRET, text: SECRET, level: "info", dismissible: true, mandatory: false, createdAt: at(0), by: "mia" };
    expect(await shownAfter(world, await node.room.view(ada))).toEqual([
      { seq: 1, at: at(0), kind: "announcement", data: { ...live, title: "News" } },
      { seq: 2, at: at(0), kind: "announcement.updated", data: live },
    ]);
    await node.room.rescind(id, "mia", { why: SECRET }, unrecorded);
    const hidden = ["announcement", "announcement.updated", "announcement.rescinded"].map((kind, index) => ({
      seq: index + 1,
      at: at(0),
      kind,
      data: { id, hidden: true },
    }));
    expect(await shownAfter(world, await node.room.view(bob))).toEqual(hidden);
  });

  it("is one and the same text for all members who see the same", async () => {
    await announce(node, { audience: { roles: ["moderator"] } });
    const [entry] = world.store.entries("announcements");
    if (entry === undefined) throw new Error("nothing was announced");
    const views = await Promise.all([ada, { ...ada, user: "eve" }, bob, { ...bob, user: "zoe" }].map((member) => node.room.view(member)));
    const [first, second, third, fourth] = views.map((view) => Buffer.from(view.encode(entry)).toString());
    expect([first === second, third === fourth, first === third]).toEqual([true, true, false]);
  });

  it("never shows audience or key", async () => {
    await announce(node, { audience: { users: ["bob"], joinedBefore: at(0) }, key: "the-key" });
    const view = await node.room.view(bob);
    const told = JSON.stringify([await shownAfter(world, view), await view.snapshot()]);
    expect(told).toContain("There is news.");
    expect(told).not.toMatch(/audience|joinedBefore|the-key/);
  });

  it("is hidden in a replay where the announcement has ended, and where an edit has taken the member out", async () => {
    const ended = await announce(node, { text: SECRET });
    const narrowed = await announce(node, { text: SECRET });
    await node.room.rescind(ended, "mia", {}, unrecorded);
    await node.room.edit(narrowed, "mia", { audience: { roles: ["moderator"] } }, unrecorded);
    const view = await node.room.view(bob);
    const replay = await shownAfter(world, view);
    expect(JSON.stringify(replay)).not.toContain(SECRET);
    expect(replay.map(({ data }) => data)).toEqual([
      { id: ended, hidden: true },
      { id: narrowed, hidden: true },
      { id: ended, why: "rescinded" },
      { id: narrowed, hidden: true },
    ]);
    // Shown to nobody, they are counted for nobody, also as of the entries that brought them.
    expect([1, 2, 3, 4].map((seq) => view.unreadAt(seq))).toEqual([0, 0, 0, 0]);
  });

  it("is whole again where an edit brings the member in", async () => {
    const id = await announce(node, { audience: { users: ["ada"] } });
    const view = await node.room.view(bob);
    await node.room.edit(id, "mia", { audience: null }, unrecorded);
    expect((await shownAfter(world, view)).map(({ data }) => data.title)).toEqual([undefined, "News"]);
    expect([view.unreadAt(1), view.unreadAt(2)]).toEqual([0, 1]);
  });

  it("counts again where a session that had it hidden is brought in later", async () => {
    const id = await announce(node);
    await node.room.edit(id, "mia", { audience: { users: ["ada"] } }, unrecorded);
    const view = await node.room.view(bob);
    await shownAfter(world, view);
    await node.room.edit(id, "mia", { audience: null }, unrecorded);
    expect((await shownAfter(world, view, 2)).map(({ data }) => data.title)).toEqual(["News"]);
    expect(view.unreadAt(3)).toBe(1);
  });

  it("is hidden once its time is over, even where that is not written yet", async () => {
    await announce(node, { expiresAt: at(10) });
    const early = await node.room.view(bob);
    expect([await shownAfter(world, early), early.unreadAt(1)]).toMatchObject([[{ data: { title: "News" } }], 1]);
    world.clock.now += 10_000;
    const late = await node.room.view(bob);
    expect([await shownAfter(world, late), late.unreadAt(1)]).toMatchObject([[{ data: { hidden: true } }], 0]);
    expect(await (await node.room.view(bob)).snapshot()).toMatchObject({ items: [], unread: 0 });
    expect(early.unreadAt(1)).toBe(1);
  });

  it("has ended, whoever was to write that, for who comes back having been given it hidden, and is written once for all of them", async () => {
    const idle = await world.node(undefined, () => false);
    await announce(idle, { expiresAt: at(10) });
    world.clock.now += 10_000;
    expect(await shownAfter(world, await idle.room.view(bob, 1))).toMatchObject([{ data: { hidden: true } }]);
    const tails = await Promise.all([1, 2, 3].map(() => idle.room.tail()));
    expect(tails).toMatchObject([{ head: 2 }, { head: 2 }, { head: 2 }]);
    expect((await idle.room.view(bob, 2)).unreadAt(2)).toBe(0);
  });
});

describe("a snapshot", () => {
  it("has what is live for the member, newest first, with what they did about it", async () => {
    const ids: string[] = [];
    for (const fields of [{}, { mandatory: true }, { audience: { users: ["ada"] } }, {}]) ids.push(await announce(node, fields));
    const [first, mandatory, , last] = ids;
    await node.room.rescind(first as string, "mia", {}, unrecorded);
    world.clock.now += 1_000;
    await node.room.settle("bob", "acknowledge", mandatory, bob);
    const view = await node.room.view(bob);
    expect(await view.snapshot()).toMatchObject({
      epoch: "epoch",
      seq: 5,
      unread: 1,
      items: [
        { id: last, dismissedAt: null, acknowledgedAt: null },
        { id: mandatory, dismissedAt: null, acknowledgedAt: at(1) },
      ],
      more: false,
    });
  });

  it("has at most fifty, and counts all", async () => {
    for (let count = 0; count < 51; count++) await announce(node);
    const { items, more, unread } = await (await node.room.view(bob)).snapshot();
    expect([items.length, more, unread]).toEqual([50, true, 51]);
  });
});

describe("a member", () => {
  it("dismisses one on all devices, once", async () => {
    const [one, other] = [await announce(node), await announce(node)];
    const [here, there] = await Promise.all([node.room.view(bob), node.room.view(bob)]);
    expect(await node.room.settle("bob", "dismiss", one, here)).toEqual({ seq: 1, unread: 1 });
    expect(await node.room.settle("bob", "dismiss", one, bob)).toEqual({ seq: 1, unread: 1 });
    const [entry, ...more] = world.store.entries("inbox:bob");
    expect([entry, more]).toMatchObject([{ kind: "dismissed", own: JSON.stringify({ announcement: one }), unread: 0 }, []]);
    for (const view of [here, there]) {
      expect(view.unreadAt(2)).toBe(2);
      if (entry !== undefined) view.settledBy(entry);
      expect(view.unreadAt(2)).toBe(1);
    }
    expect((await (await node.room.view(ada)).snapshot()).unread).toBe(2);
    expect(await node.room.settle("bob", "acknowledge", other, bob)).toEqual({ seq: 2, unread: 0 });
  });

  it("has settled it for a session that begins on a node which has not heard of it yet, after the settling and before the announcement", async () => {
    const other = await world.node();
    const id = await announce(node);
    await node.room.settle("bob", "dismiss", id, bob);
    const view = await other.room.view(bob, 1);
    const [entry] = await shownAfter(world, view);
    expect(entry?.data).toMatchObject({ id, dismissedAt: at(0) });
    expect(view.unreadAt(1)).toBe(0);
  });

  it("cannot dismiss what is mandatory or not dismissible, and is told what to do instead", async () => {
    for (const fields of [{ mandatory: true }, { dismissible: false }]) {
      const id = await announce(node, fields);
      const refused = node.room.settle("bob", "dismiss", id, bob);
      await expect(refused).rejects.toMatchObject({ code: "bad_request", message: expect.stringMatching(/acknowledge it/) });
      await node.room.settle("bob", "acknowledge", id, bob);
    }
    expect(world.store.entries("inbox:bob").map(({ kind }) => kind)).toEqual(["acknowledged", "acknowledged"]);
  });

  it("cannot settle what is not there for them", async () => {
    const rescinded = await announce(node);
    await node.room.rescind(rescinded, "mia", {}, unrecorded);
    const expired = await announce(node, { expiresAt: at(10) });
    const scheduled = await announce(node, { startsAt: at(60) });
    const others = await announce(node, { audience: { users: ["ada"] } });
    world.clock.now += 10_000;
    for (const id of ["a-none", rescinded, expired, scheduled, others]) {
      await expect(node.room.settle("bob", "acknowledge", id, bob)).rejects.toMatchObject({ code: "not_found" });
    }
    for (const id of [undefined, 7, "", {}]) {
      await expect(node.room.settle("bob", "dismiss", id, bob)).rejects.toMatchObject({
        code: "bad_request",
        message: expect.stringMatching(/announcement/),
      });
    }
    expect(world.store.streams.has("inbox:bob")).toBe(false);
  });

  it("settles what another node has announced this very moment", async () => {
    const other = await world.node();
    const view = await other.room.view(bob);
    const id = await announce(node);
    expect(await other.room.settle("bob", "dismiss", id, view)).toEqual({ seq: 1, unread: 0 });
  });

  it("who joined after the end never sees it", async () => {
    await announce(node, { expiresAt: at(10) });
    await world.pass(10, node);
    const late = world.know("cy", [], START + 11_000);
    const view = await node.room.view(late);
    expect(await view.snapshot()).toMatchObject({ items: [], unread: 0, seq: 2 });
    expect((await shownAfter(world, view))[0]?.data).toMatchObject({ hidden: true });
  });
});

describe("how far members were reached", () => {
  it("is one write for all who passed the same entry, with the time at which the first did", async () => {
    await announce(node);
    for (const member of [ada, bob, { ...bob, user: "cy" }]) {
      const view = await node.room.view(member);
      await shownAfter(world, view);
      view.passed(1);
      world.clock.now += 100;
    }
    await world.pass(1, node);
    await world.pass(1, node);
    expect(world.store.passes).toEqual([{ mark: "reached", upTo: 1, at: START, users: ["ada", "bob", "cy"] }]);
  });

  it("is not written where there was nothing new for the member", async () => {
    await announce(node, { audience: { users: ["ada"] } });
    const view = await node.room.view(bob);
    await shownAfter(world, view);
    view.passed(1);
    await announce(node);
    await shownAfter(world, view);
    view.passed(2);
    await world.pass(1, node);
    const again = await node.room.view(bob);
    again.passed((await again.snapshot()).seq);
    await world.pass(1, node);
    expect(world.store.passes.map(({ upTo, users }) => [upTo, users])).toEqual([[2, ["bob"]]]);
  });

  it("is written once for all announcements that came between two writes, and nobody is reached before there is anything", async () => {
    const view = await node.room.view(bob);
    for (let count = 1; count <= 3; count++) {
      await announce(node);
      await shownAfter(world, view);
      view.passed(count);
      world.clock.now += 100;
    }
    await world.pass(1, node);
    expect(world.store.passes).toEqual([{ mark: "reached", upTo: 3, at: START, users: ["bob"] }]);
    const { items } = await node.room.list({ limit: 3 });
    for (const { id, createdAt } of items) {
      const { members } = await node.room.report(id, { limit: 5 });
      expect(members.find(({ user }) => user === "bob")?.reachedAt).toBe(createdAt);
    }
  });

  it("is also what a client says that it has, as the node that sent it may have died before it wrote so", async () => {
    await announce(node);
    const view = await node.room.view(bob);
    view.confirmed(1);
    await world.pass(1, node);
    const again = await node.room.view(bob);
    again.confirmed(1);
    await world.pass(1, node);
    expect(world.store.passes.map(({ upTo, users }) => [upTo, users])).toEqual([[1, ["bob"]]]);
  });

  it("waits while the store is away, and is written when the room stops", async () => {
    await announce(node);
    const view = await node.room.view(bob);
    view.passed((await view.snapshot()).seq);
    world.store.away = true;
    await world.pass(1, node);
    expect([world.store.passes, node.errors.length > 0]).toEqual([[], true]);
    world.store.away = false;
    await node.room.seen("bob");
    await node.room.stop();
    expect(world.store.passes).toEqual([
      { mark: "reached", upTo: 1, at: START, users: ["bob"] },
      { mark: "seen", upTo: 1, at: START + 1_000, users: ["bob"] },
    ]);
  });

  it("goes no further for the eye than what has reached them, and is written once", async () => {
    await announce(node);
    await node.room.seen("bob");
    const view = await node.room.view(bob);
    view.passed((await view.snapshot()).seq);
    await world.pass(1, node);
    await node.room.seen("bob");
    await node.room.seen("bob");
    await world.pass(1, node);
    await node.room.seen("bob");
    await world.pass(1, node);
    expect(world.store.passes.filter(({ mark }) => mark === "seen")).toEqual([
      { mark: "seen", upTo: 1, at: START + 1_000, users: ["bob"] },
    ]);
  });
});
