import { describe, expect, it } from "@jest/globals";
import { newest, rowsOf } from "../../../client/demo/leaderboard.js";
import { standings } from "../../../src/demo/leaderboard.js";

const by = (...authors: string[]) => authors.map((author) => ({ author }));

describe("the demo's leaderboard", () => {
  it("puts first who wrote most, and equals in the order of their names", () => {
    const order = standings(by("bruno", "chidi", "chidi")).map(({ id, comments }) => [id, comments]);
    expect(order).toEqual([
      ["chidi", 2],
      ["bruno", 1],
      ["ada", 0],
    ]);
    expect(standings([]).map(({ name }) => name)).toEqual(["Ada", "Bruno", "Chidi"]);
  });

  it("gives equals the same rank, and the next one the rank after all of them", () => {
    const rows = rowsOf({ members: standings(by("ada", "ada", "bruno", "bruno", "chidi")) });
    expect(rows.map(({ id, rank, share }) => [id, rank, share])).toEqual([
      ["ada", 1, 1],
      ["bruno", 1, 1],
      ["chidi", 3, 0.5],
    ]);
    expect(rowsOf({ members: standings([]) }).map(({ share }) => share)).toEqual([0, 0, 0]);
  });

  it("shows the newest value, whatever order they come in", () => {
    const [first, second] = [
      { seq: 4, data: 1 },
      { seq: 9, data: 2 },
    ];
    expect(newest(null, first)).toBe(first);
    expect(newest(first, second)).toBe(second);
    expect(newest(second, first)).toBe(second);
  });

  it("passes over what is no line of a board, and shows ten at most", () => {
    const good = { id: "a", name: "A", comments: 1 };
    for (const data of [null, undefined, 7, "x", [], {}, { members: "x" }]) expect(rowsOf(data)).toEqual([]);
    const bad = [null, {}, { ...good, comments: -1 }, { ...good, comments: 0.5 }, { ...good, name: 7 }, { ...good, id: null }];
    expect(rowsOf({ members: [...bad, good] }).map(({ id }) => id)).toEqual(["a"]);
    expect(rowsOf({ members: Array.from({ length: 50 }, () => good) })).toHaveLength(10);
  });
});
