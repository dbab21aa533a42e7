import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import { GUARDIAN_SCRIPT } from "./guardian-shell.js";

/** Looks of the guardian that make up the limit. More: a more exact limit, and more wakings. */
const LOOKS = 6;

/**
 * Signs of life within one look. Threat: a sign that comes just when the shell gives up waiting is lost, and with one to a look the next one
 * would come at such a moment again, until a process in good health is killed.
 */
const BEATS_A_LOOK = 2;

/** Threat: a shell that neither works nor ends. Milliseconds in which a guardian says that it is ready, on a busy machine too. */
const READY_MS = 10_000;

/** Threat: a guardian that ends at once, over and over. Milliseconds until the next one is started. */
const AGAIN_MS = 5_000;

/** The fallback, compiled beside this file. */
const PROGRAM = fileURLToPath(new URL("guardian.js", import.meta.url));

/** Ways to run a guardian, the cheapest first: a shell with `read -t` has 3 MB, a Node process 40. */
const WAYS: ReadonlyArray<[command: string, ...args: string[]]> = [
  // Bash takes an input that is a socket, as this one is, for a remote login, and would read its user's settings.
  ["/bin/bash", "--norc", "-c", GUARDIAN_SCRIPT, "belfry-guardian"],
  ["/bin/sh", "-c", GUARDIAN_SCRIPT, "belfry-guardian"],
  [process.execPath, "--max-old-space-size=16", "--v8-pool-size=1", PROGRAM],
];

export interface WatchdogOptions {
  /** Without a sign of life for so long this process is killed. Milliseconds. */
  limitMs: number;
  logger: Logger;
  /** Ways to run a guardian; the first that works is taken. */
  ways?: typeof WAYS;
}

/**
 * Has this process killed when its event loop stands still. A process that is frozen (SIGSTOP, an endless loop, a hung disk) keeps its
 * members' connections open and does nothing for them, and cannot see that itself; so a child process looks on from outside. Its own
 * time counts, not the clock's, so that a pause of the whole machine kills nobody. It keeps nothing alive and ends with this process.
 */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #beats: NodeJS.Timeout;
  #guardian: ChildProcess | null = null;
  #again: NodeJS.Timeout | undefined;
  #stopped = false;
  #failed = false;

  private constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#beats = setInterval(() => this.#beat(), options.limitMs / LOOKS / BEATS_A_LOOK).unref();
  }

  /** Resolves when this process is watched, or cannot be, which is logged. */
  static async start(options: WatchdogOptions): Promise<Watchdog> {
    const watchdog = new Watchdog(options);
    if (process.pid === 1) {
      // The kernel lets nobody inside a container kill its first process.
      options.logger.warn("WATCHDOG: off, because this is process 1, which cannot be killed from inside; run it under an init");
      return watchdog;
    }
    await watchdog.#watch();
    return watchdog;
  }

  /** The guardian's process id; null while there is none. */
  get pid(): number | null {
    return this.#guardian?.pid ?? null;
  }

  /** Resolves when the guardian has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#beats);
    clearTimeout(this.#again);
    if (this.#guardian !== null) await ended(this.#guardian);
  }

  async #watch(): Promise<void> {
    const { limitMs, logger, ways = WAYS } = this.#options;
    for (const way of ways) {
      const guardian = await tryWay(way, limitMs / LOOKS);
      if (guardian === null) continue;
      if (this.#stopped) {
        await ended(guardian);
        return;
      }
      this.#guardian = guardian;
      this.#failed = false;
      guardian.once("exit", (code, signal) => {
        this.#guardian = null;
        if (this.#stopped) return;
        logger.warn({ code, signal }, "WATCHDOG: the guardian has ended; another one is started");
        this.#watchAgain();
      });
      this.#beat();
      return;
    }
    if (!this.#failed) logger.error("WATCHDOG: no guardian can be started; it is tried again");
    this.#failed = true;
    this.#watchAgain();
  }

  #watchAgain(): void {
    if (!this.#stopped) this.#again = setTimeout(() => void this.#watch(), AGAIN_MS).unref();
  }

  #beat(): void {
    const input = this.#guardian?.stdin;
    // A guardian that does not read is given no more than the pipe holds.
    if (input?.writable && !input.writableNeedDrain) input.write("\n");
  }
}

/** A guardian that is ready, and keeps this process from nothing; null where this way leads to none. */
async function tryWay([command, ...args]: (typeof WAYS)[number], lookMs: number): Promise<ChildProcess | null> {
  if (!existsSync(command)) return null;
  const numbers = [process.pid, lookMs / 1_000, LOOKS].map(String);
  // Nothing of this process's environment, which holds secrets, and no folder that it would keep from being unmounted.
  const child = spawn(command, [...args, ...numbers], { cwd: "/", env: {}, stdio: ["pipe", "pipe", "inherit"] });
  // A guardian that cannot be started is told by these events alone; one that has ended also by `exit`.
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  const isReady = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(resolve, READY_MS, false);
    const settle = (ready: boolean): void => {
      clearTimeout(timer);
      resolve(ready);
    };
    child.stdout.once("data", () => settle(true));
    child.once("error", () => settle(false));
    child.once("exit", () => settle(false));
  });
  child.stdout.destroy();
  if (!isReady) {
    child.kill("SIGKILL");
    return null;
  }
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return child;
}

/** Ends a guardian by the end of its input. */
async function ended(guardian: ChildProcess): Promise<void> {
  if (guardian.exitCode !== null || guardian.signalCode !== null) return;
  const exit = once(guardian, "exit");
  guardian.ref();
  guardian.stdin?.end();
  await exit;
}
