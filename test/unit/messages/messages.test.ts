import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Community } from "../../../src/community/index.js";
import type { DirectNotification } from "../../../src/community/types.js";
import { Members } from "../../../src/members/index.js";
import { Messages } from "../../../src/messages/index.js";
import { Moderation } from "../../../src/moderation/index.js";
import type { Actor } from "../../../src/moderation/types.js";
import type { Companion } from "../../../src/storage/types.js";
import { StreamLog } from "../../../src/stream/index.js";
import { type Embedded, openEmbedded } from "../../support/embedded.js";

const SERVER: Actor = { by: "server", rank: "server", from: null };
const ADA = { user: "ada", name: "Ada" };

let embedded: Embedded;
let log: StreamLog<Companion>;
let members: Members;
let moderation: Moderation;
let messages: Messages;
let options: ConstructorParameters<typeof Messages>[0];
/** Who blocks whom, as `preferences` knows it, and as it knows it after a refresh. */
let blocks: Set<string>;
let unread: string[];
/** What was sent on, as the community got it. */
let sent: DirectNotification[];

beforeEach(async () => {
  embedded = await openEmbedded();
  const { stores, inbox, clock } = embedded;
  log = new StreamLog<Companion>({ store: stores.streams, clock: () => clock.now });
  members = new Members({ store: stores.members, wasTold: async () => false, clock: () => clock.now, onError: () => {} });
  moderation = new Moderation({ log, streams: stores.streams, members, clock: () => clock.now, onError: () => {} });
  blocks = new Set();
  unread = [];
  sent = [];
  const preferences = {
    levelFor: () => ({ level: "normal" as const, scope: null, id: "" }),
    watchers: () => [],
    mostWatchers: () => 0,
    blocks: (user: string, other: string) => blocks.has(`${user} blocks ${other}`),
    refresh() {
      if (unread.length === 0) return null;
      for (const block of unread.splice(0)) blocks.add(block);
      return Promise.resolve();
    },
  };
  const community = new Community({
    publisher: log,
    inbox,
    subjects: stores.subjects,
    preferences,
    acquaintances: members,
    clock: () => clock.now,
  });
  options = {
    notify(notification, namespace) {
      sent.push(notification);
      return community.notify(notification, namespace);
    },
    members,
    preferences,
    clock: () => clock.now,
  };
  messages = new Messages(options);
  for (const user of ["ada", "bruno", "clara"]) await members.arrive({ user, name: null, roles: [] });
});
afterEach(async () => {
  await members.close();
  await log.close();
  await embedded.close();
});

const inboxOf = async (user: string) => (await embedded.inbox.list(user, { filter: "all", limit: 100 })).items;
const refused = (code: string, text: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(text) });

describe("a message", () => {
  it("is a notification of the receiver, from whoever sends it, whatever the payload says", async () => {
    const payload = { to: "bruno", text: "hello", data: { a: [1] }, actor: { id: "clara" }, type: "x", from: "clara", user: "clara" };
    const { id } = await messages.send(ADA, payload);
    expect(await inboxOf("bruno")).toEqual([
      expect.objectContaining({
        id,
        type: "message",
        reason: "direct",
        actor: { id: "ada", name: "Ada" },
        text: "hello",
        data: { a: [1] },
        readAt: null,
      }),
    ]);
    expect(await inboxOf("ada")).toEqual([]);
    expect(await inboxOf("clara")).toEqual([]);
  });

  it("of a sender without a name has none", async () => {
    await messages.send({ user: "ada", name: null }, { to: "bruno", text: "hello", data: null, key: null });
    expect(sent).toEqual([{ to: ["bruno"], type: "message", actor: { id: "ada" }, text: "hello" }]);
  });

  it("reaches a member who was only heard of", async () => {
    members.heardOf(["dora"], embedded.clock.now);
    await messages.send(ADA, { to: "dora", text: "hello" });
    expect(await inboxOf("dora")).toHaveLength(1);
  });

  it("without a key is another one each time", async () => {
    const payload = { to: "bruno", text: "hello" };
    expect(await messages.send(ADA, payload)).not.toEqual(await messages.send(ADA, payload));
    expect(await inboxOf("bruno")).toHaveLength(2);
  });

  it("may be as long as it may be", async () => {
    const size = JSON.stringify({ a: "" }).length;
    await messages.send(ADA, { to: "bruno", text: "x".repeat(4_000), data: { a: "x".repeat(8_192 - size) }, key: "k".repeat(128) });
    expect((await inboxOf("bruno"))[0]).toMatchObject({ text: "x".repeat(4_000) });
  });

  it.each<[string, unknown, RegExp]>([
    ["nothing", undefined, /message is missing/],
    ["null", null, /message must be an object/],
    ["a text", "hello", /message must be an object/],
    ["a list", [], /message must be an object/],
    ["no receiver", { text: "hello" }, /to is missing/],
    ["an empty receiver", { to: "", text: "hello" }, /to must be 1 to 128/],
    ["an operator as receiver", { to: { $gt: "" }, text: "hello" }, /to must be a string/],
    ["several receivers", { to: ["bruno"], text: "hello" }, /to must be a string/],
    ["no text", { to: "bruno" }, /text is missing/],
    ["an empty text", { to: "bruno", text: "" }, /text must have at least 1/],
    ["too long a text", { to: "bruno", text: "x".repeat(4_001) }, /text must have at most 4000/],
    ["a number as text", { to: "bruno", text: 7 }, /text must be a string/],
    ["a list as data", { to: "bruno", text: "hello", data: [] }, /data must be an object/],
    ["too much data", { to: "bruno", text: "hello", data: { a: "x".repeat(8_192) } }, /data must have at most 8192 bytes/],
    ["data of too many bytes", { to: "bruno", text: "hello", data: { a: "é".repeat(4_100) } }, /data must have at most 8192 bytes/],
    ["data nested too deep", { to: "bruno", text: "hello", data: deep(100_000) }, /data must have at most 8192 bytes/],
    ["an empty key", { to: "bruno", text: "hello", key: "" }, /key must be 1 to 128/],
    ["too long a key", { to: "bruno", text: "hello", key: "k".repeat(129) }, /key must be/],
    ["the sender as receiver", { to: "ada", text: "hello" }, /another member/],
  ])("with %s is refused", async (_what, payload, message) => {
    await expect(messages.send(ADA, payload)).rejects.toEqual(refused("bad_request", message));
    expect(sent).toEqual([]);
  });

  it("to nobody known is refused", async () => {
    await expect(messages.send(ADA, { to: "stranger", text: "hello" })).rejects.toEqual(refused("not_found", /No member/));
    expect(sent).toEqual([]);
  });
});

describe("a sender", () => {
  const payload = { to: "bruno", text: "hello" };
  const sanction = (until?: number) => ({ until: until === undefined ? null : new Date(until).toISOString(), why: "spam" });

  it("who is muted cannot send, and is told why and until when; they can again at its end", async () => {
    const { clock } = embedded;
    await moderation.mute(SERVER, "ada", sanction(clock.now + 1_000));
    await expect(messages.send(ADA, payload)).rejects.toEqual(refused("muted", /^You are muted until 2026-01-01T00:00:01.000Z: spam\.$/));
    expect(sent).toEqual([]);
    clock.now += 1_000;
    await messages.send(ADA, payload);
  });

  it("who is banned cannot send, muted or not", async () => {
    await moderation.mute(SERVER, "ada", sanction());
    await moderation.ban(SERVER, "ada", sanction());
    await expect(messages.send(ADA, payload)).rejects.toEqual(refused("banned", /^You are banned for good: spam\.$/));
  });

  it("can write to members who are muted or banned", async () => {
    await moderation.mute(SERVER, "bruno", sanction());
    await moderation.ban(SERVER, "bruno", sanction());
    await messages.send(ADA, payload);
  });

  it("whom the receiver blocks cannot write to them, but to others", async () => {
    blocks.add("bruno blocks ada");
    await expect(messages.send(ADA, payload)).rejects.toEqual(refused("forbidden", /blocked you/));
    expect(sent).toEqual([]);
    await messages.send(ADA, { ...payload, to: "clara" });
    await messages.send({ user: "bruno", name: null }, { ...payload, to: "ada" });
  });

  it("is refused by a block that another node has stored", async () => {
    unread.push("bruno blocks ada");
    await expect(messages.send(ADA, payload)).rejects.toEqual(refused("forbidden", /blocked you/));
  });

  it("sends a hundred at once and two a second, and is told how long to wait", async () => {
    const { clock } = embedded;
    await Promise.all(Array.from({ length: 100 }, () => messages.send(ADA, payload)));
    await expect(messages.send(ADA, payload)).rejects.toEqual(expect.objectContaining({ code: "rate_limited", retryAfterMs: 500 }));
    await expect(messages.send(ADA, null)).rejects.toEqual(expect.objectContaining({ code: "rate_limited" }));
    await messages.send({ user: "clara", name: null }, payload);
    clock.now += 500;
    await messages.send(ADA, payload);
    expect(sent).toHaveLength(102);
  });

  it("is told when nothing could be stored", async () => {
    const error = new Error("away");
    const failing = new Messages({ ...options, notify: () => Promise.reject(error) });
    await expect(failing.send(ADA, payload)).rejects.toBe(error);
  });
});

describe("a key", () => {
  const payload = { to: "bruno", text: "hello", key: "k1" };

  it("makes a repeat safe: it stores nothing and gets the first id", async () => {
    const first = await messages.send(ADA, payload);
    const repeats = await Promise.all([1, 2, 3].map((n) => messages.send(ADA, { ...payload, text: `hello ${n}` })));
    expect(repeats).toEqual([first, first, first]);
    expect(await inboxOf("bruno")).toEqual([expect.objectContaining({ id: first.id, text: "hello" })]);
  });

  it("makes those safe that are sent at once", async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => messages.send(ADA, payload)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(await inboxOf("bruno")).toHaveLength(1);
  });

  it("is the sender's own: the same of another is another", async () => {
    await messages.send(ADA, payload);
    await messages.send({ user: "clara", name: null }, payload);
    expect(await inboxOf("bruno")).toHaveLength(2);
  });

  it("of a message to one member does not send it to another", async () => {
    await messages.send(ADA, payload);
    await expect(messages.send(ADA, { ...payload, to: "clara" })).rejects.toEqual(refused("bad_request", /another member/));
    expect(await inboxOf("clara")).toEqual([]);
  });

  it("of a message that is no longer kept is answered so", async () => {
    const gone = new Messages({
      ...options,
      notify: async ({ key = "" }) => ({ id: key, duplicate: true, notified: [], skipped: [{ user: "bruno", why: "no longer kept" }] }),
    });
    await expect(gone.send(ADA, payload)).rejects.toEqual(refused("not_found", /no longer kept/));
  });

  it("is told apart from every other sender's, and stays an id, whatever both are made of", async () => {
    const keyed = new Messages({
      ...options,
      members: { find: async () => null, require: (user) => members.require(user) },
      notify: async ({ key = "", to: [user = ""] }) => ({
        id: key,
        duplicate: false,
        notified: [{ user, reason: "direct", id: key, seq: 1 }],
        skipped: [],
      }),
    });
    const part = fc.oneof(
      fc.array(fc.constantFrom("a", ":"), { minLength: 1, maxLength: 3 }),
      fc.constant(["k".repeat(128)]),
      fc.constant(["🦉".repeat(64)]),
    );
    const name = part.map((parts) => parts.join(""));
    const seen = new Map<string, string>();
    await fc.assert(
      fc.asyncProperty(name, name, async (user, key) => {
        embedded.clock.now += 60_000;
        const { id } = await keyed.send({ user, name: null }, { to: "bruno", text: "x", key });
        expect(id.length).toBeLessThanOrEqual(128);
        const whose = JSON.stringify([user, key]);
        expect(seen.get(id) ?? whose).toBe(whose);
        seen.set(id, whose);
      }),
    );
    expect(await keyed.send(ADA, payload)).toEqual({ id: "ada:k1" });
  });
});

function deep(levels: number): object {
  let value = {};
  for (let level = 0; level < levels; level++) value = { a: value };
  return value;
}
