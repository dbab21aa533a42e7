import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { type Hint, hintsOf, messagesOf } from "../../../src/cluster/hint-codec.js";
import type { TestNode } from "../../support/cluster-node.js";
import { Rig } from "./rig.js";

const rig = new Rig();

beforeEach(() => {
  rig.begin();
});

afterEach(() => {
  rig.end();
});

/** Three nodes that know each other; ada is on the second and the third, bruno on the third. */
function three(): [TestNode, TestNode, TestNode] {
  const all = [0, 1, 2].map(() => rig.node()) as [TestNode, TestNode, TestNode];
  for (const { cluster } of all) cluster.start();
  all[1].enter("ada");
  all[2].enter("ada");
  all[2].enter("bruno");
  jest.advanceTimersByTime(2_000);
  return all;
}

function seqs(node: TestNode): number[] {
  return node.heard.map(({ what }) => what.entry.seq);
}

function sent(node: TestNode, from: number): number {
  return node.link.published.slice(from).filter(({ text }) => text.includes('"k":"entries"')).length;
}

describe("an entry", () => {
  it("goes to the nodes that have the member, and to no other", () => {
    const [a, b, c] = three();
    a.append("inbox:ada", 1);
    a.append("inbox:bruno", 2);
    a.append("inbox:chi", 3);
    b.append("inbox:ada", 4);
    jest.advanceTimersByTime(10);
    expect([a, b, c].map(seqs)).toEqual([[], [1], [1, 2, 4]]);
  });

  it("of a stream that all share goes to all, and of one that is nobody's to none", () => {
    const [a, b, c] = three();
    a.append("announcements", 1);
    a.append("elsewhere", 2);
    jest.advanceTimersByTime(10);
    expect([a, b, c].map(seqs)).toEqual([[], [1], [1]]);
  });

  it("goes on its way right after the turn in which it was appended, with all the others of that", () => {
    const [a, , c] = three();
    const from = a.link.published.length;
    for (let seq = 1; seq <= 100; seq++) a.append("inbox:bruno", seq);
    jest.advanceTimersByTime(5);
    expect(seqs(c)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(sent(a, from)).toBe(1);
  });

  it("goes in more than one message where there is much to say", () => {
    const [a, , c] = three();
    const from = a.link.published.length;
    const own = JSON.stringify({ text: "x".repeat(10_000) });
    for (let seq = 1; seq <= 100; seq++) a.append("inbox:bruno", seq, { own });
    jest.advanceTimersByTime(5);
    expect(seqs(c)).toHaveLength(100);
    expect(sent(a, from)).toBe(4);
  });

  it("that is too long for any message is lost, which is noticed", () => {
    const [a, , c] = three();
    jest.advanceTimersByTime(2_000);
    c.doubts.length = 0;
    a.append("inbox:bruno", 1, { own: JSON.stringify({ text: "x".repeat(1_048_576) }) });
    jest.advanceTimersByTime(2_000);
    expect(a.counts.drops).toBe(1);
    expect(seqs(c)).toEqual([]);
    expect(c.doubts.map(({ what }) => what)).toContain(0);
  });

  it("that is not at hand goes as the seq where its stream stands", () => {
    const [a, b] = three();
    a.appendUnheard("inbox:ada", 17);
    jest.advanceTimersByTime(10);
    expect(b.heads).toEqual([{ stream: "inbox:ada", seq: 17 }]);
  });

  it("that was appended right before the node says goodbye still goes", () => {
    const [a, b] = three();
    a.append("inbox:ada", 1);
    a.cluster.stop();
    a.append("inbox:ada", 2);
    jest.advanceTimersByTime(10);
    expect(seqs(b)).toEqual([1]);
  });

  it("comes whole: with what it shares with others, and what made it", () => {
    const text = fc.string({ maxLength: 20, unit: "grapheme" });
    const name = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" });
    const json = fc.dictionary(text, fc.jsonValue()).map((value) => JSON.stringify(value));
    const origin = fc.record({ request: fc.option(name), trace: fc.option(name) });
    const shared = fc.record({ publication: fc.constantFrom("event-1", "event-2", "event-3"), shared: fc.option(json) });
    const entry = fc
      .record({
        seq: fc.integer({ min: 1 }),
        at: fc.date({ noInvalidDate: true }).map((date) => date.getTime()),
        kind: fc.constantFrom("notification", "read_all", "notification.rescinded"),
        unread: fc.nat(),
        own: json,
        content: fc.option(shared),
        origin: fc.option(origin),
      })
      .map(({ content, origin, ...rest }) => ({
        ...rest,
        publication: content?.publication ?? null,
        shared: content?.shared ?? null,
        ...(origin === null ? {} : { origin }),
      }));
    const hint: fc.Arbitrary<Hint> = fc.oneof(
      { weight: 9, arbitrary: fc.record({ stream: name, entry }) },
      { weight: 1, arbitrary: fc.record({ stream: name, head: fc.integer({ min: 1 }) }) },
    );
    fc.assert(
      fc.property(fc.array(hint), (hints) => {
        const heard = [...messagesOf(hints)].flatMap((message) => hintsOf(JSON.parse(JSON.stringify(message))));
        const entries = (all: Hint[]) => all.filter((one) => "entry" in one);
        const heads = (all: Hint[]) => all.filter((one) => "head" in one);
        expect(entries(heard)).toEqual(entries(hints));
        expect(heads(heard)).toEqual(heads(hints));
      }),
    );
  });

  it("carries what many have in common once", () => {
    const shared = JSON.stringify({ text: "y".repeat(500) });
    const origin = { request: "request-1", trace: null };
    const common = { seq: 1, at: 0, kind: "notification", unread: 1, own: "{}", publication: "event-1", shared };
    const hints = Array.from({ length: 50 }, (_, index) => ({ stream: `inbox:${index}`, entry: { ...common, origin } }));
    const [message, ...more] = messagesOf(hints);
    expect(more).toEqual([]);
    expect(message?.p).toEqual([["event-1", shared, origin]]);
    expect(hintsOf(message).map((hint) => ("entry" in hint ? hint.entry.origin : null))).toEqual(hints.map(() => origin));
  });
});

describe("what rooms tell each other", () => {
  it("goes to the nodes that have the member, until nobody listens any more", () => {
    const [a, b, c] = three();
    const told: unknown[] = [];
    const stop = b.cluster.on("progress", (data) => told.push(data));
    c.cluster.on("progress", () => {
      throw new Error("of another shape");
    });
    a.cluster.tellNodesOf("ada", "progress", { task: "export", percent: 50 });
    a.cluster.tellNodesOf("bruno", "progress", { task: "other" });
    jest.advanceTimersByTime(10);
    expect(told).toEqual([{ task: "export", percent: 50 }]);
    expect([b.counts.rubbishes, c.counts.rubbishes]).toEqual([0, 2]);
    stop();
    a.cluster.tellNodesOf("ada", "progress", null);
    jest.advanceTimersByTime(10);
    expect(told).toHaveLength(1);
  });

  it("is not mixed up with what nodes say by themselves", () => {
    const [a, b] = three();
    a.cluster.tellNodesOf("ada", "bye", {});
    jest.advanceTimersByTime(10);
    expect(b.cluster.peers).toBe(2);
  });
});
