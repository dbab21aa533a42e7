import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Histogram, Registry } from "prom-client";
import { registerDistribution, registerDistributions } from "../../../src/telemetry/distribution.js";

const bounds = [0.001, 0.01, 0.1, 1, 10];

/** Values that fall between bounds, on them, and beyond. */
const value = fc.oneof(fc.constantFrom(0, ...bounds, 10.5), fc.double({ min: 0, max: 20, noNaN: true }));

/** The text without what a summation in another order may differ in. */
const linesOf = async (registry: Registry) => (await registry.metrics()).split("\n").filter((line) => !line.includes("_sum"));

describe("a distribution", () => {
  it("shows Prometheus what prom-client's own histogram shows", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(value), async (values) => {
        const [own, theirs] = [new Registry(), new Registry()];
        const distribution = registerDistribution(own, { name: "x_seconds", help: "What takes time.", bounds });
        const histogram = new Histogram({ name: "x_seconds", help: "What takes time.", buckets: bounds, registers: [theirs] });
        for (const one of values) {
          distribution.observe(one);
          histogram.observe(one);
        }
        expect(await linesOf(own)).toEqual(await linesOf(theirs));
        expect(distribution.sum).toBeCloseTo(values.reduce((sum, one) => sum + one, 0));
      }),
    );
  });

  it("shows the same with labels", async () => {
    const combination = fc.record({ route: fc.constantFrom("/a", '/b"\\', "/c\n"), status: fc.constantFrom("2xx", "5xx"), value });
    await fc.assert(
      fc.asyncProperty(fc.array(combination), async (observed) => {
        const [own, theirs] = [new Registry(), new Registry()];
        const labels = ["route", "status"];
        const family = registerDistributions(own, { name: "x", help: "x", bounds }, labels);
        const histogram = new Histogram({ name: "x", help: "x", buckets: bounds, labelNames: labels, registers: [theirs] });
        for (const { route, status, value: seconds } of observed) {
          family.of(route, status).observe(seconds);
          histogram.observe({ route, status }, seconds);
        }
        expect((await linesOf(own)).sort()).toEqual((await linesOf(theirs)).sort());
      }),
    );
  });

  it("counts several that are the same as if they came one by one", () => {
    fc.assert(
      fc.property(value, fc.integer({ min: 1, max: 50 }), (seconds, times) => {
        const make = () => registerDistribution(new Registry(), { name: "x", help: "x", bounds });
        const [together, apart] = [make(), make()];
        together.observe(seconds, times);
        for (let n = 0; n < times; n++) apart.observe(seconds);
        expect([together.count, together.cumulative()]).toEqual([apart.count, apart.cumulative()]);
      }),
    );
  });
});
