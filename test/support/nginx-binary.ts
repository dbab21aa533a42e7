import { execFile } from "node:child_process";
import { access, copyFile, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How long a download may take. Milliseconds. */
const DOWNLOAD_MS = 120_000;

/** Where daemons are, and a user's PATH often does not lead. */
const FOLDERS_OF_DAEMONS = ["/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin", "/opt/homebrew/bin"];

/** Packages of Debian and Ubuntu that hold the program, in one release or another. */
const PACKAGES = ["nginx", "nginx-core", "nginx-light"];

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "belfry");

/**
 * The path of an nginx that runs here: what TEST_NGINX names, on the PATH, kept from an earlier run, or out of a Debian package, for which
 * nobody needs to be root.
 * @throws Error that says what was tried and what to do.
 */
export async function obtainNginx(): Promise<string> {
  const given = process.env.TEST_NGINX;
  if (given !== undefined && given !== "") {
    await version(given).catch((error: Error) => Promise.reject(new Error(`TEST_NGINX: ${given} does not run here: ${error.message}`)));
    return given;
  }
  const faults: string[] = [];
  for (const [what, find] of [
    ["the PATH", onPath],
    [CACHE, fromCache],
    ["apt-get download", fromPackage],
  ] as const) {
    try {
      return await find();
    } catch (error) {
      faults.push(`  ${what}: ${(error as Error).message.trim().split("\n").at(-1)}`);
    }
  }
  throw new Error(
    `These tests need a real nginx and found none.\n${faults.join("\n")}\n` +
      "Install nginx 1.20 or later so that `nginx` is on the PATH or in /usr/sbin, or name it in TEST_NGINX, then run the tests again.",
  );
}

async function onPath(): Promise<string> {
  for (const folder of [...(process.env.PATH ?? "").split(delimiter).filter(Boolean), ...FOLDERS_OF_DAEMONS]) {
    const path = join(folder, "nginx");
    if ((await version(path).catch(() => null)) !== null) return path;
  }
  throw new Error("no nginx");
}

async function fromCache(): Promise<string> {
  for (const name of (await readdir(CACHE).catch(() => [])).filter((one) => /^nginx-[\d.]+$/.test(one)).sort()) {
    if ((await version(join(CACHE, name)).catch(() => null)) !== null) return join(CACHE, name);
  }
  throw new Error("nothing kept");
}

async function fromPackage(): Promise<string> {
  await mkdir(CACHE, { recursive: true });
  // Beside the cache's files, so that the rename into the cache is atomic: another test may be doing the same.
  const folder = await mkdtemp(join(CACHE, "incoming-"));
  try {
    let fault = new Error("no package holds it");
    for (const name of PACKAGES) {
      try {
        const path = await unpacked(name, folder);
        const kept = join(CACHE, `nginx-${await version(path)}`);
        await copyFile(path, join(folder, "nginx"));
        await rename(join(folder, "nginx"), kept);
        return kept;
      } catch (error) {
        fault = error as Error;
      }
    }
    throw fault;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The program out of one package. */
async function unpacked(name: string, folder: string): Promise<string> {
  await run("apt-get", ["download", name], { cwd: folder, timeout: DOWNLOAD_MS });
  const file = (await readdir(folder)).find((one) => one.startsWith(`${name}_`) && one.endsWith(".deb"));
  if (file === undefined) throw new Error(`nothing was downloaded for ${name}`);
  await run("dpkg-deb", ["-x", join(folder, file), join(folder, name)]);
  const path = join(folder, name, "usr/sbin/nginx");
  await access(path);
  return path;
}

/** The version that a program says it has. Fails where it cannot run here, for example because a library is missing. */
async function version(path: string): Promise<string> {
  const { stderr } = await run(path, ["-v"]);
  const found = /nginx\/([\d.]+)/.exec(stderr);
  if (found?.[1] === undefined) throw new Error(`${path} does not say its version`);
  return found[1];
}
