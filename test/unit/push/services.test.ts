import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import {
  MAX_REFUSALS,
  RETRY_MIN_MS,
  SENDS_AT_ONCE,
  SETTLE_MS,
  STRANGERS_AT_ONCE,
  STRANGERS_TO_ONE,
  UNAUTHORIZED_PAUSE_MS,
} from "../../../src/push/limits.js";
import type { Outcome } from "../../../src/push/outcome.js";
import { AFTER_MS, AWAY, Rig, TAKEN } from "./rig.js";

let rig: Rig;

beforeEach(async () => {
  jest.useFakeTimers({ doNotFake: ["setImmediate", "clearImmediate", "nextTick", "queueMicrotask", "performance"] });
  rig = await new Rig().open();
});
afterEach(async () => {
  await rig.close();
  jest.useRealTimers();
});

describe("a push service", () => {
  it("that is in trouble is tried again, and then gets everything that is still unseen, in order", async () => {
    const phone = await rig.add("ada");
    rig.answer = () => AWAY;
    const first = await rig.tell("ada");
    await rig.tell("ada");
    const third = await rig.tell("ada");
    await rig.pass(SETTLE_MS);
    expect(rig.worker.waiting).toBe(1);
    await rig.embedded.inbox.mark("ada", "read", [rig.embedded.inbox.notificationId(rig.embedded.inbox.streamOf("ada"), 2)]);
    rig.answer = () => TAKEN;
    await rig.pass(RETRY_MIN_MS);
    expect(rig.sent).toEqual([`${phone}:${first.seq}`, `${phone}:${third.seq}`]);
    expect([rig.worker.waiting, rig.counts]).toEqual([0, { sent: 2, failed: 1, removed: 0 }]);
  });

  it("that fails between two messages gets the first one once", async () => {
    const phone = await rig.add("ada");
    rig.answer = (_, seq) => (seq === 1 ? TAKEN : AWAY);
    await rig.tell("ada");
    await rig.tell("ada");
    await rig.pass(SETTLE_MS);
    expect(rig.sent).toEqual([`${phone}:1`]);
    rig.answer = () => TAKEN;
    await rig.pass(RETRY_MIN_MS);
    expect(rig.sent).toEqual([`${phone}:1`, `${phone}:2`]);
  });

  it("that is slow is not given what was seen while it had no time", async () => {
    const releases: Array<() => void> = [];
    rig.answer = () => new Promise((resolve) => releases.push(() => resolve(TAKEN)));
    for (let index = 0; index < STRANGERS_TO_ONE; index++) await rig.add(`member-${index}`, `busy-${index}`, "slow");
    for (let index = 0; index < STRANGERS_TO_ONE; index++) await rig.tell(`member-${index}`);
    await rig.pass(SETTLE_MS);
    await rig.add("ada", "late", "slow");
    await rig.tell("ada");
    await rig.pass(SETTLE_MS);
    await rig.embedded.inbox.markUpTo("ada", "seen", undefined);
    for (const release of releases) release();
    await rig.pass(SETTLE_MS);
    expect(rig.sent).toHaveLength(STRANGERS_TO_ONE);
    expect(rig.sent).not.toContain("late:1");
  });

  it("is left alone for as long as it asks", async () => {
    await rig.add("ada");
    const asked: number[] = [];
    rig.answer = () => {
      asked.push(Date.now());
      return { is: "delayed", why: "status 429", retryAfterMs: 600_000 };
    };
    await rig.tell("ada");
    await rig.pass(SETTLE_MS);
    for (let minute = 0; minute < 11; minute++) {
      await rig.tell("ada");
      await rig.pass(60_000);
    }
    expect(asked).toHaveLength(2);
    expect((asked[1] as number) - (asked[0] as number)).toBeGreaterThanOrEqual(600_000);
  });

  it("that says that the device is gone is believed", async () => {
    const phone = await rig.add("ada");
    rig.answer = () => ({ is: "gone", why: "status 410" });
    await rig.tell("ada");
    await rig.pass(SETTLE_MS);
    expect(await rig.cursor(phone)).toBeUndefined();
    expect(rig.removed).toEqual(["ada https://phone-of-ada.example status 410"]);
    expect(rig.counts).toEqual({ sent: 0, failed: 1, removed: 1 });
  });

  it("that refuses again and again is not asked for ever", async () => {
    const phone = await rig.add("ada");
    let asked = 0;
    rig.answer = () => {
      asked++;
      return { is: "refused", why: "status 400" };
    };
    await rig.tell("ada");
    await rig.pass(10 * AFTER_MS);
    expect(asked).toBe(3);
    expect(await rig.cursor(phone)).toBeUndefined();
  });

  it("that does not accept this service loses no device by it, and the operator is told once", async () => {
    const [phone, laptop] = [await rig.add("ada", "phone", "push"), await rig.add("bruno", "laptop", "push")];
    rig.answer = () => ({ is: "unauthorized", why: "status 403: BadJwtToken", retryAfterMs: null });
    const [first, second] = [await rig.tell("ada"), await rig.tell("bruno")];
    for (let count = 0; count < 2 * MAX_REFUSALS; count++) await rig.pass(UNAUTHORIZED_PAUSE_MS / 2);
    expect(rig.counts).toEqual({ sent: 0, failed: expect.any(Number), removed: 0 });
    expect(rig.counts.failed).toBeGreaterThan(MAX_REFUSALS);
    expect(rig.unauthorized).toEqual(["https://push.example status 403: BadJwtToken"]);
    // Nor does the next fault find them already at its limit.
    const refused = new Set<string>();
    rig.answer = (device) => {
      if (refused.has(device)) return TAKEN;
      refused.add(device);
      return { is: "refused", why: "status 400" };
    };
    await rig.pass(UNAUTHORIZED_PAUSE_MS);
    await rig.pass(UNAUTHORIZED_PAUSE_MS);
    expect(rig.sent.toSorted()).toEqual([`${laptop}:${second.seq}`, `${phone}:${first.seq}`]);
  });

  it("that is known holds up nobody, and is held up by nobody, where members have made up any number that hang", async () => {
    const hanging: Array<() => void> = [];
    rig.answer = (device) => (device.startsWith("phone") ? TAKEN : new Promise((resolve) => hanging.push(() => resolve(AWAY))));
    await rig.add("bruno", "phone");
    await rig.tell("bruno");
    await rig.pass(SETTLE_MS);
    for (let index = 0; index < SENDS_AT_ONCE; index++) {
      for (const device of ["a", "b"]) await rig.add(`member-${index}`, `made-up-${index}-${device}`, `made-up-${index}`);
      await rig.tell(`member-${index}`);
    }
    await rig.pass(SETTLE_MS);
    await rig.tell("bruno");
    await rig.pass(SETTLE_MS);
    expect([rig.sent, hanging.length]).toEqual([["phone:1", "phone:2"], STRANGERS_AT_ONCE]);
    rig.answer = () => AWAY;
    for (const release of hanging) release();
  });

  it("that hangs holds up neither others, nor the member's other devices", async () => {
    let release = () => {};
    const hanging = new Promise<Outcome>((resolve) => {
      release = () => resolve(AWAY);
    });
    rig.answer = (device) => (device.startsWith("slow") ? hanging : TAKEN);
    for (let index = 0; index < STRANGERS_TO_ONE + 4; index++) await rig.add(`member-${index}`, `slow-${index}`, "slow");
    await rig.add("ada", "slow-of-ada", "slow");
    await rig.add("ada", "laptop");
    await rig.add("bruno", "phone");
    for (let index = 0; index < STRANGERS_TO_ONE + 4; index++) await rig.tell(`member-${index}`);
    await rig.tell("ada");
    await rig.tell("bruno");
    await rig.pass(SETTLE_MS);
    expect(rig.sent.toSorted()).toEqual(["laptop:1", "phone:1"]);
    expect(rig.worker.waiting).toBe(STRANGERS_TO_ONE + 5);
    release();
  });
});
