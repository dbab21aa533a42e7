/**
 * Runs the tests: `npm test`, or `npm test -- test/contract -t "promises"` with any arguments of jest. Gets a MongoDB and a Redis for
 * the run, and fails the run when a test leaves something behind: an open handle or a process.
 *
 * TEST_MONGODB_URL: a replica set to use instead of one of the run's own; every test file makes and drops a database of its own in it.
 * TEST_REDIS_URL: likewise a Redis; tests use channels of their own.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { endLeftovers } from "./support/leftovers.mjs";
import { obtainMongod } from "./support/mongod-binary.mjs";
import { launchMongod } from "./support/mongod-process.mjs";
import { obtainRedis } from "./support/redis-binary.mjs";
import { launchRedis } from "./support/redis-process.mjs";

/** What jest says when a test has left something running. */
const NOT_CLEAN = /did not exit|failed to exit gracefully|\bopen handles?\b|Force exiting/i;

/** How long jest may linger after it has said so, before it is ended. Milliseconds. */
const LINGER_MS = 5_000;

/** The last line of a run, and how long jest may take to end after it: it has been seen to spin in its own end for ever. Milliseconds. */
const ALL_IS_RUN = /^Ran all test suites/m;
const END_MS = 30_000;

/** Marks every process of this run, by its environment. */
const run = randomUUID();

const say = (text) => console.error(`tests: ${text}`);

let jest = null;
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    interrupted = true;
    jest?.kill(signal);
  });
}

process.exitCode = await main();

async function main() {
  let binaries;
  try {
    binaries = { mongod: await obtainMongod(say), redis: await obtainRedis(say) };
  } catch (error) {
    say(error.message);
    return 1;
  }
  if (interrupted) return 1;
  const started = [];
  const start = async (name, variable, launch, binary) => {
    const given = process.env[variable];
    say(`${name}: ${given ? `from ${variable}` : binary}`);
    if (given) return { [variable]: given };
    const server = await launch(binary);
    started.push(server);
    return { [variable]: server.url };
  };
  try {
    const environment = {
      ...(await start("MongoDB", "TEST_MONGODB_URL", launchMongod, binaries.mongod)),
      ...(await start("Redis", "TEST_REDIS_URL", launchRedis, binaries.redis)),
      TEST_MONGOD_BINARY: binaries.mongod,
      TEST_REDIS_SERVER: binaries.redis,
    };
    const clean = await runJest(environment);
    const leftovers = await endLeftovers("BELFRY_TEST_RUN", run);
    for (const { pid, command } of leftovers) say(`a test has left this process running (ended now): ${pid} ${command}`);
    return clean && leftovers.length === 0 && !interrupted ? 0 : 1;
  } finally {
    for (const server of started) await server.stop();
  }
}

/** Whether all tests passed and jest ended by itself. Its output passes through. */
async function runJest(environment) {
  const bin = createRequire(import.meta.url).resolve("jest/bin/jest");
  const options = `${process.env.NODE_OPTIONS ?? ""} --experimental-vm-modules --disable-warning=ExperimentalWarning`.trim();
  const color = process.stdout.isTTY ? { FORCE_COLOR: "1" } : {};
  jest = spawn(process.execPath, [bin, ...process.argv.slice(2)], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { ...process.env, ...color, ...environment, NODE_OPTIONS: options, BELFRY_TEST_RUN: run },
    stdio: ["inherit", "pipe", "pipe"],
  });
  let complaint = null;
  let timer = null;
  let lateTimer = null;
  const endLate = () => {
    complaint ??= `all is run, and it has not ended in ${END_MS / 1_000} s`;
    jest.kill("SIGKILL");
  };
  for (const [from, to] of [
    [jest.stdout, process.stdout],
    [jest.stderr, process.stderr],
  ]) {
    from.on("data", (data) => {
      to.write(data);
      const found = NOT_CLEAN.exec(String(data));
      if (found !== null && complaint === null) {
        complaint = found[0];
        timer = setTimeout(() => jest.kill("SIGKILL"), LINGER_MS);
      }
      if (ALL_IS_RUN.test(String(data))) lateTimer ??= setTimeout(endLate, END_MS);
    });
  }
  const code = await new Promise((resolve) => jest.on("close", resolve));
  clearTimeout(timer);
  clearTimeout(lateTimer);
  if (complaint !== null) say(`a test has left something running, says jest ("${complaint}"); --detectOpenHandles names it`);
  return code === 0 && complaint === null;
}
