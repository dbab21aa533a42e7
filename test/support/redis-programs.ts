import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("redis-link-program.mjs", import.meta.url));

/** A process with a link and a Socket.IO server over it (redis-link-program.mjs); needs the build. */
export class LinkProgram {
  ready = 0;
  rubbish = 0;
  connections = 0;
  readonly values: unknown[] = [];
  refused: string | null = null;
  /** The end, once it has come: what the process left with, and what it complained about. */
  ended: { code: number | null; complaint: string } | null = null;
  readonly #child: ChildProcess;

  constructor(url: string, env: Record<string, string> = {}) {
    const execArgv = ["--unhandled-rejections=strict"];
    this.#child = fork(PROGRAM, [url], {
      env: { ...process.env, NODE_OPTIONS: "", ...env },
      execArgv,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let complaint = "";
    this.#child.stderr?.on("data", (data) => {
      complaint += data;
    });
    this.#child.on("message", (message: Record<string, unknown>) => {
      if (typeof message.ready === "number") this.ready = message.ready;
      if (typeof message.rubbish === "number") this.rubbish = message.rubbish;
      if (typeof message.refused === "string") this.refused = message.refused;
      if ("connection" in message) this.connections++;
      if ("value" in message) this.values.push(message.value);
    });
    this.#child.on("close", (code) => {
      this.ended = { code, complaint };
    });
  }

  /** Sends an event to the other servers. */
  emit(value: unknown): void {
    this.#child.send({ emit: value });
  }

  /** Publishes all the time from now on, or no more. */
  flood(on: boolean): void {
    this.#child.send({ flood: on });
  }

  /** Asks it to end cleanly and tells how it did. */
  async stop(): Promise<{ code: number | null; complaint: string } | null> {
    if (this.ended === null) {
      const closed = once(this.#child, "close");
      if (this.#child.connected) this.#child.send({ stop: true });
      await closed;
    }
    return this.ended;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
