import { jest } from "@jest/globals";
import { TestNode } from "../../support/cluster-node.js";
import { Loopback } from "../../support/loopback-link.js";
import { RawPeer } from "../../support/raw-peer.js";

/** Nodes over a loopback in faked time, from `begin` to `end`. */
export class Rig {
  loopback = new Loopback();
  readonly nodes: TestNode[] = [];

  begin(): void {
    jest.useFakeTimers();
    this.loopback = new Loopback();
  }

  end(): void {
    for (const node of this.nodes.splice(0)) node.kill();
    jest.restoreAllMocks();
    jest.useRealTimers();
  }

  /** A node that is not started yet. */
  node(options?: ConstructorParameters<typeof TestNode>[1]): TestNode {
    const node = new TestNode(this.loopback.link(), options);
    this.nodes.push(node);
    return node;
  }

  start(options?: ConstructorParameters<typeof TestNode>[1]): TestNode {
    const node = this.node(options);
    node.cluster.start();
    return node;
  }

  peer(): RawPeer {
    return new RawPeer(this.loopback);
  }

  /** Advances the time in steps, with a beat of the peer in each. */
  beating(peer: RawPeer, ms: number, more: Record<string, unknown> = {}): void {
    for (let at = 0; at < ms; at += 500) {
      peer.beat(more);
      jest.advanceTimersByTime(500);
    }
  }

  /** Lets doubts be told that are on their way, and forgets them. */
  calm(node: TestNode): void {
    jest.advanceTimersByTime(500);
    node.doubts.length = 0;
  }
}

/** What was in doubt: milliseconds since the Unix epoch, or 0. */
export function doubtsOf(node: TestNode): number[] {
  return node.doubts.map(({ what }) => what);
}

/** What the node's log says at this level (30: info, 40: warn). */
export function messagesOf(node: TestNode, level: number): string[] {
  return node.logged.filter((line) => line.level === level).map(({ msg }) => msg);
}
