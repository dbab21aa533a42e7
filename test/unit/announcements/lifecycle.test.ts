import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type Fault, faulty } from "../../support/faulty-store.js";
import { announce, at, type Node, START, shownAfter, unrecorded, World } from "./harness.js";

let world: World;
let one: Node;

beforeEach(async () => {
  world = new World();
  world.know("ada", ["moderator"]);
  world.know("bob");
  one = await world.node();
});
afterEach(() => world.close());

describe("an announcement", () => {
  it("for all is one entry and one record, however many members there are", async () => {
    for (let count = 0; count < 1_000; count++) world.know(`m${count}`);
    const before = world.store.writes;
    const recorded: string[] = [];
    const { announcement } = await one.room.announce("mia", { title: "News", text: "x" }, async (id) => void recorded.push(id));
    expect(world.store.writes - before).toBe(2);
    expect(recorded).toEqual([announcement.id]);
    expect(world.store.entries("announcements")).toMatchObject([{ seq: 1, kind: "announcement", own: JSON.stringify(announcement) }]);
    expect(await one.room.get(announcement.id)).toEqual({ ...announcement, state: "live" });
  });

  it("is not stored where the audit log cannot be written first", async () => {
    const refused = one.room.announce("mia", { title: "News", text: "x" }, () => Promise.reject(new Error("no audit")));
    await expect(refused).rejects.toThrow("no audit");
    expect(world.store.writes).toBe(0);
  });

  it("with a key is announced once, and a repeat is answered as the first time, whatever has become of it", async () => {
    const payload = { title: "News", text: "x", startsAt: at(10), key: "deploy-7" };
    const first = await one.room.announce("mia", payload, unrecorded);
    await world.pass(60, one);
    const recorded: string[] = [];
    const again = await one.room.announce("mia", payload, async (id) => void recorded.push(id));
    expect(again).toEqual({ announcement: first.announcement, created: false });
    await one.room.rescind(first.announcement.id, "mia", {}, unrecorded);
    expect((await one.room.announce("mia", payload, unrecorded)).created).toBe(false);
    expect([recorded, world.kinds()]).toEqual([[], ["announcement", "announcement.rescinded"]]);
  });

  it("with a key that two nodes get at once is announced once", async () => {
    const other = await world.node();
    for (const startsAt of [null, at(10)]) {
      const payload = { title: "News", text: "x", key: `key ${startsAt}`, startsAt };
      const answers = await Promise.all([one.room.announce("mia", payload, unrecorded), other.room.announce("max", payload, unrecorded)]);
      expect(answers.map(({ created }) => created).sort()).toEqual([false, true]);
      expect(answers[0]?.announcement).toEqual(answers[1]?.announcement);
    }
    await world.pass(10, one, other);
    expect(world.kinds()).toEqual(["announcement", "announcement"]);
  });

  it("is listed newest first, in pages, with those that have ended", async () => {
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) {
      ids.unshift(await announce(one));
      world.clock.now += 1_000;
    }
    await one.room.rescind(ids[1] as string, "mia", { why: "wrong" }, unrecorded);
    const first = await one.room.list({ limit: 3 });
    const second = await one.room.list({ limit: 3, before: first.items.at(-1)?.id as string });
    expect([first, second].map(({ items, more }) => [items.map(({ id }) => id), more])).toEqual([
      [ids.slice(0, 3), true],
      [ids.slice(3), false],
    ]);
    expect(first.items[1]).toMatchObject({ state: "rescinded", why: "wrong", rescindedAt: at(5) });
    await expect(one.room.list({ limit: 3, before: "a-none" })).rejects.toMatchObject({ code: "not_found" });
    await expect(one.room.get("a-none")).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("a scheduled announcement", () => {
  it("appears at its time and disappears at its end, once, on two nodes that both try", async () => {
    const two = await world.node();
    const id = await announce(one, { startsAt: at(10), expiresAt: at(20), audience: { roles: ["moderator"] } });
    expect([world.kinds(), (await one.room.get(id)).state]).toEqual([[], "scheduled"]);
    await world.pass(9, one, two);
    expect(world.kinds()).toEqual([]);
    await world.pass(1, one, two);
    expect([world.kinds(), (await one.room.get(id)).state]).toEqual([["announcement"], "live"]);
    await world.pass(9, one, two);
    await world.pass(1, one, two);
    await world.pass(60, one, two);
    expect((await one.room.get(id)).state).toBe("expired");
    expect(world.store.entries("announcements")).toMatchObject([
      { kind: "announcement", at: START + 10_000 },
      {
        kind: "announcement.rescinded",
        at: START + 20_000,
        own: JSON.stringify({ id, why: "expired", audience: { roles: ["moderator"] } }),
      },
    ]);
    expect([...one.errors, ...two.errors]).toEqual([]);
  });

  it("appears where the node that took it has ended", async () => {
    const two = await world.node();
    await announce(one, { startsAt: at(10) });
    await one.room.stop();
    await world.pass(5, two);
    await world.pass(5, two);
    expect(world.kinds()).toEqual(["announcement"]);
  });

  it("appears late after a restart, unless its end has passed too: then nobody ever sees it", async () => {
    const late = await announce(one, { startsAt: at(10) });
    const missed = await announce(one, { startsAt: at(10), expiresAt: at(20) });
    const ended = await announce(one, { expiresAt: at(20) });
    await one.room.stop();
    world.clock.now += 60_000;
    const restarted = await world.node();
    const states = await Promise.all([late, missed, ended].map(async (id) => (await restarted.room.get(id)).state));
    expect(states).toEqual(["live", "expired", "expired"]);
    expect(world.kinds().sort()).toEqual(["announcement", "announcement", "announcement.rescinded"]);
  });

  it("can be put off, brought forward and taken back, and no node goes by the old time", async () => {
    const two = await world.node();
    const off = await announce(one, { startsAt: at(10) });
    const forward = await announce(one, { startsAt: at(100) });
    const back = await announce(one, { startsAt: at(10) });
    await world.pass(5, one, two);
    await two.room.edit(off, "mia", { startsAt: at(50) }, unrecorded);
    await two.room.edit(forward, "mia", { startsAt: null }, unrecorded);
    expect(await two.room.rescind(back, "mia", undefined, unrecorded)).toMatchObject({ rescindedAt: at(5), why: "rescinded" });
    await world.pass(5, one, two);
    expect(world.store.entries("announcements")).toMatchObject([{ own: expect.stringContaining(forward) }]);
    await world.pass(40, one, two);
    expect(world.kinds()).toEqual(["announcement", "announcement"]);
  });

  it("waits while the store is away, and appears when it is back", async () => {
    await announce(one, { startsAt: at(10) });
    world.store.away = true;
    await world.pass(10, one);
    expect(one.errors).not.toEqual([]);
    world.store.away = false;
    await world.pass(1, one);
    expect(world.kinds()).toEqual(["announcement"]);
  });
});

describe("a change of a live announcement", () => {
  it("changes what is given, takes away what is null, and is an entry with the whole of it", async () => {
    const id = await announce(one, { url: "https://forum.example/t/1", level: "critical", expiresAt: at(60) });
    const recorded: string[] = [];
    const edited = await one.room.edit(id, "max", { title: "Other news", url: null, expiresAt: null }, async (target) => {
      recorded.push(target);
    });
    const { state, ...stored } = await one.room.get(id);
    expect(edited).toEqual(stored);
    expect(edited).toEqual({
      id,
      title: "Other news",
      text: "There is news.",
      level: "critical",
      dismissible: true,
      mandatory: false,
      createdAt: at(0),
      by: "mia",
    });
    expect([state, recorded]).toEqual(["live", [id]]);
    expect(world.store.entries("announcements", 1)).toMatchObject([{ kind: "announcement.updated", own: JSON.stringify(edited) }]);
    await world.pass(60, one);
    expect(world.kinds()).toHaveLength(2);
  });

  it("that changes nothing writes nothing", async () => {
    const id = await announce(one, { audience: { users: ["ada"] } });
    const before = world.store.writes;
    const recorded: string[] = [];
    const change = { title: "News", level: null, audience: { users: ["ada", "ada"] } };
    await one.room.edit(id, "mia", change, async (target) => void recorded.push(target));
    expect([world.store.writes, recorded]).toEqual([before, []]);
  });

  it("is not lost where two are made at once on two nodes", async () => {
    const two = await world.node();
    const id = await announce(one);
    await Promise.all([
      one.room.edit(id, "mia", { title: "A" }, unrecorded),
      two.room.edit(id, "max", { text: "B" }, unrecorded),
      one.room.edit(id, "mia", { level: "warning" }, unrecorded),
    ]);
    expect(await two.room.get(id)).toMatchObject({ title: "A", text: "B", level: "warning" });
    expect(world.store.entries("announcements").map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  it("of its end is what counts", async () => {
    const id = await announce(one, { expiresAt: at(10) });
    await one.room.edit(id, "mia", { expiresAt: at(30) }, unrecorded);
    await world.pass(10, one);
    expect((await one.room.get(id)).state).toBe("live");
    await world.pass(20, one);
    expect((await one.room.get(id)).state).toBe("expired");
  });
});

describe("a store that loses an answer", () => {
  it.each<Fault>(["performed", "dropped", "late"])("has each act happen once, where the write was %s", async (fault) => {
    const id = await announce(one);
    const key = "deploy";
    const acts: Array<(node: Node) => Promise<unknown>> = [
      ({ room }) => room.announce("mia", { title: "News", text: "x", key }, unrecorded),
      ({ room }) => room.edit(id, "mia", { text: "y" }, unrecorded),
      ({ room }) => room.rescind(id, "mia", {}, unrecorded),
    ];
    for (const act of acts) {
      const streams = faulty(world.store.asStreamStore(), [fault]);
      const node = await world.node({ streams, announcements: world.store });
      await act(node);
      expect(streams.left).toBe(0);
    }
    expect(world.kinds()).toEqual(["announcement", "announcement", "announcement.updated", "announcement.rescinded"]);
    expect(await one.room.get(id)).toMatchObject({ text: "y", state: "rescinded" });
  });
});

describe("a rescission", () => {
  it("takes it away with its reason, once, and the second one is told so", async () => {
    const two = await world.node();
    const id = await announce(one);
    const recorded: Array<[string, string | undefined]> = [];
    const rescinded = await one.room.rescind(id, "mia", { why: "a mistake" }, async (target, why) => void recorded.push([target, why]));
    expect(rescinded).toMatchObject({ id, title: "News", state: "rescinded", rescindedAt: at(0), why: "a mistake" });
    expect(recorded).toEqual([[id, "a mistake"]]);
    await expect(two.room.rescind(id, "mia", {}, unrecorded)).rejects.toMatchObject({ code: "not_found" });
    expect(world.kinds()).toEqual(["announcement", "announcement.rescinded"]);
  });

  it("and an edit at once on two nodes end in a rescinded one", async () => {
    const two = await world.node();
    const id = await announce(one);
    await Promise.allSettled([one.room.rescind(id, "mia", {}, unrecorded), two.room.edit(id, "mia", { text: "x" }, unrecorded)]);
    expect((await one.room.get(id)).state).toBe("rescinded");
    expect(world.kinds().at(-1)).toBe("announcement.rescinded");
  });

  it("on one node is known to a session of another", async () => {
    const two = await world.node();
    const id = await announce(one);
    const view = await two.room.view({ user: "bob", roles: [], joinedAt: START });
    expect((await view.snapshot()).items.map((item) => item.id)).toEqual([id]);
    await one.room.rescind(id, "mia", {}, unrecorded);
    expect(await shownAfter(world, view, 1)).toMatchObject([{ seq: 2, data: { id, why: "rescinded" } }]);
    expect([view.unreadAt(1), view.unreadAt(2)]).toEqual([1, 0]);
  });
});
