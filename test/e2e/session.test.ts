import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { io, type Socket } from "socket.io-client";
import { Member, tokenFor, until } from "../support/member.js";
import { notify } from "../support/notify.js";
import { type Service, startService } from "../support/service.js";

let service: Service;
let where: { url: string; secret: string };
const members: Member[] = [];

beforeAll(async () => {
  service = await startService();
  where = { url: service.url, secret: service.jwtSecret };
});

afterEach(() => {
  for (const member of members.splice(0)) member.disconnect();
});

afterAll(async () => {
  await service.stop();
});

function member(user: string): Member {
  const one = new Member(user, where);
  members.push(one);
  return one;
}

describe("a plain client", () => {
  it("of ten lines gets what it missed and what comes, in order", async () => {
    await notify(service, ["plain"], "before");
    const texts: string[] = [];
    const socket = io(`${service.url}/notifications`, { auth: { token: tokenFor(service.jwtSecret, { sub: "plain" }) } });
    socket.on("snapshot", ({ items }) => texts.push(...items.map((item: { text: string }) => item.text).reverse()));
    socket.on("entries", ({ entries }) => texts.push(...entries.map((entry: { data: { text: string } }) => entry.data.text)));
    await new Promise((resolve) => socket.once("synced", resolve));
    for (const text of ["one", "two", "three"]) await notify(service, ["plain"], text);
    await until("four texts", () => texts.length === 4);
    socket.disconnect();
    expect(texts).toEqual(["before", "one", "two", "three"]);
  });

  it("may use polling alone", async () => {
    const socket = io(`${service.url}/notifications`, {
      transports: ["polling"],
      auth: { token: tokenFor(service.jwtSecret, { sub: "polling" }) },
    });
    const seqs: number[] = [];
    socket.on("entries", ({ entries }) => seqs.push(...entries.map((entry: { seq: number }) => entry.seq)));
    await new Promise((resolve) => socket.once("synced", resolve));
    for (let count = 0; count < 5; count++) await notify(service, ["polling"], "hello");
    await until("five entries", () => seqs.length === 5);
    socket.disconnect();
    expect(seqs).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("the order of a session", () => {
  it("is welcome, then a snapshot or a replay, then synced, once a stream", async () => {
    for (let count = 0; count < 3; count++) await notify(service, ["order"], "hello");
    const events = async (auth: object): Promise<Array<[string, Record<string, unknown>]>> => {
      const heard: Array<[string, Record<string, unknown>]> = [];
      const socket = io(`${service.url}/notifications`, {
        forceNew: true,
        auth: { token: tokenFor(service.jwtSecret, { sub: "order" }), ...auth },
      });
      socket.onAny((event, payload) => heard.push([event, payload]));
      await until("both streams are synced", () => heard.filter(([event]) => event === "synced").length === 2);
      socket.disconnect();
      return heard;
    };
    const first = await events({});
    const welcome = first[0]?.[1] as { streams: { inbox: { epoch: string } } };
    const { epoch } = welcome.streams.inbox;
    expect(first[0]).toMatchObject([
      "welcome",
      { user: "order", online: 1, unread: 3, streams: { inbox: { base: 1, head: 3, unread: 3, resume: "snapshot", from: 3 } } },
    ]);
    const inbox = (heard: Array<[string, Record<string, unknown>]>) =>
      heard.filter(([, payload]) => payload["stream"] === "inbox").map(([event]) => event);
    expect(inbox(first)).toEqual(["snapshot", "synced"]);

    const exact = await events({ cursors: { inbox: { epoch, seq: 1 } } });
    expect(exact[0]).toMatchObject(["welcome", { streams: { inbox: { resume: "exact", from: 1 } } }]);
    expect(inbox(exact)).toEqual(["entries", "synced"]);
    expect(exact.find(([event]) => event === "entries")?.[1]).toMatchObject({
      epoch,
      entries: [
        { seq: 2, unread: 2 },
        { seq: 3, unread: 3 },
      ],
    });

    for (const cursor of [
      { epoch: "another", seq: 1 },
      { epoch, seq: 4 },
    ]) {
      const reset = await events({ cursors: { inbox: cursor } });
      expect(reset[0]).toMatchObject(["welcome", { streams: { inbox: { resume: "reset", from: 3 } } }]);
      expect(inbox(reset)).toEqual(["snapshot", "synced"]);
    }
  });

  it("pages a long replay: at most 100 entries and 256 KiB a packet", async () => {
    const text = "x".repeat(1_900);
    await Promise.all(Array.from({ length: 450 }, () => notify(service, ["long"], text)));
    const sizes: Array<{ count: number; bytes: number }> = [];
    const seqs: number[] = [];
    const probe = await member("long").connect().ready();
    const epoch = probe.cursor?.epoch;
    const socket = io(`${service.url}/notifications`, {
      forceNew: true,
      auth: { token: tokenFor(service.jwtSecret, { sub: "long" }), cursors: { inbox: { epoch, seq: 0 } } },
    });
    socket.on("entries", ({ entries }) => {
      sizes.push({ count: entries.length, bytes: Buffer.byteLength(JSON.stringify(entries)) });
      seqs.push(...entries.map((entry: { seq: number }) => entry.seq));
    });
    await until("450 entries", () => seqs.length >= 450);
    socket.disconnect();
    expect(seqs).toEqual(Array.from({ length: 450 }, (_, index) => index + 1));
    expect(Math.max(...sizes.map(({ count }) => count))).toBeLessThanOrEqual(100);
    expect(Math.max(...sizes.map(({ bytes }) => bytes))).toBeLessThanOrEqual(256 * 1024);
  });
});

describe("a member's devices", () => {
  it("agree on what is read, archived and unread, whoever did it", async () => {
    const phone = await member("devices").connect().ready();
    const laptop = await member("devices").connect().ready();
    for (let count = 0; count < 4; count++) await notify(service, ["devices"], "hello");
    await until("four on both", () => phone.unread === 4 && laptop.unread === 4);
    const ids = [...phone.items.keys()] as [string, string, string, string];
    expect(await phone.ask("read", { ids: [ids[0]] })).toEqual({ ok: true, seq: 5, unread: 3 });
    await laptop.ask("archive", { ids: [ids[1]] });
    await phone.ask("read_all", {});
    await laptop.ask("unread", { ids: [ids[2]] });
    await until("both at 8", () => phone.cursor?.seq === 8 && laptop.cursor?.seq === 8);
    expect(phone.unread).toBe(1);
    expect([...phone.items.values()]).toEqual([...laptop.items.values()]);
    const list = await phone.ask("list", { filter: "unread" });
    expect(list).toMatchObject({ ok: true, unread: 1, more: false, items: [{ id: ids[2] }] });
    const over = await fetch(`${service.url}/v1/me/notifications?filter=archived`, {
      headers: { authorization: `Bearer ${tokenFor(service.jwtSecret, { sub: "devices" })}` },
    });
    expect(await over.json()).toMatchObject({ items: [{ id: ids[1] }], more: false, unread: 1 });
  });

  it("go on from the cursor that they acknowledged, also after a restart of the service", async () => {
    for (let count = 0; count < 5; count++) await notify(service, ["acks"], "hello");
    const first = await member("acks").connect({ device: "phone-1" }).ready();
    expect(await first.ask("ack", { stream: "inbox", seq: 3 })).toEqual({ ok: true });
    first.disconnect();
    await service.restart();
    where.url = service.url;
    const second = member("acks");
    let welcome: Record<string, unknown> = {};
    second.connect({ device: "phone-1" });
    second.socket.on("welcome", (payload) => {
      welcome = payload;
      second.cursor = { epoch: payload.streams.inbox.epoch, seq: payload.streams.inbox.from };
    });
    await second.ready();
    expect(welcome).toMatchObject({ streams: { inbox: { resume: "exact", from: 3, head: 5 } } });
    expect([...second.applied.keys()]).toEqual([4, 5]);
  });
});

describe("a token", () => {
  it("that expires ends the session with a farewell", async () => {
    const exp = Math.floor(Date.now() / 1000) + 2;
    const one = member("expiring").connect({ token: tokenFor(where.secret, { sub: "expiring", exp }) });
    await until("the farewell", () => one.farewells.length > 0);
    expect(one.farewells[0]).toMatchObject({ code: "token_expired", reconnect: true });
    await until("the next attempt is refused", () => one.refusals.length > 0 || one.farewells.length > 1);
    expect(one.refusals[0]).toMatchObject({ code: "token_expired", retry: true });
  });

  it("that is renewed in time keeps the session", async () => {
    const exp = Math.floor(Date.now() / 1000) + 2;
    const one = await member("renewing")
      .connect({ token: tokenFor(where.secret, { sub: "renewing", exp }) })
      .ready();
    expect(await one.ask("refresh", { token: tokenFor(where.secret, { sub: "another" }) })).toMatchObject({
      ok: false,
      error: { code: "forbidden" },
    });
    expect(await one.ask("refresh", { token: tokenFor(where.secret, { sub: "renewing" }) })).toMatchObject({ ok: true });
    await until("the old expiry has passed", () => Date.now() / 1000 > exp + 1.5);
    expect(one.farewells).toEqual([]);
    expect(one.connected).toBe(true);
  });
});

describe("SESSION_POLICY=single", () => {
  it("says goodbye to the older session", async () => {
    const single = await startService({ env: { SESSION_POLICY: "single" } });
    try {
      const place = { url: single.url, secret: single.jwtSecret };
      const older = new Member("one", place);
      const newer = new Member("one", place);
      members.push(older, newer);
      await older.connect().ready();
      await newer.connect().ready();
      await until("the farewell", () => older.farewells.length === 1 && !older.connected);
      expect(older.farewells[0]).toMatchObject({ code: "replaced", reconnect: false });
      expect(newer.connected).toBe(true);
      older.disconnect();
      newer.disconnect();
    } finally {
      await single.stop();
    }
  });
});

describe("SIGTERM", () => {
  it("says when to come back, ends with status 0, and loses nothing", async () => {
    const stopping = await startService();
    const place = { url: stopping.url, secret: stopping.jwtSecret };
    const one = new Member("leaving", place);
    members.push(one);
    await one.connect().ready();
    const sent = Promise.allSettled(
      Array.from({ length: 50 }, (_, index) => notify(stopping, ["leaving"], `text ${index}`, `key-${index}`)),
    );
    await until("some have arrived", () => one.applied.size > 0);
    const stopped = stopping.restart();
    await until("the farewell", () => one.farewells.length === 1);
    expect(one.farewells[0]).toMatchObject({ code: "draining", reconnect: true, afterMs: expect.any(Number) });
    await stopped;
    const accepted = (await sent).filter(({ status }) => status === "fulfilled").length;
    await until("the member is back", () => one.connected && one.synced > 1);
    await until(
      () => `${accepted} entries, has ${one.applied.size}`,
      () => one.applied.size >= accepted,
    );
    one.disconnect();
    expect(await stopping.stop()).toEqual({ code: 0, signal: null });
  });
});

describe("an acknowledgement", () => {
  const wrong: Array<[string, unknown, string]> = [
    ["read", {}, "bad_request"],
    ["read", { ids: [] }, "bad_request"],
    ["read", { ids: ["x"] }, "not_found"],
    ["read", { ids: "x" }, "bad_request"],
    ["read", { ids: [{ $gt: "" }] }, "bad_request"],
    ["read", { ids: Array.from({ length: 101 }, (_, index) => String(index)) }, "bad_request"],
    ["read", null, "bad_request"],
    ["read", "text", "bad_request"],
    ["read", [1, 2], "bad_request"],
    ["read_all", { upTo: -1 }, "bad_request"],
    ["read_all", { upTo: 1.5 }, "bad_request"],
    ["read_all", { upTo: "1" }, "bad_request"],
    ["read_all", { upTo: 1e300 }, "bad_request"],
    ["seen", { upTo: 99 }, "bad_request"],
    ["sync", { stream: "inbox" }, "bad_request"],
    ["sync", { stream: "other", after: { epoch: "x", seq: 0 } }, "bad_request"],
    ["sync", { stream: "inbox", after: { epoch: "x", seq: 0 } }, "reset"],
    ["sync", { stream: "inbox", after: { epoch: { $ne: "" }, seq: 0 } }, "bad_request"],
    ["list", { filter: "some" }, "bad_request"],
    ["list", { limit: 101 }, "bad_request"],
    ["list", { before: "x" }, "not_found"],
    ["ack", { stream: "inbox", seq: 0 }, "bad_request"],
    ["refresh", { token: "x" }, "unauthorized"],
    ["refresh", {}, "bad_request"],
    ["nonsense", {}, "bad_request"],
    ["error", {}, "bad_request"],
    ["__proto__", {}, "bad_request"],
    ["constructor", {}, "bad_request"],
  ];

  it.each(wrong)("of %s %j says %s", async (event, payload, code) => {
    const one = await member("wrong").connect().ready();
    expect(await one.ask(event, payload)).toMatchObject({ ok: false, error: { code, message: expect.any(String) } });
    expect(await one.ask("list", {})).toMatchObject({ ok: true });
  });

  it("that nobody waits for harms nobody", async () => {
    const one = await member("careless").connect().ready();
    for (const [event, payload] of wrong) one.socket.emit(event, payload);
    one.socket.emit("read");
    one.socket.emit("read", Buffer.from([1, 2, 3]), () => {});
    one.socket.emit("list", {}, "not a callback", 5);
    expect(await one.ask("list", {})).toMatchObject({ ok: true });
  });

  it("asks a client that floods to wait, and disconnects one that does not", async () => {
    const one = await member("flood").connect().ready();
    const answers = await Promise.all(Array.from({ length: 300 }, () => one.ask("list", { limit: 1 })));
    const refused = answers.filter((answer) => !answer.ok);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ error: { code: "rate_limited", retryAfterMs: expect.any(Number) } });
    for (let count = 0; count < 3_000; count++) one.socket.emit("list", {});
    await until("the farewell", () => one.farewells.length > 0);
    expect(one.farewells[0]).toMatchObject({ code: "protocol_error", reconnect: false });
  });
});

describe("a refused connection", () => {
  const auths: Array<[string, () => unknown, string]> = [
    ["no auth", () => undefined, "unauthorized"],
    ["no token", () => ({}), "unauthorized"],
    ["a token that is a number", () => ({ token: 5 }), "bad_request"],
    ["a token that is an operator", () => ({ token: { $gt: "" } }), "bad_request"],
    ["an unsigned token", () => ({ token: `${encode({ alg: "none" })}.${encode({ sub: "x", exp: 9e9 })}.` }), "unauthorized"],
    ["a token of another key", () => ({ token: tokenFor("another secret, long enough to be one", { sub: "x" }) }), "unauthorized"],
    ["an expired token", () => ({ token: tokenFor(where.secret, { sub: "x", exp: 1 }) }), "token_expired"],
    ["a token without a user", () => ({ token: tokenFor(where.secret, {}) }), "unauthorized"],
    ["a token without an end", () => ({ token: tokenFor(where.secret, { sub: "x", exp: undefined }) }), "unauthorized"],
    ["a cursor that is text", () => ({ token: tokenFor(where.secret, { sub: "x" }), cursors: "x" }), "bad_request"],
    [
      "a negative cursor",
      () => ({ token: tokenFor(where.secret, { sub: "x" }), cursors: { inbox: { epoch: "x", seq: -1 } } }),
      "bad_request",
    ],
    ["a device that is an object", () => ({ token: tokenFor(where.secret, { sub: "x" }), device: {} }), "bad_request"],
    ["a very long device", () => ({ token: tokenFor(where.secret, { sub: "x" }), device: "x".repeat(129) }), "bad_request"],
  ];

  it.each(auths)("for %s says why", async (_what, auth, code) => {
    const error = await refused(io(`${service.url}/notifications`, { forceNew: true, reconnection: false, auth: auth() as object }));
    expect(error.data).toMatchObject({ code, message: expect.any(String), retry: expect.any(Boolean) });
  });

  it("from a page of another origin is denied, unless the operator allows it", async () => {
    const auth = { token: tokenFor(where.secret, { sub: "x" }) };
    const options = { forceNew: true, reconnection: false, transports: ["websocket"], auth };
    const foreign = { ...options, extraHeaders: { origin: "https://evil.example" } };
    expect((await refused(io(`${service.url}/notifications`, foreign))).data).toMatchObject({ code: "origin_denied" });
    const own = io(`${service.url}/notifications`, { ...options, extraHeaders: { origin: service.url } });
    await new Promise((resolve) => own.once("synced", resolve));
    own.disconnect();
  });

  it("to the main namespace says where to connect", async () => {
    const error = await refused(io(service.url, { forceNew: true, reconnection: false }));
    expect(error.data).toMatchObject({ code: "bad_request", message: expect.stringContaining("/notifications") });
  });
});

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

async function refused(socket: Socket): Promise<Error & { data?: unknown }> {
  try {
    return await new Promise((resolve, reject) => {
      socket.once("connect_error", resolve);
      socket.once("connect", () => reject(new Error("was not refused")));
    });
  } finally {
    socket.disconnect();
  }
}
