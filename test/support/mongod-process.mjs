import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import mongoose from "mongoose";

/** How long a mongod may take to start, to elect itself, or to stop. Milliseconds. */
const DEADLINE_MS = 30_000;

/** How often a condition is looked at. Milliseconds. */
const POLL_MS = 50;

/** WiredTiger takes half of the machine's memory where nobody says otherwise. Gigabytes. */
const CACHE_GB = "0.25";

/** The name of every replica set. */
export const SET = "belfry-test";

/**
 * Starts a mongod of its own in a temporary folder. `kind`: `primary` waits until it is a replica set of one that takes writes, `uninitiated`
 * leaves out the initiation, `standalone` is no replica set. `parameters`: of the server, by name.
 */
export async function launchMongod(binary, kind = "primary", parameters = {}) {
  const dir = await mkdtemp(join(tmpdir(), "belfry-mongod-"));
  const port = await freePort();
  const args = ["--bind_ip", "127.0.0.1", "--port", String(port), "--dbpath", dir, "--logpath", join(dir, "mongod.log"), "--logappend"];
  args.push("--nounixsocket", "--wiredTigerCacheSizeGB", CACHE_GB);
  if (kind !== "standalone") args.push("--replSet", SET);
  for (const [name, value] of Object.entries(parameters)) args.push("--setParameter", `${name}=${value}`);
  const direct = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  let child = null;
  let ended = Promise.resolve();
  let frozen = false;

  async function start() {
    child = spawn(binary, args, { stdio: "ignore" });
    frozen = false;
    ended = once(child, "exit");
    await until(`mongod on port ${port} to answer`, () => command(direct, { ping: 1 }));
    if (kind !== "primary") return;
    await command(direct, { replSetInitiate: { _id: SET, members: [{ _id: 0, host: `127.0.0.1:${port}` }] } }).catch((error) => {
      // A restarted one is initiated already.
      if (error.codeName !== "AlreadyInitialized") throw error;
    });
    await until(`mongod on port ${port} to become primary`, async () => {
      if (!(await command(direct, { hello: 1 })).isWritablePrimary) throw new Error("it is not yet");
    });
  }

  async function until(what, condition) {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      try {
        return await condition();
      } catch (error) {
        if (child.exitCode !== null || Date.now() > deadline) throw new Error(`Waited in vain for ${what}: ${await complaint(error)}`);
      }
      await pause(POLL_MS);
    }
  }

  async function complaint(error) {
    const log = await readFile(join(dir, "mongod.log"), "utf8").catch(() => "");
    return `${error.message}\n${log.split("\n").slice(-10).join("\n")}`;
  }

  async function end(signal) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      // One that stands still would take the signal when it is woken.
      thaw();
    }
    const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
    await ended;
    clearTimeout(timer);
  }

  function freeze() {
    frozen = true;
    child.kill("SIGSTOP");
  }

  function thaw() {
    if (frozen) child.kill("SIGCONT");
    frozen = false;
  }

  const server = {
    port,
    url: kind === "standalone" ? `mongodb://127.0.0.1:${port}/` : `mongodb://127.0.0.1:${port}/?replicaSet=${SET}`,
    get pid() {
      return child.pid;
    },
    get responsive() {
      return !frozen && child.exitCode === null && child.signalCode === null;
    },
    freeze,
    thaw,
    kill9: () => end("SIGKILL"),
    restart: () => start(),
    async stop() {
      await end("SIGTERM");
      await rm(dir, { recursive: true, force: true });
    },
  };
  try {
    await start();
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function command(url, what) {
  const client = new mongoose.mongo.MongoClient(url, { serverSelectionTimeoutMS: 1_000 });
  try {
    return await client.db("admin").command(what);
  } finally {
    await client.close();
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
