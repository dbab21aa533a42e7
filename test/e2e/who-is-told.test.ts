import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { call, inMs, tokenOf } from "../support/call.js";
import { Member, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { startPair } from "../support/nodes.js";
import { notify } from "../support/notify.js";
import { type Service, startService } from "../support/service.js";

const STORES = [
  { store: "SQLite", env: () => ({}) },
  { store: "MongoDB", env: () => ({ MONGODB_URL: mongoUrl("told") }) },
];

/** How long a short setting lasts. Milliseconds. */
const SHORT_MS = 1_000;

interface Told {
  id: string;
  notified: Array<{ user: string; reason: string; id: string; seq: number }>;
  skipped: Array<{ user: string; why: string }>;
}

let service: Service;
let count = 0;
const members: Member[] = [];

afterEach(() => {
  for (const member of members.splice(0)) member.disconnect();
});

const fresh = (what: string) => `${what}-${++count}`;

async function device(user: string): Promise<Member> {
  const member = new Member(user, { url: service.url, secret: service.jwtSecret });
  members.push(member);
  return member.connect().ready();
}

async function send(event: object, node = service): Promise<Told> {
  const { status, body, text } = await call(node, "POST", "/v1/events", node.apiKey, event);
  if (status !== 202) throw new Error(text);
  return body as unknown as Told;
}

/** A comment of somebody's in a thread; `concerns` are its mentions. */
function comment(thread: object, concerns: string[] = [], actor = "author"): object {
  const id = fresh("comment");
  return { id: `created/${id}`, type: "comment.created", actor: { id: actor }, thread, comment: { id, mentions: concerns } };
}

/** Sets a level over HTTP. */
async function setLevel(user: string, setting: object, node = service): Promise<Record<string, unknown>> {
  const { status, body, text } = await call(node, "PUT", "/v1/me/levels", tokenOf(node, user), setting);
  if (status !== 200) throw new Error(text);
  return body;
}

async function levelsOf(user: string): Promise<unknown> {
  return (await call(service, "GET", "/v1/me/levels", tokenOf(service, user))).body.items;
}

/** Why the member is told of this, or why not; null where it is none of theirs. */
async function verdict(user: string, event: object, node = service): Promise<string | null> {
  const { notified, skipped } = await send(event, node);
  return notified.find((one) => one.user === user)?.reason ?? skipped.find((one) => one.user === user)?.why ?? null;
}

/** A thread with two tags in a category, all of them new, and its parts by scope. */
function newPlace() {
  const [id, tag, category] = [fresh("thread"), fresh("tag"), fresh("category")];
  const scopes: Record<string, object> = {
    thread: { scope: "thread", id },
    tag: { scope: "tag", id: tag },
    category: { scope: "category", id: category },
    all: { scope: "all" },
  };
  return { thread: { id, tags: [fresh("tag"), tag], category, author: "starter" }, scopes };
}

describe.each(STORES)("who is told, on $store", ({ env }) => {
  beforeAll(async () => {
    service = await startService({ env: env() });
  });

  afterAll(async () => {
    await service.stop();
  });

  it.each(["thread", "tag", "category", "all"])("one who watches is told of every comment, one who muted of none: %s", async (scope) => {
    const { thread, scopes } = newPlace();
    const user = fresh("member");
    const member = await device(user);
    const other = { id: fresh("thread"), tags: [fresh("tag")], category: fresh("category") };
    expect(await verdict(user, comment(thread))).toBeNull();

    const watching = { ...scopes[scope], level: "watching", until: null };
    expect(await member.ask("level", { ...scopes[scope], level: "watching" })).toEqual({ ok: true, ...watching });
    expect(await levelsOf(user)).toEqual([watching]);
    expect(await verdict(user, comment(thread))).toBe("watching");
    expect(await verdict(user, comment(thread, [user]))).toBe("mention");
    expect(await verdict(user, comment(thread, [], user))).toBeNull();
    expect(await verdict(user, comment(other))).toBe(scope === "all" ? "watching" : null);
    const thread2 = { ...thread, id: fresh("thread") };
    const started = { id: fresh("started"), type: "thread.created", actor: { id: "author" }, thread: thread2 };
    expect(await verdict(user, started)).toBe(scope === "thread" ? null : "watching");

    expect(await setLevel(user, { ...scopes[scope], level: "muted" })).toEqual({ ...watching, level: "muted" });
    const where = scope === "all" ? "muted everything" : `muted the ${scope} ${(scopes[scope] as { id: string }).id}`;
    expect(await verdict(user, comment(thread, [user]))).toBe(where);
    expect(await verdict(user, { ...comment(thread), thread: { ...thread, author: user } })).toBe(where);
    expect(await verdict(user, comment(other, [user]))).toBe(scope === "all" ? where : "mention");
    // Levels are about events: who is told by name is told.
    await notify(service, [user], "directly");

    await member.ask("level", { ...scopes[scope], level: "normal" });
    expect(await levelsOf(user)).toEqual([{ ...watching, level: "normal" }]);
    expect(await verdict(user, comment(thread))).toBeNull();
    expect(await verdict(user, comment(thread, [user]))).toBe("mention");

    const reasons = [...(await inboxOf(user))].map(({ reason }) => reason).reverse();
    const more = scope === "all" ? ["watching"] : [];
    const expected = ["watching", "mention", ...more, ...(scope === "thread" ? [] : ["watching"]), ...(scope === "all" ? [] : ["mention"])];
    expect(reasons).toEqual([...expected, "direct", "mention"]);
    await until("the device has them all", () => member.items.size === reasons.length);
  });

  it.each([
    [{ category: "muted", thread: "normal" }, "mention", null],
    [{ category: "muted", thread: "watching" }, "mention", "watching"],
    [{ category: "watching", thread: "muted" }, "muted the thread", "muted the thread"],
    [{ all: "watching", thread: "muted" }, "muted the thread", "muted the thread"],
    [{ all: "muted", category: "normal" }, "mention", null],
    [{ all: "muted", tag: "watching" }, "mention", "watching"],
    [{ category: "watching", tag: "muted" }, "muted the tag", "muted the tag"],
    [{ category: "muted", tag: "normal" }, "mention", null],
    [{ tag: "muted", otherTag: "watching" }, "mention", "watching"],
    [{ tag: "muted", otherTag: "normal" }, "muted the tag", "muted the tag"],
    [{ tag: "watching", thread: "normal" }, "mention", null],
    [{ all: "muted", category: "muted", tag: "muted", thread: "watching" }, "mention", "watching"],
  ] as Array<[Record<string, string>, string, string | null]>)("the nearest level wins: %j", async (levels, ofMention, ofOther) => {
    const { thread, scopes } = newPlace();
    scopes.otherTag = { scope: "tag", id: thread.tags[0] };
    const user = fresh("member");
    for (const [scope, level] of Object.entries(levels)) await setLevel(user, { ...scopes[scope], level });
    const found = [await verdict(user, comment(thread, [user])), await verdict(user, comment(thread))];
    expect(found[0]).toMatch(new RegExp(`^${ofMention}`));
    // Whoever muted and is not concerned is not even passed over.
    expect(found[1]).toBe(ofOther === "watching" ? "watching" : null);
  });

  it("a level ends at its time, and what stood behind it counts again", async () => {
    const { thread, scopes } = newPlace();
    const [watcher, muter] = [fresh("member"), fresh("member")];
    const end = inMs(SHORT_MS);
    await setLevel(muter, { ...scopes.category, level: "watching" });
    expect(await setLevel(watcher, { ...scopes.thread, level: "watching", until: end })).toMatchObject({ until: end });
    expect(await (await device(muter)).ask("level", { ...scopes.thread, level: "muted", until: end })).toMatchObject({
      ok: true,
      until: end,
    });
    const both = async () => {
      const { notified } = await send(comment(thread));
      return notified.map(({ user }) => user).filter((user) => user === watcher || user === muter);
    };
    expect(await both()).toEqual([watcher]);
    expect(await levelsOf(muter)).toHaveLength(2);
    await until("the end has passed", async () => (await both()).join() === muter);
    expect(await levelsOf(watcher)).toEqual([]);
    expect(await levelsOf(muter)).toEqual([{ ...scopes.category, level: "watching", until: null }]);
  });

  it("one who blocks hears nothing of the blocked: no reply, no mention, no quote, nothing watched", async () => {
    const { thread, scopes } = newPlace();
    const [user, pest] = [fresh("member"), fresh("member")];
    const member = await device(user);
    await device(pest);
    await setLevel(user, { ...scopes.thread, level: "watching" });
    expect(await member.ask("block", { user: pest })).toEqual({ ok: true, user: pest, blocked: true });
    const base = comment(thread, [], pest);
    for (const change of [
      {},
      { comment: { id: fresh("comment"), mentions: [user] } },
      { comment: { id: fresh("comment"), parentAuthor: user } },
      { comment: { id: fresh("comment"), quotes: [user] } },
      { thread: { ...thread, author: user } },
    ]) {
      expect(await verdict(user, { ...base, comment: { id: fresh("comment") }, ...change, id: fresh("event") })).toBe("blocked the author");
    }
    expect(await verdict(user, comment(thread))).toBe("watching");
    expect(await verdict(pest, comment(thread, [pest], user))).toBe("mention");
    expect(await member.ask("unblock", { user: pest })).toMatchObject({ ok: true, blocked: false });
    expect(await verdict(user, comment(thread, [user], pest))).toBe("mention");
  });

  it("holds after a kill -9, and whoever is named __proto__ is somebody like others", async () => {
    const place = newPlace();
    const [user, pest] = ["constructor", "__proto__"];
    const thread = { ...place.thread, id: "__proto__", category: "toString" };
    await Promise.all([user, pest].map(device));
    const settings = [
      { scope: "thread", id: "__proto__", level: "normal", until: null },
      { scope: "tag", id: "valueOf", level: "watching", until: inMs(3_600_000) },
      { scope: "category", id: "toString", level: "muted", until: null },
      { scope: "all", level: "muted", until: null },
    ];
    for (const setting of settings.toReversed()) expect(await setLevel(user, setting)).toEqual(setting);
    expect((await call(service, "PUT", `/v1/me/blocks/${pest}`, tokenOf(service, user))).body).toEqual({ user: pest, blocked: true });
    await service.kill9();
    await service.start();
    expect(await levelsOf(user)).toEqual(settings);
    expect((await call(service, "GET", "/v1/me/blocks", tokenOf(service, user))).body).toEqual({ items: [{ user: pest }] });
    expect(await verdict(user, comment(thread, [user]))).toBe("mention");
    expect(await verdict(user, comment({ ...thread, id: fresh("thread") }, [user]))).toBe("muted the category toString");
    expect(await verdict(user, comment(thread, [user], pest))).toBe("blocked the author");
    expect(await verdict(pest, comment(thread, [pest]))).toBe("mention");
  });

  it.each<[what: string, payload: unknown]>([
    ["an unknown scope", { scope: "forum", id: "1", level: "muted" }],
    ["the scope __proto__", { scope: "__proto__", id: "1", level: "muted" }],
    ["no scope", { id: "1", level: "muted" }],
    ["an unknown level", { scope: "thread", id: "1", level: "loud" }],
    ["no level", { scope: "thread", id: "1" }],
    ["no id", { scope: "tag", level: "muted" }],
    ["an id for all", { scope: "all", id: "1", level: "muted" }],
    ["an id that is a number", { scope: "thread", id: 1, level: "muted" }],
    ["an empty id", { scope: "thread", id: "", level: "muted" }],
    ["an id of 200 characters", { scope: "thread", id: "x".repeat(200), level: "muted" }],
    ["an until in the past", { scope: "thread", id: "1", level: "muted", until: "2001-01-01T00:00:00Z" }],
    ["an until that is a number", { scope: "thread", id: "1", level: "muted", until: 4e12 }],
    ["an until in words", { scope: "all", level: "muted", until: "soon" }],
    ["a list", []],
    ["a text", '"x"'],
  ])("refuses a level that cannot be, and changes nothing: %s", async (_what, payload) => {
    const user = fresh("member");
    const member = await device(user);
    const refused = await call(service, "PUT", "/v1/me/levels", tokenOf(service, user), payload);
    expect(refused).toMatchObject({ status: 400, body: { code: "bad_request" } });
    expect(await member.ask("level", payload)).toMatchObject({ ok: false, error: { code: "bad_request" } });
    expect(await levelsOf(user)).toEqual([]);
  });

  it.each<[what: string, other: unknown, code: string]>([
    ["an unknown member", "nobody-knows", "not_found"],
    ["an id of 200 characters", "x".repeat(200), "bad_request"],
    ["nobody", undefined, "bad_request"],
    ["a list", ["x"], "bad_request"],
  ])("refuses a block that cannot be: %s", async (_what, other, code) => {
    const user = fresh("member");
    const member = await device(user);
    for (const event of ["block", "unblock"])
      expect(await member.ask(event, { user: other })).toMatchObject({ ok: false, error: { code } });
    expect(await member.ask("block", { user })).toMatchObject({ ok: false, error: { code: "bad_request" } });
    expect((await call(service, "GET", "/v1/me/blocks", tokenOf(service, user))).body).toEqual({ items: [] });
  });
});

/** What a member has, newest first. */
async function inboxOf(user: string): Promise<Array<{ reason: string }>> {
  const { body } = await call(service, "GET", "/v1/me/notifications?limit=100", tokenOf(service, user));
  return body.items as Array<{ reason: string }>;
}

describe("what a member sets through one of two processes on one MongoDB", () => {
  it("holds for an event that the other gets right after", async () => {
    const nodes = await startPair(mongoUrl("told-nodes"));
    service = nodes[0];
    try {
      for (let turn = 0; turn < 20; turn++) {
        const [here, there] = (turn % 2 === 0 ? nodes : nodes.toReversed()) as [Service, Service];
        const { thread, scopes } = newPlace();
        const [user, pest] = [fresh("member"), fresh("member")];
        await call(there, "PUT", `/v1/members/${pest}`, there.apiKey, {});
        await setLevel(user, { ...scopes.category, level: "watching" }, here);
        expect(await verdict(user, comment(thread), there)).toBe("watching");
        await setLevel(user, { ...scopes.thread, level: "muted" }, here);
        expect(await verdict(user, comment(thread, [user]), there)).toMatch(/^muted the thread/);
        await setLevel(user, { ...scopes.thread, level: "normal" }, there);
        expect(await verdict(user, comment(thread, [user]), here)).toBe("mention");
        const blocked = await call(here, "PUT", `/v1/me/blocks/${pest}`, tokenOf(here, user));
        expect(blocked).toMatchObject({ status: 200 });
        expect(await verdict(user, comment(thread, [user], pest), there)).toBe("blocked the author");
      }
    } finally {
      await Promise.all(nodes.map((node) => node.stop()));
    }
  });
});
