/**
 * `npm run soak -- --seeds N [--from M] [--seed K] [--kind redis|sentinel|cluster] [--long] [--lanes L]`: the runs of test/cluster under
 * random faults, as many as wanted. Prints one line for each seed and a summary; the logs of a failing run are kept in the folder that its
 * line names. Exit status 1 if one failed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const FILES = { redis: "faults", sentinel: "sentinel", cluster: "redis-cluster" };

process.exitCode = await main();

async function main() {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "20" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      kind: { type: "string", default: "redis" },
      long: { type: "boolean", default: false },
      lanes: { type: "string", default: "2" },
    },
  });
  const numbers = [values.seeds, values.from, values.seed ?? "1", values.lanes];
  if (!numbers.every((text) => /^[1-9]\d{0,8}$/.test(text)) || !Object.hasOwn(FILES, values.kind)) {
    console.error("soak: --seeds N [--from M] [--seed K] [--kind redis|sentinel|cluster] [--long] [--lanes L], all numbers from 1");
    return 1;
  }
  const [seeds, from] = values.seed === undefined ? [Number(values.seeds), Number(values.from)] : [1, Number(values.seed)];
  const soak = JSON.stringify({ seeds, from, long: values.long, lanes: Number(values.lanes) });
  const folder = fileURLToPath(new URL("..", import.meta.url));
  const began = Date.now();
  const jest = spawn(process.execPath, ["test/run.mjs", `test/cluster/${FILES[values.kind]}.test.ts`, "--verbose=false"], {
    cwd: folder,
    env: { ...process.env, BELFRY_SOAK: soak },
    stdio: ["ignore", "inherit", "inherit"],
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => jest.kill(signal));
  const [code] = await once(jest, "close");
  const minutes = ((Date.now() - began) / 60_000).toFixed(1);
  console.error(`soak: ${seeds} seed(s) from ${from} (${values.kind}) in ${minutes} minutes: ${code === 0 ? "all well" : "some failed"}`);
  return code === 0 ? 0 : 1;
}
