import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { StreamLog, type StreamStore } from "../../../src/stream/index.js";
import { type Embedded, openEmbedded } from "../../support/embedded.js";
import { until } from "../../support/member.js";

/** How long a caller may wait, and how much later that may be noticed. Milliseconds. */
const DEADLINE_MS = 10_000;
const NOTICED_MS = 250;

let embedded: Embedded;
let clock: { now: number };
/** The appends that the store holds up; each is let go by its function. */
let held: Array<() => void>;
let holds: boolean;
let log: StreamLog;

beforeEach(async () => {
  embedded = await openEmbedded();
  clock = { now: 0 };
  held = [];
  holds = true;
  const hold = async (...batch: Parameters<StreamStore["append"]>) => {
    if (holds) await new Promise<void>((resolve) => held.push(resolve));
    return embedded.stores.streams.append(batch[0] as never);
  };
  const store = new Proxy(embedded.stores.streams, {
    get(target, name) {
      if (name === "append") return hold;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  log = new StreamLog({ store: store as StreamStore, clock: () => clock.now });
});
afterEach(async () => {
  release();
  await log.close();
  await embedded.close();
});

function release(): void {
  holds = false;
  for (const letGo of held.splice(0)) letGo();
}

function append(key: string, stream = "s"): Promise<string> {
  return log.append(stream, { key, kind: "note", own: "{}", count: 1 }).then(
    ({ seq, repeated }) => `${seq}${repeated ? " again" : ""}`,
    (error: { code: string }) => error.code,
  );
}

const publish = (id: string, streams: string[]) =>
  log
    .publish({ id, alias: null, key: id, kind: "note", shared: "{}", plan: streams.map((stream) => ({ stream, own: "{}" })), note: "[]" })
    .then(
      ({ results }) => results.map(({ seq }) => seq).join(" "),
      (error: { code: string }) => error.code,
    );

describe("a store that hangs", () => {
  it("keeps nobody waiting for longer than their deadline, whether their write is on its way or waits behind it", async () => {
    const first = append("first");
    await until("the first is on its way", () => held.length === 1);
    const others = [append("behind"), append("elsewhere", "other"), publish("event", ["s", "third"])];
    clock.now += DEADLINE_MS - 1_000;
    const late = append("late");
    clock.now += 1_000;
    const answered: string[] = [];
    for (const one of [first, ...others, late]) void one.then((answer) => answered.push(answer));
    await new Promise((resolve) => setTimeout(resolve, 2 * NOTICED_MS));
    expect(answered).toEqual([]);
    clock.now += 1;
    expect(await Promise.all([first, ...others])).toEqual(Array(4).fill("unavailable"));
    expect(answered).toHaveLength(4);
    release();
    // What was on its way is stored after all; what waited behind it for nobody is not begun.
    expect(await late).toBe("2");
    expect((await log.page("s", 0, 10)).map(({ seq }) => seq)).toEqual([1, 2]);
    expect((await log.tail("other")).head + (await log.tail("third")).head).toBe(0);
  });

  it("has each write once when it is sent again, whatever became of the first", async () => {
    const keys = ["first", "behind"];
    const first = append("first");
    await until("the first is on its way", () => held.length === 1);
    const behind = append("behind");
    clock.now += DEADLINE_MS + 1;
    expect(await Promise.all([first, behind])).toEqual(["unavailable", "unavailable"]);
    const again = keys.map((key) => append(key));
    release();
    expect((await Promise.all(again)).toSorted()).toEqual(["1 again", "2"]);
    expect(await publish("event", ["s"])).toBe("3");
    expect((await log.tail("s")).head).toBe(3);
  });

  it("lets a publication that is on its way reach all of its recipients, although nobody waits for it any more", async () => {
    const streams = Array.from({ length: 1_500 }, (_, index) => `wide-${index}`);
    const first = publish("wide", streams);
    await until("it is on its way", () => held.length === 1);
    holds = false;
    clock.now += DEADLINE_MS - 1;
    const second = append("another");
    release();
    expect((await first).split(" ")).toHaveLength(1_500);
    expect(await second).toBe("1");
  });
});
