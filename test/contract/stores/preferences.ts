import { beforeEach, describe, expect, it } from "@jest/globals";
import type { LevelSetting, PreferenceChange } from "../../../src/preferences/types.js";
import type { Stores } from "../../../src/storage/types.js";
import { fresh, T0 } from "../../support/rows.js";

/** More changes than any test makes. */
const ALL = 1_000;

/** A level with the fields that do not matter filled in. */
function level(user: string, over: Partial<LevelSetting> = {}): LevelSetting {
  return { user, scope: "thread", id: "t1", level: "watching", until: null, ...over };
}

/** Watch levels and blocks, and the versions by which a node keeps up with the others. */
export function preferenceContract(stores: () => Stores): void {
  describe("preferences", () => {
    // The tests share one store: each looks at what comes after its beginning.
    let start: number;
    beforeEach(async () => {
      start = await stores().preferences.version();
    });
    const changes = (limit = ALL) => stores().preferences.changesSince(start, limit);

    it("are the process's own only in a store that nobody shares", () => {
      expect(stores().preferences.exclusive).toBe(stores().kind === "sqlite");
    });

    it("without anything new have no changes and the same version", async () => {
      expect(await changes()).toEqual([]);
      expect(await stores().preferences.version()).toBe(start);
    });

    it("come back as they were set, in the order in which they were", async () => {
      const { preferences } = stores();
      const [anna, ben] = [fresh("anna"), fresh("ben")];
      const settings = [
        level(anna, { until: T0 }),
        level(anna, { scope: "tag", level: "muted" }),
        level(ben, { scope: "category", id: "c", level: "normal" }),
        level(anna, { scope: "all", id: "" }),
      ];
      const expected: PreferenceChange[] = [];
      for (const setting of settings) expected.push({ of: "level", ...setting, version: await preferences.setLevel(setting) });
      const block = { user: anna, other: ben, blocked: true };
      expected.push({ of: "block", ...block, version: await preferences.setBlock(block) });
      expect(await changes()).toEqual(expected);
    });

    it("have a version that every change moves up, and that the change is known by", async () => {
      const { preferences } = stores();
      const user = fresh("u");
      const versions = [start];
      for (const id of ["a", "b", "a"]) {
        versions.push(await preferences.setLevel(level(user, { id })));
        expect(await preferences.version()).toBe(versions.at(-1));
      }
      versions.push(await preferences.setBlock({ user, other: "x", blocked: true }));
      expect(versions).toEqual([...new Set(versions)].sort((one, other) => one - other));
      expect(await preferences.version()).toBe(versions.at(-1));
    });

    it("of one place are only the last ones set there, under the last version", async () => {
      const { preferences } = stores();
      const user = fresh("u");
      await preferences.setLevel(level(user, { level: "muted", until: T0 }));
      await preferences.setBlock({ user, other: "x", blocked: true });
      const last = level(user, { level: "watching" });
      const version = await preferences.setLevel(last);
      const ended = await preferences.setBlock({ user, other: "x", blocked: false });
      expect(await changes()).toEqual([
        { of: "level", ...last, version },
        { of: "block", user, other: "x", blocked: false, version: ended },
      ]);
    });

    it("are set again even where they say the same, so that a repeat is seen by all", async () => {
      const { preferences } = stores();
      const user = fresh("u");
      await preferences.setLevel(level(user));
      const version = await preferences.setLevel(level(user));
      expect(await changes()).toEqual([{ of: "level", ...level(user), version }]);
    });

    it("of members, scopes and blocks with the same names are kept apart", async () => {
      const { preferences } = stores();
      const [one, other] = [fresh("u"), fresh("u")];
      await preferences.setLevel(level(one, { scope: "thread", id: "x" }));
      await preferences.setLevel(level(one, { scope: "tag", id: "x" }));
      await preferences.setLevel(level(one, { scope: "category", id: "x" }));
      await preferences.setBlock({ user: one, other: "x", blocked: true });
      await preferences.setLevel(level(other, { scope: "thread", id: "x" }));
      await preferences.setBlock({ user: "x", other: one, blocked: true });
      expect(await changes()).toHaveLength(6);
    });

    it("are read in pages, each after the version of the one before", async () => {
      const { preferences } = stores();
      const user = fresh("u");
      for (let index = 0; index < 5; index++) await preferences.setLevel(level(user, { id: String(index) }));
      const all = await changes();
      const first = await changes(2);
      expect(first).toEqual(all.slice(0, 2));
      expect(await preferences.changesSince(first[1]?.version ?? 0, 2)).toEqual(all.slice(2, 4));
      expect(await preferences.changesSince(all[4]?.version ?? 0, 2)).toEqual([]);
      expect(await changes(0)).toEqual([]);
    });

    it.each(["$gt", "__proto__", "a.b.c", "", "🎺", " ", "NULL", "é"])("may be about anything, such as %j", async (odd) => {
      const { preferences } = stores();
      const user = fresh("u");
      await preferences.setLevel(level(user, { id: odd }));
      await preferences.setLevel(level(odd, { id: user }));
      await preferences.setBlock({ user, other: odd, blocked: true });
      await preferences.setBlock({ user: odd, other: user, blocked: false });
      expect(await changes()).toMatchObject([
        level(user, { id: odd }),
        level(odd, { id: user }),
        { user, other: odd, blocked: true },
        { user: odd, other: user, blocked: false },
      ]);
    });

    it("set by many at once all get a version of their own", async () => {
      const { preferences } = stores();
      const user = fresh("u");
      const versions = await Promise.all(
        Array.from({ length: 24 }, (_, index) =>
          index % 2 === 0
            ? preferences.setLevel(level(user, { id: String(index) }))
            : preferences.setBlock({ user, other: String(index), blocked: true }),
        ),
      );
      expect(new Set(versions).size).toBe(24);
      expect((await changes()).map(({ version }) => version)).toEqual(versions.sort((one, other) => one - other));
    });

    it("of one place, set by many at once, are those of one of them, under the last version", async () => {
      const { preferences } = stores();
      const user = fresh("u");
      const versions = await Promise.all(
        Array.from({ length: 12 }, (_, index) => preferences.setLevel(level(user, { until: T0 + index }))),
      );
      const last = Math.max(...versions);
      expect(await changes()).toEqual([{ of: "level", ...level(user, { until: T0 + versions.indexOf(last) }), version: last }]);
    });

    it("leave nothing out for whoever reads a version, and then the changes up to it, while others write", async () => {
      const { preferences } = stores();
      const user = fresh("u");
      let writing = true;
      const writers = Promise.all(
        Array.from({ length: 6 }, async (_, writer) => {
          for (let turn = 0; turn < 5; turn++) await preferences.setLevel(level(user, { id: `${writer}/${turn}` }));
        }),
      ).finally(() => {
        writing = false;
      });
      const looks: Array<{ version: number; known: Set<number> }> = [];
      while (writing) {
        const version = await preferences.version();
        looks.push({ version, known: new Set((await changes()).map((change) => change.version)) });
      }
      await writers;
      const all = (await changes()).map(({ version }) => version);
      expect(all).toHaveLength(30);
      for (const { version, known } of looks) expect(all.filter((one) => one <= version && !known.has(one))).toEqual([]);
    });
  });
}
