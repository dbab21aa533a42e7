import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "@jest/globals";
import { until } from "../support/member.js";
import { type Service, startService } from "../support/service.js";

/** What a node among others has by default. */
const LIMIT_MS = 3_000;

/** What the guardian, and a machine with much else to do, may take beyond the limit. */
const GRACE_MS = 3_000;

const room = (file: string) => fileURLToPath(new URL(`../../dist/src/process/${file}`, import.meta.url));

let service: Service | null = null;
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
  await service?.stop();
  service = null;
});

async function watched(
  env: Record<string, string> = { WATCHDOG: String(LIMIT_MS / 1_000) },
): Promise<{ service: Service; guardians: number[] }> {
  service = await startService({ env });
  return { service, guardians: await childrenOf(service.pid) };
}

/** The processes that were started by a process, and their states. */
async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map(async (pid) => ({ pid, stat: await statOf(pid) })));
  return stats.filter(({ stat }) => stat?.parent === parent).map(({ pid }) => pid);
}

/** Null where there is no such process any more, or only its exit status, which nobody has taken yet. */
async function statOf(pid: number): Promise<{ parent: number; state: string; ticks: number } | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  if (text === null) return null;
  const [state = "", parent, ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return state === "Z" ? null : { state, parent: Number(parent), ticks: Number(rest[9]) + Number(rest[10]) };
}

const isGone = async (pid: number) => (await statOf(pid)) === null;

/** A process of its own that is watched, and then does what `then` says, in a process group of its own. `way`: how its guardian is to run. */
async function start(then: string, way?: string[]): Promise<{ child: ChildProcess; guardian: number; output: () => string }> {
  const program = `
    import { Watchdog } from ${JSON.stringify(room("watchdog.js"))};
    const say = (level) => (...parts) => process.stdout.write(level + " " + parts.map((part) => JSON.stringify(part)).join(" ") + "\\n");
    const logger = { warn: say("warn"), error: say("error"), info: say("info") };
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => {});
    const ways = ${way === undefined ? "undefined" : JSON.stringify([way])};
    const watchdog = await Watchdog.start({ limitMs: ${LIMIT_MS}, logger, ...(ways === undefined ? {} : { ways }) });
    process.stdout.write("guardian " + watchdog.pid + "\\n");
    ${then}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "pipe"], detached: true });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  await until(
    () => `a guardian: ${output}`,
    () => /^guardian /m.test(output),
  );
  return { child, guardian: Number(/^guardian (\d+)/m.exec(output)?.[1]), output: () => output };
}

const STAY = "setInterval(() => {}, 1_000);";
const NODE_WAY = [process.execPath, "--max-old-space-size=16", room("guardian.js")];

describe("a node with a WATCHDOG", () => {
  it("is killed when it is frozen, within about the limit, and its port is free", async () => {
    const { service, guardians } = await watched();
    expect(guardians).toHaveLength(1);
    const { pid, url } = service;
    const frozen = Date.now();
    process.kill(pid, "SIGSTOP");
    await until("it is gone", () => isGone(pid));
    const ms = Date.now() - frozen;
    expect(ms).toBeGreaterThan(LIMIT_MS / 2);
    expect(ms).toBeLessThan(LIMIT_MS + GRACE_MS);
    expect(await service.stop()).toEqual({ code: null, signal: "SIGKILL" });
    expect(service.output).toContain(`watchdog: process ${pid} showed no sign of life`);
    const server = createServer().listen(Number(new URL(url).port), "127.0.0.1");
    await once(server, "listening");
    server.close();
    await until("the guardian is gone", async () => isGone(guardians[0] as number));
  });

  it("is left alone when it is frozen for less", async () => {
    const { service } = await watched();
    for (let count = 0; count < 3; count++) {
      process.kill(service.pid, "SIGSTOP");
      await pause(LIMIT_MS / 3);
      process.kill(service.pid, "SIGCONT");
      await until("it answers", async () => (await fetch(`${service.url}/health`)).ok);
      // Signs of life begin the count anew.
      await pause(LIMIT_MS / 4);
    }
  });

  it("is left alone when the whole machine was paused, however long", async () => {
    const { service, guardians } = await watched();
    const both = [guardians[0] as number, service.pid];
    for (const pid of both) process.kill(pid, "SIGSTOP");
    await pause(LIMIT_MS * 2);
    for (const pid of both) process.kill(pid, "SIGCONT");
    await until("it answers", async () => (await fetch(`${service.url}/health`)).ok);
    await pause(LIMIT_MS);
    expect((await fetch(`${service.url}/health`)).ok).toBe(true);
  }, 20_000);

  it.each(["SIGTERM", "SIGKILL"] as const)("takes its guardian with it when it ends by %s", async (signal) => {
    const { service, guardians } = await watched();
    process.kill(service.pid, signal);
    await service.stop();
    await until("the guardian is gone", async () => isGone(guardians[0] as number));
  });

  it("has none with WATCHDOG=0, nor by default where it is alone", async () => {
    for (const env of [{ WATCHDOG: "0" }, {}]) {
      const { service, guardians } = await watched(env);
      expect(guardians).toEqual([]);
      await service.stop();
    }
  });
});

describe.each<[kind: string, way: string[] | undefined]>([
  ["a shell", undefined],
  ["a Node process", NODE_WAY],
])("a guardian that is %s", (_kind, way) => {
  it("kills a process whose event loop is dead", async () => {
    const { child } = await start("for (;;) {}", way);
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    expect([code, signal]).toEqual([null, "SIGKILL"]);
  });

  it("leaves a busy one alone", async () => {
    // A second's work without a pause, again and again, as an export or a large page may need.
    const busy = "const work = () => { const end = Date.now() + 1_000; while (Date.now() < end); setTimeout(work, 20); }; work();";
    const { child } = await start(busy, way);
    await pause(LIMIT_MS * 2.5);
    expect([child.exitCode, child.signalCode]).toEqual([null, null]);
  }, 15_000);

  it("keeps nothing alive, and is gone when the process has nothing more to do", async () => {
    const { child, guardian } = await start("", way);
    if (child.exitCode === null) await once(child, "exit");
    expect(child.exitCode).toBe(0);
    await until("it is gone", () => isGone(guardian));
  });

  it("does not heed signals to the group, which are for the process that it watches", async () => {
    const { child, guardian } = await start(STAY, way);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(-(child.pid as number), signal);
    await pause(500);
    expect(await isGone(guardian)).toBe(false);
    child.kill("SIGKILL");
    await until("it is gone", () => isGone(guardian));
  });

  it("costs next to nothing", async () => {
    const { guardian } = await start(STAY, way);
    const before = (await statOf(guardian))?.ticks as number;
    await pause(3_000);
    // A tick is a hundredth of a second: 5 are 1.7 % of a core.
    expect(((await statOf(guardian))?.ticks as number) - before).toBeLessThanOrEqual(5);
  });

  it("is followed by another when somebody kills it", async () => {
    const { child, guardian, output } = await start(`setInterval(() => process.stdout.write("now " + watchdog.pid + "\\n"), 100);`, way);
    process.kill(guardian, "SIGKILL");
    await until("another", () => [...output().matchAll(/now (\d+)/g)].some(([, pid]) => Number(pid) !== guardian));
    expect(output()).toMatch(/^warn .*the guardian has ended/m);
    child.kill("SIGSTOP");
    await once(child, "exit");
    expect(child.signalCode).toBe("SIGKILL");
  }, 20_000);
});

describe("a guardian that cannot be", () => {
  it("is a shell that knows no time limit: it is not taken", async () => {
    // Does what a shell without `read -t` does: complains, and goes on at once.
    const { output, child } = await start(STAY, ["/bin/sh", "-c", "echo 'read: Illegal option -t' >&2; exit 1"]);
    expect(output()).toMatch(/guardian null/);
    expect(output()).toMatch(/^error "WATCHDOG: no guardian can be started/m);
    expect(child.exitCode).toBeNull();
  });

  it("is a program that is not there", async () => {
    const { output } = await start(STAY, ["/nowhere/sh"]);
    expect(output()).toMatch(/guardian null/);
  });
});
