import { readdir, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

/** How long processes that are just ending may take. Milliseconds. */
const GRACE_MS = 3_000;

/** How often they are looked for. Milliseconds. */
const POLL_MS = 100;

/**
 * Ends processes whose environment has `name` with `value`, and tells which these were. Linux only: elsewhere none is found.
 * @returns {Promise<Array<{ pid: number, command: string }>>}
 */
export async function endLeftovers(name, value) {
  const deadline = Date.now() + GRACE_MS;
  let found = await marked(`${name}=${value}`);
  while (found.length > 0 && Date.now() < deadline) {
    await pause(POLL_MS);
    found = await marked(`${name}=${value}`);
  }
  for (const { pid } of found) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

async function marked(mark) {
  const found = [];
  for (const pid of (await readdir("/proc").catch(() => [])).filter((one) => /^\d+$/.test(one))) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (!environment.split("\0").includes(mark)) continue;
    const command = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ").trim();
    found.push({ pid: Number(pid), command });
  }
  return found;
}
