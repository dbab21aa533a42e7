import { Writable } from "node:stream";
import { describe, expect, it } from "@jest/globals";
import pino from "pino";
import { watchDeliveries } from "../../../src/telemetry/deliveries.js";
import { createMetrics } from "../../../src/telemetry/index.js";

const entry = (seq: number, at: number) => ({ seq, at, kind: "notification", publication: `comment-${seq}` });

/** A logger of this level, and the lines that it writes. */
function logging(level: string) {
  const lines: Array<Record<string, unknown>> = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)) as Record<string, unknown>);
      done();
    },
  });
  return { lines, logger: pino({ level, base: null, timestamp: false }, sink) };
}

describe("deliveries", () => {
  it("are counted, each with its time from acceptance on", async () => {
    const metrics = createMetrics();
    const now = Date.now();
    const entries = [entry(1, now - 40_000), entry(2, now - 40_000), entry(3, now - 1_500), entry(4, now - 40_000)];
    metrics.deliveries.live([{}, {}, {}, {}], entries);
    metrics.deliveries.replayed({}, [entry(1, 0), entry(2, 0)]);
    const text = await metrics.text();
    for (const line of [
      'belfry_deliveries_total{way="live"} 4',
      'belfry_deliveries_total{way="replay"} 2',
      'belfry_delivery_seconds_bucket{le="1"} 0',
      'belfry_delivery_seconds_bucket{le="5"} 1',
      'belfry_delivery_seconds_bucket{le="30"} 1',
      'belfry_delivery_seconds_bucket{le="+Inf"} 4',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });

  it("of a node whose clock is ahead take no time, rather than less", async () => {
    const metrics = createMetrics();
    metrics.deliveries.live([{}], [entry(1, Date.now() + 60_000)]);
    const text = await metrics.text();
    expect(text).toContain('belfry_delivery_seconds_bucket{le="0.001"} 1\n');
    expect(text).toContain("belfry_delivery_seconds_sum 0\n");
  });

  it("write a line each at debug, with the request where it is known", () => {
    const { lines, logger } = logging("debug");
    const { deliveries } = createMetrics({ deliveryWatcher: watchDeliveries(logger, null) });
    const feed = {};
    deliveries.know(feed, { stream: "inbox:31", user: "31", session: "s1" });
    deliveries.live([feed], [{ ...entry(7, Date.now()), origin: { request: "r1", trace: null } }]);
    deliveries.replayed(feed, [entry(8, Date.now())]);
    const common = { stream: "inbox:31", user: "31", session: "s1", kind: "notification", msg: "an entry was delivered" };
    expect(lines).toEqual([
      { level: 20, ...common, seq: 7, event: "comment-7", way: "live", request: "r1" },
      { level: 20, ...common, seq: 8, event: "comment-8", way: "replay" },
    ]);
  });

  it("write nothing at info, and nobody remembers whose they are", () => {
    const { lines, logger } = logging("info");
    expect(watchDeliveries(logger, null)).toBeNull();
    const { deliveries } = createMetrics({ deliveryWatcher: watchDeliveries(logger, null) });
    const feed = {};
    deliveries.know(feed, { stream: "inbox:31", user: "31", session: "s1" });
    deliveries.live([feed], [entry(1, Date.now())]);
    expect(lines).toEqual([]);
  });
});
