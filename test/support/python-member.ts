import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { obtainPythonSocketio } from "./python-socketio.mjs";

const PROGRAM = fileURLToPath(new URL("../../examples/mobile/member.py", import.meta.url));

/** The example of a device in Python, as a process: what it prints is what it has shown. */
export class PythonMember {
  readonly shown: Array<{ id: string; text: string }> = [];
  complaints = "";
  #child: ChildProcess | null = null;

  /** `memory`: a file in which it keeps what it knows. */
  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly memory: string,
  ) {}

  get isRunning(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async start(): Promise<void> {
    const packages = await obtainPythonSocketio();
    const { PATH, HOME, BELFRY_TEST_RUN } = process.env;
    const env = { PATH, HOME, BELFRY_TEST_RUN, PYTHONPATH: packages, BELFRY_URL: this.url, BELFRY_TOKEN: this.token };
    const child = spawn("python3", ["-u", PROGRAM, this.memory], { env, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    child.stderr.on("data", (data) => {
      this.complaints += String(data);
    });
    createInterface({ input: child.stdout }).on("line", (line) => this.shown.push(JSON.parse(line)));
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null || !this.isRunning) return;
    const ended = once(child, "close");
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(late);
  }
}
