import { seeded } from "./forum-run.js";
import type { RedisKind } from "./harness-stack.js";

/** What can be done to a run. The part before the colon is what it is done to. */
export type FaultName =
  | "node:killed"
  | "node:frozen"
  | "node:drained"
  | "redis:killed"
  | "redis:frozen"
  | "redis:subscribers-killed"
  | "redis:clients-killed"
  | "bus:cut"
  | "bus:refused"
  | "bus:paused"
  | "bus:half-open"
  | "bus:partly-half-open"
  | "bus:slow"
  | "primary:killed"
  | "primary:frozen"
  | "primary:stepped-down"
  | "primary:cut"
  | "primary:slow"
  | "devices:cut"
  | "devices:refused"
  | "devices:paused"
  | "devices:half-open"
  | "devices:slow";

/** One fault: begins `at`, is healed `forMs` later. Milliseconds since the schedule's begin. */
export interface PlannedFault {
  name: FaultName;
  at: number;
  forMs: number;
  /** The node whose process, way to Redis or way to its devices it is; 0 where it is none. */
  node: number;
  /** A number between 0 and 1 for what else there is to choose. */
  luck: number;
}

export interface ScheduleOptions {
  kind: RedisKind;
  nodes: number;
  /** Faults of up to 20 s, as people know them; otherwise of a few seconds. */
  long: boolean;
}

/** How often a fault is drawn, and how long it lasts in a short schedule. Milliseconds. */
const FAULTS: Record<FaultName, { weight: number; forMs: [least: number, most: number] }> = {
  "node:killed": { weight: 3, forMs: [100, 1_500] },
  "node:frozen": { weight: 3, forMs: [1_000, 4_000] },
  "node:drained": { weight: 2, forMs: [0, 500] },
  "redis:killed": { weight: 2, forMs: [0, 3_000] },
  "redis:frozen": { weight: 2, forMs: [500, 4_000] },
  "redis:subscribers-killed": { weight: 1, forMs: [0, 0] },
  "redis:clients-killed": { weight: 1, forMs: [0, 0] },
  "bus:cut": { weight: 1, forMs: [0, 0] },
  "bus:refused": { weight: 1, forMs: [500, 4_000] },
  "bus:paused": { weight: 1, forMs: [500, 4_000] },
  "bus:half-open": { weight: 2, forMs: [1_000, 5_000] },
  "bus:partly-half-open": { weight: 2, forMs: [1_000, 5_000] },
  "bus:slow": { weight: 1, forMs: [1_000, 4_000] },
  "primary:killed": { weight: 2, forMs: [500, 3_000] },
  "primary:frozen": { weight: 2, forMs: [500, 5_000] },
  "primary:stepped-down": { weight: 1, forMs: [0, 0] },
  "primary:cut": { weight: 2, forMs: [0, 0] },
  "primary:slow": { weight: 1, forMs: [500, 2_000] },
  "devices:cut": { weight: 1, forMs: [0, 0] },
  "devices:refused": { weight: 1, forMs: [500, 2_000] },
  "devices:paused": { weight: 1, forMs: [500, 3_000] },
  "devices:half-open": { weight: 1, forMs: [500, 4_000] },
  "devices:slow": { weight: 1, forMs: [1_000, 3_000] },
};

/** The least and the most faults of a run, the time in which they begin, and how much longer all lasts in a long one. */
const COUNT: [least: number, most: number] = [3, 8];
const BEGIN_WITHIN_MS = 4_500;
const LONG_FACTOR = 4;

/** The longest fault of a long schedule. Milliseconds. */
const LONGEST_MS = 20_000;

/**
 * Faults by the seed, in order of their begin. Different things are at fault at a time, one thing in one way at a time; whatever happens, a
 * majority of the replica set runs.
 */
export function schedule(seed: number, { kind, nodes, long }: ScheduleOptions): PlannedFault[] {
  // Another stream of numbers than the one by which the forum's part is chosen.
  const random = seeded(seed ^ 0x5eed_fa17);
  const between = ([least, most]: [number, number]): number => least + random() * (most - least);
  const factor = long ? LONG_FACTOR : 1;
  const possible = (Object.keys(FAULTS) as FaultName[]).filter((name) => kind === "redis" || !name.startsWith("bus:"));
  const total = possible.reduce((sum, name) => sum + FAULTS[name].weight, 0);
  const draw = (): FaultName => {
    let left = random() * total;
    for (const name of possible) {
      left -= FAULTS[name].weight;
      if (left < 0) return name;
    }
    return "node:killed";
  };
  const planned: PlannedFault[] = [];
  const count = Math.round(between(COUNT));
  // A fault that finds its place taken is dropped, so that a run has no more of them than come together well.
  for (let drawn = 0; drawn < count * 2 && planned.length < count; drawn++) {
    const name = draw();
    const fault: PlannedFault = {
      name,
      at: Math.round(random() * BEGIN_WITHIN_MS * factor),
      forMs: Math.min(LONGEST_MS, Math.round(between(FAULTS[name].forMs) * factor)),
      node: /^(node|bus|devices):/.test(name) ? Math.floor(random() * nodes) : 0,
      luck: random(),
    };
    if (!planned.some((other) => placeOf(other) === placeOf(fault) && overlap(other, fault))) planned.push(fault);
  }
  return planned.sort((one, other) => one.at - other.at);
}

/** How a fault is told of. */
export function nameOf({ name, node, at, forMs }: PlannedFault): string {
  const where = /^(node|bus|devices):/.test(name) ? ` ${node}` : "";
  return `${name}${where} at ${at} for ${forMs} ms`;
}

/** A node's process and its ways are different places. */
function placeOf({ name, node }: PlannedFault): string {
  return `${name.split(":")[0]} ${node}`;
}

/** A process that is started again takes a while. Milliseconds. */
const RESTART_MS = 2_500;

function overlap(one: PlannedFault, other: PlannedFault): boolean {
  const endOf = ({ at, forMs }: PlannedFault): number => at + forMs + RESTART_MS;
  return one.at < endOf(other) && other.at < endOf(one);
}
