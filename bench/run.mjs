/** `npm run bench`: what the service reaches on one core, beside what Socket.IO alone and a hand-written service reach (docs/PERFORMANCE.md). */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { obtainMongod } from "../test/support/mongod-binary.mjs";
import { ensureBuilt } from "./lib/build.mjs";
import { parseCommandLine, USAGE } from "./lib/cli.mjs";
import { pinLoadGenerator, requirePinning } from "./lib/cpu.mjs";
import { format, SCENARIOS, summarise } from "./lib/report.mjs";
import { killStarted } from "./lib/servers.mjs";
import { profileScenario } from "./profile.mjs";
import { announcements, bareBroadcast } from "./scenarios/announcements.mjs";
import { disk } from "./scenarios/disk.mjs";
import { latency } from "./scenarios/latency.mjs";
import { bareMemory, serviceMemory } from "./scenarios/memory.mjs";
import { singleNodes, twoNodes } from "./scenarios/nodes.mjs";
import { outages } from "./scenarios/outage.mjs";
import { roster } from "./scenarios/roster.mjs";
import { stampede } from "./scenarios/stampede.mjs";
import { task } from "./scenarios/tasks.mjs";
import { bareSocketIo, byHand, service } from "./scenarios/throughput.mjs";
import { topic } from "./scenarios/topics.mjs";

const ARTIFACTS = fileURLToPath(new URL("../artifacts", import.meta.url));

/** (i): deliveries a second of each node where they are not as many as it can: what 10,000 busy members get, and a third of what it can. */
const PACE = 2_000;

/** One round, in this order: a scenario and what it is measured against run next to each other. */
const ROUND = {
  "a-sqlite": (options, seed) => service({ store: "sqlite", recipients: 10, options, seed }),
  c: (options) => bareSocketIo({ options }),
  "b-sqlite": (options, seed) => service({ store: "sqlite", recipients: 1, options, seed }),
  "h-sqlite": (options, seed) => service({ store: "sqlite", recipients: 1, settings: options.settings, options, seed }),
  "a-mongodb": (options, seed) => service({ store: "mongodb", recipients: 10, options, seed }),
  "i-apart-10": (options, seed) => singleNodes({ recipients: 10, options, seed }),
  "i-10": (options, seed) => twoNodes({ recipients: 10, options, seed }),
  "i-paced-apart-10": (options, seed) => singleNodes({ recipients: 10, options, seed, pace: PACE }),
  "i-paced-10": (options, seed) => twoNodes({ recipients: 10, options, seed, pace: PACE }),
  "d-10": (options, seed) => byHand({ recipients: 10, options, seed }),
  "b-mongodb": (options, seed) => service({ store: "mongodb", recipients: 1, options, seed }),
  "i-apart-1": (options, seed) => singleNodes({ recipients: 1, options, seed }),
  "i-1": (options, seed) => twoNodes({ recipients: 1, options, seed }),
  "d-1": (options, seed) => byHand({ recipients: 1, options, seed }),
  "e-sqlite": (options) => announcements({ store: "sqlite", options }),
  "e-bare": (options) => bareBroadcast({ options }),
  "e-mongodb": (options) => announcements({ store: "mongodb", options }),
};

const say = (text) => process.stderr.write(`${text}\n`);

async function throughputRounds(options) {
  const rounds = [];
  for (let n = 0; n < options.rounds; n++) {
    const round = {};
    for (const name of Object.keys(ROUND).filter((known) => options.scenarios.includes(known))) {
      round[name] = await ROUND[name](options, n + 1);
      const { perCpuSecond, perWallSecond } = round[name];
      say(`round ${n + 1}/${options.rounds}  ${SCENARIOS[name]}: ${Math.round(perCpuSecond)}/CPU s, ${Math.round(perWallSecond)}/s`);
    }
    rounds.push(round);
  }
  return rounds;
}

async function extras(options, throughput) {
  const result = {};
  for (const store of options.stores) {
    if (options.extras.includes("f")) {
      say(`a task with 1,000 reports a second on ${store}`);
      result.task = { ...result.task, [store]: await task({ store, options }) };
    }
    if (options.extras.includes("g")) {
      say(`a topic with 1,000 writes a second on ${store}`);
      result.topic = { ...result.topic, [store]: await topic({ store, options }) };
    }
    if (options.extras.includes("latency")) {
      const name = `a-${store}`;
      const maximum = throughput[name]?.perWallSecond.median ?? (await ROUND[name](options, 1)).perWallSecond;
      say(`latency at ${Math.round(maximum / 2)} deliveries/s on ${store}`);
      result.latency = { ...result.latency, [store]: await latency({ store, deliveriesPerSecond: maximum / 2, options, seed: 1 }) };
    }
    if (options.extras.includes("disk")) {
      say(`disk on ${store}`);
      result.disk = { ...result.disk, [store]: await disk({ store, options, seed: 1 }) };
    }
  }
  if (options.extras.includes("memory")) {
    say(`memory of ${options.connections} idle connections`);
    result.memory = { service: await serviceMemory({ options }), "bare Socket.IO": await bareMemory({ options }) };
  }
  return { ...result, ...(await ofManyNodes(options)) };
}

async function ofManyNodes(options) {
  const result = {};
  if (options.extras.includes("j")) {
    say("Redis away");
    result.outages = await outages({ options, say });
  }
  if (options.extras.includes("k")) {
    result.stampedes = [];
    for (let n = 0; n < options.rounds; n++) {
      say(`round ${n + 1}/${options.rounds}  ${options.arriving} members arrive at once`);
      result.stampedes.push(await stampede({ options }));
    }
  }
  if (options.extras.includes("l")) {
    say(`${options.remote} members of another node`);
    result.roster = await roster({ options });
  }
  return result;
}

/** Is anything with this letter to be run? */
const wants = ({ scenarios, extras }, letter) => [...scenarios, ...extras].some((name) => name === letter || name.startsWith(`${letter}-`));

async function main() {
  const options = parseCommandLine(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  requirePinning();
  ensureBuilt();
  await mkdir(ARTIFACTS, { recursive: true });
  const wantsRedis = ["i", "j", "k"].some((letter) => wants(options, letter));
  const wantsMongod = options.stores.includes("mongodb") || wants(options, "d") || wantsRedis;
  options.mongodBinary = wantsMongod ? (process.env.TEST_MONGOD_BINARY ?? (await obtainMongod(say))) : undefined;
  options.redisBinary = wantsRedis ? (process.env.TEST_REDIS_SERVER ?? "redis-server") : undefined;
  pinLoadGenerator();
  if (options.profile !== undefined) {
    process.stdout.write(await profileScenario(options.profile, options, ARTIFACTS));
    return;
  }
  const rounds = await throughputRounds(options);
  const summary = summarise(rounds);
  const result = {
    at: new Date().toISOString(),
    machine: { cpu: cpus()[0].model, cores: cpus().length, kernel: release(), node: process.version },
    options,
    ...summary,
    ...(await extras(options, summary.throughput)),
    rounds,
  };
  await writeFile(join(ARTIFACTS, "bench.json"), `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(format(result));
}

process.once("exit", killStarted);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
try {
  await main();
} catch (error) {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
}
