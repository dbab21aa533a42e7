import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Comment } from "../../../client/demo/api.js";
import { ago, branchesOf, piecesOf } from "../../../client/demo/words.js";

const MEMBERS = [
  { id: "ada", name: "Ada", colour: "" },
  { id: "bruno", name: "Bruno", colour: "" },
];

const comment = (id: string, parent: string | null = null): Comment => ({ id, parent, author: "ada", text: id, at: "", editedAt: null });

describe("the words of the demo's page", () => {
  it("set apart the members whom a text calls by name, in no regard to case, and nobody else", () => {
    const called = piecesOf("Hello @ada, @Bruno: write to x@bruno, @Brunox or @Zoe", MEMBERS).filter(({ member }) => member !== null);
    expect(called.map(({ text, member }) => [text, member?.id])).toEqual([
      ["@ada", "ada"],
      ["@Bruno", "bruno"],
    ]);
  });

  it("lose nothing of a text", () => {
    const words = fc.constantFrom("@", "Ada", "@Bruno", " ", "\n", "🔔", "<b>", "x");
    fc.assert(
      fc.property(fc.array(words), (parts) => {
        const text = parts.join("");
        expect(
          piecesOf(text, MEMBERS)
            .map((piece) => piece.text)
            .join(""),
        ).toBe(text);
      }),
    );
  });

  it("say how long ago something was, and never that it is still to come", () => {
    const now = Date.parse("2026-01-02T12:00:00Z");
    expect(ago("2026-01-02T11:59:30Z", now)).toBe("just now");
    expect(ago("2026-01-02T13:00:00Z", now)).toBe("just now");
    expect(ago("2026-01-02T11:55:00Z", now)).toBe("5 min. ago");
    expect(ago("2026-01-01T11:00:00Z", now)).toBe("yesterday");
  });
});

describe("the demo's comments", () => {
  it("stand under what they answer, also answers to answers, and for themselves when that is gone", () => {
    const branches = branchesOf([
      comment("1"),
      comment("2", "1"),
      comment("3"),
      comment("4", "2"),
      comment("5", "gone"),
      comment("6", "5"),
    ]);
    expect(branches.map((branch) => [branch.comment.id, branch.answers.map(({ id }) => id)])).toEqual([
      ["1", ["2", "4"]],
      ["3", []],
      ["5", ["6"]],
    ]);
  });
});
