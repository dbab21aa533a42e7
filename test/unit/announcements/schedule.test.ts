import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { announce, at, type Node, START, World } from "./harness.js";

/** How long the node that has the lease may take to learn what another was told, and how often it looks for what is due. Seconds. */
const REFRESH = 5;
const TICK = 1;

/** Announcements that are due at once. */
const MANY = 40;

let world: World;
/** Which of the nodes has the lease; null where none has. */
let holder: number | null;
let one: Node;
let two: Node;

beforeEach(async () => {
  world = new World();
  holder = 0;
  one = await world.node(undefined, () => holder === 0);
  two = await world.node(undefined, () => holder === 1);
});
afterEach(() => world.close());

/** So many seconds go by, one at a time, as nodes tick. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) await world.pass(TICK, one, two);
}

const times = () => world.store.entries("announcements").map((entry) => (entry.at - START) / 1_000);

describe("of nodes of which one has the lease, it", () => {
  it("brings and ends in time what another was told to announce", async () => {
    await announce(two, { startsAt: at(10), expiresAt: at(20) });
    await announce(two, { expiresAt: at(15) });
    await pass(30);
    expect(world.kinds()).toEqual(["announcement", "announcement", "announcement.rescinded", "announcement.rescinded"]);
    expect(times()).toEqual([0, 10, 15, 20]);
  });

  it("brings what another was told to announce right away, or changed, as soon as it has heard of it", async () => {
    await pass(1);
    await announce(two, { startsAt: at(2) });
    const off = await announce(two, { startsAt: at(3) });
    await two.room.edit(off, "mia", { startsAt: at(60) }, async () => {});
    await pass(REFRESH);
    expect(times()).toHaveLength(1);
    expect(times()[0]).toBeLessThanOrEqual(1 + REFRESH);
  });

  it("is the only one that writes: another does not even where it is late", async () => {
    await announce(one, { startsAt: at(5) });
    await announce(two, { startsAt: at(5) });
    await pass(4);
    world.clock.now += 60_000;
    await two.room.tick();
    expect(world.kinds()).toEqual([]);
    await one.room.tick();
    expect(world.kinds()).toEqual(["announcement", "announcement"]);
  });

  it("leaves what is due while nobody has it to the next, which brings it at its first tick, once", async () => {
    await announce(one, { startsAt: at(5) });
    await announce(one, { startsAt: at(50) });
    await pass(4);
    holder = null;
    await announce(one, { startsAt: at(6) });
    await pass(10);
    expect(world.kinds()).toEqual([]);
    holder = 1;
    await pass(TICK);
    expect(times()).toEqual([15, 15]);
    holder = 0;
    await pass(40);
    expect(times()).toEqual([15, 15, 50]);
  });

  it("knows at its first tick what another node was told a moment before, and was to do itself", async () => {
    await pass(REFRESH);
    await announce(one, { startsAt: at(REFRESH + 1) });
    await one.room.stop();
    holder = 1;
    world.clock.now += 1_000;
    await two.room.tick();
    expect(world.kinds()).toEqual(["announcement"]);
  });

  it("stops in the midst of what is due when it loses it, and what is left appears once", async () => {
    for (let count = 0; count < MANY; count++) await announce(two, { startsAt: at(5) });
    await pass(4);
    const losing = world.node(undefined, () => holder === 0 && world.kinds().length < MANY / 2);
    one = await losing;
    await world.pass(1, one);
    expect(world.kinds()).toHaveLength(MANY / 2);
    holder = 1;
    await world.pass(1, one, two);
    expect(world.kinds()).toHaveLength(MANY);
    expect(new Set(world.store.entries("announcements").map(({ own }) => own)).size).toBe(MANY);
  });

  it("may be two for a moment: each announcement appears and ends once all the same", async () => {
    await world.close();
    one = await world.node();
    two = await world.node();
    for (let count = 0; count < MANY; count++) await announce(count % 2 === 0 ? one : two, { startsAt: at(5), expiresAt: at(12) });
    await pass(20);
    expect(world.kinds().sort()).toEqual([...Array(MANY).fill("announcement"), ...Array(MANY).fill("announcement.rescinded")]);
  });
});
