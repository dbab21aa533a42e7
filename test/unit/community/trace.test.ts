import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Community, type DomainEvent } from "../../../src/community/index.js";
import { MemoryAcquaintances, MemoryPreferences } from "../../support/community-ports.js";
import { type Embedded, openEmbedded } from "../../support/embedded.js";

let core: Embedded;
let community: Community;
let preferences: MemoryPreferences;

beforeEach(async () => {
  core = await openEmbedded();
  preferences = new MemoryPreferences();
  const { log: publisher, inbox, stores, clock } = core;
  const acquaintances = new MemoryAcquaintances();
  community = new Community({ publisher, inbox, subjects: stores.subjects, preferences, acquaintances, clock: () => clock.now });
});
afterEach(() => core.close());

const TAKEN = "2026-01-01T00:00:00.000Z";

function event(id: string, change: Partial<DomainEvent> = {}): DomainEvent {
  return {
    id,
    act: "created",
    at: TAKEN,
    actor: { id: "31", name: "Member 31" },
    thread: { id: "497", author: "7", category: "1" },
    comment: { id: "1531", parentAuthor: "12" },
    mentions: ["3"],
    quotes: [],
    skipped: [],
    ...change,
  };
}

const OPENING = `The event comment-1531 (a comment, by member 31, in thread 497) was taken at ${TAKEN}.`;

/** The id of the member's newest notification. */
async function newest(user: string): Promise<string> {
  return (await core.inbox.list(user, { filter: "all", limit: 1 })).items[0]?.id as string;
}

describe("a trace", () => {
  it("says that a member was told, why, where it stands, and what became of it", async () => {
    await community.handle(event("comment-1531"));
    const id = await newest("12");
    const told = `Member 12 was told with reason reply: entry 1 of their inbox, notification ${id}.`;
    expect(await community.trace("12", "comment-1531")).toEqual({
      user: "12",
      event: "comment-1531",
      told: true,
      reason: "reply",
      steps: [OPENING, told, "It has not been read."],
    });
    core.clock.now += 60_000;
    await core.inbox.mark("12", "archive", [id]);
    const read = ["It was read at 2026-01-01T00:01:00.000Z.", "It was archived at 2026-01-01T00:01:00.000Z."];
    expect((await community.trace("12", "comment-1531")).steps).toEqual([OPENING, told, ...read]);
  });

  it("says that it was rescinded, and that the post is gone", async () => {
    await community.handle(event("comment-1531"));
    await community.handle(event("d1", { act: "deleted", at: "2026-01-02T00:00:00Z", why: "hidden" }));
    const { told, steps } = await community.trace("3", "comment-1531");
    expect(told).toBe(true);
    expect(steps.slice(2)).toEqual(["It was rescinded: hidden.", "The post is gone now, since 2026-01-02T00:00:00.000Z: hidden."]);
    expect((await community.trace("3", "d1")).steps).toEqual([
      `The event d1 (a deletion or a restoration) was taken at ${TAKEN}.`,
      "Such an event tells nobody: it takes notifications back, or brings them back.",
    ]);
    await community.handle(event("r1", { act: "restored" }));
    expect((await community.trace("3", "comment-1531")).steps.slice(2)).toEqual(["It has not been read."]);
  });

  it("says what kept a member from being told, as it was then", async () => {
    preferences.levels.set("12", { level: "muted", scope: "thread", id: "497" });
    preferences.blocked.set("7", "31");
    await community.handle(event("comment-1531", { mentions: ["3", "31"] }));
    preferences.levels.clear();
    preferences.blocked.clear();
    for (const [user, why] of [
      ["12", "muted the thread 497"],
      ["7", "blocked the author"],
      ["31", "their own post"],
    ] as const) {
      const steps = [OPENING, `Member ${user} was not told: ${why}.`];
      expect(await community.trace(user, "comment-1531")).toEqual({ user, event: "comment-1531", told: false, steps });
    }
  });

  it("says whom the event concerned where the member is none of them, and names only some of many", async () => {
    const skipped = [{ user: "ghost", why: "no member with this username is known" }];
    await community.handle(
      event("comment-1531", { alias: "a1", mentions: Array.from({ length: 30 }, (_, index) => `m${index}`), skipped }),
    );
    const { told, steps } = await community.trace("9", "a1");
    expect(told).toBe(false);
    expect(steps).toHaveLength(4);
    expect(steps[0]).toContain("comment-1531, also known as a1,");
    expect(steps[1]).toMatch(/^It told only these members: m0 \(mention\), .*, m19 \(mention\) and 12 more\.$/);
    expect(steps[2]).toBe("It did not tell: ghost (no member with this username is known).");
    expect(steps[3]).toContain("Member 9 is none of those whom it concerned");
    expect((await community.trace("31", "a1")).steps[3]).toContain("Member 31 is its author");
  });

  it("does not say of one who may be among those too many to name that it did not concern them", async () => {
    const skipped = Array.from({ length: 2_000 }, (_, index) => ({ user: `w${index}`, why: "more than 10,000 recipients" }));
    await community.handle(event("comment-1531", { skipped, mentions: ["31"] }));
    const { steps } = await community.trace("9", "comment-1531");
    expect(steps[3]).toBe("1 more members were skipped and are not named: if member 9 was watching there, they are one of them.");
  });

  it("says that a member had been told before by another event of the post", async () => {
    await community.handle(event("comment-1531"));
    await community.handle(event("edit", { act: "updated", mentions: ["3", "4"] }));
    const { told, reason, steps } = await community.trace("3", "edit");
    expect([told, reason]).toEqual([false, undefined]);
    expect(steps[1]).toContain("they had already been told of this post by comment-1531: entry 1 of their inbox");
    expect((await community.trace("4", "edit")).told).toBe(true);
  });

  it("says that the entry is no longer kept", async () => {
    await community.handle(event("comment-1531"));
    await core.inbox.trim(core.inbox.streamOf("3"), 2);
    const trace = await community.trace("3", "comment-1531");
    expect(trace).toMatchObject({ told: true, reason: "mention" });
    expect(trace.steps[1]).toContain("their inbox no longer keeps the entry");
  });

  it("knows direct notifications, messages and the ends of tasks", async () => {
    await community.notify({ to: ["1"], type: "welcome", key: "k" });
    await community.notify({ to: ["1"], type: "message", actor: { id: "31" }, key: "31:k" }, "message");
    await community.notify({ to: ["1"], type: "task", key: "t" }, "task");
    const direct = await community.trace("1", "direct:k");
    expect(direct).toMatchObject({ told: true, reason: "direct" });
    expect(direct.steps[0]).toBe(`The notification direct:k (of type welcome, from system) was taken at ${TAKEN}.`);
    expect((await community.trace("1", "message:31:k")).steps[0]).toContain("(of type message, from 31)");
    expect(await community.trace("2", "task:t")).toMatchObject({
      told: false,
      steps: [expect.anything(), "It told only these members: 1 (direct).", "Member 2 is none of those that it was sent to."],
    });
  });

  it("finds an event that has a notification's id by that id, unless there is the notification", async () => {
    await community.handle(event("task:t", { alias: "direct:a" }));
    const opening = "The event task:t, also known as direct:a, (a comment,";
    for (const name of ["task:t", "direct:a"]) {
      const trace = await community.trace("3", name);
      expect(trace).toMatchObject({ event: name, told: true, reason: "mention" });
      expect(trace.steps[0]).toContain(opening);
    }
    await community.handle(event("edit", { act: "updated" }));
    expect((await community.trace("3", "edit")).steps[1]).toContain("been told of this post by task:t: entry 1");
    await community.notify({ to: ["3"], type: "task", key: "t" }, "task");
    expect((await community.trace("3", "task:t")).steps[0]).toContain("The notification task:t (of type task");
    await expect(community.trace("3", "escaped:task:t")).rejects.toMatchObject({ code: "not_found" });
  });

  it("of what the service does not know is refused", async () => {
    await expect(community.trace("1", "nothing")).rejects.toMatchObject({ code: "not_found" });
  });
});
