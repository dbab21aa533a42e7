import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Namespace } from "socket.io";
import { SinglePolicy } from "../../../src/realtime/replaced.js";

/** What nodes tell each other, which the test delivers, loses or doubles. */
interface Message {
  from: number;
  event: string;
  data: unknown;
}

class Session {
  isEnded = false;

  constructor(
    readonly id: string,
    readonly user: string,
    /** How many sessions had begun before, anywhere. */
    readonly nth: number,
  ) {}

  end(): void {
    this.isEnded = true;
  }
}

interface Node {
  live(user: string): Session[];
  policy: SinglePolicy<Session>;
  listeners: Array<(data: unknown) => void>;
  begin(user: string): Session;
  hear(data: unknown): void;
}

/** Nodes that know of each other what they are told; who is where is known by all, as the rosters would have it. */
function startNodes(count: number, clockOf: (node: number) => () => number) {
  const messages: Message[] = [];
  let begun = 0;
  const nodes: Node[] = Array.from({ length: count }, (_, index): Node => {
    const sessions = new Set<Session>();
    const listeners: Array<(data: unknown) => void> = [];
    const namespace = {
      on: (_event: string, listener: (data: unknown) => void) => listeners.push(listener),
      off: () => listeners.splice(0),
      serverSideEmit: (event: string, data: unknown) => messages.push({ from: index, event, data: JSON.parse(JSON.stringify(data)) }),
    } as unknown as Namespace;
    const live = (user: string) => [...sessions].filter((one) => one.user === user && !one.isEnded);
    const presence = {
      localUsers: () => new Set([...sessions].filter((one) => !one.isEnded).map(({ user }) => user)),
      nodesOf: (user: string) => nodes.filter((other, at) => at !== index && other.live(user).length > 0).map(() => "another"),
    };
    const policy = new SinglePolicy<Session>({
      sessionsOf: live,
      others: { namespace, nodes: { rubbish: () => {} }, presence },
      clock: clockOf(index),
    });
    return {
      live,
      policy,
      listeners,
      begin(user: string): Session {
        const session = new Session(`s${Math.random()}`, user, begun++);
        policy.begins(session);
        sessions.add(session);
        return session;
      },
      hear: (data: unknown) => {
        for (const listener of [...listeners]) listener(data);
      },
    };
  });
  const deliver = ({ from, data }: Message) => {
    for (const [index, node] of nodes.entries()) if (index !== from) node.hear(data);
  };
  return { nodes, messages, deliver };
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("begin" as const), node: fc.nat(2), user: fc.constantFrom("ada", "bea") }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("deliver" as const, "lose" as const, "double" as const), which: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("later" as const), ms: fc.nat(5_000) }) },
);

describe("one session a member", () => {
  it("is left over all nodes, whatever is lost, late, doubled or reordered, and however wrong clocks are", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -600_000, max: 600_000 }), { minLength: 3, maxLength: 3 }), fc.array(step), (skews, steps) => {
        let now = 1_700_000_000_000;
        const { nodes, messages, deliver } = startNodes(3, (node) => () => now + (skews[node] as number));
        for (const one of steps) {
          if (one.do === "begin") nodes[one.node]?.begin(one.user);
          else if (one.do === "later") now += one.ms;
          else {
            const at = one.which % Math.max(1, messages.length);
            const message = messages[at];
            if (message === undefined) continue;
            if (one.do !== "double") messages.splice(at, 1);
            if (one.do !== "lose") deliver(message);
          }
        }
        const began = new Set(steps.flatMap((one) => (one.do === "begin" ? one.user : [])));
        // What time brings, while messages arrive.
        for (let sweep = 0; sweep < 3; sweep++) {
          for (const node of nodes) node.policy.sweep();
          while (messages.length > 0) deliver(messages.shift() as Message);
        }
        for (const user of began) expect(nodes.flatMap((node) => node.live(user))).toHaveLength(1);
        // Nothing more is said then.
        for (const node of nodes) node.policy.sweep();
        expect(messages).toEqual([]);
      }),
    );
  });

  it("is the newest where nodes hear each other, also with clocks that are minutes apart", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -600_000, max: 600_000 }), { minLength: 3, maxLength: 3 }),
        fc.array(fc.tuple(fc.nat(2), fc.nat(1_000)), { minLength: 1 }),
        (skews, arrivals) => {
          let now = 1_700_000_000_000;
          const { nodes, messages, deliver } = startNodes(3, (node) => () => now + (skews[node] as number));
          for (const [node, ms] of arrivals) {
            now += ms;
            const newest = nodes[node]?.begin("ada");
            while (messages.length > 0) deliver(messages.shift() as Message);
            expect(nodes.flatMap((one) => one.live("ada"))).toEqual([newest]);
          }
        },
      ),
    );
  });

  it.each([
    null,
    "text",
    {},
    { user: "ada", session: "s", at: "now" },
    { user: "ada", session: "s", at: Number.MAX_SAFE_INTEGER },
    { user: "ada", session: "", at: 1 },
    { user: 7, session: "s", at: 1 },
  ])("is not ended by rubbish: %j", (rubbish) => {
    const { nodes } = startNodes(2, () => Date.now);
    const session = nodes[0]?.begin("ada");
    expect(() => nodes[0]?.hear(rubbish)).not.toThrow();
    expect(session?.isEnded).toBe(false);
    nodes[0]?.policy.close();
    expect(nodes[0]?.listeners).toEqual([]);
  });

  it("holds on a node that is alone", () => {
    const sessions: Session[] = [];
    const policy = new SinglePolicy<Session>({ sessionsOf: () => sessions, others: null });
    const older = new Session("1", "ada", 0);
    policy.begins(older);
    sessions.push(older);
    const newer = new Session("2", "ada", 1);
    policy.begins(newer);
    expect([older.isEnded, newer.isEnded]).toEqual([true, false]);
    policy.sweep();
    policy.close();
  });
});
