import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { LEASE_LOOK_MS, MAX_BURST, PAGE_ENTRIES, SETTLE_MS, SWEEP_MS } from "../../../src/push/limits.js";
import { idOf } from "../../../src/push/requests.js";
import { tell } from "../../support/embedded.js";
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

const deviceOf = (name: string) => idOf(`https://${name}.example/${name}`);

describe("a device", () => {
  it("is told once, at once, of what comes while its member is nowhere connected, and the store knows", async () => {
    const phone = await rig.add("ada");
    const { seq, id } = await rig.tell("ada");
    await rig.pass(SETTLE_MS - 1);
    expect(rig.sent).toEqual([]);
    await rig.pass(1);
    expect(rig.sent).toEqual([`${phone}:${seq}`]);
    expect(rig.payloads[0]).toMatchObject({ v: 1, id, tag: id, user: "ada", title: "author replied to you", unread: 1 });
    await rig.pass(AFTER_MS);
    expect(rig.sent).toHaveLength(1);
    expect(await rig.cursor(phone)).toBe(seq);
    expect(rig.errors).toEqual([]);
  });

  it("is told after a minute of what a connected member has not seen", async () => {
    rig.connected.add("ada");
    const phone = await rig.add("ada");
    const { seq } = await rig.tell("ada");
    await rig.pass(AFTER_MS - 1);
    expect(rig.sent).toEqual([]);
    await rig.pass(1);
    expect(rig.sent).toEqual([`${phone}:${seq}`]);
  });

  it.each([
    ["seen", (id: string) => rig.embedded.inbox.markUpTo("ada", "seen", undefined).then(() => id)],
    ["read", (id: string) => rig.embedded.inbox.mark("ada", "read", [id])],
    ["archived", (id: string) => rig.embedded.inbox.mark("ada", "archive", [id])],
    ["read with all others", () => rig.embedded.inbox.markUpTo("ada", "read_all", undefined)],
    ["taken back", () => rig.embedded.inbox.rescind("comment:ada-0", "x", "deleted")],
  ])("is never told of what was %s within the minute, and the store forgets it", async (_, act) => {
    rig.connected.add("ada");
    const phone = await rig.add("ada");
    const { id } = await rig.tell("ada");
    await rig.pass(AFTER_MS / 2);
    await act(id);
    await rig.pass(3 * AFTER_MS);
    expect(rig.sent).toEqual([]);
    expect(await rig.cursor(phone)).toBe(2);
    expect(rig.worker.waiting).toBe(0);
  });

  it("is told only of what comes after it was added", async () => {
    await rig.tell("ada");
    const phone = await rig.add("ada");
    await rig.pass(AFTER_MS);
    expect(rig.sent).toEqual([]);
    const { seq } = await rig.tell("ada");
    await rig.pass(SETTLE_MS);
    expect(rig.sent).toEqual([`${phone}:${seq}`]);
  });

  it("is told of no more than the newest where there is much", async () => {
    rig.connected.add("ada");
    const phone = await rig.add("ada");
    for (let count = 0; count < MAX_BURST + 3; count++) await rig.tell("ada");
    rig.connected.clear();
    await rig.pass(AFTER_MS);
    expect(rig.sent).toEqual(Array.from({ length: MAX_BURST }, (_, index) => `${phone}:${index + 4}`));
  });

  it("is told of no more than the newest after an outage, however long its member's stream has become", async () => {
    const phone = await rig.add("ada");
    rig.isMine = false;
    for (let count = 0; count < 2 * PAGE_ENTRIES + 5; count++) await tell(rig.embedded, "ada", `missed-${count}`);
    rig.isMine = true;
    await rig.pass(SWEEP_MS + SETTLE_MS);
    await rig.pass(SWEEP_MS);
    const newest = 2 * PAGE_ENTRIES + 5;
    expect(rig.sent).toEqual(Array.from({ length: MAX_BURST }, (_, index) => `${phone}:${newest - MAX_BURST + 1 + index}`));
    expect(await rig.cursor(phone)).toBe(newest);
  });

  it("of a banned member is told nothing, also not later of what came meanwhile", async () => {
    const phone = await rig.add("ada");
    rig.banned.add("ada");
    await rig.tell("ada");
    await rig.pass(AFTER_MS);
    rig.banned.clear();
    await rig.pass(AFTER_MS);
    expect(rig.sent).toEqual([]);
    const { seq } = await rig.tell("ada");
    await rig.pass(AFTER_MS);
    expect(rig.sent).toEqual([`${phone}:${seq}`]);
  });

  it("is told by the node that has the lease, and by the next one when that is gone", async () => {
    const phone = await rig.add("ada");
    rig.isMine = false;
    const { seq } = await rig.tell("ada");
    await rig.pass(AFTER_MS);
    expect(rig.sent).toEqual([]);
    rig.isMine = true;
    await rig.pass(SWEEP_MS + SETTLE_MS);
    expect(rig.sent).toEqual([`${phone}:${seq}`]);
  });

  it("is not told again by a node that comes to have the lease of what the one before has told", async () => {
    const phone = await rig.add("ada");
    rig.isMine = false;
    await rig.pass(SWEEP_MS);
    for (let count = 0; count < 4; count++) await rig.tell("ada");
    // The other node has pushed three, and gives the lease back before this one looks at the store again.
    await rig.embedded.stores.push.progress([{ id: deviceOf(phone), user: "ada", cursor: 3, failures: 0, retryAt: 0 }]);
    rig.isMine = true;
    const { seq } = await rig.tell("ada");
    await rig.pass(SETTLE_MS);
    await rig.pass(0);
    expect(rig.sent).toEqual([`${phone}:4`, `${phone}:${seq}`]);
  });

  it("is not set back in the store by a node that does not know how far the one before has come", async () => {
    const phone = await rig.add("ada");
    rig.connected.add("ada");
    // Between two looks at all devices, by which it would learn of it.
    await rig.pass(SWEEP_MS / 2);
    const { id } = await rig.tell("ada");
    rig.isMine = false;
    await rig.pass(AFTER_MS - 10_000);
    const { seq } = await rig.tell("ada");
    await rig.embedded.inbox.mark("ada", "read", [id]);
    await rig.pass(9_000);
    await rig.embedded.stores.push.progress([{ id: deviceOf(phone), user: "ada", cursor: seq, failures: 0, retryAt: 0 }]);
    rig.isMine = true;
    await rig.pass(1_000);
    await rig.pass(AFTER_MS);
    expect([rig.sent, await rig.cursor(phone)]).toEqual([[], 3]);
  });

  it("is told at once of what was left by the node before", async () => {
    const phone = await rig.add("ada");
    rig.isMine = false;
    await rig.pass(SWEEP_MS);
    const { seq } = await rig.tell("ada");
    await rig.pass(SETTLE_MS);
    rig.isMine = true;
    await rig.pass(LEASE_LOOK_MS);
    for (let turn = 0; turn < 5; turn++) await rig.pass(1);
    expect(rig.sent).toEqual([`${phone}:${seq}`]);
  });

  it("is not told by a node that has lost the lease meanwhile", async () => {
    await rig.add("ada");
    await rig.tell("ada");
    rig.isMine = false;
    await rig.pass(AFTER_MS);
    expect([rig.sent, rig.worker.waiting]).toEqual([[], 0]);
  });

  it("is told of what another node has stored, without a word of it", async () => {
    const phone = await rig.add("ada");
    const { log, inbox, stores, clock } = rig.embedded;
    const stream = inbox.streamOf("ada");
    const row = { stream, seq: 1, key: "k", at: clock.now, kind: "notification", unread: 1, own: '{"reason":"direct"}', publication: null };
    await stores.streams.append({ publications: [], writes: [{ row }] });
    await rig.pass(SWEEP_MS + SETTLE_MS);
    expect(rig.sent).toEqual([`${phone}:1`]);
    expect((await log.tail(stream)).head).toBe(1);
  });

  it("that another node has added, or taken away, is known here soon", async () => {
    const phone = await rig.add("ada");
    const device = rig.devices.of(rig.embedded.inbox.streamOf("ada"))[0];
    if (device === undefined) throw new Error("it is not known");
    rig.devices.forget(device);
    await rig.pass(SWEEP_MS);
    expect(rig.devices.has(rig.embedded.inbox.streamOf("ada"))).toBe(true);
    await rig.embedded.stores.push.remove("ada", device.id);
    await rig.pass(SWEEP_MS);
    expect(rig.devices.size).toBe(0);
    await rig.tell("ada");
    await rig.pass(AFTER_MS);
    expect(rig.sent).toEqual([]);
    expect(await rig.cursor(phone)).toBeUndefined();
  });
});

describe("a process that ends", () => {
  it("leaves to the next exactly what was not taken", async () => {
    const phone = await rig.add("ada");
    const first = await rig.tell("ada");
    await rig.pass(SETTLE_MS);
    rig.answer = () => AWAY;
    const second = await rig.tell("ada");
    await rig.pass(SETTLE_MS);
    await rig.end();
    rig.answer = () => TAKEN;
    rig.begin();
    await rig.pass(AFTER_MS);
    expect(rig.sent).toEqual([`${phone}:${first.seq}`, `${phone}:${second.seq}`]);
  });

  it("between a push service's answer and its own note of it, tells a device twice rather than never", async () => {
    const phone = await rig.add("ada");
    rig.cutPower();
    const { seq } = await rig.tell("ada");
    await rig.pass(SETTLE_MS);
    await rig.end();
    rig.begin();
    await rig.pass(AFTER_MS);
    expect(rig.sent).toEqual([`${phone}:${seq}`, `${phone}:${seq}`]);
    expect(new Set(rig.payloads.map(({ tag }) => tag)).size).toBe(1);
  });
});

describe("whatever happens", () => {
  type Step = { do: "tell" | "seen" | "come" | "go" | "break" | "mend" | "restart" } | { do: "pass"; ms: number };
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.constant<Step>({ do: "tell" }) },
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 90_000 }).map((ms): Step => ({ do: "pass", ms })) },
    {
      weight: 3,
      arbitrary: fc.constantFrom<Step>({ do: "seen" }, { do: "come" }, { do: "go" }, { do: "break" }, { do: "mend" }, { do: "restart" }),
    },
  );

  it("a device is told once, in order, of everything that stays unseen, and of nothing that was seen before", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await rig.close();
        rig = await new Rig().open();
        const phone = await rig.add("ada");
        const unseen = new Set<number>();
        const mayCome = new Set<number>();
        const { inbox } = rig.embedded;
        for (const one of steps) {
          if (one.do === "tell") {
            const { seq } = await rig.tell("ada");
            unseen.add(seq);
            mayCome.add(seq);
          } else if (one.do === "pass") await rig.pass(one.ms);
          else if (one.do === "seen") {
            await inbox.markUpTo("ada", "seen", undefined);
            // What was told before it was seen stays told.
            for (const seq of unseen) if (!rig.sent.includes(`${phone}:${seq}`)) mayCome.delete(seq);
            unseen.clear();
          } else if (one.do === "come") rig.connected.add("ada");
          else if (one.do === "go") rig.connected.clear();
          else if (one.do === "break") rig.answer = () => AWAY;
          else if (one.do === "mend") rig.answer = () => TAKEN;
          else {
            await rig.end();
            rig.begin();
          }
        }
        rig.answer = () => TAKEN;
        await rig.pass(3_600_000);
        const seqs = rig.sent.map((text) => Number(text.split(":")[1]));
        expect(seqs).toEqual([...new Set(seqs)].sort((one, other) => one - other));
        for (const seq of seqs) expect(mayCome).toContain(seq);
        if (unseen.size <= MAX_BURST) for (const seq of unseen) expect(seqs).toContain(seq);
        expect([rig.worker.waiting, rig.errors]).toEqual([0, []]);
      }),
      { numRuns: 40 },
    );
  }, 120_000);
});
