import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { nodesOf } from "../../../src/cluster/redis/cluster-nodes.js";

describe("the nodes that a Redis Cluster names", () => {
  it("are masters and replicas, each once; one that does not know its address is where it was asked", () => {
    const slots = [
      [0, 5460, ["10.0.0.1", 6379, "id", []], ["10.0.0.2", 6379, "id", []]],
      [5461, 16_382, ["", 7000, "id", []], ["?", 7001, "id", []], [null, 7002, "id", []]],
      [16_383, 16_383, ["10.0.0.1", 6379, "id", []]],
    ];
    expect(nodesOf(slots, "asked")).toEqual([
      { host: "10.0.0.1", port: 6379 },
      { host: "10.0.0.2", port: 6379 },
      { host: "asked", port: 7000 },
      { host: "asked", port: 7001 },
      { host: "asked", port: 7002 },
    ]);
  });

  it("are bounded, and never a reason to fail, whatever is answered", () => {
    expect(nodesOf([[0, 1, ...Array.from({ length: 5_000 }, (_, index) => ["h", index])]], "asked")).toHaveLength(1_000);
    fc.assert(
      fc.property(fc.jsonValue(), (answer) => {
        for (const { host, port } of nodesOf(answer, "asked")) expect([typeof host, Number.isInteger(port)]).toEqual(["string", true]);
      }),
    );
  });
});
