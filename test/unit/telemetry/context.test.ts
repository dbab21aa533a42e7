import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { Following, originFields } from "../../../src/telemetry/context.js";
import { currentOrigin } from "../../../src/telemetry/index.js";

const origin = (request: string) => ({ request, trace: null });

describe("an origin", () => {
  it("is known wherever the work goes on, and to nobody else", async () => {
    const following = new Following({ isDebug: true, tracing: null });
    const seen = await Promise.all(
      ["a", "b", "c"].map((request, index) =>
        following.run(origin(request), async () => {
          await pause(3 - index);
          const first = currentOrigin();
          await new Promise((resolve) => setImmediate(resolve));
          return [first, currentOrigin()];
        }),
      ),
    );
    expect(seen).toEqual(["a", "b", "c"].map((request) => [origin(request), origin(request)]));
    expect(currentOrigin()).toBeNull();
  });

  it("is known to nobody where nobody looks", async () => {
    const following = new Following({ isDebug: false, tracing: null });
    expect(following.isOn).toBe(false);
    expect(await following.run(origin("a"), async () => currentOrigin())).toBeNull();
  });

  it("becomes fields by which a line of the log is found", () => {
    expect(originFields(null)).toEqual({});
    expect(originFields({ request: "a", trace: null })).toEqual({ request: "a" });
    const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    expect(originFields({ request: null, trace })).toEqual({ trace_id: "0af7651916cd43dd8448eb211c80319c" });
  });
});
