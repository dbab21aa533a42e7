import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { io, Manager, type Socket } from "socket.io-client";
import { Board, SlowBoard } from "../support/board.js";
import { call, tokenOf } from "../support/call.js";
import { flood } from "../support/flood.js";
import { tokenFor, until } from "../support/member.js";
import { notify } from "../support/notify.js";
import { metric, RawSocket } from "../support/raw.js";
import { type Service, startService } from "../support/service.js";

const MB = 1_024 * 1_024;

/**
 * How much the process may grow under the writes, which is what V8 has not given back. That nothing is kept for the slow client shows in
 * what it still gets in the end.
 */
const MAX_GROWTH = 80 * MB;

/** Longer than usual: the writes take as long as a busy machine needs for them. Milliseconds. */
const FLOOD_TIMEOUT_MS = 90_000;

let service: Service;
const undo: Array<() => void> = [];

beforeAll(async () => {
  service = await startService();
});

afterEach(() => {
  for (const one of undo.splice(0)) one();
  expect(service.output).not.toMatch(/"level":[56]0/);
});

afterAll(async () => {
  await service.stop();
});

function board(user: string, token?: string): Board {
  const one = new Board(service, token ?? tokenOf(service, user));
  undo.push(() => one.leave());
  return one;
}

async function write(topic: string, data: unknown): Promise<Record<string, unknown>> {
  const answer = await call(service, "PUT", `/v1/topics/${topic}`, service.apiKey, { data });
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body;
}

/** The namespaces over one connection, as one member's page has them. */
function page(user: string, transport: "websocket" | "polling", ...namespaces: string[]): Socket[] {
  const manager = new Manager(service.url, { transports: [transport], reconnection: false });
  undo.push(() => manager.engine.close());
  return namespaces.map((namespace) => manager.socket(namespace, { auth: { token: tokenOf(service, user, "moderator") } }));
}

/** Resolves with the first payload of the event. */
function next(socket: Socket, event: string): Promise<Record<string, unknown>> {
  return new Promise((resolve) => socket.once(event, resolve));
}

const ask = (socket: Socket, event: string, payload: unknown) => socket.timeout(10_000).emitWithAck(event, payload);
const names = (length: number) => Array.from({ length }, (_, index) => `topic-${index}`);

describe("a topic that is written 1,000 times a second", () => {
  const bodyOf = (index: number) => ({ data: { index, filling: "x".repeat(8 * 1_024) } });

  it(
    "costs no memory for a client that reads a packet a second, which has the last value as soon as the writes end",
    async () => {
      // What the process needs for the writes alone.
      await flood(service, "/v1/topics/busy", { perSecond: 500, seconds: 1, bodyOf });
      const before = await metric(service, "process_resident_memory_bytes");
      const fast = board("fast");
      await fast.join("busy");
      const slow = await SlowBoard.join(service, "slow", "busy");
      undo.push(() => slow.drop());
      const { accepted, ms } = await flood(service, "/v1/topics/busy", { perSecond: 1_000, seconds: 3, bodyOf });
      const readMeanwhile = slow.updates.length;
      expect(accepted).toBe(3_000);
      expect((await metric(service, "process_resident_memory_bytes")) - before).toBeLessThan(MAX_GROWTH);

      const { body: last } = await call(service, "GET", "/v1/topics/busy", service.apiKey);
      await until("the last value", () => slow.updates.at(-1)?.seq === last.seq);
      expect(slow.updates.at(-1)?.data).toEqual(last.data);
      expect(slow.updates.length - readMeanwhile).toBeLessThanOrEqual(3);
      const seqs = slow.updates.map(({ seq }) => seq);
      expect(seqs).toEqual([...new Set(seqs)].sort((one, other) => one - other));
      expect(slow.closed).toBe(false);

      await until("the last value on the other board", () => fast.latest.get("busy")?.seq === last.seq);
      expect(fast.stale).toEqual([]);
      expect(fast.updates.length).toBeLessThanOrEqual(ms / 50 + 10);
      expect(fast.updates.length).toBeGreaterThan(slow.updates.length);
    },
    FLOOD_TIMEOUT_MS,
  );
});

describe("a connection to /live", () => {
  it("joins 50 topics in one request, and no 51", async () => {
    const one = board("many");
    expect(await one.join(...names(51))).toMatchObject({ ok: false, error: { code: "bad_request" } });
    const { topics } = await one.join(...names(50));
    expect(Object.keys(topics as object)).toEqual(names(50));
    for (const name of names(51)) await write(name, name);
    await until("all 50 values", () => one.latest.size === 50);
    await one.join("topic-50");
    expect(one.updates.map(({ topic }) => topic).sort()).toEqual(names(50).sort());
    expect(await one.ask("leave", { topics: names(51) })).toMatchObject({ ok: false, error: { code: "bad_request" } });
  });

  it("needs a token unless the operator lets guests in, who see public topics then", async () => {
    for (const auth of [undefined, ""]) {
      const refused = new Board(service, auth);
      undo.push(() => refused.leave());
      await refused.settled();
      expect(refused.refusals).toMatchObject([{ code: "unauthorized", retry: false }]);
    }
    const open = await startService({ env: { GUESTS: "on" } });
    try {
      for (const [topic, access] of [
        ["public", "public"],
        ["members", "members"],
      ]) {
        await call(open, "PUT", `/v1/topics/${topic}`, open.apiKey, { data: 1, access });
      }
      const guest = new Board(open);
      undo.push(() => guest.leave());
      expect(await guest.join("public")).toMatchObject({ ok: true, topics: { public: { data: 1 } } });
      expect(await guest.join("members")).toMatchObject({ ok: false, error: { code: "forbidden" } });
      expect(await guest.ask("refresh", { token: tokenOf(open, "ada") })).toMatchObject({ ok: false, error: { code: "forbidden" } });
      // A token that is there must be a right one, also where none is needed.
      const forger = new Board(open, tokenFor("x".repeat(32), { sub: "ada" }));
      undo.push(() => forger.leave());
      await forger.settled();
      expect(forger.refusals).toMatchObject([{ code: "unauthorized" }]);
      const elsewhere = io(`${open.url}/notifications`, { forceNew: true, reconnection: false });
      undo.push(() => elsewhere.disconnect());
      expect(await next(elsewhere, "connect_error")).toMatchObject({ data: { code: "unauthorized" } });
    } finally {
      await open.stop();
    }
  });

  it("ends when the member is banned, and none begins until the ban is over", async () => {
    const [banned, other] = [board("banned"), board("other")];
    for (const one of [banned, other]) await one.join("board");
    await call(service, "PUT", "/v1/members/banned/ban", service.apiKey, { why: "Spam" });
    await until("the farewell", () => banned.isDismissed);
    expect(banned.of("goodbye")).toMatchObject([{ code: "banned", message: expect.stringContaining("Spam"), reconnect: false }]);
    await write("board", 1);
    await until("the update", () => other.shows("board") === 1);
    expect(banned.updates).toEqual([]);
    const again = await board("banned").settled();
    expect(again.refusals).toMatchObject([{ code: "banned" }]);
    await call(service, "DELETE", "/v1/members/banned/ban", service.apiKey);
    expect(await board("banned").join("board")).toMatchObject({ ok: true });
  });

  it("ends with its token, unless that was renewed", async () => {
    const exp = Math.floor(Date.now() / 1_000) + 2;
    const [expiring, renewed] = [
      board("expiring", tokenFor(service.jwtSecret, { sub: "expiring", exp })),
      board("renewed", tokenFor(service.jwtSecret, { sub: "renewed", exp })),
    ];
    await renewed.join("tokens");
    expect(await renewed.ask("refresh", { token: "x" })).toMatchObject({ ok: false, error: { code: "unauthorized" } });
    expect(await renewed.ask("refresh", { token: tokenOf(service, "renewed") })).toMatchObject({ ok: true, expiresAt: expect.any(String) });
    await until("the farewell", () => expiring.of("goodbye").length > 0);
    expect(expiring.of("goodbye")).toMatchObject([{ code: "token_expired", reconnect: true }]);
    await until("the next attempt is refused", () => expiring.refusals.length > 0);
    expect(expiring.refusals[0]).toMatchObject({ code: "token_expired", retry: true });
    await until("the old expiry has passed", () => Date.now() / 1_000 > exp + 1.5);
    await write("tokens", "after");
    await until("the update", () => renewed.shows("tokens") === "after");
    expect(renewed.of("goodbye")).toEqual([]);
  });

  it("goes on whatever it asks, and is told what is wrong", async () => {
    const raw = await RawSocket.open(service);
    undo.push(() => raw.drop());
    raw.send(`40/live,${JSON.stringify({ token: tokenOf(service, "junk") })}`);
    await raw.hears("40/live,");
    const events = [
      '["nope",{}]',
      '["update",{"topic":"junk"}]',
      '["online"]',
      '["join"]',
      '["join",null]',
      '["join",[]]',
      '["join",{"topics":[]}]',
      '["join",{"topics":"junk"}]',
      '["join",{"topics":[null]}]',
      '["join",{"topics":{"length":1,"0":"junk"}}]',
      `["join",{"topics":${"[".repeat(5_000)}${"]".repeat(5_000)}}]`,
      '["join",{"__proto__":{"topics":["junk"]}}]',
      '["leave",{}]',
      '["leave"]',
      '["refresh",{}]',
      '["refresh",{"token":{}}]',
      '["error",{}]',
      '["toString"]',
      "[7,{}]",
    ];
    for (const [index, event] of events.entries()) {
      raw.send(`42/live,${index}${event}`);
      const answer = JSON.parse((await raw.hears(`43/live,${index}[`)).slice(`43/live,${index}`.length)) as object[];
      expect([event, answer[0]]).toMatchObject([
        event,
        { ok: false, error: { code: event.includes("refresh") ? expect.stringMatching(/bad_request|unauthorized/) : "bad_request" } },
      ]);
    }
    // Pongs that nothing asked for, and events that want no answer.
    raw.send("3", "3", "3", '42/live,["nope"]', '42/live,["join",{"topics":["junk"]}]', '42/live,100["leave",{"topics":["other"]}]');
    await raw.hears('43/live,100[{"ok":true}]');
    await write("junk", "still here");
    expect(await raw.hears('42/live,["update",')).toContain("still here");
    expect(raw.closed).toBe(false);
  });
});

describe.each(["websocket", "polling"] as const)("one connection for all namespaces, by %s", (transport) => {
  it("goes on with the others when one is left, and all work again when it is joined again", async () => {
    const user = `page-${transport}`;
    const [live, notifications, moderation] = page(user, transport, "/live", "/notifications", "/moderation") as [Socket, Socket, Socket];
    await next(notifications, "synced");
    const values: unknown[] = [];
    live.on("update", ({ data }: { data: unknown }) => values.push(data));
    expect(await ask(live, "join", { topics: [user] })).toEqual({ ok: true, topics: { [user]: null } });
    expect(await ask(moderation, "audit", { limit: 1 })).toMatchObject({ ok: true });

    live.disconnect();
    const news = next(notifications, "entries");
    await write(user, "unheard");
    await notify(service, [user], "hello");
    expect(await news).toMatchObject({ stream: "inbox", entries: [{ data: { text: "hello" } }] });
    expect(values).toEqual([]);

    live.connect();
    expect(await ask(live, "join", { topics: [user] })).toMatchObject({ ok: true, topics: { [user]: { data: "unheard" } } });
    notifications.disconnect();
    moderation.disconnect();
    for (const value of ["one", "two"]) {
      await write(user, value);
      await until(`the update ${value}`, () => values.at(-1) === value);
    }
    expect(values).toEqual(["one", "two"]);
    live.disconnect();
    await until("the session is gone", async () => (await metric(service, "belfry_connected_sessions")) === 0);
  });
});
