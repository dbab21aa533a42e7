import { describe, expect, it } from "@jest/globals";
import { moderates, whyNoAct } from "../../../client/console/ranks.js";

const of = (user: string, ...roles: string[]) => ({ user, roles });

describe("who may act on whom in the console", () => {
  it.each([
    [of("mia", "moderator"), of("ada"), null],
    [of("mia", "moderator"), of("nora", "moderator"), null],
    [of("mia", "moderator"), of("root", "admin"), "admin"],
    [of("mia", "moderator"), of("mia", "moderator"), "self"],
    [of("root", "admin"), of("other", "admin", "moderator"), null],
    [of("root", "admin", "moderator"), of("other", "admin"), null],
    [of("root", "admin"), of("root", "admin"), "self"],
  ])("is as the service has it: %j on %j: %j", (me, member, why) => {
    expect(whyNoAct(me, member)).toBe(why);
  });

  it("is nobody without the role", () => {
    expect([moderates(of("a", "staff")), moderates(of("a", "moderator")), moderates(of("a", "admin"))]).toEqual([false, true, true]);
  });
});
