import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The compiled program: `npm run build` makes it, and `npm test` runs that first. */
const MAIN = fileURLToPath(new URL("../../dist/src/main.js", import.meta.url));

/** Milliseconds until a service that does not start, or does not stop, is a failure; a migration on a slow disk takes two seconds. */
const DEADLINE = 20_000;

/** How much of the process's last output an error message quotes. */
const OUTPUT_KEPT = 8_000;

/** A variable that is `undefined` is taken out of the environment. */
export type Environment = Record<string, string | undefined>;

/** The keys that the service made for itself; empty texts where it was given its own. */
export interface ServiceKeys {
  apiKey: string;
  jwtSecret: string;
  discourseSecret: string;
}

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/**
 * The real service as a process of its own, on a free port and a data folder of its own, both of which it keeps over `restart`.
 * Variables of this process that the service reads do not reach it; `env` does.
 */
export class Service {
  url = "";
  keys: ServiceKeys = { apiKey: "", jwtSecret: "", discourseSecret: "" };
  private child: ChildProcess | null = null;
  private ended: Promise<Exit> = Promise.resolve({ code: 0, signal: null });
  private text = "";
  private port = "0";

  constructor(
    readonly dataDir: string,
    private readonly env: Environment,
    private readonly ownsDataDir: boolean,
    /** Gets everything that the process writes, of all its lives. */
    private readonly onOutput: (text: string) => void = () => {},
  ) {}

  get pid(): number {
    if (this.child?.pid === undefined) throw new Error("The service is not running.");
    return this.child.pid;
  }

  /** The last part of what the process has written, of all its lives. */
  get output(): string {
    return this.text;
  }

  get apiKey(): string {
    return this.keys.apiKey;
  }

  get jwtSecret(): string {
    return this.keys.jwtSecret;
  }

  get discourseSecret(): string {
    return this.keys.discourseSecret;
  }

  /** Resolves when the process serves. @throws Error with its output when it ends first or takes too long. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [MAIN], { env: this.environment(), stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    this.ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        if (this.child === child) this.child = null;
        resolve({ code, signal });
      });
    });
    const address = await this.listening(child);
    this.url = address;
    this.port = new URL(address).port;
    this.keys = await readKeys(this.dataDir);
  }

  /** Ends the process with SIGTERM and takes its own data folder away. Calling it again does no harm. */
  async stop(): Promise<Exit> {
    const exit = await this.end("SIGTERM");
    if (this.ownsDataDir) await rm(this.dataDir, { recursive: true, force: true });
    return exit;
  }

  /** Ends the process as a power cut would; `start` brings it back with the same data. */
  async kill9(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** The same port and data, another process. The running one, if there is one, is asked to stop first. */
  async restart(): Promise<void> {
    await this.end("SIGTERM");
    await this.start();
  }

  private async end(signal: NodeJS.Signals): Promise<Exit> {
    this.child?.kill(signal);
    return within(this.ended, () => {
      this.child?.kill("SIGKILL");
      return new Error(`The service did not stop within ${DEADLINE} ms.\n${this.text}`);
    });
  }

  private environment(): NodeJS.ProcessEnv {
    const { PATH, HOME, TMPDIR } = process.env;
    const merged: Environment = {
      PATH,
      HOME,
      TMPDIR,
      LOG_LEVEL: "warn",
      HOST: "127.0.0.1",
      ...this.env,
      PORT: this.port,
      DATA_DIR: this.dataDir,
    };
    return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
  }

  private listening(child: ChildProcess): Promise<string> {
    // A line can come in two pieces, so the search is in all that this process has written so far.
    let written: string | null = "";
    const serving = new Promise<string>((resolve, reject) => {
      const take = (chunk: Buffer): void => {
        this.text = (this.text + chunk.toString()).slice(-OUTPUT_KEPT);
        this.onOutput(chunk.toString());
        if (written === null) return;
        written += chunk.toString();
        const address = /listening on (https?:\/\/[^\s"]+:\d+)/.exec(written)?.[1];
        if (address === undefined) return;
        written = null;
        resolve(address);
      };
      child.stdout?.on("data", take);
      child.stderr?.on("data", take);
      child.once("error", reject);
      // "close", not "exit": by then everything that the process has written is here.
      child.once("close", (code, signal) => reject(new Error(`The service ended (${signal ?? code}) before it served.\n${this.text}`)));
    });
    return within(serving, () => {
      child.kill("SIGKILL");
      return new Error(`The service did not serve within ${DEADLINE} ms.\n${this.text}`);
    });
  }
}

/** Starts the service. `dataDir`: use this folder and leave it there; otherwise a fresh one, which goes with `stop()`. */
export async function startService(options: { env?: Environment; dataDir?: string } = {}): Promise<Service> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "belfry-")));
  const service = new Service(dataDir, options.env ?? {}, options.dataDir === undefined);
  try {
    await service.start();
  } catch (error) {
    await service.stop();
    throw error;
  }
  return service;
}

async function readKeys(dataDir: string): Promise<ServiceKeys> {
  const none = { apiKey: "", jwtSecret: "", discourseSecret: "" };
  try {
    return { ...none, ...(JSON.parse(await readFile(join(dataDir, "keys.json"), "utf8")) as Partial<ServiceKeys>) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return none;
    throw error;
  }
}

async function within<T>(promise: Promise<T>, failure: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(failure()), DEADLINE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
