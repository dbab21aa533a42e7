import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Community, type DomainEvent, type SubjectStore } from "../../../src/community/index.js";
import { MemoryAcquaintances, MemoryPreferences } from "../../support/community-ports.js";
import { type Embedded, openEmbedded } from "../../support/embedded.js";
import { record, row } from "../../support/rows.js";

let core: Embedded;
let community: Community;

beforeEach(async () => {
  core = await openEmbedded();
  community = communityOn(core.stores.subjects);
});
afterEach(() => core.close());

function communityOn(subjects: SubjectStore): Community {
  const ports = { preferences: new MemoryPreferences(), acquaintances: new MemoryAcquaintances() };
  return new Community({ publisher: core.log, inbox: core.inbox, subjects, ...ports });
}

const MENTIONED = ["3", "4"];

function event(act: DomainEvent["act"], id: string, change: Partial<DomainEvent> = {}): DomainEvent {
  const comment = { id: "1531" };
  return { id, act, at: "2026-01-01T00:00:00Z", comment, mentions: MENTIONED, quotes: [], skipped: [], ...change };
}

/** What the members mentioned have: their counters, and whether they see the notification. */
async function seen(): Promise<Array<{ unread: number; items: number }>> {
  const lists = await Promise.all(MENTIONED.map((user) => core.inbox.list(user, { filter: "all", limit: 10 })));
  return lists.map(({ unread, items }) => ({ unread, items: items.length }));
}
const NOTHING = MENTIONED.map(() => ({ unread: 0, items: 0 }));
const ONE = MENTIONED.map(() => ({ unread: 1, items: 1 }));

/** Whether anything was ever written to the members' streams. */
async function heads(): Promise<number[]> {
  const tails = await Promise.all(MENTIONED.map((user) => core.log.tail(core.inbox.streamOf(user))));
  return tails.map(({ head }) => head);
}

describe("a deletion that was answered", () => {
  it("holds for a creation that failed half-way and is sent again", async () => {
    const [one, other] = MENTIONED.map((user) => core.inbox.streamOf(user)) as [string, string];
    const key = "comment:1531";
    const half = record("c1", [one, other], { key, kind: "notification", note: "[]", at: core.clock.now });
    half.plan = half.plan.map(({ stream }) => ({ stream, own: '{"reason":"mention"}' }));
    const only = row(one, 1, { key, kind: "notification", own: '{"reason":"mention"}', publication: "c1" });
    await core.stores.streams.append({ publications: [half], writes: [{ row: only }] });
    await community.handle(event("deleted", "d1"));
    const answer = await community.handle(event("created", "c1"));
    expect(answer).toMatchObject({ duplicate: true, notified: MENTIONED.map((user) => ({ user })) });
    expect(await seen()).toEqual(NOTHING);
    await community.handle(event("restored", "r1"));
    expect(await seen()).toEqual(ONE);
  });

  it("holds for a creation that comes after it, of which nobody hears anything", async () => {
    await community.handle(event("deleted", "d1"));
    const skipped = MENTIONED.map((user) => ({ user, why: "the post is gone" }));
    const late = await community.handle(event("created", "c1"));
    expect(late).toEqual({ id: "c1", duplicate: false, notified: [], skipped });
    expect(await community.handle(event("updated", "u1"))).toEqual({ id: "u1", duplicate: false, notified: [], skipped });
    expect(await heads()).toEqual([0, 0]);
    await community.handle(event("restored", "r1"));
    expect(await community.handle(event("created", "c1"))).toEqual({ ...late, duplicate: true });
    expect((await community.handle(event("updated", "u2"))).notified).toHaveLength(2);
  });

  it("does nothing again after a restoration that came later", async () => {
    await community.handle(event("created", "c1"));
    await community.handle(event("deleted", "d1"));
    await community.handle(event("restored", "r1"));
    expect(await community.handle(event("deleted", "d1"))).toMatchObject({ duplicate: true });
    expect(await seen()).toEqual(ONE);
    await community.handle(event("deleted", "d2"));
    expect(await community.handle(event("restored", "r1"))).toMatchObject({ duplicate: true });
    expect(await seen()).toEqual(NOTHING);
  });

  it("is done in full when it was interrupted and comes again after a restoration", async () => {
    await community.handle(event("created", "c1"));
    const { publish } = core.log;
    core.log.publish = () => Promise.reject(new Error("the store is away"));
    await expect(community.handle(event("deleted", "d1"))).rejects.toThrow("the store is away");
    core.log.publish = publish;
    await community.handle(event("restored", "r1"));
    expect(await seen()).toEqual(ONE);
    await community.handle(event("deleted", "d1"));
    expect(await seen()).toEqual(NOTHING);
  });

  it("holds for a creation that is told in full while the burial is being stored", async () => {
    const burying = gate();
    const { subjects } = core.stores;
    const slow = {
      ...delayed(subjects, [0]),
      bury: (...args: Parameters<SubjectStore["bury"]>) => burying.pass(() => subjects.bury(...args)),
    };
    const deletion = communityOn(slow).handle(event("deleted", "d1"));
    await burying.reached;
    expect((await community.handle(event("created", "c1"))).notified).toHaveLength(2);
    burying.open();
    await deletion;
    expect(await seen()).toEqual(NOTHING);
  });

  it("is undone by a restoration, also while a creation that saw the burial has not acted on it yet", async () => {
    const looked = gate();
    const { subjects } = core.stores;
    let looks = 0;
    const buried = async (keys: string[]) => {
      looks += 1;
      if (looks !== 2) return subjects.buried(keys);
      // The look after the publication: the deletion comes before it, the restoration after it.
      await community.handle(event("deleted", "d1"));
      const found = await subjects.buried(keys);
      return looked.pass(async () => found);
    };
    const slow = { ...delayed(subjects, [0]), buried, mayBeGone: () => true };
    const creation = communityOn(slow).handle(event("created", "c1"));
    await looked.reached;
    await community.handle(event("restored", "r1"));
    looked.open();
    expect((await creation).notified).toHaveLength(2);
    expect(await seen()).toEqual(ONE);
  });

  it("and everything beside it leave all members with what the post is in the end, however they interleave", async () => {
    const step = fc.record({ act: fc.constantFrom("created", "updated", "deleted", "restored"), start: fc.nat(6) });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 6 }), fc.array(fc.nat(4), { minLength: 1 }), async (steps, delays) => {
        const subject = { id: `interleaved-${runs++}` };
        const subjects = delayed(core.stores.subjects, delays);
        const [one, other] = [1, 2].map(() => communityOn(subjects));
        await Promise.all(
          steps.map(async ({ act, start }, index) => {
            await turns(start);
            // Two services on one store.
            await (index % 2 ? one : other)?.handle(event(act, `${subject.id}/${index}`, { comment: subject }));
          }),
        );
        const key = `comment:${subject.id}`;
        const isGone = (await core.stores.subjects.buried([key])).size > 0;
        for (const { stream, seq } of await core.log.find(key)) {
          const [mark] = await core.stores.inbox.marks(stream, [seq]);
          expect((mark?.rescinded ?? null) !== null).toBe(isGone);
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** A store whose answers and writes are late by so many turns of the event loop, one number after the other. */
function delayed(store: SubjectStore, delays: number[]): SubjectStore {
  let calls = 0;
  const wait = () => turns(delays[calls++ % delays.length] ?? 0);
  const late = async <T>(work: () => Promise<T>): Promise<T> => {
    await wait();
    const result = await work();
    await wait();
    return result;
  };
  return {
    bury: (key, burial) => late(() => store.bury(key, burial)),
    revive: (key) => late(() => store.revive(key)),
    mayBeGone: (key) => store.mayBeGone(key),
    buried: (keys) => late(() => store.buried(keys)),
    forget: (olderThan, limit) => store.forget(olderThan, limit),
  };
}

/** Holds one call: `reached` when it has come, and it goes on at `open`. */
function gate() {
  let open = () => {};
  let arrive = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const pass = async <T>(work: () => Promise<T>): Promise<T> => {
    arrive();
    await opened;
    return work();
  };
  return { reached, open: () => open(), pass };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
