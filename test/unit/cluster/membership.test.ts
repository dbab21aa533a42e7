import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { idOf } from "../../support/cluster-node.js";
import { messagesOf, Rig } from "./rig.js";

const rig = new Rig();

beforeEach(() => {
  rig.begin();
});

afterEach(() => {
  rig.end();
});

describe("a node", () => {
  it("is known to the others, with its sessions, within a second", () => {
    const a = rig.start();
    a.enter("ada");
    a.enter("ada");
    jest.advanceTimersByTime(3_000);
    const b = rig.start();
    jest.advanceTimersByTime(1_000);
    expect([a.cluster.peers, b.cluster.peers]).toEqual([1, 1]);
    expect([b.presence.users, b.presence.sessions]).toEqual([1, 2]);
  });

  it("is as its newest beat says, not as one that was overtaken says", () => {
    const node = rig.start();
    const peer = rig.peer();
    jest.advanceTimersByTime(1_000);
    peer.beat({ mark: 2_000, sessions: 5 });
    jest.advanceTimersByTime(10);
    peer.beat({ mark: 1_000, sessions: 2 });
    jest.advanceTimersByTime(10);
    expect(node.presence.sessions).toBe(5);
  });

  it("that says goodbye is gone at once, and nobody is looked for", () => {
    const [a, b] = [rig.start(), rig.start()];
    a.enter("ada");
    jest.advanceTimersByTime(2_000);
    rig.calm(b);
    a.cluster.stop();
    jest.advanceTimersByTime(10);
    expect([b.cluster.peers, b.presence.users, b.presence.sessions]).toEqual([0, 0, 0]);
    jest.advanceTimersByTime(20_000);
    expect(b.doubts).toEqual([]);
  });

  it("that is killed is gone within five seconds and a beat, and the store is looked at for a minute: it might be alive", () => {
    const [a, b] = [rig.start(), rig.start()];
    a.enter("ada");
    jest.advanceTimersByTime(2_000);
    rig.calm(b);
    const killedAt = Date.now();
    a.kill();
    jest.advanceTimersByTime(4_000);
    expect([b.cluster.peers, b.presence.users]).toEqual([1, 1]);
    expect(b.doubts[0]?.at).toBeLessThanOrEqual(killedAt + 2_000);
    jest.advanceTimersByTime(1_501);
    expect([b.cluster.peers, b.presence.users, b.presence.sessions]).toEqual([0, 0, 0]);
    jest.advanceTimersByTime(50_000);
    expect(b.doubts.length).toBeGreaterThan(24);
    jest.advanceTimersByTime(20_000);
    b.doubts.length = 0;
    jest.advanceTimersByTime(60_000);
    expect(b.doubts).toEqual([]);
  });

  it("that is about to stop says so", () => {
    const [a, b] = [rig.start(), rig.start()];
    jest.advanceTimersByTime(1_000);
    a.cluster.drain();
    jest.advanceTimersByTime(600);
    expect(messagesOf(b, 30).filter((msg) => msg.includes("about to stop"))).toHaveLength(1);
  });

  it("is not there any more for those who hear of it once it has stopped", () => {
    const node = rig.start();
    jest.advanceTimersByTime(1_000);
    node.cluster.stop();
    node.cluster.stop();
    const published = node.link.published.length;
    node.enter("ada");
    node.cluster.drain();
    jest.advanceTimersByTime(10_000);
    expect(node.link.published).toHaveLength(published);
  });
});

describe("nodes that come in any number", () => {
  it("are known up to a limit, and what the others send is heard all the same", () => {
    const node = rig.start();
    jest.advanceTimersByTime(1_000);
    const peers = Array.from({ length: 300 }, () => rig.peer());
    for (const peer of peers) peer.beat();
    for (const peer of peers.slice(0, -1)) void peer.link.close();
    jest.advanceTimersByTime(100);
    expect(node.cluster.peers).toBe(256);
    expect(node.counts.rubbishes).toBe(44);
    peers[299]?.send("entries", { p: [], e: [["inbox:ada", 1, 0, "notification", 1, "{}", -1]], h: [] });
    jest.advanceTimersByTime(100);
    expect(node.heard).toHaveLength(1);
    jest.advanceTimersByTime(70_000);
    expect(node.cluster.peers).toBe(0);
    rig.calm(node);
    jest.advanceTimersByTime(10_000);
    expect(node.doubts).toEqual([]);
  });
});

describe("a node whose messages are late", () => {
  it("says so, and the others look at the store every two seconds", () => {
    const [node, other] = [rig.start(), rig.start()];
    const peer = rig.peer();
    jest.advanceTimersByTime(100);
    const knows = Object.fromEntries(rig.nodes.map((one) => [idOf(one), 0]));
    rig.beating(peer, 2_000, { knows });
    rig.calm(node);
    rig.beating(peer, 6_000, { knows });
    expect(node.doubts).toEqual([]);
    rig.beating(peer, 6_000, { knows, late: true });
    expect(node.doubts.length).toBeGreaterThanOrEqual(3);

    other.link.break("deaf");
    jest.advanceTimersByTime(2_500);
    const last = other.link.published.at(-1)?.text ?? "";
    expect(JSON.parse(last)).toMatchObject({ k: "beat", d: { late: true } });
  });
});

describe("a node's clock", () => {
  it("that is minutes off is said once, and measured", () => {
    const [a, b] = [rig.start(), rig.start({ ahead: -240_000 })];
    jest.advanceTimersByTime(30_000);
    expect(messagesOf(a, 40).filter((msg) => msg.includes("clock"))).toHaveLength(1);
    expect(a.counts.largestSkew).toBeCloseTo(240, 0);
    expect(b.counts.largestSkew).toBeCloseTo(240, 0);
  });

  it("is not blamed for messages that waited in Redis", () => {
    const [a, b] = [rig.start(), rig.start()];
    jest.advanceTimersByTime(2_000);
    for (const { link } of rig.nodes) {
      link.renew = () => {};
      link.break("hung");
    }
    jest.advanceTimersByTime(20_000);
    for (const { link } of rig.nodes) link.mend();
    jest.advanceTimersByTime(5_000);
    for (const node of [a, b]) {
      expect(messagesOf(node, 40).filter((msg) => msg.includes("clock"))).toEqual([]);
      expect(node.counts.largestSkew).toBeLessThan(1);
    }
  });
});
