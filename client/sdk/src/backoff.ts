/** The first wait is up to this. Milliseconds. */
const FIRST_MS = 1_000;

/** The longest wait, so that a service that is back is noticed. Milliseconds. */
const LONGEST_MS = 30_000;

/**
 * How long to wait before the next attempt: full jitter, so that the members of a service that went down do not arrive all at once.
 * @param failures attempts that have failed in a row, this one included
 * @param notBeforeMs what the service has asked for
 */
export function waitFor(failures: number, notBeforeMs: number, random: () => number): number {
  return notBeforeMs + random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
}
