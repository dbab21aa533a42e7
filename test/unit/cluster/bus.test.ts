import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { deploymentOf } from "../../../src/cluster/bus.js";
import { Rig } from "./rig.js";

const rig = new Rig();

beforeEach(() => {
  rig.begin();
});

afterEach(() => {
  rig.end();
});

const KINDS = ["beat", "bye", "moved", "roster", "known", "want", "entries", "told:progress"];

const ENTRY = ["inbox:ada", 1, 1_767_225_600_000, "notification", 1, "{}", -1];

describe("what another node sends", () => {
  it("reaches every other node, and never the one that sent it", () => {
    const [a, b, c] = [rig.start(), rig.start(), rig.start()];
    jest.advanceTimersByTime(2_000);
    a.append("announcements", 7);
    jest.advanceTimersByTime(100);
    expect([a, b, c].map(({ heard }) => heard.map(({ what }) => what.entry.seq))).toEqual([[], [7], [7]]);
  });

  it("is not heard by nodes of another store", () => {
    const [a, b] = [rig.start(), rig.start({ deployment: deploymentOf("another epoch") })];
    jest.advanceTimersByTime(2_000);
    a.append("announcements", 7);
    jest.advanceTimersByTime(100);
    expect([a.cluster.peers, b.cluster.peers]).toEqual([0, 0]);
    expect(b.heard).toEqual([]);
    expect(b.counts.rubbishes).toBe(0);
  });
});

describe("a store's nodes", () => {
  it("are named by its epoch, the same way on each", () => {
    expect(deploymentOf("epoch-1")).toMatch(/^[0-9a-f]{16}$/);
    expect(deploymentOf("epoch-1")).toBe(deploymentOf("epoch-1"));
    expect(deploymentOf("epoch-1")).not.toBe(deploymentOf("epoch-2"));
  });
});

describe("rubbish on the bus", () => {
  it.each([
    ["text that is not JSON", "entries!"],
    ["JSON that is no object", "[1]"],
    ["null", "null"],
    ["another version", '{"v":2,"from":"abcdefghijklmnop","n":1,"k":"bye","d":{}}'],
    ["no sender", '{"v":1,"n":1,"k":"bye","d":{}}'],
    ["a sender that is no node", '{"v":1,"from":"a/b","n":1,"k":"bye","d":{}}'],
    ["no number", '{"v":1,"from":"abcdefghijklmnop","k":"bye","d":{}}'],
    ["half a number", '{"v":1,"from":"abcdefghijklmnop","n":1.5,"k":"bye","d":{}}'],
    ["no kind", '{"v":1,"from":"abcdefghijklmnop","n":1,"d":{}}'],
    ["a kind that nobody knows", '{"v":1,"from":"abcdefghijklmnop","n":1,"k":"toString","d":{}}'],
    ["a message that is too long", JSON.stringify({ v: 1, from: "abcdefghijklmnop", n: 1, k: "bye", d: "x".repeat(1_048_576) })],
  ])("is counted and ignored: %s", (_what, text) => {
    const node = rig.start();
    const peer = rig.peer();
    jest.advanceTimersByTime(1_000);
    peer.raw(text);
    jest.advanceTimersByTime(100);
    expect(node.counts.rubbishes).toBe(1);
    peer.send("entries", { p: [], e: [ENTRY], h: [] });
    jest.advanceTimersByTime(100);
    expect(node.heard).toHaveLength(1);
  });

  it("is mentioned in the log once a minute, with how much there was and never with what it said", () => {
    const node = rig.start();
    const peer = rig.peer();
    jest.advanceTimersByTime(1_000);
    const warnings = () => node.logged.filter(({ level }) => level >= 40);
    for (let second = 0; second < 61; second++) {
      for (let count = 0; count < 10; count++) peer.raw("a secret");
      jest.advanceTimersByTime(1_000);
    }
    expect(warnings()).toMatchObject([{ count: 1 }, { count: 600 }]);
    expect(JSON.stringify(warnings())).not.toContain("secret");
    expect(node.counts.rubbishes).toBe(610);
  });

  it("of another version has the sessions look at the store, as long as it comes", () => {
    const node = rig.start();
    const peer = rig.peer();
    jest.advanceTimersByTime(2_000);
    node.doubts.length = 0;
    for (let beat = 0; beat < 20; beat++) {
      peer.raw(JSON.stringify({ v: 2, from: peer.node, n: beat + 1, k: "beat", d: {} }));
      jest.advanceTimersByTime(500);
    }
    expect(node.doubts.length).toBeGreaterThanOrEqual(4);
    expect(node.doubts.every(({ what }) => what === 0)).toBe(true);
    jest.advanceTimersByTime(6_000);
    node.doubts.length = 0;
    jest.advanceTimersByTime(60_000);
    expect(node.doubts).toEqual([]);
  });

  it("of any shape and kind throws nothing, and leaves who is where as it is", () => {
    const [a, b] = [rig.start(), rig.start()];
    a.enter("ada");
    jest.advanceTimersByTime(2_000);
    const peer = rig.peer();
    peer.beat();
    jest.advanceTimersByTime(100);
    // A name of a field that is meant, so that values get past the first check.
    const field = fc.constantFrom("n", "id", "part", "parts", "users", "entered", "left", "p", "e", "h", "mark", "sent", "knows", "anew");
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(0, 1, -1, 1e308, [], {}, [[]], ["ada"], [["inbox:ada", 1]]));
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), fc.oneof(value, fc.dictionary(field, value)), fc.boolean(), (kind, data, toAll) => {
        const before = b.counts.rubbishes;
        const users = b.presence.users;
        peer.send(kind, data, toAll ? null : (peer.heard[0]?.from ?? null));
        jest.advanceTimersByTime(10);
        // A message is taken or refused, and there is no third.
        expect(b.presence.users === users || b.counts.rubbishes === before).toBe(true);
      }),
      { numRuns: 500 },
    );
    peer.send("bye", {});
    jest.advanceTimersByTime(1_000);
    expect([...b.presence.nodesOf("ada")]).toHaveLength(1);
    expect([b.cluster.peers, b.presence.users]).toEqual([1, 1]);
    expect(b.cluster.isUp).toBe(true);
  });
});

describe("a message of which a part is wrong", () => {
  it("changes nothing, and counts as lost", () => {
    const node = rig.start();
    node.enter("ada");
    const peer = rig.peer();
    jest.advanceTimersByTime(1_000);
    peer.beat();
    jest.advanceTimersByTime(1_000);
    node.doubts.length = 0;
    peer.send("moved", { n: 1, entered: ["bruno"], left: [7] });
    peer.send("entries", { p: [], e: [ENTRY, ["inbox:ada", 2]], h: [] });
    jest.advanceTimersByTime(100);
    expect(node.heard).toEqual([]);
    expect(node.presence.users).toBe(1);
    expect(node.counts.rubbishes).toBe(2);
    peer.beat();
    jest.advanceTimersByTime(100);
    expect(node.counts.gaps).toBe(1);
    expect(node.doubts.map(({ what }) => what)).toEqual([0]);
  });

  it.each([
    ["no list of publications", { e: [ENTRY], h: [] }],
    ["no list of entries", { p: [], h: [] }],
    ["no stream", { p: [], e: [[null, ...ENTRY.slice(1)]], h: [] }],
    ["no seq", { p: [], e: [["inbox:ada", 0, ...ENTRY.slice(2)]], h: [] }],
    ["a time that there is not", { p: [], e: [[...ENTRY.slice(0, 2), 9e15, ...ENTRY.slice(3)]], h: [] }],
    ["a kind that needs quoting", { p: [], e: [[...ENTRY.slice(0, 3), 'no"tification', ...ENTRY.slice(4)]], h: [] }],
    ["less than nothing unread", { p: [], e: [[...ENTRY.slice(0, 4), -1, ...ENTRY.slice(5)]], h: [] }],
    ["a text that is no object", { p: [], e: [[...ENTRY.slice(0, 5), "[]", -1]], h: [] }],
    ["a publication that is not there", { p: [], e: [[...ENTRY.slice(0, 6), 0]], h: [] }],
    ["a publication without a name", { p: [["", "{}", null]], e: [ENTRY], h: [] }],
    ["an origin that is none", { p: [["event-1", "{}", { request: 1, trace: null }]], e: [ENTRY], h: [] }],
    ["a head that is none", { p: [], e: [ENTRY], h: [["inbox:ada", -5]] }],
  ])("is not heard: entries with %s", (_what, data) => {
    const node = rig.start();
    const peer = rig.peer();
    jest.advanceTimersByTime(1_000);
    peer.send("entries", data);
    jest.advanceTimersByTime(100);
    expect([node.heard, node.heads, node.counts.rubbishes]).toEqual([[], [], 1]);
  });
});

describe("an entry that nobody here can take", () => {
  it("keeps no other from being heard, and counts as lost", () => {
    const [a, b] = [rig.start(), rig.start({ refuses: ({ seq }) => seq === 2 })];
    b.enter("ada");
    jest.advanceTimersByTime(2_000);
    b.doubts.length = 0;
    for (const seq of [1, 2, 3]) a.append("inbox:ada", seq);
    jest.advanceTimersByTime(10);
    expect(b.heard.map(({ what }) => what.entry.seq)).toEqual([1, 3]);
    a.append("inbox:ada", 4);
    jest.advanceTimersByTime(10);
    expect(b.counts).toMatchObject({ rubbishes: 1, gaps: 1 });
    expect(b.doubts.map(({ what }) => what)).toEqual([0]);
  });
});
