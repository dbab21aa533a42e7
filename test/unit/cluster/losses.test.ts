import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { idOf } from "../../support/cluster-node.js";
import { doubtsOf, Rig } from "./rig.js";

const rig = new Rig();

beforeEach(() => {
  rig.begin();
});

afterEach(() => {
  rig.end();
});

describe("a message that was lost", () => {
  it("is noticed by the next one, and all sessions look", () => {
    const node = rig.start();
    const peer = rig.peer();
    rig.beating(peer, 1_500);
    rig.calm(node);
    peer.lose();
    peer.send("moved", { n: 1, entered: [], left: [] });
    jest.advanceTimersByTime(10);
    expect(node.counts.gaps).toBe(1);
    expect(doubtsOf(node)).toEqual([0]);
  });

  it("to this node alone is noticed by what the sender says it has sent, two beats later", () => {
    const node = rig.start();
    const peer = rig.peer();
    jest.advanceTimersByTime(100);
    const to = idOf(node);
    peer.send("want", {}, to);
    rig.beating(peer, 1_500);
    rig.calm(node);
    peer.lose(to);
    peer.beat();
    jest.advanceTimersByTime(100);
    expect(node.counts.gaps).toBe(0);
    peer.beat();
    jest.advanceTimersByTime(100);
    expect(node.counts.gaps).toBe(1);
    expect(doubtsOf(node)).toEqual([0]);
    rig.beating(peer, 5_000);
    expect(node.counts.gaps).toBe(1);
  });

  it("is none where it was only overtaken, by a beat or by another one that came twice", () => {
    const node = rig.start();
    const peer = rig.peer();
    jest.advanceTimersByTime(100);
    const to = idOf(node);
    peer.send("want", {}, to);
    rig.beating(peer, 1_500);
    peer.lose(to);
    peer.beat();
    jest.advanceTimersByTime(400);
    peer.send("want", {}, to, 2);
    peer.send("want", {}, to, 2);
    peer.send("want", {}, to, 1);
    jest.advanceTimersByTime(100);
    peer.sent.set(`node:${to}`, 2);
    rig.beating(peer, 2_000);
    expect(node.counts.gaps).toBe(0);
  });

  it("is noticed also by a node that the sender had taken for gone", () => {
    const [a, b] = [rig.start(), rig.start()];
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
    rig.calm(b);
    jest.advanceTimersByTime(1_000);
    expect(doubtsOf(b)).toContain(0);
  });

  it("and many of them are one doubt in half a second", () => {
    const node = rig.start();
    const peer = rig.peer();
    rig.beating(peer, 1_500);
    rig.calm(node);
    for (let count = 0; count < 100; count++) {
      peer.lose();
      peer.beat();
      jest.advanceTimersByTime(50);
    }
    expect(node.counts.gaps).toBe(100);
    expect(node.doubts.length).toBeLessThanOrEqual(11);
  });
});
