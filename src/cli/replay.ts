import { setTimeout as sleep } from "node:timers/promises";
import { countLines, readLines } from "./replay-lines.js";
import { HELP, type ReplayOptions, readOptions, UsageError } from "./replay-options.js";
import { Report } from "./replay-report.js";
import { HookSender } from "./replay-sender.js";

/**
 * `npm run replay -- FILE`: sends a file of Discourse webhook bodies to a running service. One at a time and in order, as a reply needs the
 * post that it answers.
 */
async function replay(options: ReplayOptions, report: Report, signal: AbortSignal): Promise<string | null> {
  const sender = new HookSender(options);
  let next = performance.now();
  for await (const { number, bytes } of readLines(options.file)) {
    if (number < options.from) continue;
    const wait = next - performance.now();
    if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return "interrupted.";
    // Time lost is not made up for: the rate is what the service is asked for at any moment.
    next = Math.max(next, performance.now()) + 1_000 / options.rate;
    const sent = await sender.send(bytes, signal);
    if (signal.aborted && !sent.ok) return "interrupted.";
    report.add(number, sent);
    if (!sent.ok && sent.fatal) return `after line ${number}; --from ${number} goes on from there.`;
  }
  return null;
}

function unreadable(error: NodeJS.ErrnoException): never {
  throw error.code === undefined ? error : new UsageError(`The file cannot be read (${error.code}).`);
}

try {
  const options = await readOptions(process.argv.slice(2), process.env);
  if (options === null) process.stdout.write(`${HELP}\n`);
  else {
    const interrupt = new AbortController();
    process.once("SIGINT", () => interrupt.abort());
    const total = await countLines(options.file, options.from).catch(unreadable);
    const report = new Report(total, process.stdout);
    const stopped = await replay(options, report, interrupt.signal);
    report.close(stopped);
    if (stopped !== null || report.failed > 0) process.exitCode = 1;
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\nnpm run replay -- --help tells more.\n`);
  process.exitCode = 2;
}
