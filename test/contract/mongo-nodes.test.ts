import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Stores } from "../../src/storage/types.js";
import { openTemporaryMongo } from "../support/open-stores.js";
import { T0 } from "../support/rows.js";
import type { StoreUnderTest } from "./stores/under-test.js";

/** Writers at once on each node. */
const WRITERS = 8;

describe("MongoDB, shared by four nodes that write to the same places at once", () => {
  let store: StoreUnderTest;
  let nodes: Stores[];
  beforeAll(async () => {
    store = await openTemporaryMongo();
    nodes = await Promise.all(Array.from({ length: 4 }, () => store.reopen()));
  });
  afterAll(() => store.destroy());

  /** Runs the work of every writer of every node; `writer` counts them all. */
  const everywhere = <T>(work: (node: Stores, writer: number) => Promise<T>): Promise<T[]> =>
    Promise.all(nodes.flatMap((node, index) => Array.from({ length: WRITERS }, (_, turn) => work(node, index * WRITERS + turn))));
  const ascending = (numbers: number[]) => numbers.toSorted((one, other) => one - other);

  it("gives every change of a preference a version of its own, and whoever reads one finds all changes up to it", async () => {
    const looks: Array<{ version: number; known: Set<number> }> = [];
    const versions = await everywhere(async (node, writer) => {
      const version = await node.preferences.setLevel({ user: "u", scope: "tag", id: String(writer), level: "muted", until: null });
      const seen = await node.preferences.version();
      looks.push({ version: seen, known: new Set((await node.preferences.changesSince(0, 1_000)).map((change) => change.version)) });
      return version;
    });
    const all = (await store.stores.preferences.changesSince(0, 1_000)).map(({ version }) => version);
    expect(all).toEqual(ascending(versions));
    expect(new Set(all).size).toBe(versions.length);
    for (const { version, known } of looks) expect(all.filter((one) => one <= version && !known.has(one))).toEqual([]);
  });

  it("moves the watermarks of members who are new to all of them to the highest", async () => {
    const users = Array.from({ length: 100 }, (_, index) => `user-${index}`);
    await everywhere((node, writer) => node.announcements.pass("reached", writer + 1, T0, users.slice(0, users.length - writer)));
    const marks = await store.stores.announcements.watermarks(users);
    for (const [index, user] of users.entries()) {
      const seqs = marks.get(user)?.reached.map(({ upTo }) => upTo) ?? [];
      expect(seqs).toEqual(ascending([...new Set(seqs)]));
      expect(seqs.at(-1)).toBe(Math.min(nodes.length * WRITERS, users.length - index));
    }
  });

  it("knows a member whom all of them meet since the earliest moment", async () => {
    await everywhere((node, writer) =>
      node.members.meet([
        { user: "anna", at: T0 + writer },
        { user: "ben", at: T0 - writer, roles: ["member"] },
      ]),
    );
    const found = await store.stores.members.find(["anna", "ben"]);
    expect(found.get("anna")).toMatchObject({ joinedAt: T0, roles: [] });
    expect(found.get("ben")).toMatchObject({ joinedAt: T0 - nodes.length * WRITERS + 1, roles: ["member"] });
  });

  it("gives a lease to one of all, and agrees on who has it where nodes' clocks are minutes apart", async () => {
    const taken = await everywhere((node, writer) => node.leases.take("upkeep", `holder ${writer}`, 60_000));
    expect(taken.filter((one) => one)).toHaveLength(1);
    const holder = `holder ${taken.indexOf(true)}`;
    const [one, other] = nodes as [Stores, Stores];
    const real = Date.now;
    try {
      Date.now = () => real() + 300_000;
      expect(await other.leases.take("upkeep", "of a node that is ahead", 60_000)).toBe(false);
      expect(await one.leases.take("upkeep", holder, 60_000)).toBe(true);
      Date.now = () => real() - 300_000;
      expect(await one.leases.take("upkeep", holder, 60_000)).toBe(true);
      Date.now = real;
      expect(await other.leases.take("upkeep", "of a node whose clock is right", 60_000)).toBe(false);
    } finally {
      Date.now = real;
    }
  });

  it("counts every write of a topic once", async () => {
    const values = await everywhere((node, writer) => node.topics.write("score", String(writer), undefined, T0));
    expect(ascending(values.map(({ seq }) => seq))).toEqual(values.map((_, index) => index + 1));
    const last = values.find(({ seq }) => seq === values.length);
    expect((await store.stores.topics.read(["score"])).get("score")).toEqual(last);
  });

  it("lets one of the reports that end a task count, and tells it to all", async () => {
    const task = { id: "export", user: "anna", at: T0, title: "$title" };
    const saved = await everywhere((node, writer) =>
      node.tasks.save({ ...task, state: writer % 2 === 0 ? "completed" : "failed", percent: writer }),
    );
    expect(new Set(saved.map(({ percent }) => percent)).size).toBe(1);
    expect(await store.stores.tasks.find("export")).toEqual(saved[0]);
  });
});
