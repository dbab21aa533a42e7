import { describe, expect, it } from "@jest/globals";
import type { MinuteRow } from "../../../src/activity/types.js";
import type { Stores } from "../../../src/storage/types.js";
import { fresh } from "../../support/rows.js";

/** Later than whatever another test has written. */
const LATE = Date.UTC(2200, 0, 1);
const MINUTE = 60_000;

let next = LATE;
/** A time that no other test of this process uses, with an hour behind it. */
const later = () => {
  next += 100 * MINUTE;
  return next;
};

function row(at: number, process: string, events = 1): MinuteRow {
  return { at, process, events, entries: 2, delivered: 3, replayed: 4, sessions: 5, ingest: { 1: 2 }, delivery: { 5: 1, 30000: 2 } };
}

/** What was done minute by minute. */
export function activityContract(stores: () => Stores): void {
  describe("activity", () => {
    it("is kept by minute and process, and told from a minute on, the newest first", async () => {
      const { activity } = stores();
      const at = later();
      const [one, other] = [fresh("p"), fresh("p")];
      await activity.save([row(at, one, 1), row(at + MINUTE, one, 2)]);
      await activity.save([row(at + 2 * MINUTE, other, 3)]);
      expect(await activity.since(at + MINUTE, 10)).toEqual([row(at + 2 * MINUTE, other, 3), row(at + MINUTE, one, 2)]);
      expect(await activity.since(at, 2)).toEqual([row(at + 2 * MINUTE, other, 3), row(at + MINUTE, one, 2)]);
      expect(await activity.since(at + 3 * MINUTE, 10)).toEqual([]);
      await activity.forget(at + 3 * MINUTE);
    });

    it("of a minute is replaced by what the same process says later, and by nobody else", async () => {
      const { activity } = stores();
      const at = later();
      const [one, other] = [fresh("p"), fresh("p")];
      await Promise.all([activity.save([row(at, one, 1)]), activity.save([row(at, other, 2)])]);
      await activity.save([row(at, one, 7)]);
      const rows = await activity.since(at, 10);
      expect(new Map(rows.map(({ process, events }) => [process, events]))).toEqual(
        new Map([
          [one, 7],
          [other, 2],
        ]),
      );
      await activity.forget(at + MINUTE);
    });

    it("is forgotten up to a minute, and not that one", async () => {
      const { activity } = stores();
      const at = later();
      const process = fresh("p");
      await activity.save([row(at, process), row(at + MINUTE, process)]);
      await activity.forget(at + MINUTE);
      expect(await activity.since(at, 10)).toEqual([row(at + MINUTE, process)]);
      await activity.forget(at + 2 * MINUTE);
      expect(await activity.since(at, 10)).toEqual([]);
    });

    it("may be nothing", async () => {
      const { activity } = stores();
      await activity.save([]);
      expect(await activity.since(later(), 10)).toEqual([]);
    });
  });
}
