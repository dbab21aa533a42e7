import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { idOf, type TestNode } from "../../support/cluster-node.js";
import { Rig } from "./rig.js";

const rig = new Rig();

beforeEach(() => {
  rig.begin();
});

afterEach(() => {
  rig.end();
});

function members(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `member-${index}`);
}

/** Messages of one kind that the node has published from its `from`-th message on. */
function published(node: TestNode, kind: string, from = 0): Array<Record<string, unknown>> {
  return node.link.published
    .slice(from)
    .map(({ text }) => JSON.parse(text))
    .filter(({ k }) => k === kind)
    .map(({ d }) => d);
}

/** Loses what the node publishes of one kind, as long as `isLost` says so. */
function losing(node: TestNode, kind: string, isLost: () => boolean): void {
  const publish = node.link.publish.bind(node.link);
  node.link.publish = (channel, text) => (text.includes(`"k":"${kind}"`) && isLost()) || publish(channel, text);
}

function isKnown(node: TestNode, user: string): boolean {
  return [...node.presence.nodesOf(user)].length > 0;
}

describe("who is on a node", () => {
  it("is known to the others within a moment: who comes, and who goes with the last of their sessions", () => {
    const [a, b] = [rig.start(), rig.start()];
    jest.advanceTimersByTime(2_000);
    const sessions = [a.enter("ada"), a.enter("ada"), a.enter("bruno")];
    jest.advanceTimersByTime(50);
    expect([isKnown(b, "ada"), isKnown(b, "bruno"), b.presence.users]).toEqual([true, true, 2]);
    for (const session of sessions.slice(1)) a.leave(session);
    jest.advanceTimersByTime(50);
    expect([isKnown(b, "ada"), isKnown(b, "bruno"), b.presence.users]).toEqual([true, false, 1]);
  });

  it("is told in one message for a wave of them", () => {
    const [a] = [rig.start(), rig.start()];
    jest.advanceTimersByTime(2_000);
    for (const user of members(500)) a.enter(user);
    jest.advanceTimersByTime(50);
    expect(published(a, "moved")).toHaveLength(1);
  });

  it("is told to a newcomer in parts, and to several at once in the same ones", () => {
    const a = rig.start();
    for (const user of members(12_000)) a.enter(user);
    jest.advanceTimersByTime(2_000);
    const others = [rig.start(), rig.start(), rig.start()];
    jest.advanceTimersByTime(2_000);
    for (const other of others) expect(other.presence.users).toBe(12_000);
    expect(published(a, "roster").map(({ users }) => (users as string[]).length)).toEqual([5_000, 5_000, 2_000]);
  });

  it("is told in parts of few characters where names are long, so that none is too long to be taken", () => {
    const a = rig.start();
    const names = members(4_000).map((name) => `${name}${'"'.repeat(128 - name.length)}`);
    for (const name of names) a.enter(name);
    jest.advanceTimersByTime(2_000);
    const b = rig.start();
    jest.advanceTimersByTime(2_000);
    expect(b.presence.users).toBe(4_000);
    expect(b.counts.rubbishes).toBe(0);
  });

  it("is right when somebody leaves and comes back while the roster is told", () => {
    const a = rig.start();
    const session = a.enter("ada");
    for (const user of members(6_000)) a.enter(user);
    jest.advanceTimersByTime(1_995);
    const peer = rig.peer();
    peer.beat();
    jest.advanceTimersByTime(10);
    const to = idOf(a);
    const b = rig.start();
    jest.advanceTimersByTime(2_000);
    peer.send("want", {}, to);
    // Both changes fall into the time in which the answer, and the next change, are collected.
    jest.advanceTimersByTime(1_001);
    a.leave(session);
    jest.advanceTimersByTime(2);
    for (const user of ["ada", "bruno"]) a.enter(user);
    jest.advanceTimersByTime(100);
    expect(isKnown(b, "ada")).toBe(true);
    const told = peer.of("roster").flatMap(({ users }) => users as string[]);
    const moved = peer.of("moved").at(-1)?.entered as string[];
    expect(told.includes("ada") || moved.includes("ada")).toBe(true);
    expect(moved).toEqual(["ada", "bruno"]);
  });

  it("is asked for again where a part of it was lost, and those of the first try do not stay for ever", () => {
    const a = rig.start();
    for (const user of members(12_000)) a.enter(user);
    jest.advanceTimersByTime(2_000);
    let parts = 0;
    losing(a, "roster", () => ++parts === 2);
    const b = rig.start();
    jest.advanceTimersByTime(1_500);
    expect(published(b, "known")).toEqual([]);
    jest.advanceTimersByTime(4_500);
    expect(b.presence.users).toBe(12_000);
    expect(published(b, "known")).toMatchObject([{ anew: true }]);
  });

  it("is forgotten where it never comes as a whole, and asked for once a second at most", () => {
    const b = rig.start();
    const peer = rig.peer();
    jest.advanceTimersByTime(1_000);
    const to = idOf(b);
    peer.beat({ roster: 9 });
    jest.advanceTimersByTime(10);
    peer.send("roster", { n: 9, id: 1, part: 0, parts: 3, users: ["ada", "bruno"] }, to);
    jest.advanceTimersByTime(10);
    expect(isKnown(b, "ada")).toBe(true);
    for (let beat = 0; beat < 20; beat++) {
      peer.beat({ roster: 9 });
      jest.advanceTimersByTime(500);
    }
    expect([isKnown(b, "ada"), b.presence.users]).toEqual([false, 0]);
    expect(peer.of("want").length).toBeGreaterThan(4);
    expect(peer.of("want").length).toBeLessThanOrEqual(11);
  });

  it("is taken up to a limit", () => {
    const b = rig.start();
    const peer = rig.peer();
    jest.advanceTimersByTime(1_000);
    const to = idOf(b);
    peer.beat({ roster: 9 });
    const users = members(251_000);
    for (let part = 0; part < 51; part++) {
      peer.send("roster", { n: 9, id: 1, part, parts: 51, users: users.slice(part * 5_000, (part + 1) * 5_000) }, to);
    }
    jest.advanceTimersByTime(1_000);
    expect([b.counts.rubbishes, b.presence.users]).toEqual([1, 0]);
  });
});

describe("a change of the roster", () => {
  it("that was lost is noticed at the next one, and the whole roster is asked for", () => {
    const [a, b] = [rig.start(), rig.start()];
    jest.advanceTimersByTime(2_000);
    let left = 1;
    losing(a, "moved", () => left-- > 0);
    a.enter("ada");
    jest.advanceTimersByTime(50);
    expect(isKnown(b, "ada")).toBe(false);
    a.enter("bruno");
    jest.advanceTimersByTime(100);
    expect([isKnown(b, "ada"), isKnown(b, "bruno")]).toEqual([true, true]);
  });

  it("that was lost, and the last one, is noticed by the second beat after it", () => {
    const [a, b] = [rig.start(), rig.start()];
    jest.advanceTimersByTime(2_000);
    let left = 1;
    losing(a, "moved", () => left-- > 0);
    a.enter("ada");
    jest.advanceTimersByTime(2_000);
    expect(isKnown(b, "ada")).toBe(true);
  });

  it("that could not be sent goes when Redis is back, with all that followed it, and nobody needs the whole roster", () => {
    const [a, b] = [rig.start(), rig.start()];
    const early = a.enter("early");
    jest.advanceTimersByTime(2_000);
    const from = a.link.published.length;
    for (const { link } of rig.nodes) link.break("cut");
    for (const user of members(20)) {
      a.enter(user);
      jest.advanceTimersByTime(700);
    }
    a.leave(early);
    for (const { link } of rig.nodes) link.mend();
    jest.advanceTimersByTime(1_000);
    expect(b.presence.users).toBe(20);
    expect(published(a, "moved", from)).toHaveLength(1);
    expect(published(a, "roster", from)).toEqual([]);
  });

  it("waits where it comes before its turn, and counts once where it comes twice", () => {
    const b = rig.start();
    const peer = rig.peer();
    jest.advanceTimersByTime(1_000);
    peer.beat();
    const moves = [
      { n: 3, entered: [], left: ["ada"] },
      { n: 2, entered: ["bruno"], left: [] },
      { n: 1, entered: ["ada"], left: [] },
      { n: 1, entered: ["ada"], left: [] },
    ];
    for (const move of moves) {
      jest.advanceTimersByTime(10);
      peer.send("moved", move);
    }
    jest.advanceTimersByTime(10);
    expect([isKnown(b, "ada"), isKnown(b, "bruno"), b.presence.users]).toEqual([false, true, 1]);
    expect(peer.of("known").at(-1)).toEqual({ n: 3, anew: false });
  });

  it("that does not exist is not waited for once the roster has come", () => {
    const b = rig.start();
    const peer = rig.peer();
    jest.advanceTimersByTime(1_000);
    const to = idOf(b);
    peer.beat();
    jest.advanceTimersByTime(10);
    peer.send("moved", { n: 1_000_000, entered: ["ada"], left: [] });
    jest.advanceTimersByTime(100);
    expect(peer.of("want")).toHaveLength(1);
    peer.send("roster", { n: 0, id: 1, part: 0, parts: 1, users: [] }, to);
    for (let beat = 0; beat < 10; beat++) {
      peer.beat();
      jest.advanceTimersByTime(500);
    }
    expect(peer.of("want")).toHaveLength(1);
    expect(b.presence.users).toBe(0);
  });

  it("is one of too many to remember in a long outage: then the whole roster goes", () => {
    const [a, b] = [rig.start(), rig.start()];
    jest.advanceTimersByTime(2_000);
    a.link.break("cut");
    for (let member = 0; member < 250_100; member++) a.leave(a.enter(`member-${member}`));
    a.enter("ada");
    a.link.mend();
    jest.advanceTimersByTime(3_000);
    expect([isKnown(b, "ada"), b.presence.users]).toEqual([true, 1]);
  });
});

describe("what was appended before a node knew who is here", () => {
  it("is in doubt for those who came since, as soon as all nodes know of them", () => {
    const [a] = [rig.start(), rig.start(), rig.start()];
    const early = a.enter("early");
    jest.advanceTimersByTime(3_000);
    a.doubts.length = 0;
    const session = a.enter("ada");
    jest.advanceTimersByTime(200);
    expect(a.doubts).toHaveLength(1);
    expect(a.doubts[0]?.what).toBeLessThanOrEqual(session.startedByClock);
    expect(a.doubts[0]?.what).toBeGreaterThan(early.startedByClock);
  });

  it("is in doubt for all when another node has learned who is here", () => {
    const a = rig.start();
    a.enter("ada");
    jest.advanceTimersByTime(3_000);
    a.doubts.length = 0;
    rig.start();
    jest.advanceTimersByTime(1_000);
    expect(a.doubts.map(({ what }) => what)).toEqual([0]);
  });

  it("is in doubt for all when a node that had forgotten this one has learned it again", () => {
    const node = rig.start();
    const peer = rig.peer();
    node.enter("ada");
    jest.advanceTimersByTime(1_000);
    const to = idOf(node);
    const knows = { [to]: 1 };
    const beat = (more: Record<string, unknown>) => {
      peer.beat(more);
      jest.advanceTimersByTime(500);
    };
    for (let count = 0; count < 4; count++) beat({ knows });
    node.doubts.length = 0;
    // It forgets and learns between two of its beats.
    peer.send("known", { n: 1, anew: true }, to);
    jest.advanceTimersByTime(10);
    expect(node.doubts.map(({ what }) => what)).toEqual([0]);
    for (let count = 0; count < 2; count++) beat({ knows });
    node.doubts.length = 0;
    // It says that it has forgotten, and what says that it has learned is lost.
    beat({});
    expect(node.doubts).toEqual([]);
    beat({ knows });
    expect(node.doubts.map(({ what }) => what)).toEqual([0]);
  });

  it("is looked for every second as long as a node does not know them, and not for others where it knows those", () => {
    const node = rig.start();
    const peer = rig.peer();
    node.enter("early");
    jest.advanceTimersByTime(1_000);
    const to = idOf(node);
    const run = (beats: number, more: Record<string, unknown>) => {
      for (let count = 0; count < beats; count++) {
        peer.beat(more);
        jest.advanceTimersByTime(500);
      }
    };
    run(4, { knows: { [to]: 1 } });
    node.doubts.length = 0;
    const session = node.enter("ada");
    run(12, { knows: { [to]: 1 } });
    expect(node.doubts.length).toBeGreaterThanOrEqual(4);
    expect(node.doubts.length).toBeLessThanOrEqual(7);
    for (const { what } of node.doubts) expect([what > 0, what <= session.startedByClock]).toEqual([true, true]);
    run(3, { knows: { [to]: 2 } });
    node.doubts.length = 0;
    run(12, { knows: { [to]: 2 } });
    expect(node.doubts).toEqual([]);
    run(12, {});
    expect(node.doubts.length).toBeGreaterThanOrEqual(4);
    expect(new Set(node.doubts.map(({ what }) => what))).toEqual(new Set([0]));
  });
});
