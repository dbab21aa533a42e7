import type { Logger } from "pino";

/** Threat: a store or a peer that never lets go. Milliseconds from the signal to the end, whatever is still under way. */
const STOP_DEADLINE_MS = 19_000;

/**
 * On SIGTERM and SIGINT, runs `stop` once and ends the process: with 0, or with 1 where it failed or took too long. A second signal hurries
 * nothing; whoever wants that has SIGKILL.
 */
export function onStopSignal(stop: () => Promise<void>, logger: Logger): void {
  let stopping = false;
  const onSignal = (signal: string): void => {
    logger.info({ signal }, stopping ? "stopping already" : "stopping");
    if (stopping) return;
    stopping = true;
    const fail = (err: unknown): void => {
      logger.fatal({ err }, "the service did not stop cleanly");
      process.exit(1);
    };
    setTimeout(() => fail(new Error(`it was not done after ${STOP_DEADLINE_MS} ms`)), STOP_DEADLINE_MS);
    stop().then(() => process.exit(0), fail);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}

/** On SIGHUP, which then never ends the process, runs `reload`, one after the other. */
export function onReloadSignal(reload: () => Promise<void>, logger: Logger): void {
  let last: Promise<void> = Promise.resolve();
  process.on("SIGHUP", () => {
    last = last.then(reload).catch((err) => logger.error({ err }, "SIGHUP: what was read again cannot be used; the old stays"));
  });
}
