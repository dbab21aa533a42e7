import { describe, expect, it } from "@jest/globals";
import { standingsIn } from "../../../client/demo/leaderboard.js";
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
    const lines = standingsIn({ members: standings(by("ada", "ada", "bruno", "bruno", "chidi")) });
    expect(lines.map(({ id, rank }) => [id, rank])).toEqual([
      ["ada", 1],
      ["bruno", 1],
      ["chidi", 3],
    ]);
  });

  it("passes over what is no line of a board, and shows ten at most", () => {
    const good = { id: "a", name: "A", comments: 1 };
    for (const data of [null, undefined, 7, "x", [], {}, { members: "x" }]) expect(standingsIn(data)).toEqual([]);
    const bad = [null, {}, { ...good, comments: -1 }, { ...good, comments: 0.5 }, { ...good, name: 7 }, { ...good, id: null }];
    expect(standingsIn({ members: [...bad, good] }).map(({ id }) => id)).toEqual(["a"]);
    expect(standingsIn({ members: Array.from({ length: 50 }, () => good) })).toHaveLength(10);
  });
});
