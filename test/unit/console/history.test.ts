import { describe, expect, it } from "@jest/globals";
import { HISTORY, historyOf } from "../../../client/console/history.js";
import type { AuditEntry, Listing } from "../../../client/console/shapes.js";

const entries = (from: number, count: number): AuditEntry[] =>
  Array.from({ length: count }, (_, index) => ({ id: String(from - index), at: "2026-11-21T09:32:28.412Z", by: "mia", act: "mute" }));

/** A service that answers these pages, the last one again and again. Notes where it was asked to go on. */
function serviceOf(...pages: Array<Listing<AuditEntry>>) {
  const asked: Array<string | undefined> = [];
  const read = async (before: string | undefined) => {
    asked.push(before);
    return (pages.length > 1 ? pages.shift() : pages[0]) as Listing<AuditEntry>;
  };
  return { asked, read };
}

describe("what was done to a member", () => {
  it("is found behind thousands of entries on others", async () => {
    const { asked, read } = serviceOf(
      { items: [], more: true, next: "90" },
      { items: entries(70, 2), more: true, next: "60" },
      { items: entries(50, 1), more: false },
    );
    const { items, more } = await historyOf(read);
    expect([asked, items.map(({ id }) => id), more]).toEqual([[undefined, "90", "60"], ["70", "69", "50"], false]);
  });

  it("is nothing only where the service has looked at all there is", async () => {
    expect(await historyOf(serviceOf({ items: [], more: false }).read)).toEqual({ items: [], more: false });
  });

  it("may be more than was found, where the search was given up", async () => {
    const { asked, read } = serviceOf({ items: [], more: true, next: "90" });
    expect(await historyOf(read)).toEqual({ items: [], more: true });
    expect(asked.length).toBeLessThanOrEqual(10);
  });

  it("is not searched for further than it is shown", async () => {
    const full = serviceOf({ items: entries(99, HISTORY), more: true });
    expect(await historyOf(full.read)).toEqual({ items: entries(99, HISTORY), more: true });
    const parts = serviceOf({ items: entries(99, 1), more: true, next: "90" }, { items: entries(80, HISTORY), more: false });
    const { items, more } = await historyOf(parts.read);
    expect([items.length, more, full.asked.length, parts.asked.length]).toEqual([HISTORY, true, 1, 2]);
  });
});
