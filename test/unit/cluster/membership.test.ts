import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { AwakeClock } from "../../../src/cluster/awake.js";
import { TestNode } from "../../support/cluster-node.js";
import { type Fault, Loopback } from "../../support/loopback-link.js";
import { RawPeer } from "../../support/raw-peer.js";

let loopback: Loopback;
const nodes: TestNode[] = [];

beforeEach(() => {
  jest.useFakeTimers();
  loopback = new Loopback();
});

afterEach(() => {
  for (const node of nodes.splice(0)) node.kill();
  jest.restoreAllMocks();
  jest.useRealTimers();
});

function start(options?: ConstructorParameters<typeof TestNode>[1]): TestNode {
  const node = new TestNode(loopback, options);
  nodes.push(node);
  node.cluster.start();
  return node;
}

/** Advances the time in small steps, with a beat of the peer in each. */
function beating(peer: RawPeer, ms: number, more: Record<string, unknown> = {}): void {
  for (let at = 0; at < ms; at += 500) {
    peer.beat(more);
    jest.advanceTimersByTime(500);
  }
}

/** Forgets what was in doubt until now. */
function calm(node: TestNode): void {
  jest.advanceTimersByTime(500);
  node.doubts.length = 0;
}

function doubtsOf(node: TestNode): number[] {
  return node.doubts.map(({ what }) => what);
}

function messagesOf(node: TestNode, level: number): string[] {
  return node.logged.filter((line) => line.level === level).map(({ msg }) => msg);
}

describe("a node", () => {
  it("is known to the others, with its sessions, within a second", () => {
    const a = start();
    a.enter("ada");
    a.enter("ada");
    jest.advanceTimersByTime(3_000);
    const b = start();
    jest.advanceTimersByTime(1_000);
    expect([a.cluster.peers, b.cluster.peers]).toEqual([1, 1]);
    expect([b.presence.users, b.presence.sessions]).toEqual([1, 2]);
  });

  it("that says goodbye is gone at once, and nobody is looked for", () => {
    const [a, b] = [start(), start()];
    a.enter("ada");
    jest.advanceTimersByTime(2_000);
    calm(b);
    a.cluster.stop();
    jest.advanceTimersByTime(10);
    expect([b.cluster.peers, b.presence.users, b.presence.sessions]).toEqual([0, 0, 0]);
    jest.advanceTimersByTime(20_000);
    expect(b.doubts).toEqual([]);
  });

  it("that is killed is gone within five seconds and a beat, and the store is looked at for a minute: it might be alive", () => {
    const [a, b] = [start(), start()];
    a.enter("ada");
    jest.advanceTimersByTime(2_000);
    calm(b);
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
    const [a, b] = [start(), start()];
    jest.advanceTimersByTime(1_000);
    a.cluster.drain();
    jest.advanceTimersByTime(600);
    expect(messagesOf(b, 30).filter((msg) => msg.includes("about to stop"))).toHaveLength(1);
  });

  it("is not there any more for those who hear of it once it has stopped", () => {
    const node = start();
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
    const node = start();
    jest.advanceTimersByTime(1_000);
    const peers = Array.from({ length: 300 }, () => new RawPeer(loopback));
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
    calm(node);
    jest.advanceTimersByTime(10_000);
    expect(node.doubts).toEqual([]);
  });
});

describe("Redis", () => {
  it("is up when the first own beat comes back", () => {
    const node = start();
    const states: boolean[] = [];
    node.cluster.onState((isUp) => states.push(isUp));
    expect(node.cluster.isUp).toBe(false);
    jest.advanceTimersByTime(10);
    expect(node.cluster.isUp).toBe(true);
    expect([states, node.counts.states]).toEqual([[true], [false, true]]);
  });

  it("that is away from the start is missed once, and the store is looked at every second until it is there", () => {
    const node = new TestNode(loopback);
    nodes.push(node);
    node.link.break("cut");
    node.cluster.start();
    jest.advanceTimersByTime(30_000);
    expect(node.cluster.isUp).toBe(false);
    expect(node.doubts.length).toBeGreaterThanOrEqual(29);
    expect(messagesOf(node, 40)).toHaveLength(1);
    node.link.mend();
    jest.advanceTimersByTime(100);
    expect(node.cluster.isUp).toBe(true);
  });

  it.each<Fault>(["cut", "mute", "deaf", "dead", "hung"])(
    "that is away (%s) is noticed within two seconds, said once, and well at once when it is back",
    (fault) => {
      const node = start();
      const states: Array<{ isUp: boolean; at: number }> = [];
      jest.advanceTimersByTime(2_000);
      calm(node);
      node.link.renew = () => {};
      node.cluster.onState((isUp) => states.push({ isUp, at: Date.now() }));
      const from = Date.now();
      node.link.break(fault);
      jest.advanceTimersByTime(20_000);
      expect(states).toHaveLength(1);
      expect(states[0]?.isUp).toBe(false);
      expect((states[0]?.at ?? 0) - from).toBeLessThanOrEqual(2_000);
      expect(node.doubts[0]?.at).toBe(states[0]?.at);
      const times = node.doubts.map(({ at }) => at);
      for (const [index, at] of times.slice(1).entries()) expect(at - (times[index] as number)).toBeLessThanOrEqual(1_000);
      expect(new Set(doubtsOf(node))).toEqual(new Set([0]));

      const mendedAt = Date.now();
      node.doubts.length = 0;
      node.link.mend();
      jest.advanceTimersByTime(1_500);
      expect(states).toHaveLength(2);
      expect((states[1]?.at ?? 0) - mendedAt).toBeLessThanOrEqual(600);
      expect(doubtsOf(node)).toContain(0);
      expect(messagesOf(node, 40)).toHaveLength(1);
      expect(node.counts.states).toEqual([false, true, false, true]);
      calm(node);
      jest.advanceTimersByTime(10_000);
      expect(node.doubts).toEqual([]);
    },
  );

  it("gets new connections when beats stay away for four seconds, and again every four seconds", () => {
    const node = start();
    jest.advanceTimersByTime(2_000);
    node.link.break("hung");
    jest.advanceTimersByTime(3_900);
    expect(node.link.renewed).toBe(0);
    jest.advanceTimersByTime(700);
    expect(node.link.renewed).toBe(1);
    jest.advanceTimersByTime(12_000);
    expect(node.link.renewed).toBe(4);
  });

  it("whose connection is half open is well again within five seconds", () => {
    const [a, b] = [start(), start()];
    jest.advanceTimersByTime(2_000);
    b.link.break("dead");
    jest.advanceTimersByTime(5_000);
    expect(b.cluster.isUp).toBe(true);
    b.enter("ada");
    jest.advanceTimersByTime(100);
    expect([...a.presence.nodesOf("ada")]).toHaveLength(1);
  });

  it("that takes two seconds for a message counts as away, and does not come and go", () => {
    const node = start();
    jest.advanceTimersByTime(2_000);
    loopback.weather = { ...loopback.weather, delay: 4_000 };
    jest.advanceTimersByTime(20_000);
    expect(node.cluster.isUp).toBe(false);
    loopback.weather = { ...loopback.weather, delay: 2_000 };
    jest.advanceTimersByTime(20_000);
    expect(node.counts.states).toEqual([false, true, false]);
  });

  it("that was away takes nobody with it: who was there is known when it is back, and who has died meanwhile is noticed", () => {
    const [a, b, c] = [start(), start(), start()];
    for (const [node, user] of [
      [a, "ada"],
      [b, "bruno"],
      [c, "chi"],
    ] as const)
      node.enter(user);
    jest.advanceTimersByTime(2_000);
    for (const { link } of nodes) link.break("cut");
    jest.advanceTimersByTime(30_000);
    expect([a.cluster.peers, a.presence.users]).toEqual([2, 3]);
    c.kill();
    for (const { link } of [a, b]) link.mend();
    const told = a.link.published.length;
    jest.advanceTimersByTime(1_000);
    expect(a.link.published.slice(told).some(({ text }) => text.includes('"k":"roster"'))).toBe(false);
    jest.advanceTimersByTime(5_000);
    expect([a.cluster.peers, a.presence.users]).toEqual([1, 2]);
  });
});

describe("a message that was lost", () => {
  it("is noticed by the next one, and all sessions look", () => {
    const node = start();
    const peer = new RawPeer(loopback);
    beating(peer, 1_500);
    calm(node);
    peer.lose();
    peer.send("moved", { n: 1, entered: [], left: [] });
    jest.advanceTimersByTime(10);
    expect(node.counts.gaps).toBe(1);
    expect(doubtsOf(node)).toEqual([0]);
  });

  it("to this node alone is noticed by what the sender says it has sent, two beats later", () => {
    const node = start();
    const peer = new RawPeer(loopback);
    jest.advanceTimersByTime(100);
    const to = node.link.published.map(({ text }) => JSON.parse(text).from as string)[0] as string;
    peer.send("want", {}, to);
    beating(peer, 1_500);
    calm(node);
    peer.lose(to);
    peer.beat();
    jest.advanceTimersByTime(100);
    expect(node.counts.gaps).toBe(0);
    peer.beat();
    jest.advanceTimersByTime(100);
    expect(node.counts.gaps).toBe(1);
    expect(doubtsOf(node)).toEqual([0]);
    beating(peer, 5_000);
    expect(node.counts.gaps).toBe(1);
  });

  it("is none where it was only overtaken, by a beat or by another one that came twice", () => {
    const node = start();
    const peer = new RawPeer(loopback);
    jest.advanceTimersByTime(100);
    const to = node.link.published.map(({ text }) => JSON.parse(text).from as string)[0] as string;
    peer.send("want", {}, to);
    beating(peer, 1_500);
    peer.lose(to);
    peer.beat();
    jest.advanceTimersByTime(400);
    peer.send("want", {}, to, 2);
    peer.send("want", {}, to, 2);
    peer.send("want", {}, to, 1);
    jest.advanceTimersByTime(100);
    peer.sent.set(`node:${to}`, 2);
    beating(peer, 2_000);
    expect(node.counts.gaps).toBe(0);
  });

  it("is noticed also by a node that the sender had taken for gone", () => {
    const [a, b] = [start(), start()];
    b.enter("ada");
    jest.advanceTimersByTime(2_000);
    for (let seq = 1; seq <= 5; seq++) {
      a.append("inbox:ada", seq);
      jest.advanceTimersByTime(10);
    }
    // The others do not hear b for so long that they forget it, while b hears them.
    b.link.renew = () => {};
    b.link.break("mute");
    jest.advanceTimersByTime(10_000);
    b.link.mend();
    jest.advanceTimersByTime(3_000);
    const publish = a.link.publish.bind(a.link);
    a.link.publish = (channel, text) => text.includes('"k":"entries"') || publish(channel, text);
    a.append("inbox:ada", 6);
    jest.advanceTimersByTime(10);
    a.link.publish = publish;
    calm(b);
    jest.advanceTimersByTime(1_000);
    expect(doubtsOf(b)).toContain(0);
  });

  it("and many of them are one doubt in half a second", () => {
    const node = start();
    const peer = new RawPeer(loopback);
    beating(peer, 1_500);
    calm(node);
    for (let count = 0; count < 100; count++) {
      peer.lose();
      peer.beat();
      jest.advanceTimersByTime(50);
    }
    expect(node.counts.gaps).toBe(100);
    expect(node.doubts.length).toBeLessThanOrEqual(11);
  });
});

describe("new connections to Redis", () => {
  it("have all sessions look: what came while there was no subscription is lost", () => {
    const node = start();
    jest.advanceTimersByTime(2_000);
    calm(node);
    node.link.break("cut");
    jest.advanceTimersByTime(200);
    node.link.mend();
    jest.advanceTimersByTime(10);
    expect(doubtsOf(node)).toEqual([0]);
    expect(node.cluster.isUp).toBe(true);
  });
});

describe("a node whose messages are late", () => {
  it("says so, and the others look at the store every two seconds", () => {
    const [node, other] = [start(), start()];
    const peer = new RawPeer(loopback);
    beating(peer, 2_000);
    calm(node);
    beating(peer, 6_000, { late: true });
    expect(node.doubts.length).toBeGreaterThanOrEqual(3);

    other.link.break("deaf");
    jest.advanceTimersByTime(2_500);
    const last = other.link.published.at(-1)?.text ?? "";
    expect(JSON.parse(last)).toMatchObject({ k: "beat", d: { late: true } });
  });
});

describe("a node's clock", () => {
  it("that is minutes off is said once, and measured", () => {
    const [a, b] = [start(), start({ ahead: -240_000 })];
    jest.advanceTimersByTime(30_000);
    expect(messagesOf(a, 40).filter((msg) => msg.includes("clock"))).toHaveLength(1);
    expect(a.counts.largestSkew).toBeCloseTo(240, 0);
    expect(b.counts.largestSkew).toBeCloseTo(240, 0);
  });

  it("is not blamed for messages that waited in Redis", () => {
    const [a, b] = [start(), start()];
    jest.advanceTimersByTime(2_000);
    for (const { link } of nodes) {
      link.renew = () => {};
      link.break("hung");
    }
    jest.advanceTimersByTime(20_000);
    for (const { link } of nodes) link.mend();
    jest.advanceTimersByTime(5_000);
    for (const node of [a, b]) {
      expect(messagesOf(node, 40).filter((msg) => msg.includes("clock"))).toEqual([]);
      expect(node.counts.largestSkew).toBeLessThan(1);
    }
  });
});

describe("the clock for silences", () => {
  it("stands still while the process does", () => {
    const now = jest.spyOn(performance, "now").mockReturnValue(1_000);
    const clock = new AwakeClock();
    const read = (at: number) => {
      now.mockReturnValue(at);
      return clock.now();
    };
    const start = read(1_000);
    expect(read(1_500) - start).toBe(500);
    // Frozen for 20 seconds.
    expect(read(21_500) - start).toBe(500);
    expect(read(22_000) - start).toBe(1_000);
  });
});
