import { describe, expect, it } from "@jest/globals";
import { Community, type DomainEvent } from "../../../src/community/index.js";
import { MemoryAcquaintances, MemoryInbox, MemoryPreferences, MemoryPublisher, MemorySubjects } from "../../support/community-ports.js";

function setUp() {
  const calls: string[] = [];
  const publisher = new MemoryPublisher(calls);
  const inbox = new MemoryInbox(calls);
  const subjects = new MemorySubjects(calls);
  const preferences = new MemoryPreferences();
  const acquaintances = new MemoryAcquaintances();
  const ports = { publisher, inbox, subjects, preferences, acquaintances };
  return { ...ports, calls, community: new Community({ ...ports, clock: () => 0 }) };
}

function event(id: string, change: Partial<DomainEvent> = {}): DomainEvent {
  return {
    id,
    act: "created",
    at: "2024-02-13T18:04:47.43+02:00",
    actor: { id: "31", name: "Member 31" },
    thread: { id: "497", title: "Topic 497", url: "https://f.example/t/497", author: "7", category: "1" },
    comment: { id: "1531", parent: "1530", parentAuthor: "12", url: "https://f.example/t/497/2" },
    excerpt: "hello",
    mentions: ["3", "31"],
    quotes: [],
    skipped: [],
    ...change,
  };
}

const THREAD_ONLY = (({ comment: _, ...rest }: DomainEvent) => rest)(event("t1", { mentions: ["3"] }));

describe("a community", () => {
  it("answers who was told, where it stands in their inbox, and who was not", async () => {
    const { community } = setUp();
    expect(await community.handle(event("e1"))).toEqual({
      id: "e1",
      duplicate: false,
      notified: [
        { user: "3", reason: "mention", id: "inbox:3#1", seq: 1 },
        { user: "12", reason: "reply", id: "inbox:12#1", seq: 1 },
        { user: "7", reason: "comment", id: "inbox:7#1", seq: 1 },
      ],
      skipped: [{ user: "31", why: "their own post" }],
    });
  });

  it("stores the content once, as members read it, and the reason with each entry", async () => {
    const { community, publisher } = setUp();
    await community.handle(event("e1"));
    expect(publisher.log.map(({ own }) => own)).toEqual(['{"reason":"mention"}', '{"reason":"reply"}', '{"reason":"comment"}']);
    expect(JSON.parse(publisher.log[0]?.shared ?? "")).toEqual({
      type: "comment",
      actor: { id: "31", name: "Member 31" },
      thread: { id: "497", title: "Topic 497", url: "https://f.example/t/497" },
      comment: { id: "1531", url: "https://f.example/t/497/2" },
      text: "hello",
      url: "https://f.example/t/497/2",
      createdAt: "2024-02-13T16:04:47.430Z",
    });
    await community.handle(THREAD_ONLY);
    expect(JSON.parse(publisher.log[3]?.shared ?? "")).toMatchObject({ type: "thread", url: "https://f.example/t/497" });
    expect(publisher.log[3]?.key).toBe("thread:497");
  });

  it("answers a repeat, under id or alias, as the first time but for the mark", async () => {
    const { community, publisher } = setUp();
    const first = await community.handle(event("e1", { alias: "a1" }));
    const differently = event("e1", { alias: "a1", mentions: ["99"], actor: { id: "3" } });
    expect(await community.handle(differently)).toEqual({ ...first, duplicate: true });
    expect(await community.handle(event("e2", { alias: "a1" }))).toEqual({ ...first, duplicate: true });
    expect(publisher.log).toHaveLength(3);
  });

  it("tells an edit's new mentions only, and nobody twice of one post", async () => {
    const { community } = setUp();
    await community.handle(event("e1"));
    const edit = await community.handle(event("e2", { act: "updated", mentions: ["3", "4", "7"] }));
    expect(edit.notified).toEqual([{ user: "4", reason: "mention", id: "inbox:4#1", seq: 1 }]);
    expect(edit.skipped).toEqual(["3", "7"].map((user) => ({ user, why: "already told of this post" })));
    expect(await community.handle(event("e2", { act: "updated" }))).toEqual({ ...edit, duplicate: true });
  });

  it("says of an entry that was trimmed that it is no longer kept", async () => {
    const { community, publisher } = setUp();
    await community.handle(event("e1"));
    publisher.forgotten.add("inbox:12");
    const repeat = await community.handle(event("e1"));
    expect(repeat.skipped).toContainEqual({ user: "12", why: "no longer kept" });
    expect(repeat.notified).toHaveLength(2);
  });

  it("takes back what a post caused before it records that it did, and does it once", async () => {
    const { community, calls } = setUp();
    const deletion = event("d1", { act: "deleted", alias: "da" });
    expect(await community.handle(deletion)).toEqual({ id: "d1", duplicate: false, notified: [], skipped: [] });
    expect(await community.handle(deletion)).toEqual({ id: "d1", duplicate: true, notified: [], skipped: [] });
    expect(await community.handle(event("d2", { act: "deleted", alias: "da" }))).toMatchObject({ id: "d1", duplicate: true });
    await community.handle({ ...THREAD_ONLY, id: "h1", act: "deleted", why: "hidden" });
    await community.handle(event("r1", { act: "restored" }));
    expect(calls.filter((call) => !call.startsWith("stored d"))).toEqual([
      "bury comment:1531: deleted",
      "rescind comment:1531 by d1: deleted",
      "bury thread:497: hidden",
      "rescind thread:497 by h1: hidden",
      "stored h1",
      "revive comment:1531",
      "restore comment:1531 by r1",
      "stored r1",
    ]);
    expect(calls.indexOf("stored d1")).toBeGreaterThan(calls.indexOf("rescind comment:1531 by d1: deleted"));
  });

  it("does a deletion again that failed half-way", async () => {
    const { community, inbox, calls } = setUp();
    inbox.failures = 1;
    await expect(community.handle(event("d1", { act: "deleted" }))).rejects.toThrow("the inbox is away");
    expect(await community.handle(event("d1", { act: "deleted" }))).toMatchObject({ duplicate: false });
    expect(calls.filter((call) => call.startsWith("rescind"))).toHaveLength(2);
  });

  it("keeps the order of an array, and lets nothing pass a deletion", async () => {
    const { community, publisher, calls } = setUp();
    const post = (id: string) => event(id, { comment: { id }, mentions: ["3"] });
    const answers = await community.handleAll([
      post("1"),
      post("2"),
      event("d", { act: "deleted", comment: { id: "1" } }),
      post("3"),
      post("4"),
    ]);
    expect(answers.map((answer) => answer.id)).toEqual(["1", "2", "d", "3", "4"]);
    expect(publisher.log.filter(({ stream }) => stream === "inbox:3").map(({ key }) => key)).toEqual(
      [1, 2, 3, 4].map((id) => `comment:${id}`),
    );
    expect(calls).toEqual([
      "stored 1",
      "stored 2",
      "bury comment:1: deleted",
      "rescind comment:1 by d: deleted",
      "stored d",
      "stored 3",
      "stored 4",
    ]);
  });

  it("keeps the order of many arrays that arrive together, for each member", async () => {
    const { community, publisher, subjects } = setUp();
    const ids = Array.from({ length: 700 }, (_, index) => `${index}`);
    const array = ids.map((id) => event(id, { comment: { id }, mentions: ["3"], ...(Number(id) % 7 === 0 && { quiet: "hidden" }) }));
    await Promise.all([community.handleAll(array.slice(0, 300)), community.handleAll(array.slice(300))]);
    const told = ids.filter((id) => Number(id) % 7 !== 0).map((id) => `comment:${id}`);
    expect(publisher.log.filter(({ stream }) => stream === "inbox:3").map(({ key }) => key)).toEqual(told);
    // One event alone costs two look-ups; these cost a handful between them.
    expect(subjects.lookUps.length).toBeLessThan(10);
  });

  it("fails where it cannot know whether the post is gone, and tells nobody then", async () => {
    const { community, publisher, subjects } = setUp();
    subjects.failures = 1;
    await expect(community.handle(event("e1"))).rejects.toThrow("the burials are away");
    expect(publisher.log).toEqual([]);
    expect((await community.handle(event("e1"))).notified).toHaveLength(3);
  });

  it("hands the publisher only so many members of one array at a time", async () => {
    const { community, publisher } = setUp();
    const waiting = { now: 0, most: 0 };
    const publish = publisher.publish.bind(publisher);
    publisher.publish = async (request) => {
      waiting.now += request.plan.length;
      waiting.most = Math.max(waiting.most, waiting.now);
      return publish(request).finally(() => {
        waiting.now -= request.plan.length;
      });
    };
    const mentions = Array.from({ length: 300 }, (_, index) => `m${index}`);
    const answers = await community.handleAll(
      Array.from({ length: 100 }, (_, index) => event(`${index}`, { comment: { id: `${index}` }, mentions })),
    );
    expect(answers.map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, index) => `${index}`));
    expect(answers.every(({ notified }) => notified.length >= 300)).toBe(true);
    expect(waiting.most).toBeLessThanOrEqual(10_000);
    expect(waiting.most).toBeGreaterThan(5_000);
  });

  it("stops at a deletion that fails, so that the array can be sent again", async () => {
    const { community, inbox } = setUp();
    inbox.failures = 1;
    const array = [event("1"), event("d", { act: "deleted" }), event("2", { comment: { id: "2" } })];
    await expect(community.handleAll(array)).rejects.toThrow("the inbox is away");
    expect((await community.handleAll(array)).map((answer) => answer.duplicate)).toEqual([true, false, false]);
  });

  it("tells members directly, each once, and knows a key again", async () => {
    const { community, publisher } = setUp();
    const direct = { to: ["1", "2", "1"], type: "welcome", text: "Hello", data: { a: 1 }, key: "k" };
    const first = await community.notify(direct);
    expect(first.notified.map(({ user, reason }) => [user, reason])).toEqual([
      ["1", "direct"],
      ["2", "direct"],
    ]);
    expect(JSON.parse(publisher.log[0]?.shared ?? "")).toEqual({
      type: "welcome",
      actor: { id: "system" },
      text: "Hello",
      data: { a: 1 },
      createdAt: "1970-01-01T00:00:00.000Z",
    });
    expect(await community.notify(direct)).toEqual({ ...first, duplicate: true });
    const { key: _, ...keyless } = direct;
    expect((await community.notify(keyless)).id).not.toBe((await community.notify(keyless)).id);
    expect(publisher.log).toHaveLength(6);
  });

  it("does not take a notification's key for an event's id", async () => {
    const { community } = setUp();
    await community.handle(event("same"));
    expect(await community.notify({ to: ["1"], type: "x", key: "same" })).toMatchObject({ duplicate: false });
  });

  it("does not take a message's or a task's key for a notification's", async () => {
    const { community } = setUp();
    const one = { to: ["1"], type: "x", key: "same" };
    const ids = [await community.notify(one), await community.notify(one, "message"), await community.notify(one, "task")];
    expect(ids.map(({ id, duplicate }) => [id, duplicate])).toEqual(["direct:same", "message:same", "task:same"].map((id) => [id, false]));
  });

  it("asks whether it is gone of what is a post only", async () => {
    const { community, subjects } = setUp();
    for (const namespace of ["direct", "message", "task"] as const) await community.notify({ to: ["1"], type: "x" }, namespace);
    expect(subjects.lookUps).toEqual([]);
  });

  it("tells members directly whatever they muted and whomever they block", async () => {
    const { community, preferences } = setUp();
    preferences.levels.set("1", { level: "muted", scope: "all", id: "" });
    preferences.blocked.set("1", "31");
    expect((await community.notify({ to: ["1"], type: "x", actor: { id: "31" } })).notified).toHaveLength(1);
  });

  it("tells those who watch, spares those who muted or block, and answers a repeat as the first time whatever is set since", async () => {
    const { community, preferences } = setUp();
    preferences.levels.set("9", { level: "watching", scope: "category", id: "1" });
    preferences.levels.set("7", { level: "muted", scope: "thread", id: "497" });
    preferences.blocked.set("12", "31");
    const first = await community.handle(event("e1"));
    expect(first.notified.map(({ user, reason }) => [user, reason])).toEqual([
      ["3", "mention"],
      ["9", "watching"],
    ]);
    expect(first.skipped).toEqual([
      { user: "31", why: "their own post" },
      { user: "12", why: "blocked the author" },
      { user: "7", why: "muted the thread 497" },
    ]);
    preferences.levels.clear();
    preferences.blocked.clear();
    expect(await community.handle(event("e1"))).toEqual({ ...first, duplicate: true });
  });

  it("decides by what members had set on another node before the event came", async () => {
    const { community, preferences } = setUp();
    preferences.shared = true;
    preferences.incoming = [["3", { level: "muted", scope: "all", id: "" }]];
    expect((await community.handle(event("e1"))).notified.map(({ user }) => user)).toEqual(["12", "7"]);
  });

  it("asks for the settings once for all events that come together, and keeps their order", async () => {
    const { community, publisher, preferences, subjects } = setUp();
    preferences.shared = true;
    subjects.mayBeGone = () => false;
    const ids = Array.from({ length: 700 }, (_, index) => `${index}`);
    await community.handleAll(ids.map((id) => event(id, { comment: { id }, mentions: ["3"] })));
    expect(publisher.log.filter(({ stream }) => stream === "inbox:3").map(({ key }) => key)).toEqual(ids.map((id) => `comment:${id}`));
    expect(preferences.refreshes).toBeLessThan(10);
  });

  it("takes its place at once where the store knows without looking, and asks for no settings after the publication", async () => {
    const { community, publisher, preferences, subjects } = setUp();
    subjects.mayBeGone = () => false;
    const answer = community.handle(event("e1"));
    expect(publisher.log).toHaveLength(3);
    await answer;
    expect(preferences.refreshes).toBe(1);
    expect(subjects.lookUps).toEqual([]);
  });

  it("hands the publisher only so many who watch at a time, and refuses an array that concerns a multitude", async () => {
    const { community, publisher, preferences } = setUp();
    for (let index = 0; index < 4_000; index++) preferences.levels.set(`w${index}`, { level: "watching", scope: "all", id: "" });
    const posts = (count: number) => Array.from({ length: count }, (_, id) => event(`${id}`, { comment: { id: `${id}` } }));
    await expect(community.handleAll(posts(275))).rejects.toMatchObject({ code: "too_large" });
    expect(publisher.log).toEqual([]);
    const publish = publisher.publish.bind(publisher);
    const waiting = { now: 0, most: 0 };
    publisher.publish = async (request) => {
      waiting.now += 1;
      waiting.most = Math.max(waiting.most, waiting.now);
      return publish(request).finally(() => {
        waiting.now -= 1;
      });
    };
    expect((await community.handleAll(posts(5))).every(({ notified }) => notified.length === 4_002)).toBe(true);
    expect(waiting.most).toBe(2);
  });

  it("makes everybody known who is named or told, at the time of the event but not in the future", async () => {
    const { community, preferences, acquaintances } = setUp();
    preferences.levels.set("9", { level: "watching", scope: "all", id: "" });
    await community.handle(event("e1", { at: "1969-01-01T00:00:00.000Z", quotes: ["q"] }));
    const then = Date.parse("1969-01-01T00:00:00Z");
    expect(new Map([...acquaintances.heard].sort())).toEqual(new Map(["12", "3", "31", "7", "9", "q"].map((user) => [user, then])));
    await community.handle(event("d1", { act: "deleted", mentions: [], actor: { id: "moderator" } }));
    await community.notify({ to: ["new"], type: "x", actor: { id: "billing" } });
    expect([...acquaintances.heard.keys()]).toEqual(expect.arrayContaining(["moderator", "new"]));
    expect(acquaintances.heard.has("billing")).toBe(false);
    expect(acquaintances.heard.get("moderator")).toBe(0);
  });
});
