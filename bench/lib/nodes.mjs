/** Two nodes, and what they have in common. */
import { rm } from "node:fs/promises";
import { launchRedis } from "../../test/support/redis-process.mjs";
import { Members } from "./clients.mjs";
import { CORES, pinLoadGenerator, spreadOverCores } from "./cpu.mjs";
import { memberName, memberToken, randomSource } from "./events.mjs";
import { JWT_SECRET, killWithTheRest, startMongod, startService, temporaryDirectory } from "./servers.mjs";

/**
 * Runs `use({ nodes, redis, pids })` against two nodes that share one MongoDB and one Redis, each on a core of its own; the database, Redis and
 * the load generator run on both cores. `apart`: two nodes that know nothing of each other instead, each with a MongoDB on its core, and no
 * Redis. `nodes`: `{ pid, port, child, stop() }` each; one that was killed may stay so. `pids`: the processes by `services`, `stores` and
 * `buses`.
 */
export async function withNodes({ apart = false, mongodBinary, redisBinary, use }) {
  const nodes = [];
  const mongods = [];
  const directories = [];
  let redis = null;
  spreadOverCores();
  try {
    if (!apart) {
      redis = await launchRedis(redisBinary);
      killWithTheRest({ kill: () => void redis.kill9() });
    }
    for (const core of CORES) {
      if (apart || mongods.length === 0) mongods.push(await startMongod(mongodBinary, core));
      const dataDir = await temporaryDirectory();
      directories.push(dataDir);
      const shared = apart ? {} : { redisUrl: redis.url };
      nodes.push(await startService({ dataDir, mongodbUrl: mongods.at(-1).url, ...shared }, { core }));
    }
    const pidsOf = (all) => all.map(({ pid }) => pid);
    const pids = { services: pidsOf(nodes), stores: pidsOf(mongods), buses: redis === null ? [] : [redis.pid] };
    if (!apart) spreadOverCores([...pids.stores, ...pids.buses]);
    const result = await use({ nodes, redis, pids });
    await Promise.all(nodes.filter(({ child }) => child.signalCode === null).map((node) => node.stop()));
    return result;
  } catch (error) {
    throw explained(error, nodes);
  } finally {
    for (const { child } of nodes) child.kill("SIGKILL");
    await Promise.all(mongods.map((mongod) => mongod.stop()));
    await redis?.stop();
    await Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true })));
    pinLoadGenerator();
  }
}

/** The error with the last words of the nodes that have ended: what went wrong for a caller or a member may be theirs. */
function explained(error, nodes) {
  const ended = nodes.filter(({ child }) => child.exitCode !== null || child.signalCode !== null);
  const words = ended.map(({ child, output }) => `A node ended with ${child.signalCode ?? child.exitCode}: ${output}`);
  return words.length === 0 ? error : new Error([error.message, ...words].join("\n"), { cause: error });
}

/** The numbers of `count` members from `first` on. */
export const numbersFrom = (first, count) => Array.from({ length: count }, (_, n) => first + n);

/** The numbers of the first `count` members, dealt out to `parts` nodes at random. */
export function deal({ count, parts, seed }) {
  const random = randomSource(seed);
  const hands = Array.from({ length: parts }, () => []);
  for (const n of numbersFrom(0, count)) hands[Math.floor(random() * parts)].push(n);
  return hands;
}

/** Who connects as the nth member; `more` is added to the handshake. */
export const account = (n, more = {}) => ({ user: memberName(n), auth: { token: memberToken(memberName(n), JWT_SECRET), ...more } });

/** Connects the members with these numbers to a node. */
export async function connectTo(node, dialect, numbers) {
  const members = new Members(node.port, dialect);
  await members.connect(numbers.map((n) => account(n)));
  return members;
}

/** The counters of the service's own, by name (with labels where it has some): `Map`. */
async function countersOf({ port }) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const counters = new Map();
  for (const [, name, value] of text.matchAll(/^(belfry_\w+(?:_total|_sum|_count)(?:\{[^}]*\})?) (\S+)$/gm))
    counters.set(name, Number(value));
  return counters;
}

/** Call it to begin, call what it returns (asynchronous) at the end: `(name) => number`, by how much the counter grew on all nodes together. */
export async function watchCounters(nodes) {
  const before = await Promise.all(nodes.map(countersOf));
  return async () => {
    const after = await Promise.all(nodes.map(countersOf));
    return (name) => after.reduce((sum, counters, index) => sum + (counters.get(name) ?? 0) - (before[index].get(name) ?? 0), 0);
  };
}
