import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { sendHook } from "../support/forum-run.js";
import { Member, tokenFor, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { type Service, startService } from "../support/service.js";

const STORES = [
  { store: "SQLite", env: () => ({}) },
  { store: "MongoDB", env: () => ({ MONGODB_URL: mongoUrl("deletions") }) },
];

/** Comments that are created and deleted at the same time. */
const RACES = 60;

const READERS = ["3", "4", "5"];

interface Answer {
  notified: Array<{ user: string; id: string }>;
  skipped: Array<{ user: string; why: string }>;
}

let service: Service;
const members: Member[] = [];

afterEach(async () => {
  for (const member of members.splice(0)) member.disconnect();
  await service.stop();
});

async function send(type: string, comment: string, id = `${type}/${comment}`): Promise<Answer> {
  const response = await fetch(`${service.url}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${service.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({
      id,
      type: `comment.${type}`,
      actor: { id: "31" },
      thread: { id: "497" },
      comment: { id: comment, mentions: READERS },
    }),
  });
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}

async function device(user: string): Promise<Member> {
  const member = new Member(user, { url: service.url, secret: service.jwtSecret });
  members.push(member);
  return member.connect().ready();
}

/** What a member has over HTTP. */
async function inboxOf(user: string): Promise<{ unread: number; items: Array<{ id: string; readAt: string | null }> }> {
  const token = tokenFor(service.jwtSecret, { sub: user });
  const response = await fetch(`${service.url}/v1/me/notifications?limit=100`, { headers: { authorization: `Bearer ${token}` } });
  if (response.status !== 200) throw new Error(await response.text());
  return (await response.json()) as Awaited<ReturnType<typeof inboxOf>>;
}

/** The device was there all the time; another starts at its first cursor and replays, a third starts with a snapshot. All agree. */
async function expectAgreement(live: Member, start: Member["cursor"]): Promise<void> {
  const { unread, items } = await inboxOf(live.user);
  const replaying = new Member(live.user, { url: service.url, secret: service.jwtSecret });
  members.push(replaying);
  replaying.cursor = start === null ? null : { ...start };
  await replaying.connect().ready();
  const fresh = await device(live.user);
  await until(
    () => `${live.user}: the devices are at ${live.cursor?.seq}, ${replaying.cursor?.seq} and ${fresh.cursor?.seq}`,
    () => live.cursor?.seq === fresh.cursor?.seq && replaying.cursor?.seq === fresh.cursor?.seq,
  );
  expect(replaying.snapshots).toBe(0);
  const ids = (member: Member) => [...member.items.keys()].sort();
  const expected = items.map(({ id }) => id).sort();
  expect([live, replaying, fresh].map((member) => ({ unread: member.unread, ids: ids(member) }))).toEqual(
    Array(3).fill({ unread, ids: expected }),
  );
  const marks = (member: Member) => [...member.applied.values()].map(({ seq, kind, unread }) => ({ seq, kind, unread }));
  expect(marks(replaying)).toEqual(marks(live));
  // Of what is gone, a replay says nothing but that it was there.
  for (const { kind, data } of replaying.applied.values()) {
    if (kind === "notification") expect("comment" in data).toBe(expected.includes(data.id as string));
  }
}

describe.each(STORES)("a deletion that was answered, on $store", ({ env }) => {
  beforeEach(async () => {
    service = await startService({ env: env() });
  });

  it("holds for a creation that is under way at the same time: nobody keeps an unread of a deleted comment", async () => {
    const live = await Promise.all(READERS.map(device));
    const starts = live.map(({ cursor }) => (cursor === null ? null : { ...cursor }));
    let both = 0;
    await Promise.all(
      Array.from({ length: RACES }, async (_, index) => {
        const created = send("created", `race-${index}`);
        // Some deletions start with their creation, others in the midst of it.
        for (let turn = 0; turn < index % 12; turn++) await new Promise((resolve) => setImmediate(resolve));
        const [{ notified }] = await Promise.all([created, send("deleted", `race-${index}`)]);
        both += Number(notified.length > 0);
      }),
    );
    await send("created", "stays");
    for (const user of READERS) {
      const { unread, items } = await inboxOf(user);
      expect({ user, unread, items: items.length }).toEqual({ user, unread: 1, items: 1 });
    }
    // Otherwise no creation was in the midst of anything.
    expect(both).toBeGreaterThan(0);
    for (const [index, member] of live.entries()) await expectAgreement(member, starts[index] ?? null);
  }, 60_000);

  it("holds for a creation that comes later: nobody hears of it", async () => {
    const [live] = await Promise.all(READERS.map(device));
    await send("deleted", "1531");
    const skipped = READERS.map((user) => ({ user, why: "the post is gone" }));
    expect(await send("created", "1531")).toMatchObject({ notified: [], skipped });
    expect(await send("updated", "1531")).toMatchObject({ notified: [], skipped });
    expect(await send("created", "1531")).toMatchObject({ duplicate: true, notified: [], skipped });
    await service.restart();
    expect(await send("updated", "1531", "another edit")).toMatchObject({ notified: [], skipped });
    for (const user of READERS) expect(await inboxOf(user)).toMatchObject({ unread: 0, items: [] });
    expect(live?.applied.size).toBe(0);
  }, 60_000);

  it("can be undone: what was told comes back as it was, read or unread", async () => {
    const [reader, other] = (await Promise.all(["3", "4"].map(device))) as [Member, Member];
    const start = reader.cursor === null ? null : { ...reader.cursor };
    const { notified } = await send("created", "1531");
    const idOf = (user: string) => notified.find((one) => one.user === user)?.id as string;
    expect(await reader.ask("read", { ids: [idOf("3")] })).toMatchObject({ ok: true });
    const before = await Promise.all(["3", "4"].map(inboxOf));
    await send("deleted", "1531");
    for (const user of ["3", "4"]) expect(await inboxOf(user)).toMatchObject({ unread: 0, items: [] });
    await send("restored", "1531");
    expect(await Promise.all(["3", "4"].map(inboxOf))).toEqual(before);
    expect(before.map(({ unread }) => unread)).toEqual([0, 1]);
    expect(await send("deleted", "1531")).toMatchObject({ duplicate: true });
    expect(await Promise.all(["3", "4"].map(inboxOf))).toEqual(before);
    await expectAgreement(reader, start);
    await expectAgreement(other, start);
  }, 60_000);

  it("holds for Discourse's hooks as well", async () => {
    const day = (number: number) => `2024-01-0${number}T00:00:00.000Z`;
    const body = (change: object) => ({
      post: {
        id: 101,
        user_id: 31,
        username: "ann",
        created_at: day(1),
        updated_at: day(1),
        topic_id: 7,
        topic_slug: "hello",
        topic_title: "Hello",
        post_number: 2,
        version: 1,
        raw: "@zoe",
        ...change,
      },
    });
    const hook = async (event: string, change: object = {}): Promise<Answer> => {
      const { status, answer } = await sendHook(service, body(change), event);
      expect(status).toBe(202);
      return answer;
    };
    await hook("post_created", { id: 100, user_id: 4, username: "zoe", post_number: 1, raw: "Hello" });
    const zoe = await device("4");
    const start = zoe.cursor === null ? null : { ...zoe.cursor };

    await hook("post_destroyed", { deleted_at: day(2) });
    expect(await hook("post_created")).toMatchObject({ notified: [], skipped: [{ user: "4", why: "the post is gone" }] });
    await hook("post_recovered", { updated_at: day(3) });
    expect((await hook("post_edited", { version: 2, updated_at: day(4) })).notified).toMatchObject([{ user: "4" }]);
    expect(await inboxOf("4")).toMatchObject({ unread: 1 });
    await hook("post_destroyed", { version: 2, deleted_at: day(5) });
    expect(await inboxOf("4")).toMatchObject({ unread: 0, items: [] });
    await hook("post_recovered", { version: 2, updated_at: day(6) });
    expect(await inboxOf("4")).toMatchObject({ unread: 1 });
    await expectAgreement(zoe, start);

    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const post = { id: 200 + index, post_number: 3 + index };
        await Promise.all([hook("post_created", post), hook("post_destroyed", { ...post, deleted_at: day(7) })]);
      }),
    );
    expect(await inboxOf("4")).toMatchObject({ unread: 1 });
    await expectAgreement(zoe, start);
  }, 60_000);
});
