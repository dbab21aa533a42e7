import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { type Act, actingOnSocket, actingOverHttp } from "../support/acts.js";
import { call, inMs, tokenOf } from "../support/call.js";
import { Channel } from "../support/channel.js";
import { until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { type Service, startService } from "../support/service.js";

const STORES = [
  { store: "SQLite", env: () => ({}) },
  { store: "MongoDB", env: () => ({ MONGODB_URL: mongoUrl("audit") }) },
];

/** An entry, as pages, files and live events have it. */
type Entry = Record<string, string>;

/** Whoever is named in a table of acts: each case gets its own members of the first two kinds. */
const VICTIM = "a known member";
const MOD = "the moderator";
const ADMIN = "an admin";

const LONG = "x".repeat(200);
const GOOD = { why: "because" };

let service: Service;
let count = 0;
const channels: Channel[] = [];

/** Moderators who stay for many tests, by name. */
const regulars = new Map<string, Channel>();

afterEach(() => {
  for (const channel of channels.splice(0)) channel.leave();
});

const someone = () => `member-${++count}`;
const get = (path: string) => call(service, "GET", path, service.apiKey);
const shown = async (user: string) => (await get(`/v1/members/${encodeURIComponent(user)}`)).body;

async function moderator(user: string, role = "moderator"): Promise<Channel> {
  const channel = new Channel(service, "/moderation", { token: tokenOf(service, user, role) });
  channels.push(channel);
  return channel.settled();
}

async function regular(user: string): Promise<Channel> {
  const there = regulars.get(user) ?? new Channel(service, "/moderation", { token: tokenOf(service, user, "moderator") });
  regulars.set(user, there);
  return there.settled();
}

async function known(body: object = {}): Promise<string> {
  const user = someone();
  expect(await call(service, "PUT", `/v1/members/${user}`, service.apiKey, body)).toMatchObject({ status: 200 });
  return user;
}

/** All of it by pages, newest first. `ask` gets a page. */
async function pagesOf(ask: (before: string | undefined) => Promise<{ items: Entry[]; more: boolean }>): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const { items, more } = await ask(entries.at(-1)?.id);
    entries.push(...items);
    if (!more) return entries;
    expect(items.length).toBeGreaterThan(0);
  }
}

async function log(query = ""): Promise<Entry[]> {
  return pagesOf(async (before) => {
    const { body } = await get(`/v1/audit?limit=7${before === undefined ? "" : `&before=${before}`}${query}`);
    return body as unknown as { items: Entry[]; more: boolean };
  });
}

/** The rows of a CSV file (RFC 4180) without its header, as objects; a cell's apostrophe in front of a formula is taken away. */
function rowsOf(text: string): Entry[] {
  const lines: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    lines.at(-1)?.push((quoted?.replaceAll('""', '"') ?? plain ?? "").replace(/^'(?=[=+\-@])/, ""));
    if (end === "\r\n") lines.push([]);
  }
  const [header = [], ...rows] = lines.slice(0, -1);
  return rows.map((row) => Object.fromEntries(row.map((cell, index) => [header[index], cell]).filter(([, cell]) => cell !== "")));
}

describe.each(STORES)("the audit log on $store", ({ env }) => {
  beforeAll(async () => {
    service = await startService({ env: env() });
  });

  afterAll(async () => {
    for (const channel of regulars.values()) {
      expect(channel.of("goodbye")).toEqual([]);
      channel.leave();
    }
    regulars.clear();
    await service.stop();
  });

  it("has every act and every refusal once, with who, whom, why, when and from where, the same live, in pages and in files", async () => {
    const watcher = await moderator("watcher");
    const before = (await log()).length;
    const [user, end] = [await known(), inMs(3_600_000)] as const;
    const whys = ["plain", "=HYPERLINK(1)", 'a "quoted", thing', "two\nlines", "<b>bold</b>", "+1"];
    const socket = actingOnSocket(await moderator("mod"));
    const server = actingOverHttp(service, service.apiKey);
    const member = actingOverHttp(service, tokenOf(service, "nobody"));
    const started = Date.now();
    for (const why of whys) {
      expect(await socket("mute", user, { why, until: end })).toMatchObject({ ok: true });
      expect(await server("ban", user, { why })).toMatchObject({ ok: true });
      expect(await member("unban", user, { why })).toMatchObject({ ok: false });
      expect(await server("unban", user)).toMatchObject({ ok: true });
      expect(await socket("unban", user, { why })).toMatchObject({ ok: false });
    }
    const entries = await log();
    const made = entries.slice(0, entries.length - before).reverse();
    const from = "127.0.0.1";
    const refused = expect.any(String);
    const common = { id: expect.any(String), at: expect.any(String), target: user, from };
    expect(made).toEqual(
      whys.flatMap((why) => [
        { ...common, by: "mod", act: "mute", why, until: end },
        { ...common, by: "server", act: "ban", why },
        { ...common, by: "nobody", act: "unban", why, refused },
        { ...common, by: "server", act: "unban" },
        { ...common, by: "mod", act: "unban", why, refused },
      ]),
    );
    for (const { at } of made) {
      expect(Date.parse(String(at))).toBeGreaterThanOrEqual(started);
      expect(Date.parse(String(at))).toBeLessThanOrEqual(Date.now());
    }
    expect(entries.map(({ id }) => id)).toEqual(entries.map((_, index) => String(entries.length - index)));

    await until("all was seen live", () => watcher.of("audit").length >= made.length);
    expect(watcher.of("audit")).toEqual(made);
    const overSocket = await pagesOf(
      async (last) => (await watcher.ask("audit", { before: last, limit: 4 })) as unknown as { items: Entry[]; more: boolean },
    );
    expect(overSocket).toEqual(entries);
    const lines = await get("/v1/audit?format=ndjson");
    expect(lines.headers.get("content-type")).toMatch(/^application\/x-ndjson/);
    expect(
      lines.text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
        .reverse(),
    ).toEqual(entries);
    const file = await get("/v1/audit?format=csv");
    expect(file.headers.get("content-type")).toMatch(/^text\/csv/);
    expect(rowsOf(file.text).reverse()).toEqual(entries);
    // A spreadsheet must not compute what somebody wrote.
    expect(file.text).not.toMatch(/(^|,)"?[=+]/m);

    const fits = (change: (entry: Entry) => boolean) => entries.filter(change);
    expect(await log("&by=nobody")).toEqual(fits(({ by }) => by === "nobody"));
    expect(await log("&act=ban&by=server")).toEqual(fits(({ act, by }) => act === "ban" && by === "server"));
    expect(await log(`&target=${user}`)).toEqual(fits(({ target }) => target === user));
    expect(await log("&target=__proto__")).toEqual([]);
    expect(rowsOf((await get("/v1/audit?format=csv&act=mute")).text).reverse()).toEqual(fits(({ act }) => act === "mute"));
  });

  it("has no gap after acts at once by many, and is the same after a kill -9", async () => {
    const users = await Promise.all(Array.from({ length: 5 }, () => known()));
    const before = (await log()).length;
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => {
        const acting = actingOverHttp(service, tokenOf(service, `crowd-${index % 6}`, "moderator"));
        const act = (["ban", "unban", "mute", "unmute", "kick"] as const)[index % 5] as Act;
        return acting(act, users[(index >> 1) % 5], { why: `act ${index}` });
      }),
    );
    const entries = await log();
    expect(entries.map(({ id }) => id)).toEqual(entries.map((_, index) => String(entries.length - index)));
    const made = entries.slice(0, entries.length - before);
    expect(made.map(({ why }) => why).sort()).toEqual(answers.map((_, index) => `act ${index}`).sort());
    // Each answer is what the log says of it.
    for (const { why, refused } of made) expect(answers[Number(why?.slice(4))]?.ok).toBe(refused === undefined);
    // And what holds is what the last effective act of each kind has left.
    for (const user of users) {
      const last = (what: string) => made.find((one) => one.target === user && one.refused === undefined && one.act?.endsWith(what))?.act;
      const { mute, ban } = await shown(user);
      expect({ user, mute: mute !== null, ban: ban !== null }).toEqual({ user, mute: last("mute") === "mute", ban: last("ban") === "ban" });
    }
    await service.kill9();
    await service.start();
    expect(await log()).toEqual(entries);
  }, 60_000);

  it.each(["limit=0", "limit=101", "limit=x", "before=x", "before=-1", "before=1.5", `by=${LONG}`, "format=xml"])(
    "refuses a page that cannot be: %s",
    async (query) => {
      expect(await get(`/v1/audit?${query}`)).toMatchObject({ status: 400, body: { code: "bad_request" } });
    },
  );

  it.each([{ before: "x" }, { before: 5 }, { limit: 0 }, { limit: 1e9 }, { by: {} }, { act: [] }, { target: LONG }, [], "x"])(
    "refuses a page that cannot be on a socket: %j",
    async (payload) => {
      expect(await (await moderator("mod")).ask("audit", payload)).toMatchObject({ ok: false, error: { code: "bad_request" } });
    },
  );

  const both: Array<[what: string, act: Act, user: unknown, payload: unknown, code: string]> = [
    ["an until in the past", "mute", VICTIM, { ...GOOD, until: inMs(-1_000) }, "bad_request"],
    ["an until that is now gone for long", "ban", VICTIM, { ...GOOD, until: "1970-01-01T00:00:00Z" }, "bad_request"],
    ["an until in words", "ban", VICTIM, { ...GOOD, until: "tomorrow" }, "bad_request"],
    ["an until without a zone", "ban", VICTIM, { ...GOOD, until: "2999-01-01T00:00:00" }, "bad_request"],
    ["an until that is a number", "mute", VICTIM, { ...GOOD, until: Date.now() + 60_000 }, "bad_request"],
    ["an until that is no day", "mute", VICTIM, { ...GOOD, until: "2999-02-30T00:00:00Z" }, "bad_request"],
    ["a mute without why", "mute", VICTIM, {}, "bad_request"],
    ["a ban without why", "ban", VICTIM, { until: null }, "bad_request"],
    ["a kick without why", "kick", VICTIM, {}, "bad_request"],
    ["a why that is null", "kick", VICTIM, { why: null }, "bad_request"],
    ["an empty why", "kick", VICTIM, { why: "" }, "bad_request"],
    ["a why of white space", "ban", VICTIM, { why: " \n " }, "bad_request"],
    ["a why of 501 characters", "mute", VICTIM, { why: "x".repeat(501) }, "bad_request"],
    ["a why with control characters", "mute", VICTIM, { why: "a\u0000b" }, "bad_request"],
    ["a why that is a number", "ban", VICTIM, { why: 5 }, "bad_request"],
    ["a why that is an object", "kick", VICTIM, { why: { toString: "x" } }, "bad_request"],
    ["an unban's why that is a list", "unban", VICTIM, { why: ["x"] }, "bad_request"],
    ["an unknown member", "ban", "nobody-knows", GOOD, "not_found"],
    ["__proto__", "mute", "__proto__", GOOD, "not_found"],
    ["constructor", "kick", "constructor", GOOD, "not_found"],
    ["an id of 200 characters", "ban", LONG, GOOD, "bad_request"],
    ["an id with a control character", "kick", "a\u0007b", GOOD, "bad_request"],
    ["an unmute of one who is not muted", "unmute", VICTIM, {}, "not_found"],
    ["an unban of one who is not banned", "unban", VICTIM, undefined, "not_found"],
    ["an act on an admin", "ban", ADMIN, GOOD, "forbidden"],
    ["an act on oneself", "ban", MOD, GOOD, "bad_request"],
  ];
  const onSocket: typeof both = [
    ["no user", "ban", undefined, GOOD, "bad_request"],
    ["a user that is null", "ban", null, GOOD, "bad_request"],
    ["a user that is a number", "mute", 31, GOOD, "bad_request"],
    ["a user that is a list", "kick", [VICTIM], GOOD, "bad_request"],
    ["a user that is an object", "unban", { $ne: "x" }, GOOD, "bad_request"],
    ["an empty user", "ban", "", GOOD, "bad_request"],
  ];
  const overHttp: typeof both = [
    ["a body that is a list", "ban", VICTIM, [], "bad_request"],
    ["a body that is a text", "ban", VICTIM, '"x"', "bad_request"],
    ["a body that is null", "mute", VICTIM, null, "bad_request"],
    ["a body that is no JSON", "kick", VICTIM, "{", "bad_request"],
    ["a body with __proto__", "ban", VICTIM, '{"why":"x","__proto__":{"until":null}}', "bad_request"],
    ["a body without end", "ban", VICTIM, { why: "x".repeat(17_000) }, "too_large"],
    ["no body", "kick", VICTIM, undefined, "bad_request"],
  ];

  it.each([
    ...both.flatMap((one) => [["on a socket", ...one] as const, ["over HTTP", ...one] as const]),
    ...onSocket.map((one) => ["on a socket", ...one] as const),
    ...overHttp.map((one) => ["over HTTP", ...one] as const),
  ])("has what was refused, and nothing has changed: %s, %s", async (way, _what, act, user, payload, code) => {
    // Not all by the same: whoever acts too often is held back.
    const mod = `mod-${++count % 4}`;
    const victim = await known({ roles: user === ADMIN ? ["admin"] : [] });
    const target = user === MOD ? mod : user === VICTIM || user === ADMIN ? victim : user;
    const untouched = await shown(victim);
    const acting = way === "on a socket" ? actingOnSocket(await regular(mod)) : actingOverHttp(service, tokenOf(service, mod, "moderator"));
    const answer = await acting(act, target, payload);
    expect(answer).toMatchObject({ ok: false, error: { code, message: expect.any(String) } });
    const isId = typeof target === "string" && /^\P{Cc}{1,128}$/u.test(target);
    const [entry] = (await get("/v1/audit?limit=1")).body.items as Entry[];
    expect(entry).toMatchObject({ by: mod, act, refused: answer.error?.message, from: "127.0.0.1" });
    expect(entry?.target).toBe(isId ? target : undefined);
    expect(await shown(victim)).toEqual(untouched);
  });
});
