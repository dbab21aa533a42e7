import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { type Acting, actingOnSocket, actingOverHttp } from "../support/acts.js";
import { call, inMs, tokenOf } from "../support/call.js";
import { Channel } from "../support/channel.js";
import { Member, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { notify } from "../support/notify.js";
import { type Service, startService } from "../support/service.js";

const STORES = [
  { store: "SQLite", env: () => ({}) },
  { store: "MongoDB", env: () => ({ MONGODB_URL: mongoUrl("moderation") }) },
];

/** In how many ways each act is tried: who does it, over what. */
const WAYS = [
  { way: "a server over HTTP", by: "server", acting: () => actingOverHttp(service, service.apiKey) },
  { way: "a moderator over HTTP", by: "mod", acting: () => actingOverHttp(service, tokenOf(service, "mod", "moderator")) },
  { way: "an admin over HTTP", by: "admin", acting: () => actingOverHttp(service, tokenOf(service, "admin", "admin", "other")) },
  { way: "a moderator on a socket", by: "mod", acting: () => onSocket("mod", "moderator") },
  { way: "an admin on a socket", by: "admin", acting: () => onSocket("admin", "admin") },
];

/** How long a short sanction lasts. Milliseconds. */
const SHORT_MS = 1_000;

let service: Service;
let count = 0;
const members: Member[] = [];
const channels: Channel[] = [];

afterEach(() => {
  for (const member of members.splice(0)) member.disconnect();
  for (const channel of channels.splice(0)) channel.leave();
});

/** A name that no test has used. */
const someone = () => `member-${++count}`;

function open(namespace: string, user: string, ...roles: string[]): Channel {
  const channel = new Channel(service, namespace, { token: tokenOf(service, user, ...roles) });
  channels.push(channel);
  return channel;
}

function onSocket(user: string, ...roles: string[]): Acting {
  return actingOnSocket(open("/moderation", user, ...roles));
}

async function device(user: string): Promise<Member> {
  const member = new Member(user, { url: service.url, secret: service.jwtSecret });
  members.push(member);
  return member.connect().ready();
}

async function known(user: string, body: object = {}): Promise<string> {
  expect(await call(service, "PUT", `/v1/members/${user}`, service.apiKey, body)).toMatchObject({ status: 200 });
  return user;
}

const shown = async (user: string) => (await call(service, "GET", `/v1/members/${user}`, service.apiKey)).body;
const sendOverHttp = (user: string, to: string) => call(service, "POST", "/v1/messages", tokenOf(service, user), { to, text: "hello" });
const lastEntry = async () => {
  const { body } = await call(service, "GET", "/v1/audit?limit=1", service.apiKey);
  return (body.items as object[])[0];
};

describe.each(STORES)("moderation on $store", ({ env }) => {
  beforeAll(async () => {
    service = await startService({ env: env() });
    await known("friend");
  });

  afterAll(async () => {
    await service.stop();
  });

  describe.each(WAYS)("by $way", ({ by, acting }) => {
    it("mutes: the member cannot send, is told why and until when, reads on, and can send again after the unmute", async () => {
      const act = acting();
      const user = someone();
      const member = await device(user);
      const end = inMs(3_600_000);
      const answer = await act("mute", user, { why: "Advertising", until: end });
      expect(answer).toEqual({ ok: true, user, until: end, why: "Advertising", by, at: expect.any(String) });
      expect(await shown(user)).toMatchObject({ mute: { until: end, why: "Advertising", by, at: answer.at }, ban: null });

      const words = `You are muted until ${end}: Advertising.`;
      const refused = await member.ask("send", { to: "friend", text: "hello" });
      expect(refused).toEqual({ ok: false, error: { code: "muted", message: words } });
      expect(await sendOverHttp(user, "friend")).toMatchObject({ status: 403, body: { code: "muted", detail: words } });
      await notify(service, [user], "still told");
      await until("the news", () => member.unread === 1);
      expect(await member.ask("list", {})).toMatchObject({ ok: true, items: [{ text: "still told" }] });

      expect(await act("unmute", user)).toEqual({ ok: true, user, by, at: expect.any(String) });
      expect(await member.ask("send", { to: "friend", text: "hello" })).toMatchObject({ ok: true });
      expect(await act("unmute", user, {})).toMatchObject({ ok: false, error: { code: "not_found" } });
    });

    it("kicks: all the member's sessions end with the reason and stay away, and the member may come back", async () => {
      const act = acting();
      const user = someone();
      const sessions = ["/notifications", "/notifications", "/live"].map((namespace) => open(namespace, user));
      await Promise.all(sessions.map((session) => session.settled()));
      expect(await act("kick", user, { why: "Calm down" })).toEqual({ ok: true, user, why: "Calm down", by, at: expect.any(String) });
      for (const session of sessions) {
        await until("the session has ended", () => session.isDismissed);
        expect(session.of("goodbye")).toMatchObject([{ code: "kicked", message: expect.stringContaining("Calm down"), reconnect: false }]);
      }
      expect((await device(user)).farewells).toEqual([]);
    });

    it("bans: no session stays, none begins, no token is taken, and what came meanwhile is there after the unban", async () => {
      const act = acting();
      const user = someone();
      const before = await device(user);
      const start = { ...before.cursor } as NonNullable<Member["cursor"]>;
      const sessions = ["/notifications", "/notifications", "/live"].map((namespace) => open(namespace, user));
      await Promise.all(sessions.map((session) => session.settled()));
      const end = inMs(3_600_000);
      const answer = await act("ban", user, { why: "Threats!", until: end });
      expect(answer).toEqual({ ok: true, user, until: end, why: "Threats!", by, at: expect.any(String) });
      for (const session of sessions) {
        await until("the session has ended", () => session.isDismissed);
        expect(session.of("goodbye")).toMatchObject([{ code: "banned", reconnect: false }]);
        expect(String(session.of("goodbye")[0]?.message)).toContain(`until ${end}: Threats!`);
      }
      await until("the first session has ended", () => before.farewells.length === 1);

      const words = `You are banned until ${end}: Threats!`;
      for (const namespace of ["/notifications", "/live"]) {
        const attempt = await open(namespace, user).settled();
        expect(attempt.refusals).toEqual([{ code: "banned", message: words, retry: false }]);
        expect(attempt.socket.active).toBe(false);
      }
      for (const [method, path] of [
        ["GET", "/v1/me/notifications"],
        ["GET", "/v1/me/stream"],
        ["GET", "/v1/me/levels"],
        ["POST", "/v1/me/read_all"],
        ["POST", "/v1/messages"],
        ["GET", "/v1/audit"],
      ] as const) {
        const refused = await call(service, method, path, tokenOf(service, user), method === "GET" ? undefined : {});
        expect({ path, status: refused.status, body: refused.body }).toMatchObject({
          path,
          status: 403,
          body: { code: "banned", detail: words },
        });
      }
      await notify(service, [user], "meanwhile");

      expect(await act("unban", user, { why: "Apologised" })).toEqual({ ok: true, user, why: "Apologised", by, at: expect.any(String) });
      const back = new Member(user, { url: service.url, secret: service.jwtSecret });
      members.push(back);
      back.cursor = start;
      await back.connect().ready();
      expect([...back.applied.values()].map(({ data }) => data.text)).toEqual(["meanwhile"]);
      expect(await act("unban", user)).toMatchObject({ ok: false, error: { code: "not_found" } });
    });
  });

  it("lays a mute or a ban anew: the last one counts", async () => {
    const act = actingOverHttp(service, service.apiKey);
    const user = await known(someone());
    await act("ban", user, { why: "first", until: inMs(SHORT_MS) });
    await act("ban", user, { why: "second" });
    await act("mute", user, { why: "first" });
    await act("mute", user, { why: "second", until: inMs(3_600_000) });
    expect(await shown(user)).toMatchObject({ ban: { why: "second", until: null }, mute: { why: "second", until: expect.any(String) } });
    expect((await open("/live", user).settled()).refusals).toMatchObject([{ code: "banned", message: "You are banned for good: second." }]);
  });

  it("ends mutes and bans by themselves at their time", async () => {
    const act = actingOverHttp(service, service.apiKey);
    const [muted, banned] = [someone(), await known(someone())] as const;
    const member = await device(muted);
    await act("mute", muted, { why: "a moment", until: inMs(SHORT_MS) });
    await act("ban", banned, { why: "a moment", until: inMs(SHORT_MS) });
    expect(await member.ask("send", { to: "friend", text: "x" })).toMatchObject({ error: { code: "muted" } });
    expect(await sendOverHttp(banned, "friend")).toMatchObject({ body: { code: "banned" } });
    await until("the mute has ended", async () => (await member.ask("send", { to: "friend", text: "x" })).ok);
    await until("the ban has ended", async () => (await sendOverHttp(banned, "friend")).status === 200);
    expect((await device(banned)).farewells).toEqual([]);
    expect(await shown(muted)).toMatchObject({ mute: null, ban: null });
    expect(await act("unmute", muted)).toMatchObject({ error: { code: "not_found" } });
  });

  it("keeps what was answered, whatever happens to the process right after", async () => {
    const [muted, banned, kicked] = await Promise.all([known(someone()), known(someone()), known(someone())]);
    const lay = onSocket("mod", "moderator");
    const laid = await lay("ban", banned, { why: "kept" });
    await service.kill9();
    await service.start();
    expect(await shown(banned)).toMatchObject({ ban: { why: "kept", by: "mod", at: laid.at, until: null } });
    expect((await open("/notifications", banned).settled()).refusals).toMatchObject([{ code: "banned", retry: false }]);

    const again = onSocket("mod", "moderator");
    const answers = await Promise.all([
      again("mute", muted, { why: "kept too" }),
      again("kick", kicked, { why: "kept three" }),
      again("unban", banned),
    ]);
    await service.kill9();
    await service.start();
    expect(answers).toMatchObject([{ ok: true }, { ok: true }, { ok: true }]);
    expect(await shown(muted)).toMatchObject({ mute: { why: "kept too" } });
    expect(await shown(banned)).toMatchObject({ ban: null });
    const { body } = await call(service, "GET", `/v1/audit?target=${kicked}`, service.apiKey);
    expect(body.items).toMatchObject([{ act: "kick", why: "kept three", at: answers[1]?.at }]);
    expect((await device(banned)).farewells).toEqual([]);
  }, 60_000);

  it("is of no use against admins to a moderator, and against oneself to nobody", async () => {
    const admin = someone();
    const chief = await open("/moderation", admin, "admin").settled();
    const [mod, other] = [onSocket("mod", "moderator"), actingOverHttp(service, tokenOf(service, "mod", "moderator", "x"))];
    for (const act of ["mute", "ban", "kick", "unmute", "unban"] as const) {
      for (const acting of [mod, other]) {
        expect(await acting(act, admin, { why: "revolt" })).toMatchObject({ error: { code: "forbidden" } });
        expect(await lastEntry()).toMatchObject({ by: "mod", act, target: admin, why: "revolt", refused: expect.any(String) });
      }
      expect(await chief.ask(act, { user: admin, why: "me" })).toMatchObject({ error: { code: "bad_request" } });
    }
    expect(await shown(admin)).toMatchObject({ mute: null, ban: null });
    expect(chief.of("goodbye")).toEqual([]);
    expect(await onSocket("another-admin", "admin")("ban", admin, { why: "as agreed" })).toMatchObject({ ok: true });
    await until("the admin's session has ended", () => chief.isDismissed);
    expect((await open("/moderation", admin, "admin").settled()).refusals).toMatchObject([{ code: "banned", retry: false }]);
  });

  it("is refused to members without the role, and the log has it", async () => {
    const [member, victim] = [someone(), await known(someone())] as const;
    const intruder = await open("/moderation", member, "helper").settled();
    expect(intruder.refusals).toMatchObject([{ code: "unauthorized", retry: false }]);
    expect(await lastEntry()).toMatchObject({ by: member, act: "connect", refused: expect.any(String), from: "127.0.0.1" });
    const acting = actingOverHttp(service, tokenOf(service, member, "helper"));
    for (const act of ["mute", "ban", "kick", "unmute", "unban"] as const) {
      expect(await acting(act, victim, { why: "because" })).toMatchObject({ status: 403, error: { code: "forbidden" } });
      expect(await lastEntry()).toEqual({
        id: expect.any(String),
        at: expect.any(String),
        by: member,
        act,
        target: victim,
        why: "because",
        refused: "Acts of moderation need the role moderator or admin.",
        from: "127.0.0.1",
      });
    }
    expect(await shown(victim)).toMatchObject({ mute: null, ban: null });
    for (const path of ["/v1/audit", "/v1/audit?format=csv", `/v1/members/${victim}`]) {
      expect(await call(service, "GET", path, tokenOf(service, member))).toMatchObject({ status: 403, body: { code: "forbidden" } });
    }
  });

  it("leaves deletions as they are: a banned author's posts go from screens, and a muted or banned reader's replay has it", async () => {
    const [author, muted, banned] = await Promise.all([known(someone()), known(someone()), known(someone())]);
    const act = actingOverHttp(service, service.apiKey);
    const [onScreen, away] = (await Promise.all([muted, banned].map(device))) as [Member, Member];
    const comment = someone();
    const event = (type: string) => ({
      id: `${type}/${comment}`,
      type: `comment.${type}`,
      actor: { id: author },
      thread: { id: "497" },
      comment: { id: comment, mentions: [muted, banned] },
    });
    await call(service, "POST", "/v1/events", service.apiKey, event("created"));
    await until("both are told", () => onScreen.unread === 1 && away.unread === 1);
    await act("mute", muted, { why: "noise" });
    for (const user of [author, banned]) await act("ban", user, { why: "worse" });
    await until("the banned one is out", () => !away.connected);
    await call(service, "POST", "/v1/events", service.apiKey, event("deleted"));
    await until("it is gone from the screen", () => onScreen.items.size === 0 && onScreen.unread === 0);
    await act("unban", banned);
    await away.connect().ready();
    expect(away.items.size).toBe(0);
    expect([...away.applied.values()].map(({ kind }) => kind)).toEqual(["notification", "notification.rescinded"]);
  });
});
