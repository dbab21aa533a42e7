import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "@jest/globals";
import { Devices } from "../../../src/push/devices.js";
import type { Subscription } from "../../../src/push/types.js";

const DEVICES = 50_000;

function subscription(id: string, endpoint: string): Subscription {
  return { id, user: "ada", endpoint, keys: { p256dh: "", auth: "" }, createdAt: 0, userAgent: null, cursor: 0, failures: 0, retryAt: 0 };
}

const devices = () => new Devices({ store: { progress: async () => {} }, streamOf: (user) => `i:${user}`, onError: () => {} });

describe("the devices in memory", () => {
  it("leave nothing behind when they go, whatever push services were made up for them", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const used = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const known = devices();
    const before = used();
    for (let index = 0; index < DEVICES; index++) {
      known.forget(known.know(subscription("phone", `https://${"made-up-".repeat(7)}${index}.example/push`), false));
    }
    expect((used() - before) / DEVICES).toBeLessThan(40);
    expect(known.size).toBe(0);
  });

  it("know the push service of each, also when another one of it has gone", () => {
    const known = devices();
    const [phone, laptop] = ["phone", "laptop"].map((id) => known.know(subscription(id, `https://push.example/${id}`), false));
    if (phone !== undefined) known.forget(phone);
    const next = known.know(subscription("next", "https://push.example/next"), false);
    expect([laptop?.origin, next.origin]).toEqual(["https://push.example", "https://push.example"]);
  });
});
