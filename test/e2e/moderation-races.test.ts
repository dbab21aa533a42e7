import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { actingOnSocket, actingOverHttp } from "../support/acts.js";
import { call, inMs, tokenOf } from "../support/call.js";
import { Channel } from "../support/channel.js";
import { type Entry, Member, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { startPair } from "../support/nodes.js";
import { joinPacket, metric, RawSocket } from "../support/raw.js";
import { type Service, startService } from "../support/service.js";

/**
 * `replayed`: entries of the replay that a ban stops. Together they have some 10 MB, more than connections buffer; MongoDB takes its time to
 * store them, so there they are fewer and larger.
 */
const STORES = [
  { store: "SQLite", env: () => ({}), replayed: 10_000, letter: "x" },
  { store: "MongoDB", env: () => ({ MONGODB_URL: mongoUrl("races") }), replayed: 4_000, letter: "📣" },
];

/** Events of one request. */
const EVENTS_A_CALL = 1_000;

/** Sessions that a banned member tries to begin at once. */
const CONNECTS = 50;

/** How often they try, each time as a new member. */
const ROUNDS = 8;

/** What is promised within a second, on a machine that is busy with tests. Milliseconds. */
const PROMPT_MS = 4_000;

const channels: Channel[] = [];
const members: Member[] = [];
let count = 0;

afterEach(() => {
  for (const channel of channels.splice(0)) channel.leave();
  for (const member of members.splice(0)) member.disconnect();
});

const someone = () => `member-${++count}`;

function open(service: Service, namespace: string, user: string, ...roles: string[]): Channel {
  // A device has the handshake read more, which gives races their time.
  const channel = new Channel(service, namespace, { token: tokenOf(service, user, ...roles), device: someone() });
  channels.push(channel);
  return channel;
}

async function known(service: Service): Promise<string> {
  const user = someone();
  expect(await call(service, "PUT", `/v1/members/${user}`, service.apiKey, {})).toMatchObject({ status: 200 });
  return user;
}

/** A comment that mentions the member. */
function eventFor(user: string, id: string, letter: string): object {
  const thread = { id: "497", title: letter.repeat(300) };
  const comment = { id: `comment-${id}`, excerpt: letter.repeat(500), mentions: [user] };
  return { id: `event-${id}`, type: "comment.created", actor: { id: "author" }, thread, comment };
}

/** Each of these has a session, until it was shut out, or never had one. */
async function expectShutOut(crowd: Channel[], services: Service[]): Promise<void> {
  for (const channel of crowd) {
    await until(
      () => `every session has ended (${crowd.filter((one) => one.socket.connected).length} have not)`,
      () => channel.isDismissed || channel.refusals.length > 0,
    );
  }
  const codes = crowd.map((channel) => channel.of("goodbye")[0]?.code ?? channel.refusals[0]?.code);
  for (const code of new Set(codes)) expect(["banned", "too_many_connections"]).toContain(code);
  for (const service of services) {
    await until("no session is left", async () => (await metric(service, "belfry_connected_sessions")) === 0);
    expect((await call(service, "GET", "/v1/online", service.apiKey)).body).toEqual({ users: 0, sessions: 0 });
  }
}

describe.each(STORES)("a ban on $store", ({ env, replayed, letter }) => {
  let service: Service;

  beforeAll(async () => {
    service = await startService({ env: env() });
  });

  afterAll(async () => {
    await service.stop();
  });

  it("during a replay of thousands of entries stops it; nothing later arrives, and nothing is lost for when it is over", async () => {
    const user = someone();
    // One call after the other: one member's entries are stored one by one, and no caller is kept waiting for longer than ten seconds.
    for (let part = 0; part < replayed / EVENTS_A_CALL; part++) {
      const events = Array.from({ length: EVENTS_A_CALL }, (_, index) => eventFor(user, `${part}-${index}`, letter));
      expect(await call(service, "POST", "/v1/events", service.apiKey, events)).toMatchObject({ status: 202 });
    }
    const { body } = await call(service, "GET", "/v1/me/stream?limit=1", tokenOf(service, user));
    expect(body).toMatchObject({ head: replayed });
    const epoch = String(body.epoch);

    const reader = await RawSocket.open(service);
    reader.send(joinPacket(service, user, { cursors: { inbox: { epoch, seq: 0 } } }));
    await reader.hears('42/notifications,["entries"');
    reader.pause();
    const act = actingOverHttp(service, service.apiKey);
    expect(await act("ban", user, { why: "enough" })).toMatchObject({ ok: true });
    reader.resume();
    await reader.isCut();

    const frames = reader.heard.filter((frame) => frame.startsWith("4"));
    const farewell = frames.findIndex((frame) => frame.startsWith('42/notifications,["goodbye",{"code":"banned"'));
    expect(frames.slice(farewell + 1)).toEqual(["41/notifications,"]);
    const seqs = frames
      .filter((frame) => frame.startsWith('42/notifications,["entries"'))
      .flatMap((frame) => (JSON.parse(frame.slice("42/notifications,".length)) as [string, { entries: Entry[] }])[1].entries)
      .map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from(seqs, (_, index) => index + 1));
    expect(seqs.length).toBeGreaterThan(0);
    expect(seqs.length).toBeLessThan(replayed / 2);

    expect(await act("unban", user)).toMatchObject({ ok: true });
    const back = new Member(user, { url: service.url, secret: service.jwtSecret });
    members.push(back);
    back.cursor = { epoch, seq: seqs.length };
    await back.connect().ready();
    expect(back).toMatchObject({ snapshots: 0, doubled: 0, cursor: { epoch, seq: replayed } });
    expect(back.applied.size).toBe(replayed - seqs.length);
  }, 60_000);

  it("that races 50 connects of the member leaves no session", async () => {
    const act = actingOverHttp(service, service.apiKey);
    for (let round = 0; round < ROUNDS; round++) {
      const user = await known(service);
      const crowd = Array.from({ length: CONNECTS }, (_, index) => open(service, index % 5 === 4 ? "/live" : "/notifications", user));
      // Some bans come with the first, others in the midst of them.
      await until("some are there", () => crowd.filter(({ socket }) => socket.connected).length >= 4 * round);
      expect(await act("ban", user, { why: "now" })).toMatchObject({ ok: true });
      await expectShutOut(crowd, [service]);
      for (const channel of channels.splice(0)) channel.leave();
    }
  });
});

describe("an act through one of two processes on one MongoDB", () => {
  let nodes: [here: Service, there: Service];

  beforeAll(async () => {
    nodes = await startPair(mongoUrl("nodes"));
  });

  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  });

  it.each(["ban", "kick"] as const)("ends the sessions on the other within a second: %s", async (act) => {
    const [here, there] = nodes;
    const user = await known(here);
    const sessions = ["/notifications", "/notifications", "/live"].map((namespace) => open(there, namespace, user));
    await Promise.all(sessions.map((session) => session.settled()));
    const moderator = actingOnSocket(open(here, "/moderation", "mod", "moderator"));
    expect(await moderator(act, user, { why: "enough" })).toMatchObject({ ok: true });
    for (const session of sessions) {
      await until("the session has ended", () => session.isDismissed, PROMPT_MS);
      expect(session.of("goodbye")).toMatchObject([{ code: act === "ban" ? "banned" : "kicked", reconnect: false }]);
    }
    const back = await open(there, "/notifications", user).settled();
    expect(back.refusals.map(({ code }) => code)).toEqual(act === "ban" ? ["banned"] : []);
  });

  it("holds on the other for whatever is asked right after the answer", async () => {
    const [here, there] = nodes;
    const act = actingOverHttp(here, here.apiKey);
    const [muted, banned, friend] = await Promise.all([known(here), known(here), known(here)]);
    const sessions = await Promise.all([muted, banned].map((user) => open(there, "/notifications", user).settled()));
    const [ofMuted, ofBanned] = sessions as [Channel, Channel];
    await act("mute", muted, { why: "hush" });
    expect(await ofMuted.ask("send", { to: friend, text: "x" })).toMatchObject({ error: { code: "muted" } });
    await act("unmute", muted);
    expect(await ofMuted.ask("send", { to: friend, text: "x" })).toMatchObject({ ok: true });

    await act("ban", banned, { why: "out", until: inMs(3_600_000) });
    const refreshed = ofBanned.ask("refresh", { token: tokenOf(there, banned) });
    const gone = until("the session has ended", () => ofBanned.isDismissed);
    // The session may end before it has its answer.
    const answer = await Promise.race([refreshed, gone]);
    refreshed.catch(() => {});
    if (answer !== undefined) expect(answer).toMatchObject({ ok: false, error: { code: "banned" } });
    await gone;
    expect(await call(there, "GET", "/v1/me/levels", tokenOf(there, banned))).toMatchObject({ status: 403, body: { code: "banned" } });
    await act("unban", banned);
    expect(await call(there, "GET", "/v1/me/levels", tokenOf(there, banned))).toMatchObject({ status: 200 });
  });

  it("is in the one log that both have, and moderators of both see it live", async () => {
    const watching = await Promise.all(nodes.map((node, index) => open(node, "/moderation", `watcher-${index}`, "moderator").settled()));
    const users = await Promise.all(nodes.flatMap((node) => [known(node), known(node), known(node)]));
    const acts = nodes.flatMap((node) => users.map((user) => actingOverHttp(node, node.apiKey)("mute", user, { why: `by ${node.url}` })));
    await Promise.all(acts);
    const logs = await Promise.all(nodes.map((node) => call(node, "GET", "/v1/audit?act=mute&by=server&limit=12", node.apiKey)));
    const [log] = logs.map(({ body }) => (body.items as object[]).toReversed());
    expect(log).toHaveLength(acts.length);
    expect(logs[1]?.body).toEqual(logs[0]?.body);
    for (const watcher of watching) {
      const seen = () => watcher.of("audit").filter(({ act }) => act === "mute");
      await until("all acts were seen", () => seen().length === acts.length, PROMPT_MS);
      expect(seen()).toEqual(log);
    }
  });

  it("that races connects to both leaves no session", async () => {
    const [here] = nodes;
    const user = await known(here);
    const crowd = Array.from({ length: CONNECTS }, (_, index) => open(nodes[index % 2] as Service, "/notifications", user));
    await until("some are there", () => crowd.filter(({ heard }) => heard.length > 0).length >= 5);
    expect(await actingOverHttp(here, here.apiKey)("ban", user, { why: "now" })).toMatchObject({ ok: true });
    await expectShutOut(crowd, nodes);
  });
});
