import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { actingOverHttp } from "../support/acts.js";
import { call, inMs, tokenOf } from "../support/call.js";
import type { Reply } from "../support/channel.js";
import { Member, tokenFor, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { startPair } from "../support/nodes.js";
import { type Service, startService } from "../support/service.js";

const STORES = [
  { store: "SQLite", env: () => ({}) },
  { store: "MongoDB", env: () => ({ MONGODB_URL: mongoUrl("messages") }) },
];

/** More than a sender may send at once. */
const TOO_MANY = 200;

/** Repeats of one key at once. */
const REPEATS = 20;

let service: Service;
let count = 0;
const members: Member[] = [];

afterEach(() => {
  for (const member of members.splice(0)) member.disconnect();
});

const someone = () => `member-${++count}`;

async function device(user: string, node = service): Promise<Member> {
  const member = new Member(user, { url: node.url, secret: node.jwtSecret });
  members.push(member);
  return member.connect().ready();
}

async function known(user = someone()): Promise<string> {
  expect(await call(service, "PUT", `/v1/members/${encodeURIComponent(user)}`, service.apiKey, {})).toMatchObject({ status: 200 });
  return user;
}

/** Sends over HTTP; the answer has the form that a socket gives. */
async function post(user: string, payload: unknown, node = service): Promise<Reply & { status: number; retryAfter: string | null }> {
  const { status, body, headers } = await call(node, "POST", "/v1/messages", tokenOf(node, user), payload);
  const error = {
    code: String(body.code),
    message: String(body.detail),
    ...(status === 429 ? { retryAfterMs: Number(body.retryAfterMs) } : {}),
  };
  return { status, retryAfter: headers.get("retry-after"), ok: status === 200, ...(status === 200 ? body : { error }) };
}

/** What a member has, newest first. */
async function inboxOf(user: string, node = service): Promise<Array<Record<string, unknown>>> {
  const { status, body } = await call(node, "GET", "/v1/me/notifications?limit=100", tokenOf(node, user));
  expect(status).toBe(200);
  return body.items as Array<Record<string, unknown>>;
}

describe.each(STORES)("a message, on $store", ({ env }) => {
  beforeAll(async () => {
    service = await startService({ env: env() });
  });

  afterAll(async () => {
    await service.stop();
  });

  it("names the sender as their token does, whatever the body says", async () => {
    const [from, to] = [someone(), someone()];
    const receiver = await device(to);
    const token = tokenFor(service.jwtSecret, { sub: from, name: "Ann <script>" });
    const sender = new Member(from, { url: service.url, secret: service.jwtSecret });
    members.push(sender);
    await sender.connect({ token }).ready();
    const forged = {
      to,
      text: "<b>hello</b> & \u202Egood\u0000bye",
      data: { actor: { id: "admin" }, a: [1, { b: null }] },
      actor: { id: "admin", name: "The admin" },
      from: "admin",
      user: "admin",
      sender: "admin",
      by: "admin",
      type: "announcement",
      reason: "mention",
      url: "javascript:alert(1)",
      id: "chosen",
      createdAt: "1999-01-01T00:00:00.000Z",
    };
    const answers = [
      await sender.ask("send", forged),
      (await call(service, "POST", "/v1/messages", token, { ...forged, actor: "admin", from: { id: "admin" }, user: null })).body,
    ];
    await until("both are there", () => receiver.items.size === 2);
    for (const { id } of answers) {
      expect(receiver.items.get(String(id))).toEqual({
        id,
        seq: expect.any(Number),
        reason: "direct",
        type: "message",
        actor: { id: from, name: "Ann <script>" },
        text: forged.text,
        data: forged.data,
        createdAt: expect.stringMatching(/^2/),
        readAt: null,
        archivedAt: null,
      });
    }
    expect((await inboxOf(to)).map(({ id }) => id)).toEqual([answers[1]?.id, answers[0]?.id]);
    expect(await inboxOf(from)).toEqual([]);
  });

  it("reaches one who is away when they come back, in order, by a replay and by a snapshot", async () => {
    const [from, to] = [someone(), someone()];
    const receiver = await device(to);
    receiver.disconnect();
    const sender = await device(from);
    const texts = ["one", "two", "three"];
    for (const text of texts) expect(await sender.ask("send", { to, text })).toMatchObject({ ok: true });
    await service.restart();
    await receiver.connect().ready();
    expect([...receiver.applied.values()].map(({ data }) => data.text)).toEqual(texts);
    const fresh = await device(to);
    expect([...fresh.items.values()].map(({ text }) => text)).toEqual(texts.toReversed());
    expect([receiver.unread, fresh.unread]).toEqual([3, 3]);
  });

  it("is one on all devices of the receiver: read on one, it is read on the others", async () => {
    const [from, to] = [someone(), someone()];
    const devices = await Promise.all([device(to), device(to), device(to)]);
    const { id } = await post(from, { to, text: "hello" });
    await until("all have it", () => devices.every(({ unread }) => unread === 1));
    await devices[1]?.ask("read", { ids: [id] });
    await until("all know", () => devices.every(({ unread }) => unread === 0));
    const [first, ...others] = devices.map(({ items }) => items.get(String(id)));
    expect(first).toMatchObject({ readAt: expect.any(String) });
    for (const other of others) expect(other).toEqual(first);
    expect(await inboxOf(to)).toMatchObject([{ id, readAt: first?.readAt }]);
  });

  it("with a key is sent once, however often, at once or later, over a socket or HTTP", async () => {
    const [from, to] = [someone(), someone()];
    const [sender, receiver] = await Promise.all([device(from), device(to)]);
    const payload = { to, text: "once", key: "k:1" };
    const ids = await Promise.all(
      Array.from({ length: REPEATS }, async (_, index) => {
        const answer = await (index % 2 === 0 ? sender.ask("send", payload) : post(from, payload));
        expect(answer).toMatchObject({ ok: true });
        return answer.id;
      }),
    );
    expect(new Set(ids).size).toBe(1);
    expect(await post(from, { ...payload, text: "another text" })).toMatchObject({ ok: true, id: ids[0] });
    // Another member's key of that name is another, and so is one that only looks the same.
    const others = [
      await post(someone(), payload),
      await post(`${from}:k`, { ...payload, key: "1" }),
      await post(from, { ...payload, key: "k" }),
    ];
    expect(new Set([ids[0], ...others.map(({ id }) => id)]).size).toBe(4);
    await until("all are there", () => receiver.unread === 4);
    expect(await inboxOf(to)).toHaveLength(4);
    const third = await known();
    expect(await post(from, { ...payload, to: third })).toMatchObject({ status: 400, error: { code: "bad_request" } });
    expect(await inboxOf(third)).toEqual([]);
  });

  it("with a key is sent once, though the process was killed before or after the answer", async () => {
    const [from, to] = [someone(), await known()] as const;
    const answered = await post(from, { to, text: "answered", key: "answered" });
    const payloads = Array.from({ length: REPEATS }, (_, index) => ({ to, text: `text ${index}`, key: `key ${index}` }));
    const asked = payloads.map((payload) => post(from, payload).catch(() => null));
    await Promise.race(asked);
    await service.kill9();
    const before = await Promise.all(asked);
    await service.start();
    expect(await post(from, { to, text: "answered", key: "answered" })).toMatchObject({ ok: true, id: answered.id });
    const after = await Promise.all(payloads.map((payload) => post(from, payload)));
    for (const [index, answer] of before.entries()) if (answer !== null) expect(after[index]).toEqual(answer);
    const items = await inboxOf(to);
    expect(items.map(({ text }) => text).sort()).toEqual(["answered", ...payloads.map(({ text }) => text)].sort());
    expect(items.map(({ id }) => id).sort()).toEqual([answered.id, ...after.map(({ id }) => id)].sort());
  }, 60_000);

  it("of one whom the receiver blocks is refused, until they are unblocked", async () => {
    const [from, to] = [await known(), someone()] as const;
    const [sender, receiver] = await Promise.all([device(from), device(to)]);
    expect(await receiver.ask("block", { user: from })).toEqual({ ok: true, user: from, blocked: true });
    expect(await sender.ask("send", { to, text: "x" })).toMatchObject({ ok: false, error: { code: "forbidden" } });
    expect(await post(from, { to, text: "x" })).toMatchObject({ status: 403, error: { code: "forbidden" } });
    // It is the receiver's wish alone: in the other direction messages pass.
    expect(await receiver.ask("send", { to: from, text: "x" })).toMatchObject({ ok: true });
    const mine = tokenOf(service, to);
    expect((await call(service, "GET", "/v1/me/blocks", mine)).body).toEqual({ items: [{ user: from }] });
    expect((await call(service, "DELETE", `/v1/me/blocks/${from}`, mine)).body).toEqual({ user: from, blocked: false });
    expect(await sender.ask("send", { to, text: "x" })).toMatchObject({ ok: true });
    expect((await call(service, "PUT", `/v1/me/blocks/${from}`, mine)).body).toEqual({ user: from, blocked: true });
    expect(await sender.ask("send", { to, text: "x" })).toMatchObject({ error: { code: "forbidden" } });
    expect(await receiver.ask("unblock", { user: from })).toEqual({ ok: true, user: from, blocked: false });
    expect(await sender.ask("send", { to, text: "x" })).toMatchObject({ ok: true });
    expect(await inboxOf(to)).toHaveLength(2);
  });

  it("of a muted or banned member is refused with the reason; to them it is not", async () => {
    const [muted, banned, friend] = await Promise.all([known(), known(), known()]);
    const act = actingOverHttp(service, service.apiKey);
    await act("mute", muted, { why: "Advertising", until: inMs(3_600_000) });
    await act("ban", banned, { why: "Threats" });
    for (const [user, code, why] of [
      [muted, "muted", "Advertising"],
      [banned, "banned", "Threats"],
    ] as const) {
      expect(await post(user, { to: friend, text: "x" })).toMatchObject({
        status: 403,
        error: { code, message: expect.stringContaining(why) },
      });
      expect(await post(friend, { to: user, text: "x" })).toMatchObject({ ok: true });
    }
    expect(await inboxOf(friend)).toEqual([]);
    expect(await inboxOf(muted)).toHaveLength(1);
  });

  it("too many are refused for a while, on a socket and over HTTP alike, and only those of this sender", async () => {
    const [from, other, to] = [someone(), someone(), await known()] as const;
    const sender = await device(from);
    let sent = 0;
    let refused: Pick<Reply, "ok"> = { ok: true };
    for (; refused.ok && sent < TOO_MANY; sent += Number(refused.ok)) refused = await sender.ask("send", { to, text: "x" });
    expect(refused).toMatchObject({ ok: false, error: { code: "rate_limited", retryAfterMs: expect.any(Number) } });
    let answer = await post(from, { to, text: "x" });
    for (; answer.ok && sent < TOO_MANY; sent++) answer = await post(from, { to, text: "x" });
    expect(answer).toMatchObject({ status: 429, error: { code: "rate_limited", retryAfterMs: expect.any(Number) } });
    expect(Number(answer.retryAfter)).toBeGreaterThanOrEqual(1);
    expect(await post(other, { to, text: "from another" })).toMatchObject({ ok: true });
    // Other things than messages are not held back.
    expect(await sender.ask("list", {})).toMatchObject({ ok: true });
    await until("it may send again", async () => (await sender.ask("send", { to, text: "x" })).ok);
    const { body } = await call(service, "GET", "/v1/me/stream?limit=1", tokenOf(service, to));
    expect(body.head).toBe(sent + 2);
  });

  const SELF = "the sender";
  const KNOWN = "a known member";
  it.each<[what: string, payload: unknown, code: string]>([
    ["to oneself", { to: SELF, text: "x" }, "bad_request"],
    ["to nobody known", { to: "nobody-knows", text: "x" }, "not_found"],
    ["to __proto__", { to: "__proto__", text: "x" }, "not_found"],
    ["to nobody", { text: "x" }, "bad_request"],
    ["to null", { to: null, text: "x" }, "bad_request"],
    ["to a list", { to: [KNOWN], text: "x" }, "bad_request"],
    ["to an object", { to: { $ne: "x" }, text: "x" }, "bad_request"],
    ["to an empty id", { to: "", text: "x" }, "bad_request"],
    ["to an id of 200 characters", { to: "x".repeat(200), text: "x" }, "bad_request"],
    ["without text", { to: KNOWN }, "bad_request"],
    ["with an empty text", { to: KNOWN, text: "" }, "bad_request"],
    ["with a text of 4,001 characters", { to: KNOWN, text: "x".repeat(4_001) }, "bad_request"],
    ["with a text that is a number", { to: KNOWN, text: 5 }, "bad_request"],
    ["with data of more than 8 KiB", { to: KNOWN, text: "x", data: { x: "ä".repeat(4_096) } }, "bad_request"],
    ["with data that is a list", { to: KNOWN, text: "x", data: [1] }, "bad_request"],
    ["with data that is a text", { to: KNOWN, text: "x", data: "x" }, "bad_request"],
    ["with an empty key", { to: KNOWN, text: "x", key: "" }, "bad_request"],
    ["with a key of 200 characters", { to: KNOWN, text: "x", key: "x".repeat(200) }, "bad_request"],
    ["with a key that is a number", { to: KNOWN, text: "x", key: 5 }, "bad_request"],
    ["that is a list", [], "bad_request"],
    ["that is a text", '"x"', "bad_request"],
  ])("is refused, and nobody is told: %s", async (_what, payload, code) => {
    const [from, to] = [someone(), await known()] as const;
    const named = JSON.parse(JSON.stringify(payload).replaceAll(SELF, from).replaceAll(KNOWN, to)) as unknown;
    const sender = await device(from);
    expect(await sender.ask("send", named)).toEqual({ ok: false, error: { code, message: expect.any(String) } });
    expect(await post(from, named)).toMatchObject({ ok: false, status: code === "not_found" ? 404 : 400, error: { code } });
    for (const user of [from, to]) expect(await inboxOf(user)).toEqual([]);
  });

  it("is for members: a server's key and no credential are refused", async () => {
    const to = await known();
    const send = (credential: string) => call(service, "POST", "/v1/messages", credential, { to, text: "x" });
    expect(await send(service.apiKey)).toMatchObject({ status: 403, body: { code: "forbidden" } });
    expect(await send("nonsense")).toMatchObject({ status: 401, body: { code: "unauthorized" } });
    expect(await inboxOf(to)).toEqual([]);
  });
});

it("with a key is sent once through two processes on one MongoDB, and a block through one holds on the other", async () => {
  const nodes = await startPair(mongoUrl("messages-nodes"));
  service = nodes[0];
  try {
    const [from, to] = [await known(), await known()];
    const payload = { to, text: "once", key: "once" };
    const answers = await Promise.all(Array.from({ length: REPEATS }, (_, index) => post(from, payload, nodes[index % 2] as Service)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers[0]).toMatchObject({ ok: true });
    for (const node of nodes) expect(await inboxOf(to, node)).toHaveLength(1);
    for (const [here, there] of [nodes, nodes.toReversed() as [Service, Service]]) {
      await call(here, "PUT", `/v1/me/blocks/${from}`, tokenOf(here, to));
      expect(await post(from, { to, text: "x" }, there)).toMatchObject({ status: 403, error: { code: "forbidden" } });
      await call(here, "DELETE", `/v1/me/blocks/${from}`, tokenOf(here, to));
      expect(await post(from, { to, text: "x" }, there)).toMatchObject({ ok: true });
    }
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
});
