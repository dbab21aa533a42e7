import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "@jest/globals";
import { type RunReport, runSeed } from "./harness-run.js";
import { type RedisKind, Stack } from "./harness-stack.js";

/** How long MongoDB and Redis may take to be there. Milliseconds. */
const START_MS = 120_000;

/** How long one run may take, whatever is done to it. Milliseconds. */
const RUN_MS = 180_000;
const LONG_RUN_MS = 400_000;

/** How many runs go on side by side, each on servers of its own. One, as other tests run beside them. */
const LANES = 1;

/** What `npm run soak` asks for, by the environment. */
interface Soak {
  from: number;
  seeds: number;
  long: boolean;
  lanes: number;
}

/** Runs of one kind of Redis, with the seeds given, or those that `npm run soak` asks for. */
export function describeSeeds(title: string, kind: RedisKind, count: number, lanes = LANES): void {
  const soak = process.env.BELFRY_SOAK === undefined ? null : (JSON.parse(process.env.BELFRY_SOAK) as Soak);
  const { from, seeds: number, long } = soak ?? { from: 1, seeds: count, long: false };
  const seeds = Array.from({ length: number }, (_, index) => from + index);
  const runMs = long ? LONG_RUN_MS : RUN_MS;
  describe(title, () => {
    const runs = new SeedRuns({ kind, seeds, long, lanes: Math.min(soak?.lanes ?? lanes, number), tells: soak !== null });

    beforeAll(() => runs.start(), START_MS);

    afterAll(() => runs.stop(), runMs);

    it.each(seeds)(
      "seed %i",
      async (seed) => {
        const { findings, faults, logs } = await runs.report(seed);
        if (findings.length === 0) return;
        const again = `npm run soak -- --seed ${seed}${kind === "redis" ? "" : ` --kind ${kind}`}${long ? " --long" : ""}`;
        throw new Error([`seed ${seed} failed; run again: ${again}`, `logs: ${logs}`, ...faults, "", ...findings.slice(0, 20)].join("\n"));
      },
      runMs * number,
    );
  });
}

interface SeedRunsOptions {
  kind: RedisKind;
  seeds: number[];
  long: boolean;
  lanes: number;
  /** Whether each run is told of in a line when it has ended. */
  tells: boolean;
}

/** Runs several seeds, a few at a time. */
class SeedRuns {
  readonly #options: SeedRunsOptions;
  readonly #reports = new Map<number, { promise: Promise<RunReport>; resolve: (report: Promise<RunReport>) => void }>();
  readonly #waiting: number[];
  #stacks: Stack[] = [];
  #lanes: Array<Promise<void>> = [];
  #keepIn = "";

  constructor(options: SeedRunsOptions) {
    this.#options = options;
    this.#waiting = [...options.seeds];
    for (const seed of options.seeds) {
      let resolve: (report: Promise<RunReport>) => void = () => {};
      const promise = new Promise<RunReport>((settle) => {
        resolve = settle;
      });
      this.#reports.set(seed, { promise, resolve });
    }
  }

  async start(): Promise<void> {
    this.#keepIn = await mkdtemp(join(tmpdir(), "belfry-faults-"));
    for (let lane = 0; lane < this.#options.lanes; lane++) {
      const stack = await Stack.start(this.#options.kind);
      this.#stacks.push(stack);
      this.#lanes.push(this.#work(stack));
    }
  }

  report(seed: number): Promise<RunReport> {
    return this.#reports.get(seed)?.promise ?? Promise.reject(new Error(`seed ${seed} is not among those that run`));
  }

  async stop(): Promise<void> {
    this.#waiting.length = 0;
    await Promise.all(this.#lanes);
    await Promise.all(this.#stacks.map((stack) => stack.stop()));
  }

  async #work(stack: Stack): Promise<void> {
    const { long, tells } = this.#options;
    for (let seed = this.#waiting.shift(); seed !== undefined; seed = this.#waiting.shift()) {
      const run = runSeed(stack, { seed, long, keepIn: this.#keepIn });
      this.#reports.get(seed)?.resolve(run);
      const report = await run.catch(() => null);
      if (tells && report !== null) process.stderr.write(`${lineOf(report)}\n`);
    }
  }
}

function lineOf({ seed, findings, faults, calls, attempts, devices, seconds, convergedIn, phases, logs }: RunReport): string {
  const outcome = findings.length === 0 ? "ok  " : "FAIL";
  const numbers = `${faults.length} faults, ${calls} calls in ${attempts} attempts, ${devices} devices, ${seconds.toFixed(1)} s`;
  const when = Object.entries(phases).map(([phase, at]) => `${phase} ${at.toFixed(1)}`);
  return `${outcome} seed ${seed}: ${numbers} (${when.join(", ")}), converged in ${convergedIn.toFixed(1)} s${logs === null ? "" : `, logs in ${logs}`}`;
}
