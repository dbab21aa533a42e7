import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { MemberFacts } from "../../../src/announcements/audience.js";
import type { SettleVerb } from "../../../src/announcements/settle.js";
import type { Announcement, Audience } from "../../../src/announcements/types.js";
import type { AnnouncementView } from "../../../src/announcements/view.js";
import { announce, at, type Node, START, unrecorded, type Wire, World } from "./harness.js";

const AUDIENCES: Array<Audience | null> = [null, { roles: ["moderator"] }, { users: ["bob"] }, { roles: ["moderator"], users: ["cy"] }];

const audience = fc.constantFrom(...AUDIENCES);
const some = fc.nat(4);
const act = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("announce" as const),
      audience,
      after: fc.constantFrom(0, 0, 3, 9),
      lasts: fc.constantFrom(null, 4, 12),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("edit" as const), which: some, audience, text: fc.constantFrom("a", "b") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("rescind" as const), which: some }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 6 }), isNoticed: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("follow" as const), who: fc.nat(2) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("dismiss" as const, "acknowledge" as const), who: fc.nat(2), which: some }),
  },
);

/** A device that applies what it is sent, by the rules of the contract, and counts. */
class Device {
  readonly #has = new Set<string>();
  readonly #settled: Set<string>;
  seq: number;
  unread: number;

  constructor(seq: number, unread: number, items: string[], settled: string[]) {
    this.seq = seq;
    this.unread = unread;
    for (const id of items) this.#has.add(id);
    this.#settled = new Set(settled);
  }

  apply({ seq, kind, data }: Wire): void {
    this.seq = seq;
    const brings = kind !== "announcement.rescinded" && data.hidden !== true;
    if (brings === this.#has.has(data.id)) return;
    if (brings) this.#has.add(data.id);
    else this.#has.delete(data.id);
    if (!this.#settled.has(data.id)) this.unread += brings ? 1 : -1;
  }

  settle(id: string): void {
    if (this.#settled.has(id)) return;
    this.#settled.add(id);
    if (this.#has.has(id)) this.unread--;
  }

  get items(): string[] {
    return [...this.#has].sort();
  }

  copy(): Device {
    return new Device(this.seq, this.unread, this.items, [...this.#settled]);
  }
}

/** A member with a session: the view, the device behind it, what it had after each entry, and how far it follows the inbox. */
interface Attendant {
  member: MemberFacts;
  view: AnnouncementView;
  device: Device;
  past: Device[];
  inbox: number;
}

describe("any sequence of announcements, edits, rescissions, ends and dismissals", () => {
  it("leaves every count, at every entry, as a plain reading of the stream has it, and as devices count", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 50 }), async (acts) => {
        const world = new World();
        try {
          const members = [world.know("ada", ["moderator"]), world.know("bob"), world.know("cy")];
          const [node, other] = [await world.node(), await world.node()];
          const attendants = await Promise.all(members.map((member) => attend(node, member)));
          const ids: string[] = [];
          for (const one of acts) await perform(world, [node, other], ids, attendants, one);
          await world.pass(1, node, other);
          for (const attendant of attendants) {
            await follow(world, attendant);
            await inspect(world, other, attendant);
          }
        } finally {
          await world.close();
        }
      }),
      { numRuns: 400 },
    );
  }, 120_000);
});

async function attend(node: Node, member: MemberFacts): Promise<Attendant> {
  const view = await node.room.view(member);
  const device = new Device(0, 0, [], []);
  return { member, view, device, past: [device.copy()], inbox: 0 };
}

type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** Acts go to either node in turn; what is refused for a good reason is refused. */
async function perform(world: World, nodes: [Node, Node], ids: string[], attendants: Attendant[], one: Act): Promise<void> {
  const node = nodes[ids.length % 2] as Node;
  if (one.do === "wait") {
    await world.pass(one.seconds, ...(one.isNoticed ? nodes : []));
    return;
  }
  if (one.do === "follow") {
    await follow(world, attendants[one.who] as Attendant);
    return;
  }
  if (one.do === "announce") {
    const now = (world.clock.now - START) / 1_000;
    const startsAt = one.after === 0 ? null : at(now + one.after);
    const expiresAt = one.lasts === null ? null : at(now + one.after + one.lasts);
    ids.push(await announce(node, { audience: one.audience, startsAt, expiresAt }));
    return;
  }
  const id = ids[one.which];
  if (id === undefined) return;
  const work =
    one.do === "edit"
      ? node.room.edit(id, "mia", { audience: one.audience, text: one.text }, unrecorded)
      : one.do === "rescind"
        ? node.room.rescind(id, "mia", {}, unrecorded)
        : settleAs(node, attendants[one.who] as Attendant, one.do, id);
  await work.catch((error: { code?: string }) => expect(error.code).toBe("not_found"));
}

async function settleAs(node: Node, { member }: Attendant, verb: SettleVerb, id: string): Promise<void> {
  await node.room.settle(member.user, verb, id, member);
}

/** The session sends what is new, as a feed does that may be far behind, and the device counts on. */
async function follow(world: World, attendant: Attendant): Promise<void> {
  const { member, view, device, past } = attendant;
  for (const entry of world.store.entries(`inbox:${member.user}`, attendant.inbox)) {
    attendant.inbox = entry.seq;
    view.settledBy(entry);
    const { announcement } = JSON.parse(entry.own) as { announcement: string };
    device.settle(announcement);
    for (const earlier of past) earlier.settle(announcement);
  }
  for (const entry of world.store.entries("announcements", device.seq)) {
    await view.prepare(entry.seq);
    device.apply(JSON.parse(view.encode(entry)) as Wire);
    past.push(device.copy());
    expect(view.unreadAt(entry.seq)).toBe(device.unread);
  }
}

/** At the end: every count of the past, a new session without a cursor, and one that goes on from each cursor. */
async function inspect(world: World, node: Node, { member, view, device, past }: Attendant): Promise<void> {
  const entries = world.store.entries("announcements");
  const settled = new Set(
    world.store.entries(`inbox:${member.user}`).map(({ own }) => (JSON.parse(own) as { announcement: string }).announcement),
  );
  const expected = device.items.filter((id) => !settled.has(id)).length;
  expect([device.unread, view.unreadAt(entries.length)]).toEqual([expected, expected]);

  const fresh = await node.room.view(member);
  const snapshot = await fresh.snapshot();
  expect([snapshot.unread, snapshot.seq, snapshot.items.map(({ id }) => id).sort()]).toEqual([expected, entries.length, device.items]);
  for (let seq = 0; seq <= entries.length; seq++) {
    const had = hadAfter(entries.slice(0, seq), member).filter((id) => !settled.has(id));
    expect(fresh.unreadAt(seq)).toBe(had.length);
  }

  for (const resumed of past) {
    const session = await node.room.view(member);
    const back = resumed.copy();
    for (const entry of entries.slice(back.seq)) back.apply(JSON.parse(session.encode(entry)) as Wire);
    expect([back.items, session.unreadAt(entries.length)]).toEqual([device.items, expected]);
  }
}

/** What a member has after these entries, read straight from what is stored. */
function hadAfter(entries: Array<{ kind: string; own: string }>, { user, roles }: MemberFacts): string[] {
  const had = new Set<string>();
  for (const { kind, own } of entries) {
    const { id, audience } = JSON.parse(own) as Announcement;
    const isMeant = audience === undefined || audience.users?.includes(user) || roles.some((role) => audience.roles?.includes(role));
    if (kind === "announcement.rescinded" || !isMeant) had.delete(id);
    else had.add(id);
  }
  return [...had];
}
