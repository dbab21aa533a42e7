import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Presence, Roll } from "../../../src/presence/index.js";

function rig(names: Record<string, string> = {}) {
  const presence = new Presence();
  const asked: string[][] = [];
  const roll = new Roll({
    presence,
    names: async (users) => {
      asked.push(users);
      return new Map(users.flatMap((user): Array<[string, string]> => (Object.hasOwn(names, user) ? [[user, names[user] as string]] : [])));
    },
  });
  return { presence, roll, asked };
}

describe("the roll of who is online", () => {
  it("names everybody once, in the order of ids, with names where they are known, over all nodes", async () => {
    const { presence, roll } = rig({ ada: "Ada", chidi: "Chidi" });
    for (const user of ["chidi", "ada", "ada"]) presence.enter(user);
    presence.peer("b").entered(["bruno", "ada"]);
    const gone = presence.peer("c");
    gone.entered(["zoe", "bruno"]);
    gone.gone();
    expect(await roll.page({ limit: 10 })).toEqual({
      items: [
        { user: "ada", name: "Ada", sessions: 3 },
        { user: "bruno", sessions: 1 },
        { user: "chidi", name: "Chidi", sessions: 1 },
      ],
      more: false,
    });
  });

  it("tells of one member whether they are there, and nobody else", async () => {
    const { presence, roll } = rig({ ada: "Ada" });
    for (const user of ["ada", "adam"]) presence.enter(user);
    expect(await roll.page({ user: "ada", limit: 10 })).toEqual({ items: [{ user: "ada", name: "Ada", sessions: 1 }], more: false });
    presence.leave("ada");
    expect(await roll.page({ user: "ada", limit: 10 })).toEqual({ items: [], more: false });
  });

  it("comes in pages that together are everybody, whatever the ids", async () => {
    const users = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(users, users, fc.integer({ min: 1, max: 7 }), async (here, there, limit) => {
        const { presence, roll } = rig();
        for (const user of here) presence.enter(user);
        presence.peer("b").entered(there);
        const met: string[] = [];
        for (let after: string | undefined; ; after = met.at(-1)) {
          const { items, more } = await roll.page({ after, limit });
          met.push(...items.map(({ user }) => user));
          if (!more) break;
          expect(items).toHaveLength(limit);
        }
        expect(met).toEqual([...new Set([...here, ...there])].sort((one, other) => (one < other ? -1 : 1)));
      }),
      { numRuns: 60 },
    );
  });

  it("finds a text in ids and names, in whatever case, page by page", async () => {
    const { presence, roll } = rig({ 1: "Ada", 2: "Bruno", 3: "ADAM", 4: "Zoe" });
    for (const user of ["1", "2", "3", "4", "Ada"]) presence.enter(user);
    expect(await roll.page({ search: "aDa", limit: 2 })).toEqual({
      items: [
        { user: "1", name: "Ada", sessions: 1 },
        { user: "3", name: "ADAM", sessions: 1 },
      ],
      more: true,
    });
    expect(await roll.page({ search: "aDa", limit: 2, after: "3" })).toEqual({ items: [{ user: "Ada", sessions: 1 }], more: false });
    expect(await roll.page({ search: "nobody", limit: 2 })).toEqual({ items: [], more: false });
  });

  it("looks at so many members in one search, and says where to go on", async () => {
    const { presence, roll, asked } = rig();
    const name = (index: number) => `m${String(index).padStart(5, "0")}`;
    presence.peer("b").entered(Array.from({ length: 6_000 }, (_, index) => name(index)));
    const first = await roll.page({ search: name(5_500), limit: 10 });
    expect(first).toEqual({ items: [], more: true, next: name(4_999) });
    expect(asked.flat()).toHaveLength(5_000);
    expect(await roll.page({ search: name(5_500), limit: 10, after: name(4_999) })).toMatchObject({
      items: [{ user: name(5_500) }],
      more: false,
    });
  });

  it("bears it that members come and go while it is called", async () => {
    const { presence, roll } = rig();
    const users = Array.from({ length: 12_000 }, (_, index) => `m${String(index).padStart(5, "0")}`);
    for (const user of users) presence.enter(user);
    const page = roll.page({ limit: 12_000 });
    setImmediate(() => {
      for (const user of users.slice(11_000)) presence.leave(user);
      presence.peer("b").entered(users.slice(0, 11_500));
    });
    const { items } = await page;
    expect(new Set(items.map(({ user }) => user)).size).toBe(items.length);
    expect(items.map(({ user }) => user).slice(0, 11_000)).toEqual(users.slice(0, 11_000));
    expect(items.every(({ sessions }) => sessions >= 1)).toBe(true);
    presence.close();
  });
});
