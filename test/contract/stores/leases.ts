import { describe, expect, it } from "@jest/globals";
import type { Stores } from "../../../src/storage/types.js";
import { until } from "../../support/member.js";
import { fresh } from "../../support/rows.js";

/** Longer than any test takes. Milliseconds. */
const LONG_MS = 3_600_000;

/** Long enough to be seen as held, and short enough to be waited for. Milliseconds. */
const SHORT_MS = 1_000;

/** Who does what one does for all. */
export function leaseContract(stores: () => Stores): void {
  describe("leases", () => {
    it("are had by whoever comes first, who keeps them by taking them again", async () => {
      const { leases } = stores();
      const name = fresh("lease");
      expect(await leases.take(name, "ada", LONG_MS)).toBe(true);
      expect(await leases.take(name, "bob", LONG_MS)).toBe(false);
      expect(await leases.take(name, "ada", LONG_MS)).toBe(true);
      expect(await leases.take(name, "bob", LONG_MS)).toBe(false);
    });

    it("are had by one of many who come at once", async () => {
      const { leases } = stores();
      const name = fresh("lease");
      const taken = await Promise.all(Array.from({ length: 16 }, (_, index) => leases.take(name, `holder ${index}`, LONG_MS)));
      expect(taken.filter((one) => one)).toHaveLength(1);
      const holder = `holder ${taken.indexOf(true)}`;
      expect(await leases.take(name, holder, LONG_MS)).toBe(true);
    });

    it("are free when their time is over, counted from the last time they were taken", async () => {
      const { leases } = stores();
      const name = fresh("lease");
      await leases.take(name, "ada", 1);
      await until("it is free", () => leases.take(name, "bob", SHORT_MS));
      expect(await leases.take(name, "ada", SHORT_MS)).toBe(false);
      await leases.take(name, "bob", LONG_MS);
      const other = fresh("lease");
      await leases.take(other, "bob", SHORT_MS);
      await until("the shorter one is free", () => leases.take(other, "ada", SHORT_MS));
      expect(await leases.take(name, "ada", SHORT_MS)).toBe(false);
    });

    it("are free when their holder gives them back, and not when another does", async () => {
      const { leases } = stores();
      const name = fresh("lease");
      await leases.release(name, "ada");
      await leases.take(name, "ada", LONG_MS);
      await leases.release(name, "bob");
      expect(await leases.take(name, "bob", LONG_MS)).toBe(false);
      await leases.release(name, "ada");
      expect(await leases.take(name, "bob", LONG_MS)).toBe(true);
      await leases.release(name, "ada");
      expect(await leases.take(name, "ada", LONG_MS)).toBe(false);
    });

    it.each(["$h", "$$NOW", "__proto__", "constructor", "a.b", "🔑"])("may have any names and holders, such as %j", async (odd) => {
      const { leases } = stores();
      const name = `${odd}${fresh("/")}`;
      expect(await leases.take(name, odd, LONG_MS)).toBe(true);
      expect(await leases.take(name, `${odd} `, LONG_MS)).toBe(false);
      expect(await leases.take(name, odd, LONG_MS)).toBe(true);
    });
  });
}
