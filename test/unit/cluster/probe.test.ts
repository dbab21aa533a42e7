import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { Fault } from "../../support/loopback-link.js";
import { doubtsOf, messagesOf, Rig } from "./rig.js";

const rig = new Rig();

beforeEach(() => {
  rig.begin();
});

afterEach(() => {
  rig.end();
});

describe("Redis", () => {
  it("is up when the first own beat comes back", () => {
    const node = rig.start();
    const states: boolean[] = [];
    node.cluster.onState((isUp) => states.push(isUp));
    expect(node.cluster.isUp).toBe(false);
    jest.advanceTimersByTime(10);
    expect(node.cluster.isUp).toBe(true);
    expect([states, node.counts.states]).toEqual([[true], [false, true]]);
  });

  it("that is away from the start is missed once, and the store is looked at every second until it is there", () => {
    const node = rig.node();
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
      const node = rig.start();
      const states: Array<{ isUp: boolean; at: number }> = [];
      jest.advanceTimersByTime(2_000);
      rig.calm(node);
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
      rig.calm(node);
      jest.advanceTimersByTime(10_000);
      expect(node.doubts).toEqual([]);
    },
  );

  it("gets new connections when beats stay away for four seconds, and again every four seconds", () => {
    const node = rig.start();
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
    const [a, b] = [rig.start(), rig.start()];
    jest.advanceTimersByTime(2_000);
    b.link.break("dead");
    jest.advanceTimersByTime(5_000);
    expect(b.cluster.isUp).toBe(true);
    b.enter("ada");
    jest.advanceTimersByTime(100);
    expect([...a.presence.nodesOf("ada")]).toHaveLength(1);
  });

  it("that takes two seconds for a message counts as away, and does not come and go", () => {
    const node = rig.start();
    jest.advanceTimersByTime(2_000);
    rig.loopback.weather = { ...rig.loopback.weather, delay: 4_000 };
    jest.advanceTimersByTime(20_000);
    expect(node.cluster.isUp).toBe(false);
    rig.loopback.weather = { ...rig.loopback.weather, delay: 2_000 };
    jest.advanceTimersByTime(20_000);
    expect(node.counts.states).toEqual([false, true, false]);
  });

  it("that was away takes nobody with it: who was there is known when it is back, and who has died meanwhile is noticed", () => {
    const [a, b, c] = [rig.start(), rig.start(), rig.start()];
    for (const [node, user] of [
      [a, "ada"],
      [b, "bruno"],
      [c, "chi"],
    ] as const)
      node.enter(user);
    jest.advanceTimersByTime(2_000);
    for (const { link } of rig.nodes) link.break("cut");
    jest.advanceTimersByTime(30_000);
    expect([a.cluster.peers, a.presence.users]).toEqual([2, 3]);
    c.kill();
    // One is back before the other: that has not been silent for as long as nobody could hear it.
    a.link.mend();
    jest.advanceTimersByTime(2_000);
    expect([a.cluster.isUp, a.cluster.peers]).toEqual([true, 2]);
    b.link.mend();
    const told = a.link.published.length;
    jest.advanceTimersByTime(1_000);
    expect(a.link.published.slice(told).some(({ text }) => text.includes('"k":"roster"'))).toBe(false);
    jest.advanceTimersByTime(5_000);
    expect([a.cluster.peers, a.presence.users]).toEqual([1, 2]);
  });
});

describe("new connections to Redis", () => {
  it("have all sessions look: what came while there was no subscription is lost", () => {
    const node = rig.start();
    jest.advanceTimersByTime(2_000);
    rig.calm(node);
    node.link.break("cut");
    jest.advanceTimersByTime(200);
    node.link.mend();
    jest.advanceTimersByTime(10);
    expect(doubtsOf(node)).toEqual([0]);
    expect(node.cluster.isUp).toBe(true);
  });
});

describe("a process that stood still", () => {
  /** Makes the clock jump as it does for a process that was frozen. */
  function freezer(): (ms: number) => void {
    const now = performance.now.bind(performance);
    let frozen = 0;
    jest.spyOn(performance, "now").mockImplementation(() => now() + frozen);
    return (ms) => {
      frozen += ms;
    };
  }

  it("takes nobody's silence for anything before it has listened", () => {
    const freeze = freezer();
    const [a, b] = [rig.start(), rig.start()];
    jest.advanceTimersByTime(2_000);
    rig.calm(a);
    freeze(20_000);
    jest.advanceTimersByTime(3_000);
    expect([a.counts.states, a.cluster.peers, b.cluster.peers, a.doubts]).toEqual([[false, true], 1, 1, []]);
  });

  it("notices all the same that Redis is away, where it has hardly a turn for itself", () => {
    const freeze = freezer();
    const node = rig.start();
    jest.advanceTimersByTime(2_000);
    node.link.break("cut");
    for (let tick = 0; tick < 4; tick++) {
      freeze(1_500);
      jest.advanceTimersByTime(500);
    }
    expect(node.cluster.isUp).toBe(false);
  });
});
