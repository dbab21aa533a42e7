import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { TestNode, type TestSession } from "../../support/cluster-node.js";
import { type Fault, FINE, Loopback, randomFrom, type Weather } from "../../support/loopback-link.js";

const USERS = ["ada", "bruno", "chi", "dora", "emil"];
const FAULTS: Fault[] = ["cut", "mute", "deaf", "dead", "hung"];

/** Longer than any silence that is waited for: after this all is as it was, if the link is well. */
const CALM_MS = 12_000;

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

interface Appended {
  stream: string;
  seq: number;
  at: number;
  node: TestNode;
  /** The sessions elsewhere that must learn of it. */
  sessions: Array<{ node: TestNode; session: TestSession }>;
}

/** Nodes whose members come and go and are told things, over a link to which things happen. */
class World {
  readonly loopback: Loopback;
  nodes: TestNode[];
  readonly appended: Appended[] = [];
  readonly #random: () => number;
  #seq = 0;

  constructor(count: number, seed: number) {
    this.#random = randomFrom(seed);
    this.loopback = new Loopback(this.#random);
    this.nodes = Array.from({ length: count }, (_, index) => this.#newNode(index));
  }

  node(index: number): TestNode {
    return this.nodes[index % this.nodes.length] as TestNode;
  }

  append(index: number, user: string): void {
    const node = this.node(index);
    const stream = `inbox:${user}`;
    const seq = ++this.#seq;
    const sessions = this.nodes
      .filter((other) => other !== node)
      .flatMap((other) => [...other.sessions].filter((session) => session.user === user).map((session) => ({ node: other, session })));
    this.appended.push({ stream, seq, at: Date.now(), node, sessions });
    node.append(stream, seq);
  }

  leave(index: number): void {
    const node = this.node(index);
    const all = [...node.sessions];
    const session = all[Math.floor(this.#random() * all.length)];
    if (session !== undefined) node.leave(session);
  }

  restart(index: number, isKilled: boolean): void {
    const at = index % this.nodes.length;
    const node = this.node(at);
    node.sessions.clear();
    if (!isKilled) node.cluster.stop();
    node.kill();
    this.nodes[at] = this.#newNode(at);
  }

  heal(): void {
    this.loopback.weather = FINE;
    for (const { link } of this.nodes) {
      link.side = 0;
      link.mend();
    }
    jest.advanceTimersByTime(CALM_MS);
  }

  /** What each node believes, beside what is so. */
  expectTruth(): void {
    const everybody = new Set(this.nodes.flatMap(({ users }) => users));
    const sessions = this.nodes.reduce((sum, node) => sum + node.sessions.size, 0);
    for (const node of this.nodes) {
      expect(node.cluster.isUp).toBe(true);
      expect(node.cluster.peers).toBe(this.nodes.length - 1);
      expect([node.presence.users, node.presence.sessions]).toEqual([everybody.size, sessions]);
      for (const user of USERS) {
        const names = this.nodes.filter((other) => other !== node && other.users.includes(user)).length;
        expect([...node.presence.nodesOf(user)]).toHaveLength(names);
      }
    }
  }

  /** Every session that is still there has heard of each entry, or was told to look after it was stored, within `ms`. */
  expectCovered(ms: number): void {
    for (const { stream, seq, at, sessions } of this.appended) {
      for (const { node, session } of sessions) {
        if (!node.sessions.has(session)) continue;
        const covered = node.coveredAt(session, stream, seq, at);
        if (covered === null || covered - at > ms) {
          throw new Error(`${stream} ${seq} of ${at} was heard of at ${covered}; the session began at ${session.startedAt}`);
        }
      }
    }
  }

  end(): void {
    for (const node of this.nodes) node.kill();
    jest.clearAllTimers();
  }

  #newNode(index: number): TestNode {
    // Clocks that are minutes apart harm nobody.
    const node = new TestNode(this.loopback.link(), { ahead: (index - 1) * 300_000 });
    node.cluster.start();
    return node;
  }
}

const node = fc.nat(3);
const user = fc.constantFrom(...USERS);
const act = fc.oneof(
  { weight: 6, arbitrary: fc.record({ is: fc.constant("enter" as const), node, user }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constant("leave" as const), node }) },
  { weight: 12, arbitrary: fc.record({ is: fc.constant("append" as const), node, user }) },
  { weight: 4, arbitrary: fc.record({ is: fc.constant("wait" as const), ms: fc.constantFrom(1, 10, 50, 400, 2_000, 7_000) }) },
);
const chance = fc.constantFrom(0, 0, 0.05, 0.3, 0.9);
const weather: fc.Arbitrary<Weather> = fc.record({
  lost: chance,
  doubled: chance,
  shuffled: chance,
  delay: fc.constantFrom(0, 5, 100, 600),
});
const fault = fc.oneof(
  { weight: 2, arbitrary: fc.record({ is: fc.constant("fault" as const), node, fault: fc.constantFrom(...FAULTS) }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constant("mend" as const), node }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant("weather" as const), weather }) },
);
const upheaval = fc.oneof(
  { weight: 1, arbitrary: fc.record({ is: fc.constant("split" as const), node, side: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant("restart" as const), node, isKilled: fc.boolean() }) },
);

type Step = typeof act | typeof fault | typeof upheaval extends fc.Arbitrary<infer S> ? S : never;

function perform(world: World, step: Step): void {
  switch (step.is) {
    case "enter":
      world.node(step.node).enter(step.user);
      break;
    case "leave":
      world.leave(step.node);
      break;
    case "append":
      world.append(step.node, step.user);
      break;
    case "wait":
      jest.advanceTimersByTime(step.ms);
      break;
    case "fault":
      world.node(step.node).link.break(step.fault);
      break;
    case "mend":
      world.node(step.node).link.mend();
      break;
    case "weather":
      world.loopback.weather = step.weather;
      break;
    case "split":
      world.node(step.node).link.side = step.side;
      break;
    case "restart":
      world.restart(step.node, step.isKilled);
  }
}

describe("after any schedule of faults, once the link is well again", () => {
  it("every node knows who is where, and every hint that was lost has led to a doubt that covers it", () => {
    const step = fc.oneof({ weight: 6, arbitrary: act }, { weight: 1, arbitrary: fault }, { weight: 1, arbitrary: upheaval });
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 120 }), fc.integer(), fc.boolean(), (steps, seed, meets) => {
        const world = new World(4, seed);
        try {
          if (meets) jest.advanceTimersByTime(2_000);
          for (const one of steps) perform(world, one);
          world.heal();
          world.expectTruth();
          world.expectCovered(Number.POSITIVE_INFINITY);
        } finally {
          world.end();
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("nodes that know each other", () => {
  it("have a session hear of an entry, or look for it, within three seconds, whatever their links do", () => {
    const step = fc.oneof({ weight: 6, arbitrary: act }, { weight: 1, arbitrary: fault });
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 120 }), fc.integer(), (steps, seed) => {
        const world = new World(3, seed);
        try {
          jest.advanceTimersByTime(2_000);
          for (const one of steps) perform(world, one);
          jest.advanceTimersByTime(3_000);
          world.expectCovered(3_000);
        } finally {
          world.end();
        }
      }),
      { numRuns: 100 },
    );
  });
});
