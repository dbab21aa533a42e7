import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { until } from "../support/member.js";
import { type ReplicaSet, startReplicaSet } from "../support/replica-set.js";
import { Run } from "./elections/run.js";

/** Three servers that start, elect and catch up on a busy machine. Milliseconds. */
const SLOW = 240_000;

describe("MongoDB, a set of three whose primary changes while two nodes write and read", () => {
  let set: ReplicaSet;
  let run: Run;

  beforeAll(async () => {
    set = await startReplicaSet(3);
  }, SLOW);
  afterAll(() => set.stop(), SLOW);
  beforeEach(async () => {
    run = await Run.start(set.url);
    await run.progress();
  }, SLOW);
  afterEach(async () => {
    await set.heal();
    await run.stop();
  }, SLOW);

  /** The primary, when it has what others have too, or what no other has. */
  const primaryThatHas = (what: string) => (what === "no other has" ? set.runAhead() : set.primary());

  it.each(["all others have", "no other has"])(
    "because it is killed when it has what %s, keeps what was answered, and stores once what is sent again",
    async (what) => {
      const primary = await primaryThatHas(what);
      await primary.kill9();
      await set.primary();
      await set.follow();
      await run.progress();
      await primary.restart();
      await set.secondaries();
      await run.progress();
      await run.verify();
    },
    SLOW,
  );

  it.each([
    ["all others have", "everybody goes on with the next"],
    ["no other has", "everybody goes on with the next"],
    ["no other has", "requests wait at it still"],
  ])(
    "because it stands still when it has what %s, and is woken when %s, keeps what was answered",
    async (what, when) => {
      const primary = await primaryThatHas(what);
      primary.freeze();
      await set.primary();
      await set.follow();
      if (when === "everybody goes on with the next") await run.progress();
      primary.thaw();
      await run.progress();
      await set.secondaries();
      await run.verify();
    },
    SLOW,
  );

  it(
    "because it steps down, again and again, refuses nothing",
    async () => {
      for (let times = 0; times < 2; times++) {
        await set.stepDown();
        await run.progress();
        await set.secondaries();
      }
      expect(run.refused).toBe(0);
      await run.verify();
    },
    SLOW,
  );

  it(
    "because it has lost its majority, refuses writes in time and takes them when the majority is back",
    async () => {
      const others = await set.secondaries();
      await Promise.all(others.map((member) => member.kill9()));
      await until("calls are refused", () => run.refused > 20, SLOW);
      const before = run.acknowledged.size;
      await Promise.all(others.map((member) => member.restart()));
      await run.progress();
      expect(run.acknowledged.size).toBeGreaterThan(before);
      await run.verify();
    },
    SLOW,
  );
});
