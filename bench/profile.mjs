/** Where the server's time goes: one run of a scenario under Node's CPU profiler, its self times by function and by package. */
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { announcements } from "./scenarios/announcements.mjs";
import { service } from "./scenarios/throughput.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PROFILED = {
  "a-sqlite": (run) => service({ store: "sqlite", recipients: 10, seed: 1, ...run }),
  "a-mongodb": (run) => service({ store: "mongodb", recipients: 10, seed: 1, ...run }),
  "b-sqlite": (run) => service({ store: "sqlite", recipients: 1, seed: 1, ...run }),
  "b-mongodb": (run) => service({ store: "mongodb", recipients: 1, seed: 1, ...run }),
  "e-sqlite": (run) => announcements({ store: "sqlite", ...run }),
  "e-mongodb": (run) => announcements({ store: "mongodb", ...run }),
};
const TOP_FUNCTIONS = 45;
const TOP_CALLERS = 3;

/** Whose code a function is: a package, a folder of the service, Node itself, or what V8 puts in parentheses. */
function owner({ functionName, url }) {
  if (url === "") return functionName.startsWith("(") ? functionName : "native";
  if (url.startsWith("node:")) return "node";
  const path = url.replace("file://", "");
  const dependency = path.match(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (dependency !== null) return dependency[1];
  return path.startsWith(ROOT) ? path.slice(ROOT.length).split("/").slice(0, -1).join("/") : path;
}

function place({ functionName, url, lineNumber }) {
  const path = url
    .replace("file://", "")
    .replace(ROOT, "")
    .replace(/.*node_modules\//, "");
  const name = functionName === "" ? "(anonymous)" : functionName;
  return path === "" ? name : `${name}  ${path}:${lineNumber + 1}`;
}

function add(map, key, value) {
  map.set(key, (map.get(key) ?? 0) + value);
}

/** Self times in µs of the samples between `from` and `to` (µs of the system's monotonic clock, which V8 uses too). */
function selfTimes(profile, from, to) {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map();
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node);
  const byOwner = new Map();
  const byFunction = new Map();
  const callers = new Map();
  let at = profile.startTime;
  let total = 0;
  profile.samples.forEach((id, index) => {
    const delta = profile.timeDeltas[index];
    at += delta;
    if (at < from || at > to) return;
    const node = nodes.get(id);
    const name = place(node.callFrame);
    total += delta;
    add(byOwner, owner(node.callFrame), delta);
    add(byFunction, name, delta);
    const parent = parents.get(id);
    if (parent === undefined) return;
    if (!callers.has(name)) callers.set(name, new Map());
    add(callers.get(name), place(parent.callFrame), delta);
  });
  return { total, byOwner, byFunction, callers };
}

const largest = (map, count) => [...map].sort((a, b) => b[1] - a[1]).slice(0, count);

/** The report on one thread of the server. */
function describe({ total, byOwner, byFunction, callers }, deliveries) {
  const cost = (value) => `${((value / total) * 100).toFixed(1).padStart(5)} % ${(value / deliveries).toFixed(2).padStart(7)} µs`;
  const lines = ["", "Self time by owner (share, per delivery):"];
  for (const [key, value] of largest(byOwner, Number.POSITIVE_INFINITY)) lines.push(`${cost(value)}  ${key}`);
  lines.push("", "Self time by function (share, per delivery), and who called it:");
  for (const [key, value] of largest(byFunction, TOP_FUNCTIONS)) {
    const from = largest(callers.get(key) ?? new Map(), TOP_CALLERS).map(([caller]) => caller.split("  ")[0]);
    lines.push(`${cost(value)}  ${key}  ← ${from.join(", ")}`);
  }
  return lines;
}

/**
 * Runs the scenario once with `--cpu-prof` (the profile stays in `artifacts`) and returns the report as text.
 * Throws an Error on a scenario that is not the service's.
 */
export async function profileScenario(name, options, artifacts) {
  const scenario = PROFILED[name];
  if (scenario === undefined) throw new Error(`--profile takes one of ${Object.keys(PROFILED).join(", ")}`);
  const profileDir = join(artifacts, `profile-${name}`);
  await rm(profileDir, { recursive: true, force: true });
  let window;
  const onWindow = (from, to) => {
    window = { from, to };
  };
  const figures = await scenario({ options, profileDir, onWindow });
  const lines = [
    `${name} under the profiler: ${Math.round(figures.perCpuSecond)} deliveries/CPU s, ${Math.round(figures.perWallSecond)}/s`,
  ];
  const files = (await readdir(profileDir)).filter((entry) => entry.endsWith(".cpuprofile"));
  for (const file of files.sort()) {
    const profile = JSON.parse(await readFile(join(profileDir, file), "utf8"));
    const deliveries = (figures.perWallSecond * (window.to - window.from)) / 1e6;
    lines.push("", join(profileDir, file), ...describe(selfTimes(profile, window.from, window.to), deliveries));
  }
  return `${lines.join("\n")}\n`;
}
