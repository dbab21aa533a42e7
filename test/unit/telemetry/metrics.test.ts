import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createMetrics, type Metrics } from "../../../src/telemetry/index.js";

let metrics: Metrics;

beforeEach(() => {
  metrics = createMetrics();
});

afterEach(() => metrics.stop());

/** All series of a metric, as Prometheus sees them. */
async function series(name: string): Promise<string[]> {
  return (await metrics.text()).split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
}

describe("metrics", () => {
  it("show every outcome of an event from the start, so that a first failure is an increase", async () => {
    expect(await series("belfry_events_total")).toEqual(
      ["stored", "duplicate", "ignored", "refused", "failed"].map((outcome) => `belfry_events_total{outcome="${outcome}"} 0`),
    );
  });

  it("show nothing of other nodes where there are none", async () => {
    const text = await metrics.text();
    for (const name of ["belfry_bus_up", "belfry_peers", "belfry_clock_skew_seconds"]) {
      expect(text).toContain(`# TYPE ${name} gauge`);
      expect(await series(name)).toEqual([]);
    }
  });

  it("show what the bus tells", async () => {
    const { bus } = metrics;
    bus.state(true);
    bus.peers(2);
    bus.skew(0.25);
    bus.message("out", "beat");
    bus.message("out", "beat");
    bus.message("in", "entries");
    bus.rubbish();
    bus.gap();
    bus.dropped();
    expect([
      ...(await series("belfry_bus_up")),
      ...(await series("belfry_peers")),
      ...(await series("belfry_clock_skew_seconds")),
      ...(await series("belfry_bus_messages_total")),
      ...(await series("belfry_bus_rubbish_total")),
      ...(await series("belfry_bus_gaps_total")),
      ...(await series("belfry_bus_dropped_total")),
    ]).toEqual([
      "belfry_bus_up 1",
      "belfry_peers 2",
      "belfry_clock_skew_seconds 0.25",
      'belfry_bus_messages_total{direction="out",kind="beat"} 2',
      'belfry_bus_messages_total{direction="in",kind="entries"} 1',
      "belfry_bus_rubbish_total 1",
      "belfry_bus_gaps_total 1",
      "belfry_bus_dropped_total 1",
    ]);
    bus.state(false);
    expect(await series("belfry_bus_up")).toEqual(["belfry_bus_up 0"]);
  });

  it("ask for what changes by itself when they are scraped", async () => {
    expect(await series("belfry_append_queue_rows")).toEqual([]);
    let waiting = 3;
    metrics.appendQueue.from(() => waiting);
    metrics.leases.set("upkeep", () => (waiting > 4 ? 1 : 0));
    expect(await series("belfry_append_queue_rows")).toEqual(["belfry_append_queue_rows 3"]);
    waiting = 5;
    expect(await series("belfry_append_queue_rows")).toEqual(["belfry_append_queue_rows 5"]);
    expect(await series("belfry_lease_held")).toEqual(['belfry_lease_held{lease="upkeep"} 1']);
  });

  it("of two services in one process are apart", async () => {
    const other = createMetrics();
    other.replays.add(7);
    expect(await series("belfry_replays_total")).toEqual(["belfry_replays_total 0"]);
    expect(await other.text()).toContain("belfry_replays_total 7");
    other.stop();
  });

  it("count how long the event loop was busy", async () => {
    const [before] = await series("belfry_event_loop_active_seconds_total");
    await new Promise((resolve) => setImmediate(resolve));
    const until = performance.now() + 30;
    while (performance.now() < until);
    await new Promise((resolve) => setImmediate(resolve));
    const [after] = await series("belfry_event_loop_active_seconds_total");
    const secondsIn = (line: string | undefined) => Number(line?.split(" ")[1]);
    expect(secondsIn(after) - secondsIn(before)).toBeGreaterThan(0.02);
  });
});
