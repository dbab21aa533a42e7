import { describe, expect, it } from "@jest/globals";
import {
  MAX_FAILURES,
  MAX_REFUSALS,
  REFUSED_PAUSE_MS,
  RETRY_AFTER_MAX_MS,
  RETRY_MAX_MS,
  RETRY_MIN_MS,
  UNAUTHORIZED_PAUSE_MS,
} from "../../../src/push/limits.js";
import { consequenceOf, outcomeOf } from "../../../src/push/outcome.js";

const NOW = Date.UTC(2026, 10, 21, 9);
const answered = (status: number, retryAfter?: string) => outcomeOf(status, retryAfter, "", NOW);

describe("what the answer of a push service means", () => {
  it.each([200, 201, 202, 204])("%d: taken", (status) => {
    expect(answered(status)).toEqual({ is: "taken" });
  });

  it.each([404, 410])("%d: the device is gone, and is given up at once", (status) => {
    expect(answered(status)).toMatchObject({ is: "gone" });
    expect(consequenceOf(answered(status), 1, 0)).toEqual({ is: "removed" });
  });

  it.each([301, 400, 413])("%d: refused; the device is given up after a few, minutes apart", (status) => {
    const outcome = answered(status);
    expect(outcome.is).toBe("refused");
    expect(consequenceOf(outcome, 1, 0)).toEqual({ is: "later", afterMs: REFUSED_PAUSE_MS, counts: true });
    expect(consequenceOf(outcome, MAX_REFUSALS - 1, 0).is).toBe("later");
    expect(consequenceOf(outcome, MAX_REFUSALS, 0)).toEqual({ is: "removed" });
  });

  it.each([401, 403])("%d: this service is not accepted, which no device is to blame for: never given up, however often", (status) => {
    const outcome = answered(status);
    expect(outcome).toMatchObject({ is: "unauthorized", retryAfterMs: null });
    for (const failures of [1, MAX_REFUSALS, MAX_FAILURES, 10 * MAX_FAILURES]) {
      expect(consequenceOf(outcome, failures, 1)).toEqual({ is: "later", afterMs: UNAUTHORIZED_PAUSE_MS, counts: false });
    }
    const asked = consequenceOf(answered(status, "3600"), 1, 0);
    expect(asked).toEqual({ is: "later", afterMs: 3_600_000, counts: false });
  });

  it.each([408, 429, 500, 502, 503])("%d: not now; tried again after a pause that doubles, and not for ever", (status) => {
    const outcome = answered(status);
    expect(outcome).toMatchObject({ is: "delayed", retryAfterMs: null });
    expect(consequenceOf(outcome, 1, 1)).toEqual({ is: "later", afterMs: RETRY_MIN_MS, counts: true });
    expect(consequenceOf(outcome, 1, 0)).toEqual({ is: "later", afterMs: RETRY_MIN_MS / 2, counts: true });
    expect(consequenceOf(outcome, 2, 1)).toEqual({ is: "later", afterMs: 2 * RETRY_MIN_MS, counts: true });
    expect(consequenceOf(outcome, 50, 1)).toEqual({ is: "later", afterMs: RETRY_MAX_MS, counts: true });
    expect(consequenceOf(outcome, MAX_FAILURES, 1)).toEqual({ is: "removed" });
  });

  it.each([
    ["120", 120_000],
    ["Sat, 21 Nov 2026 09:05:00 GMT", 300_000],
    ["Sat, 21 Nov 2026 08:00:00 GMT", 0],
    ["999999999", RETRY_AFTER_MAX_MS],
    ["soon", 0],
    ["-5", 0],
  ])("waits as long as it is asked to: Retry-After: %s", (header, pause) => {
    expect(consequenceOf(answered(429, header), 1, 0)).toEqual({ is: "later", afterMs: Math.max(pause, RETRY_MIN_MS / 2), counts: true });
  });

  it("says why, in one line", () => {
    expect(outcomeOf(400, undefined, '{"reason":\n"BadTopic"}\u0007', NOW)).toEqual({
      is: "refused",
      why: 'status 400: {"reason": "BadTopic"}',
    });
  });
});
