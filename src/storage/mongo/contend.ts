import { setTimeout as pause } from "node:timers/promises";
import { DUPLICATE_KEY, guard, serverCode, WRITE_CONFLICT } from "./errors.js";
import { CALL_DEADLINE_MS } from "./limits.js";

/** The longest pause before the next attempt: a transaction ends within a few milliseconds. Milliseconds. */
const MAX_PAUSE_MS = 50;

/** What the one who comes second gets: of two upserts of a new document, of two transactions that write to one. */
const LOST = new Set<number | null>([DUPLICATE_KEY, WRITE_CONFLICT]);

/** Runs a write that may be repeated, and runs it again where another writer was faster, until the deadline of a call. */
export function contend<T>(work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + CALL_DEADLINE_MS;
  return guard(async () => {
    for (let longest = 2; ; longest = Math.min(longest * 2, MAX_PAUSE_MS)) {
      try {
        return await work();
      } catch (error) {
        if (!LOST.has(serverCode(error)) || Date.now() > deadline) throw error;
      }
      await pause(Math.random() * longest);
    }
  });
}
