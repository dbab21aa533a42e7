import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type Embedded, openEmbedded } from "../../support/embedded.js";
import { announce, at, type Node, unrecorded, World } from "./harness.js";

let embedded: Embedded;
let world: World;

beforeEach(async () => {
  embedded = await openEmbedded();
  const { streams, announcements } = embedded.stores;
  world = new World({ streams, announcements });
});
afterEach(async () => {
  await world.close();
  await embedded.close();
});

const entriesOf = async ({ log }: Node, stream = "announcements") =>
  (await log.page(stream, 0, 100)).map(({ kind, own }) => ({ kind, own }));

describe("announcements on an embedded store", () => {
  it("appear, change and disappear once, on two nodes and after a restart", async () => {
    const [one, two] = [await world.node(), await world.node()];
    const kept = await announce(one, { startsAt: at(10), audience: null });
    const brief = await announce(two, { startsAt: at(10), expiresAt: at(20), mandatory: true });
    await world.pass(10, one, two);
    await Promise.all([
      one.room.edit(kept, "mia", { title: "A" }, unrecorded),
      two.room.edit(kept, "mia", { url: "https://forum.example" }, unrecorded),
    ]);
    await one.room.stop();
    await two.room.stop();
    world.clock.now += 60_000;
    const three = await world.node();
    const entries = await entriesOf(three);
    expect(entries.map(({ kind }) => kind)).toEqual([
      "announcement",
      "announcement",
      "announcement.updated",
      "announcement.updated",
      "announcement.rescinded",
    ]);
    expect(entries.at(-1)?.own).toBe(JSON.stringify({ id: brief, why: "expired" }));
    expect(await three.room.get(kept)).toMatchObject({ title: "A", url: "https://forum.example", state: "live" });
    await three.room.edit(kept, "mia", { title: "A", url: "https://forum.example", audience: {} }, unrecorded);
    expect(await entriesOf(three)).toHaveLength(5);
    expect((await three.room.list({ limit: 50 })).items.map(({ state }) => state).sort()).toEqual(["expired", "live"]);
    expect([one, two, three].flatMap(({ errors }) => errors)).toEqual([]);
  });

  it("with one key are one, whichever node gets them", async () => {
    const [one, two] = [await world.node(), await world.node()];
    const payload = { title: "News", text: "x", key: "deploy" };
    const answers = await Promise.all([one.room.announce("mia", payload, unrecorded), two.room.announce("max", payload, unrecorded)]);
    expect(answers.map(({ created }) => created).sort()).toEqual([false, true]);
    expect(await entriesOf(one)).toHaveLength(1);
  });

  it("are settled once, seen by all devices and told in the report", async () => {
    const [ada, bob] = [world.know("ada"), world.know("bob")];
    const node = await world.node();
    const id = await announce(node);
    const view = await node.room.view(bob);
    view.passed((await view.snapshot()).seq);
    await world.pass(1, node);
    await node.room.seen("bob");
    await world.pass(1, node);
    await node.room.settle("ada", "acknowledge", id, ada);
    expect(await node.room.settle("ada", "acknowledge", id, ada)).toEqual({ seq: 1, unread: 0 });
    expect(await entriesOf(node, "inbox:ada")).toEqual([{ kind: "acknowledged", own: JSON.stringify({ announcement: id }) }]);
    expect(await (await node.room.view(ada)).snapshot()).toMatchObject({ unread: 0, items: [{ id, acknowledgedAt: at(2) }] });
    expect(await node.room.report(id, { limit: 50 })).toEqual({
      audience: 2,
      reached: 2,
      seen: 2,
      acknowledged: 1,
      members: [
        { user: "ada", reachedAt: at(2), seenAt: at(2), acknowledgedAt: at(2) },
        { user: "bob", reachedAt: at(0), seenAt: at(1), acknowledgedAt: null },
      ],
      more: false,
    });
  });
});
