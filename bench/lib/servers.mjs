/** Starts and stops what is measured, on the server's core unless said otherwise: the service, a baseline, a MongoDB of its own. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import mongoose from "mongoose";
import { SERVER_CORE } from "./cpu.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 30_000;
/** MongoDB's cache: enough for every run here, and the same on every machine. */
const MONGOD_CACHE_GB = "1";

export const API_KEY = randomBytes(24).toString("base64url");
export const JWT_SECRET = randomBytes(48).toString("base64url");

/** A new temporary directory. */
export const temporaryDirectory = () => mkdtemp(join(tmpdir(), "belfry-bench-"));

const started = new Set();

function onCore(core, command, args, options) {
  const child = spawn("taskset", ["-c", String(core), command, ...args], { cwd: ROOT, ...options });
  started.add(child);
  child.once("exit", () => started.delete(child));
  return child;
}

/** Has what others started (`kill()`) killed too. */
export function killWithTheRest(process) {
  started.add(process);
}

/** Kills everything that still runs; for the end of a bench that failed. */
export function killStarted() {
  for (const child of started) child.kill("SIGKILL");
}

function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms / 1000} s`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A child process: its exit, and the end of what it said, for error messages. */
class Running {
  output = "";

  constructor(child, name) {
    this.child = child;
    this.name = name;
    this.pid = child.pid;
    this.exited = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text) => {
        this.output = (this.output + text).slice(-8000);
        this.onOutput?.();
      });
    }
  }

  /** Resolves with the first match of `pattern` in the output; rejects when the process ends first. */
  async says(pattern) {
    const found = new Promise((resolve) => {
      this.onOutput = () => {
        const match = pattern.exec(this.output);
        if (match !== null) resolve(match);
      };
      this.onOutput();
    });
    const ended = this.exited.then(({ code, signal }) => {
      throw new Error(`${this.name} ended at its start (${signal ?? code}):\n${this.output}`);
    });
    ended.catch(() => undefined);
    try {
      return await within(START_DEADLINE_MS, Promise.race([found, ended]), `The start of ${this.name}`);
    } catch (error) {
      this.child.kill("SIGKILL");
      throw error;
    }
  }

  /** SIGTERM, and an Error unless it then ends by itself with 0. */
  async stop() {
    this.child.kill("SIGTERM");
    const { code, signal } = await within(STOP_DEADLINE_MS, this.exited, `Stopping ${this.name}`).catch((error) => {
      this.child.kill("SIGKILL");
      throw error;
    });
    if (code !== 0) throw new Error(`${this.name} ended with ${signal ?? code}:\n${this.output}`);
  }
}

async function startNode(core, name, args, env, stdio) {
  const child = onCore(core, process.execPath, args, { env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env }, stdio });
  const running = new Running(child, name);
  const match = await running.says(/listening on http:\/\/[^\s:]+:(\d+)/);
  return Object.assign(running, { port: Number(match[1]) });
}

/** As `npm start` starts it. */
const FLAGS = ["--max-semi-space-size=64"];

/**
 * The service itself, as in production. `store`: `{ dataDir, mongodbUrl?, redisUrl? }`. `profileDir`: where Node writes a CPU profile at its
 * end. Result: `{ pid, port, stop() }`.
 */
export function startService({ dataDir, mongodbUrl, redisUrl }, { profileDir, core = SERVER_CORE } = {}) {
  const profiling = profileDir === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`];
  const env = {
    NODE_ENV: "production",
    HOST: "127.0.0.1",
    PORT: "0",
    DATA_DIR: dataDir,
    API_KEYS: API_KEY,
    JWT_SECRET,
    DEMO: "off",
    LOG_LEVEL: "warn",
    ...(mongodbUrl === undefined ? {} : { MONGODB_URL: mongodbUrl }),
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
  };
  return startNode(core, "The service", [...profiling, ...FLAGS, join(ROOT, "dist/src/main.js")], env, ["ignore", "pipe", "pipe"]);
}

/** A baseline by its file's name in bench/baselines. It can be sent messages by `child.send`. */
export function startBaseline(name, env = {}) {
  const args = [join(ROOT, "bench/baselines", `${name}.mjs`)];
  return startNode(SERVER_CORE, `The baseline ${name}`, args, { NODE_ENV: "production", API_KEY, ...env }, [
    "ignore",
    "pipe",
    "pipe",
    "ipc",
  ]);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/**
 * A MongoDB of its own: a replica set of one member, on the server's core or another, with the defaults of mongod but for its
 * cache. Result: `{ pid, url, client, stop() }`; `client` is a connected `MongoClient`.
 */
export async function startMongod(binary, core = SERVER_CORE) {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const args = ["--dbpath", directory, "--port", String(port), "--bind_ip", "127.0.0.1", "--replSet", "bench"];
  args.push("--wiredTigerCacheSizeGB", MONGOD_CACHE_GB);
  const running = new Running(onCore(core, binary, args, { stdio: ["ignore", "pipe", "pipe"] }), "mongod");
  await running.says(/Waiting for connections/);
  const client = new mongoose.mongo.MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`);
  await client.db("admin").command({ replSetInitiate: { _id: "bench", members: [{ _id: 0, host: `127.0.0.1:${port}` }] } });
  await within(START_DEADLINE_MS, primary(client), "The election of the replica set");
  return {
    pid: running.pid,
    url: `mongodb://127.0.0.1:${port}/belfry?replicaSet=bench`,
    client,
    async stop() {
      await client.close();
      await running.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function primary(client) {
  while (!(await client.db("admin").command({ hello: 1 })).isWritablePrimary) await new Promise((resolve) => setTimeout(resolve, 20));
}

/**
 * Runs `use({ service, pids })` against a service on a new store, stops it cleanly and takes everything down. The store is empty, or what
 * `prepare({ dataDir, mongodbUrl })` has made of it. `stopped({ dataDir, mongod })` is called when the service has ended and the store is
 * still there.
 */
export async function withService({
  store,
  mongodBinary,
  profileDir,
  prepare = async () => undefined,
  use,
  stopped = async () => undefined,
}) {
  const dataDir = await temporaryDirectory();
  const mongod = store === "mongodb" ? await startMongod(mongodBinary) : undefined;
  let service;
  try {
    await prepare({ dataDir, mongodbUrl: mongod?.url });
    service = await startService({ dataDir, mongodbUrl: mongod?.url }, { profileDir });
    const pids = mongod === undefined ? [service.pid] : [service.pid, mongod.pid];
    const result = await use({ service, pids });
    await service.stop();
    await stopped({ dataDir, mongod });
    return result;
  } finally {
    service?.child.kill("SIGKILL");
    await mongod?.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
