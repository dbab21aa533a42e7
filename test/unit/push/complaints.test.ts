import { describe, expect, it } from "@jest/globals";
import { Complaints } from "../../../src/push/complaints.js";
import { COMPLAINTS_MS, MAX_COMPLAINTS } from "../../../src/push/limits.js";

describe("what the operator is told of push services", () => {
  it("comes once in an hour for each", () => {
    const complaints = new Complaints();
    expect(["a", "a", "b", "a"].map((origin) => complaints.isNew(origin, 0))).toEqual([true, false, true, false]);
    expect(complaints.isNew("a", COMPLAINTS_MS - 1)).toBe(false);
    expect(complaints.isNew("a", COMPLAINTS_MS)).toBe(true);
  });

  it("cannot be made to fill the log by made-up ones", () => {
    const complaints = new Complaints();
    const told = Array.from({ length: 10 * MAX_COMPLAINTS }, (_, index) => complaints.isNew(`made-up-${index}`, index));
    expect(told.filter(Boolean)).toHaveLength(MAX_COMPLAINTS);
  });
});
