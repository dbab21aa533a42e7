import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { endingOf } from "../../../client/console/endings.js";

const usual = { user: "Ada", lacksRole: false, wasIn: false, isWriting: false };

describe("what the console says of the end of a session", () => {
  it("has the service's own reason in it, whatever the refusal", () => {
    const code = fc.constantFrom("unauthorized", "token_expired", "banned", "origin_denied", "kicked");
    const circumstances = fc.record({ user: fc.constant("Ada"), lacksRole: fc.boolean(), wasIn: fc.boolean(), isWriting: fc.boolean() });
    fc.assert(
      fc.property(code, circumstances, (one, known) => {
        expect(endingOf(one, "The token is not valid yet (`nbf`).", known).detail).toBe("The token is not valid yet (`nbf`).");
      }),
    );
  });

  it("calls a token good only where it is refused for its roles", () => {
    expect(endingOf("unauthorized", "no role", { ...usual, lacksRole: true })).toMatchObject({
      title: "sign.notModerator",
      texts: ["sign.notModeratorText"],
      user: "Ada",
    });
    expect(endingOf("unauthorized", "bad signature", usual)).toMatchObject({ title: "sign.wrong", texts: [] });
  });

  it("says that what was being written is there only where something is", () => {
    expect(endingOf("token_expired", "expired", usual).texts).toEqual(["sign.expiredText"]);
    expect(endingOf("token_expired", "expired", { ...usual, isWriting: true }).texts).toEqual(["sign.expiredText", "sign.kept"]);
  });

  it("tells a session that has ended from a token that was never accepted", () => {
    expect(endingOf("kicked", "Read the rules", { ...usual, wasIn: true }).title).toBe("sign.stopped");
    expect(endingOf("origin_denied", "Not from there", usual).title).toBe("sign.wrong");
    expect(endingOf("banned", "Insults", { ...usual, wasIn: true }).title).toBe("sign.banned");
  });
});
