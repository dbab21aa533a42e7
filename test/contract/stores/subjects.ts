import { describe, expect, it } from "@jest/globals";
import type { Burial } from "../../../src/community/types.js";
import type { Stores } from "../../../src/storage/types.js";
import { fresh } from "../../support/rows.js";

/** Times that no other test uses, so that forgetting touches nothing else. */
const OLD = 1_000;

function burial(over: Partial<Burial> = {}): Burial {
  return { why: "deleted", at: 5_000_000, learnedAt: 6_000_000, ...over };
}

/** Which subjects are gone. */
export function subjectContract(stores: () => Stores): void {
  describe("the subjects", () => {
    it("are gone from when they are buried until they are revived", async () => {
      const { subjects } = stores();
      const [one, other] = [fresh("comment"), fresh("comment")];
      expect(await subjects.buried([one, other])).toEqual(new Map());
      await subjects.bury(one, burial({ why: "hidden" }));
      expect(subjects.mayBeGone(one)).toBe(true);
      expect(await subjects.buried([one, other])).toEqual(new Map([[one, burial({ why: "hidden" })]]));
      await subjects.bury(other, burial());
      await subjects.revive(one);
      expect(await subjects.buried([other, one, other])).toEqual(new Map([[other, burial()]]));
      await subjects.revive(one);
      expect(await subjects.buried([])).toEqual(new Map());
    });

    it("are gone for the last reason and at the last time that was given", async () => {
      const { subjects } = stores();
      const key = fresh("comment");
      await subjects.bury(key, burial({ why: "hidden" }));
      await subjects.bury(key, burial({ at: 7_000_000, learnedAt: 8_000_000 }));
      expect((await subjects.buried([key])).get(key)).toEqual({ why: "deleted", at: 7_000_000, learnedAt: 8_000_000 });
    });

    it("are found by the hundred, and take any names", async () => {
      const { subjects } = stores();
      const odd = ["__proto__", "$gt", "a.b", 'quo"te\\', "🛎️", "x".repeat(256)].map((name) => `${name}${fresh("/")}`);
      const many = Array.from({ length: 500 }, () => fresh("comment"));
      for (const key of odd) await subjects.bury(key, burial({ why: key }));
      const found = await subjects.buried([...many, ...odd]);
      expect(new Map([...found].map(([key, { why }]) => [key, why]))).toEqual(new Map(odd.map((key) => [key, key])));
    });

    it("can be buried and revived by many at once", async () => {
      const { subjects } = stores();
      const key = fresh("comment");
      await Promise.all(Array.from({ length: 10 }, () => subjects.bury(key, burial())));
      expect((await subjects.buried([key])).size).toBe(1);
      await Promise.all(Array.from({ length: 10 }, () => subjects.revive(key)));
      expect((await subjects.buried([key])).size).toBe(0);
    });

    it("are forgotten by the time at which the service learned of them, oldest first, some at a time", async () => {
      const { subjects } = stores();
      const keys = [3, 1, 2].map((age) => ({ age, key: fresh("comment") }));
      for (const { age, key } of keys) await subjects.bury(key, burial({ learnedAt: OLD + age }));
      const kept = async () => {
        const found = await subjects.buried(keys.map(({ key }) => key));
        return keys.filter(({ key }) => found.has(key)).map(({ age }) => age);
      };
      expect(await subjects.forget(OLD + 1, 100)).toBe(0);
      expect(await subjects.forget(OLD + 3, 1)).toBe(1);
      expect(await kept()).toEqual([3, 2]);
      expect(await subjects.forget(OLD + 3, 100)).toBe(1);
      expect(await kept()).toEqual([3]);
      expect(await subjects.forget(OLD + 4, 100)).toBe(1);
      expect(await subjects.forget(OLD + 4, 100)).toBe(0);
    });
  });
}
