/** Waiting, and the clocks that the bench reads. */

/** How often a condition is looked at. */
const POLL_MS = 20;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The clock of V8's profiles. */
export const monotonicMicroseconds = () => Number(process.hrtime.bigint() / 1000n);

/** Resolves when the condition holds; throws an Error that names `what` when it does not within `ms`. */
export async function until(condition, ms, what) {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what} took longer than ${ms / 1000} s`);
    await sleep(POLL_MS);
  }
}
