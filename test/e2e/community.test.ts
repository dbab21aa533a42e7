import { afterEach, describe, expect, it } from "@jest/globals";
import { readForum } from "../support/expected-forum.js";
import { expectedInboxes, type ShownRow } from "../support/expected-scenario.js";
import { Audience, seeded, sendHook } from "../support/forum-run.js";
import { forumScenario, type Step } from "../support/forum-scenario.js";
import { type Member, tokenFor, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { type Service, startService } from "../support/service.js";

const STORES = [
  { store: "SQLite", env: () => ({}) },
  { store: "MongoDB", env: () => ({ MONGODB_URL: mongoUrl("community") }) },
];

let service: Service;
let audience: Audience;

afterEach(async () => {
  audience.leave();
  await service.stop();
});

describe.each(STORES)("a forum with edits, deletions, bans, mutes, blocks and muted threads, on $store", ({ env }) => {
  it("leaves every member with exactly what the rules say, on screens that were there and on those that come back", async () => {
    const seed = Math.floor(Math.random() * 1e9);
    const random = seeded(seed);
    const bodies = await readForum();
    const steps = forumScenario(bodies, seed);
    service = await startService({ env: env() });
    audience = new Audience(bodies, service);
    for (const { user } of audience.all) await call("PUT", `/v1/members/${encodeURIComponent(user)}`, service.apiKey, {});
    await audience.arrive();
    const banned = new Map<string, number>();
    for (const [index, step] of steps.entries()) {
      await take(step, index, banned);
      if (random() < 0.2) audience.toggle(random);
    }
    for (const [user, seq] of banned) {
      await expectShutOut(user, seq);
      await call("DELETE", `/v1/members/${encodeURIComponent(user)}/ban`, service.apiKey);
    }
    await assemble();

    const expected = expectedInboxes(steps);
    expect(expected.size).toBeGreaterThan(100);
    const firstPosts = firstPostsOf(steps);
    for (const member of audience.all) {
      const rows = expected.get(member.user) ?? [];
      const context = `member ${member.user}, seed ${seed}`;
      const stored = await storedInbox(member.user);
      expect({ context, shown: stored.items.map((item) => toRow(item, firstPosts)).reverse() }).toEqual({ context, shown: rows });
      expect({ context, unread: stored.unread }).toEqual({ context, unread: rows.length });
      const onScreen = [...member.items.values()].sort((one, other) => Number(one.seq) - Number(other.seq));
      // Whoever was there from the start has all; whoever came late has a snapshot of the newest.
      expect({ context, screen: onScreen.map((item) => toRow(item, firstPosts)) }).toEqual({
        context,
        screen: audience.late.includes(member) ? rows.slice(-50) : rows,
      });
      expect({ context, unread: member.unread }).toEqual({ context, unread: rows.length });
    }
  }, 240_000);
});

async function take(step: Step, index: number, banned: Map<string, number>): Promise<void> {
  switch (step.is) {
    case "hook": {
      const { status } = await sendHook(service, { post: step.post }, step.event, `step-${index}`);
      expect(status).toBe(202);
      return;
    }
    case "block":
      await call("PUT", `/v1/me/blocks/${encodeURIComponent(step.other)}`, tokenOf(step.user));
      return;
    case "mute-thread":
      await call("PUT", "/v1/me/levels", tokenOf(step.user), { scope: "thread", id: step.thread, level: "muted" });
      return;
    case "ban":
      await call("PUT", `/v1/members/${encodeURIComponent(step.user)}/ban`, service.apiKey, { why: "spam" });
      await expectShutOut(step.user, null);
      banned.set(step.user, memberOf(step.user).cursor?.seq ?? 0);
      return;
    case "unban":
      if (!banned.has(step.user)) return;
      await expectShutOut(step.user, banned.get(step.user) ?? 0);
      await call("DELETE", `/v1/members/${encodeURIComponent(step.user)}/ban`, service.apiKey);
      banned.delete(step.user);
      if (audience.constant.includes(memberOf(step.user))) await memberOf(step.user).connect().ready();
      return;
    case "mute": {
      await call("PUT", `/v1/members/${encodeURIComponent(step.user)}/mute`, service.apiKey, { why: "shouting" });
      const other = audience.all.find(({ user }) => user !== step.user) as Member;
      const refused = await request("POST", "/v1/messages", tokenOf(step.user), { to: other.user, text: "hello" });
      // One of the three may be banned as well, which is told first.
      expect(["muted", "banned"]).toContain(((await refused.json()) as { code: string }).code);
    }
  }
}

/** The member has no session, gets none, and has been given nothing after `seq` (null: whatever it was given). */
async function expectShutOut(user: string, seq: number | null): Promise<void> {
  const member = memberOf(user);
  await until(`${user} is disconnected`, () => !member.connected);
  if (seq !== null) expect(member.cursor?.seq ?? 0).toBe(seq);
  const before = member.refusals.length;
  member.connect();
  await until(`${user} is refused`, () => member.refusals.length > before);
  expect(member.refusals.at(-1)).toMatchObject({ code: "banned", retry: false });
  member.disconnect();
}

async function assemble(): Promise<void> {
  for (const member of audience.fleeting) member.disconnect();
  const away = audience.all.filter((member) => !member.connected);
  await Promise.all(away.map((member) => member.connect().ready()));
  for (const member of audience.all) {
    const head = await headOf(member.user);
    await until(`${member.user} is at ${head}`, () => (member.cursor?.seq ?? 0) === head);
  }
}

async function headOf(user: string): Promise<number> {
  const response = await request("GET", "/v1/me/stream?limit=1", tokenOf(user));
  return ((await response.json()) as { head: number }).head;
}

interface Item {
  id: string;
  seq: number;
}

async function storedInbox(user: string): Promise<{ items: Item[]; unread: number }> {
  const items: Item[] = [];
  for (;;) {
    const before = items.length === 0 ? "" : `&before=${(items.at(-1) as Item).id}`;
    const response = await request("GET", `/v1/me/notifications?limit=100${before}`, tokenOf(user));
    const page = (await response.json()) as { items: Item[]; more: boolean; unread: number };
    items.push(...page.items);
    if (!page.more) return { items, unread: page.unread };
  }
}

function memberOf(user: string): Member {
  return audience.all.find((one) => one.user === user) as Member;
}

function tokenOf(user: string): string {
  return tokenFor(service.jwtSecret, { sub: user });
}

function request(method: string, path: string, credential: string, body?: object): Promise<Response> {
  return fetch(`${service.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${credential}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** A call that must succeed; one of a banned member is refused, and says so. */
async function call(method: string, path: string, credential: string, body?: object): Promise<void> {
  const response = await request(method, path, credential, body);
  const answer = await response.text();
  if (response.status !== 200) throw new Error(`${method} ${path}: ${response.status} ${answer}`);
}

/** The post with which each thread begins. */
function firstPostsOf(steps: Step[]): Map<string, number> {
  const first = new Map<string, number>();
  for (const step of steps) {
    if (step.is === "hook" && step.post.post_number === 1) first.set(String(step.post.topic_id), step.post.id);
  }
  return first;
}

function toRow(item: object, firstPosts: Map<string, number>): ShownRow {
  const { comment, thread, reason, actor } = item as {
    comment?: { id: string };
    thread: { id: string };
    reason: string;
    actor: { id: string };
  };
  return { post: comment === undefined ? (firstPosts.get(thread.id) as number) : Number(comment.id), reason, actor: actor.id };
}
