import {
  MAX_FAILURES,
  MAX_REFUSALS,
  REFUSED_PAUSE_MS,
  RETRY_AFTER_MAX_MS,
  RETRY_MAX_MS,
  RETRY_MIN_MS,
  UNAUTHORIZED_PAUSE_MS,
} from "./limits.js";

/**
 * What came of one attempt: the push service has taken the message; the device is gone; the service refuses what it is sent; it refuses
 * this service, whoever the message is for (its signature: the subject, the clock, the keys); or it may take the same later. `retryAfterMs`: as
 * it says itself, or null. `why` is for the log.
 */
export type Outcome =
  | { is: "taken" }
  | { is: "gone"; why: string }
  | { is: "refused"; why: string }
  | { is: "unauthorized"; why: string; retryAfterMs: number | null }
  | { is: "delayed"; why: string; retryAfterMs: number | null };

/** What is done about it: go on, give the device up, or try again after a pause (ms). `counts`: whether it is held against the device. */
export type Consequence = { is: "on" } | { is: "removed" } | { is: "later"; afterMs: number; counts: boolean };

/** What an answer means. `now`: this node's time in milliseconds, for a `Retry-After` that names a date. */
export function outcomeOf(status: number, retryAfter: string | undefined, text: string, now: number): Outcome {
  if (status >= 200 && status < 300) return { is: "taken" };
  const reason = text.replace(/[\p{Cc}\s]+/gu, " ").trim();
  const why = reason === "" ? `status ${status}` : `status ${status}: ${reason}`;
  if (status === 404 || status === 410) return { is: "gone", why };
  if (status === 401 || status === 403) return { is: "unauthorized", why, retryAfterMs: pauseOf(retryAfter, now) };
  if (status === 408 || status === 429 || status >= 500) return { is: "delayed", why, retryAfterMs: pauseOf(retryAfter, now) };
  return { is: "refused", why };
}

/** `failures`: attempts in a row that failed, with this one. `random`: from 0 to 1. */
export function consequenceOf(outcome: Outcome, failures: number, random: number): Consequence {
  if (outcome.is === "taken") return { is: "on" };
  const share = 0.5 + random / 2;
  // All devices of that push service are answered so: none of them is to blame, and none may be lost by it.
  if (outcome.is === "unauthorized") return later(UNAUTHORIZED_PAUSE_MS * share, outcome.retryAfterMs, false);
  if (outcome.is === "gone" || failures >= (outcome.is === "refused" ? MAX_REFUSALS : MAX_FAILURES)) return { is: "removed" };
  const pause = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (failures - 1)) * share;
  return outcome.is === "refused" ? later(pause, REFUSED_PAUSE_MS, true) : later(pause, outcome.retryAfterMs, true);
}

function later(pause: number, atLeast: number | null, counts: boolean): Consequence {
  return { is: "later", afterMs: Math.max(pause, Math.min(atLeast ?? 0, RETRY_AFTER_MAX_MS)), counts };
}

/** Seconds, or a date (RFC 9110). */
function pauseOf(header: string | undefined, now: number): number | null {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
