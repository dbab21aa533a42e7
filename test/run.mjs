/**
 * Runs the tests: `npm test`, or `npm test -- test/contract -t "promises"` with any arguments of jest. Gets a MongoDB for the run, and fails
 * the run when a test leaves something behind: an open handle or a process.
 *
 * TEST_MONGODB_URL: a replica set to use instead of one of the run's own; every test file makes and drops a database of its own in it.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { endLeftovers } from "./support/leftovers.mjs";
import { obtainMongod } from "./support/mongod-binary.mjs";
import { launchMongod } from "./support/mongod-process.mjs";

/** What jest says when a test has left something running. */
const NOT_CLEAN = /did not exit|failed to exit gracefully|\bopen handles?\b|Force exiting/i;

/** How long jest may linger after it has said so, before it is ended. Milliseconds. */
const LINGER_MS = 5_000;

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
  let binary;
  try {
    binary = await obtainMongod(say);
  } catch (error) {
    say(error.message);
    return 1;
  }
  if (interrupted) return 1;
  const given = process.env.TEST_MONGODB_URL;
  const mongod = given ? null : await launchMongod(binary);
  say(`MongoDB: ${given ? "from TEST_MONGODB_URL" : binary}`);
  try {
    const clean = await runJest({ TEST_MONGODB_URL: given || mongod.url, TEST_MONGOD_BINARY: binary });
    const leftovers = await endLeftovers("BELFRY_TEST_RUN", run);
    for (const { pid, command } of leftovers) say(`a test has left this process running (ended now): ${pid} ${command}`);
    return clean && leftovers.length === 0 && !interrupted ? 0 : 1;
  } finally {
    await mongod?.stop();
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
  for (const [from, to] of [
    [jest.stdout, process.stdout],
    [jest.stderr, process.stderr],
  ]) {
    from.on("data", (data) => {
      to.write(data);
      const found = NOT_CLEAN.exec(String(data));
      if (found === null || complaint !== null) return;
      complaint = found[0];
      timer = setTimeout(() => jest.kill("SIGKILL"), LINGER_MS);
    });
  }
  const code = await new Promise((resolve) => jest.on("close", resolve));
  clearTimeout(timer);
  if (complaint !== null) say(`a test has left something running, says jest ("${complaint}"); --detectOpenHandles names it`);
  return code === 0 && complaint === null;
}
