import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { type PeerMembers, Presence } from "../../../src/presence/index.js";

let presence: Presence;

beforeEach(() => {
  jest.useFakeTimers();
  presence = new Presence();
});

afterEach(() => {
  presence.close();
  jest.useRealTimers();
});

function nodesOf(user: string): string[] {
  return [...presence.nodesOf(user)].sort();
}

describe("members on several nodes", () => {
  it("count once each, wherever they are, with all their sessions", () => {
    const [a, b] = [presence.peer("a"), presence.peer("b")];
    presence.enter("ada");
    a.entered(["ada", "bruno"]);
    a.sessions(5);
    b.entered(["bruno", "chi"]);
    b.sessions(2);
    expect([presence.users, presence.sessions, presence.localSessions]).toEqual([3, 8, 1]);
    expect([...presence.localUsers()]).toEqual(["ada"]);
    expect([nodesOf("ada"), nodesOf("bruno"), nodesOf("chi"), nodesOf("dora")]).toEqual([["a"], ["a", "b"], ["b"], []]);
    presence.leave("ada");
    a.left(["bruno", "nobody"]);
    expect([presence.users, nodesOf("bruno")]).toEqual([3, ["b"]]);
    b.gone();
    expect([presence.users, presence.sessions, nodesOf("bruno")]).toEqual([1, 5, []]);
  });

  it("count once on a node that is learned anew, while both its rosters are there", () => {
    const [before, after] = [presence.peer("a"), presence.peer("a")];
    before.entered(["ada", "bruno"]);
    after.entered(["ada", "chi"]);
    expect([presence.users, nodesOf("ada"), before.size, after.size]).toEqual([3, ["a"], 2, 2]);
    before.gone();
    before.entered(["late"]);
    before.gone();
    expect([presence.users, nodesOf("ada"), nodesOf("bruno"), nodesOf("late")]).toEqual([2, ["a"], [], []]);
  });

  it("are told to those who listen, also when a node goes", () => {
    const told: number[] = [];
    presence.subscribe(({ users }) => told.push(users));
    const peer = presence.peer("a");
    peer.entered(["ada", "bruno"]);
    jest.advanceTimersByTime(5_000);
    peer.gone();
    jest.advanceTimersByTime(5_000);
    expect(told).toEqual([2, 0]);
  });

  it("are let go of step by step where they are many, and are sent nothing from the first moment", () => {
    const others = Array.from({ length: 20_000 }, (_, index) => `member-${index}`);
    const [a, b] = [presence.peer("a"), presence.peer("b")];
    a.entered(others);
    b.entered(others.slice(0, 7_000));
    presence.enter("member-19999");
    a.gone();
    expect([nodesOf("member-10"), nodesOf("member-19999")]).toEqual([["b"], []]);
    expect(presence.users).toBeGreaterThan(7_001);
    // Another one goes meanwhile, and a newcomer is not lost.
    b.gone();
    const c = presence.peer("c");
    c.entered(["member-15000", "member-1"]);
    jest.runAllTimers();
    expect([presence.users, nodesOf("member-1"), nodesOf("member-15000")]).toEqual([3, ["c"], ["c"]]);
  });

  it("are counted as a plain model counts them, after any coming and going", () => {
    const user = fc.constantFrom("ada", "bruno", "chi", "dora");
    const users = fc.array(user, { maxLength: 4 });
    const peer = fc.nat(2);
    const step = fc.oneof(
      fc.record({ is: fc.constantFrom("enter" as const, "leave" as const), user }),
      fc.record({ is: fc.constantFrom("entered" as const, "left" as const), peer, users }),
      fc.record({ is: fc.constant("sessions" as const), peer, count: fc.nat(9) }),
      fc.record({ is: fc.constant("gone" as const), peer }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        presence = new Presence();
        const local: string[] = [];
        const make = (node: number) => ({ of: presence.peer(`node-${node}`), users: new Set<string>(), sessions: 0 });
        const peers: Array<{ of: PeerMembers; users: Set<string>; sessions: number }> = [0, 1, 2].map(make);
        for (const step of steps) {
          if ("user" in step) {
            presence[step.is](step.user);
            const at = local.indexOf(step.user);
            if (step.is === "enter") local.push(step.user);
            else if (at >= 0) local.splice(at, 1);
          } else {
            const one = peers[step.peer] as (typeof peers)[number];
            if ("users" in step) {
              one.of[step.is](step.users);
              for (const user of step.users) one.users[step.is === "entered" ? "add" : "delete"](user);
            } else if ("count" in step) {
              one.of.sessions(step.count);
              one.sessions = step.count;
            } else {
              one.of.gone();
              peers[step.peer] = make(step.peer);
            }
          }
          const all = new Set([...local, ...peers.flatMap((one) => [...one.users])]);
          expect(presence.users).toBe(all.size);
          expect(presence.sessions).toBe(local.length + peers.reduce((sum, { sessions }) => sum + sessions, 0));
          expect([...presence.localUsers()].sort()).toEqual([...new Set(local)].sort());
          for (const user of ["ada", "bruno", "chi", "dora"]) {
            expect(nodesOf(user)).toEqual(peers.flatMap((one, node) => (one.users.has(user) ? [`node-${node}`] : [])));
          }
        }
        presence.close();
      }),
    );
  });
});

describe("who listens for members of this node", () => {
  it("hears of the first session of each and of the end of the last, and nothing of other nodes", () => {
    const heard: Array<[string, boolean]> = [];
    const stop = presence.onLocal((user, isHere) => heard.push([user, isHere]));
    presence.peer("a").entered(["chi", "ada"]);
    for (const user of ["ada", "ada", "bruno"]) presence.enter(user);
    for (const user of ["ada", "nobody", "ada"]) presence.leave(user);
    stop();
    presence.leave("bruno");
    expect(heard).toEqual([
      ["ada", true],
      ["bruno", true],
      ["ada", false],
    ]);
  });
});
