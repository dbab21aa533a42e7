import { describe, expect, it } from "@jest/globals";
import type { Stores } from "../../../src/storage/types.js";
import type { Access } from "../../../src/topics/types.js";
import { fresh, T0 } from "../../support/rows.js";

/** Live topics and their latest values. */
export function topicContract(stores: () => Stores): void {
  describe("topics", () => {
    it("that were never written are left out", async () => {
      const { topics } = stores();
      expect(await topics.read([fresh("t"), fresh("t")])).toEqual(new Map());
      expect(await topics.read([])).toEqual(new Map());
    });

    it("have their latest value, and count their writes", async () => {
      const { topics } = stores();
      const [topic, other] = [fresh("t"), fresh("t")];
      expect(await topics.write(topic, '{"n":1}', "public", T0)).toEqual({ topic, seq: 1, at: T0, data: '{"n":1}', access: "public" });
      expect(await topics.write(topic, "[2]", "public", T0 + 1)).toEqual({ topic, seq: 2, at: T0 + 1, data: "[2]", access: "public" });
      await topics.write(other, "null", ["a"], T0);
      expect(await topics.read([other, topic, fresh("t")])).toEqual(
        new Map([
          [topic, { topic, seq: 2, at: T0 + 1, data: "[2]", access: "public" }],
          [other, { topic: other, seq: 1, at: T0, data: "null", access: ["a"] }],
        ]),
      );
    });

    it("are for members, unless it is said whom they are for", async () => {
      const { topics } = stores();
      const topic = fresh("t");
      expect((await topics.write(topic, "1", undefined, T0)).access).toBe("members");
      expect((await topics.read([topic])).get(topic)?.access).toBe("members");
    });

    it("stay for whom they are until it is said anew", async () => {
      const { topics } = stores();
      const topic = fresh("t");
      for (const access of ["public", ["editor", "admin"], "members", ["public"], ["members"]] satisfies Access[]) {
        expect((await topics.write(topic, "1", access, T0)).access).toEqual(access);
        expect((await topics.write(topic, "2", undefined, T0)).access).toEqual(access);
        expect((await topics.read([topic])).get(topic)?.access).toEqual(access);
      }
    });

    it("written by many at once give each write a seq of its own, and keep the last one", async () => {
      const { topics } = stores();
      const topic = fresh("t");
      const values = await Promise.all(Array.from({ length: 24 }, (_, writer) => topics.write(topic, `${writer}`, undefined, T0 + writer)));
      expect(values.map(({ seq }) => seq).sort((one, other) => one - other)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
      for (const [writer, { data, at }] of values.entries()) expect({ data, at }).toEqual({ data: `${writer}`, at: T0 + writer });
      expect((await topics.read([topic])).get(topic)).toEqual(values.find(({ seq }) => seq === 24));
    });

    it("are counted, each once", async () => {
      const { topics } = stores();
      const before = await topics.count();
      const [one, other] = [fresh("t"), fresh("t")];
      for (const topic of [one, other, one]) await topics.write(topic, "1", undefined, T0);
      expect(await topics.count()).toBe(before + 2);
    });

    it.each(["$gt", "__proto__", "constructor", "a.b.c", "🌡️", "NULL"])("may have any names, roles and data, such as %j", async (odd) => {
      const { topics } = stores();
      const topic = `${odd}${fresh("/")}`;
      const data = JSON.stringify({ $set: odd, "a.b": `${odd} \u0000 \\ "`, nested: [{ $gt: "" }] });
      const value = { topic, seq: 1, at: T0, data, access: [odd, "$roles", '"'] };
      expect(await topics.write(topic, data, value.access, T0)).toEqual(value);
      expect(await topics.read([topic])).toEqual(new Map([[topic, value]]));
    });

    it("keep values of many kilobytes to the letter", async () => {
      const { topics } = stores();
      const topic = fresh("t");
      const data = JSON.stringify("🌡️é".repeat(16_000));
      await topics.write(topic, data, undefined, T0);
      expect((await topics.read([topic])).get(topic)?.data).toBe(data);
    });
  });
}
