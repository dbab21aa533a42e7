import { Gauge, type Registry } from "prom-client";
import { registerTallies, registerTally } from "./tally.js";

/** What is told of the way between nodes. All of it is called often and costs little. */
export interface BusMetrics {
  /** `kind` is one of those that the program knows. */
  message(direction: "in" | "out", kind: string): void;
  rubbish(): void;
  gap(): void;
  dropped(): void;
  state(isUp: boolean): void;
  peers(count: number): void;
  skew(seconds: number): void;
}

/** Registers what is told of the way between nodes. A node that is alone has no state, no peers and no skew to show. */
export function registerBus(registry: Registry): BusMetrics {
  const messages = registerTallies(registry, "belfry_bus_messages_total", "Messages between nodes.", ["direction", "kind"]);
  const rubbish = registerTally(registry, "belfry_bus_rubbish_total", "What came over the bus and was no message of this version.");
  const gaps = registerTally(registry, "belfry_bus_gaps_total", "Times that a node's numbers showed messages of it to be lost.");
  const dropped = registerTally(registry, "belfry_bus_dropped_total", "Messages that were not sent: Redis was away, or too much waited.");
  const up = gauge(registry, "belfry_bus_up", "1 while this node hears itself through Redis, else 0.");
  const peers = gauge(registry, "belfry_peers", "Other nodes that this one knows of.");
  const skew = gauge(registry, "belfry_clock_skew_seconds", "Largest difference between this node's clock and another's.");
  return {
    message: (direction, kind) => messages.of(direction, kind).add(),
    rubbish: () => rubbish.add(),
    gap: () => gaps.add(),
    dropped: () => dropped.add(),
    state: (isUp) => up.set(isUp ? 1 : 0),
    peers: (count) => peers.set(count),
    skew: (seconds) => skew.set(seconds),
  };
}

/** A gauge that shows nothing until it is set. */
function gauge(registry: Registry, name: string, help: string): Gauge {
  const made = new Gauge({ name, help, registers: [registry] });
  made.remove();
  return made;
}
