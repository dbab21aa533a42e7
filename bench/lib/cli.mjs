/** The bench's command line. */
import { parseArgs } from "node:util";
import { SCENARIOS } from "./report.mjs";

const STORES = ["sqlite", "mongodb"];

export const USAGE = `npm run bench -- [options]

  --rounds N          rounds, each with every scenario and baseline (5)
  --only LIST         of: a to l, latency, disk, memory (or one: a-sqlite, d-10, i-1, …)
  --store NAME        sqlite or mongodb (both)
  --quick             1 round, short windows: to see that it works, not to judge by
  --warmup SECONDS    before each window (3; quick: 2)
  --window SECONDS    measured (6; quick: 3)
  --members N         connected members (1000)
  --profile SCENARIO  run one of a, b, e, such as a-sqlite, once under Node's profiler and print where the time went

Results go to artifacts/bench.json. It needs Linux, two cores and taskset. MongoDB is
TEST_MONGOD_BINARY, Redis TEST_REDIS_SERVER, or those that the tests use.
`;

/** Seconds to let garbage be collected before memory is looked at. */
const SETTLE_SECONDS = { full: 10, quick: 3 };
/** Seconds over which latencies are collected. */
const LATENCY_SECONDS = { full: 20, quick: 5 };
const IDLE_CONNECTIONS = 5000;
/** (e): members known, and announcements in a row before and in the window. All together stay below the most that may be live at once. */
const KNOWN_MEMBERS = { full: 100_000, quick: 5_000 };
const ANNOUNCEMENTS = { full: { warmup: 100, measured: 400 }, quick: { warmup: 20, measured: 60 } };
/** (f) and (g): seconds of a thousand writes each. */
const BURST_SECONDS = { full: 10, quick: 3 };
/** (h): settings stored. */
const SETTINGS = { full: 100_000, quick: 2_000 };
/** (j): seconds for which Redis is away. */
const OUTAGES = { full: [1, 10, 60], quick: [1, 10] };
/** (k): members who arrive; seconds of load before that, and after it. */
const ARRIVING = 2_000;
const STAMPEDE = { full: { before: 10, after: 20 }, quick: { before: 5, after: 15 } };
/** (l): members on another node. */
const REMOTE = { full: 100_000, quick: 20_000 };

const EXTRAS = ["f", "g", "j", "k", "l", "latency", "disk", "memory"];

function positive(text, name) {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0, and is ${JSON.stringify(text)}.\n\n${USAGE}`);
  return value;
}

/** Does `--only` (parts, empty for all) ask for `name`? `a` asks for a-sqlite and a-mongodb. */
const asked = (parts, name) => parts.length === 0 || parts.some((part) => name === part || name.startsWith(`${part}-`));

/** What to run: `{ help }`, or options with `scenarios` and `extras` by name. Throws an Error with the usage on a bad option. */
export function parseCommandLine(args) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string" },
      only: { type: "string", default: "" },
      store: { type: "string" },
      quick: { type: "boolean", default: false },
      warmup: { type: "string" },
      window: { type: "string" },
      members: { type: "string", default: "1000" },
      profile: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return { help: true };
  if (values.store !== undefined && !STORES.includes(values.store)) throw new Error(`--store is sqlite or mongodb.\n\n${USAGE}`);
  const stores = values.store === undefined ? STORES : [values.store];
  const parts = values.only.split(",").filter((part) => part !== "");
  const names = [...Object.keys(SCENARIOS), ...EXTRAS];
  const unknown = parts.find((part) => !names.some((name) => asked([part], name)));
  if (unknown !== undefined) throw new Error(`--only does not know ${JSON.stringify(unknown)}.\n\n${USAGE}`);
  const ofStore = (name) => !STORES.some((store) => name.endsWith(`-${store}`) && !stores.includes(store));
  const length = values.quick ? "quick" : "full";
  return {
    rounds: positive(values.rounds ?? (values.quick ? "1" : "5"), "rounds"),
    warmup: positive(values.warmup ?? (values.quick ? "2" : "3"), "warmup"),
    window: positive(values.window ?? (values.quick ? "3" : "6"), "window"),
    members: positive(values.members, "members"),
    settle: SETTLE_SECONDS[length],
    latencyWindow: LATENCY_SECONDS[length],
    connections: IDLE_CONNECTIONS,
    known: KNOWN_MEMBERS[length],
    announcements: ANNOUNCEMENTS[length],
    burst: BURST_SECONDS[length],
    settings: SETTINGS[length],
    outages: OUTAGES[length],
    arriving: ARRIVING,
    stampede: STAMPEDE[length],
    remote: REMOTE[length],
    stores,
    scenarios: Object.keys(SCENARIOS).filter((name) => ofStore(name) && asked(parts, name)),
    extras: EXTRAS.filter((name) => asked(parts, name)),
    profile: values.profile,
  };
}
