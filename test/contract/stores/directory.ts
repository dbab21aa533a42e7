import { describe, expect, it } from "@jest/globals";
import type { Stores } from "../../../src/storage/types.js";
import { fresh } from "../../support/rows.js";

/** What was learned of members and posts. */
export function directoryContract(stores: () => Stores): void {
  describe("the directory", () => {
    it("knows members by their usernames, whatever the case", async () => {
      const { directory } = stores();
      const name = fresh("Anna");
      await directory.learn([{ id: "7", username: name, name: "Anna" }], []);
      expect(await directory.membersByUsername([name.toUpperCase(), fresh("nobody")])).toEqual(new Map([[name.toLowerCase(), "7"]]));
      expect(await directory.membersByUsername([])).toEqual(new Map());
    });

    it("gives a username to the member who was last seen with it", async () => {
      const { directory } = stores();
      const name = fresh("anna");
      await directory.learn([{ id: "7", username: name }], []);
      await directory.learn([{ id: "8", username: name.toUpperCase(), avatar: "https://forum.example/8.png" }], []);
      expect(await directory.membersByUsername([name])).toEqual(new Map([[name, "8"]]));
      await directory.learn(
        [
          { id: "8", username: name },
          { id: "9", username: name },
        ],
        [],
      );
      expect((await directory.membersByUsername([name])).get(name)).toBe("9");
    });

    it("knows who wrote a post by its place", async () => {
      const { directory } = stores();
      const topic = fresh("t");
      await directory.learn(
        [],
        [1, 2, 3].map((number) => ({ topic, number, author: `a${number}` })),
      );
      await directory.learn([], [{ topic, number: 2, author: "moved" }]);
      expect(await directory.postAuthors(topic, [3, 2, 9])).toEqual(
        new Map([
          [2, "moved"],
          [3, "a3"],
        ]),
      );
      expect(await directory.postAuthors(fresh("t"), [1])).toEqual(new Map());
      expect(await directory.postAuthors(topic, [])).toEqual(new Map());
    });

    it("learns the same from many at once", async () => {
      const { directory } = stores();
      const [name, topic] = [fresh("anna"), fresh("t")];
      const learn = () => directory.learn([{ id: "7", username: name, name: "A" }], [{ topic, number: 1, author: "7" }]);
      await Promise.all(Array.from({ length: 10 }, learn));
      expect((await directory.membersByUsername([name])).get(name)).toBe("7");
      expect((await directory.postAuthors(topic, [1])).get(1)).toBe("7");
    });

    it("takes any names", async () => {
      const { directory } = stores();
      for (const odd of ["__proto__", "constructor", "a.b", "$gt", "🛎️", "İstanbul", "x".repeat(128)]) {
        const username = `${odd}${fresh("/")}`;
        await directory.learn([{ id: odd, username, name: odd }], [{ topic: username, number: 1, author: odd }]);
        expect((await directory.membersByUsername([username])).get(username.toLowerCase())).toBe(odd);
        expect((await directory.postAuthors(username, [1])).get(1)).toBe(odd);
      }
      const exact = await directory.membersByUsername(["__proto__", "constructor"]);
      expect([...exact.keys()]).toEqual([]);
    });
  });
}
