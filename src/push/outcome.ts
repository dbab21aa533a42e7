import { MAX_FAILURES, MAX_REFUSALS, REFUSED_PAUSE_MS, RETRY_AFTER_MAX_MS, RETRY_MAX_MS, RETRY_MIN_MS } from "./limits.js";

/**
 * What came of one attempt: the push service has taken the message; the device is gone; the service refuses what it is sent; or it may take
 * the same later (`retryAfterMs`: as it says itself, or null). `why` is for the log.
 */
export type Outcome =
  | { is: "taken" }
  | { is: "gone"; why: string }
  | { is: "refused"; why: string }
  | { is: "delayed"; why: string; retryAfterMs: number | null };

/** What is done about it: go on, give the device up, or try again after a pause (ms). */
export type Consequence = { is: "on" } | { is: "removed" } | { is: "later"; afterMs: number };

/** What an answer means. `now`: this node's time in milliseconds, for a `Retry-After` that names a date. */
export function outcomeOf(status: number, retryAfter: string | undefined, text: string, now: number): Outcome {
  if (status >= 200 && status < 300) return { is: "taken" };
  const reason = text.replace(/[\p{Cc}\s]+/gu, " ").trim();
  const why = reason === "" ? `status ${status}` : `status ${status}: ${reason}`;
  if (status === 404 || status === 410) return { is: "gone", why };
  if (status === 408 || status === 429 || status >= 500) return { is: "delayed", why, retryAfterMs: pauseOf(retryAfter, now) };
  return { is: "refused", why };
}

/** `failures`: attempts in a row that failed, with this one. `random`: from 0 to 1. */
export function consequenceOf(outcome: Outcome, failures: number, random: number): Consequence {
  if (outcome.is === "taken") return { is: "on" };
  if (outcome.is === "gone" || failures >= (outcome.is === "refused" ? MAX_REFUSALS : MAX_FAILURES)) return { is: "removed" };
  const longest = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (failures - 1));
  const pause = longest * (0.5 + random / 2);
  if (outcome.is === "refused") return { is: "later", afterMs: Math.max(pause, REFUSED_PAUSE_MS) };
  return { is: "later", afterMs: Math.max(pause, Math.min(outcome.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS)) };
}

/** Seconds, or a date (RFC 9110). */
function pauseOf(header: string | undefined, now: number): number | null {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
