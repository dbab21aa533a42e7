import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { discColour, initialOf } from "../../../client/ui/src/looks/disc.js";

describe("the disc of a member without a picture", () => {
  it("has one of seven colours, the same for the same member", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (id) => {
        expect([0, 1, 2, 3, 4, 5, 6]).toContain(discColour(id));
        expect(discColour(id)).toBe(discColour(id));
      }),
    );
    expect(new Set(Array.from({ length: 100 }, (_, id) => discColour(String(id)))).size).toBe(7);
  });

  it("has the first letter of the name, whatever is a letter to people", () => {
    expect(["ada", " élodie", "陈小明", "👩‍🚀 Sally", "नमस्ते", ""].map(initialOf)).toEqual(["A", "É", "陈", "👩‍🚀", "न", ""]);
  });
});
