import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { io } from "socket.io-client";
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
      heard.filter(([, payload]) => payload.stream === "inbox").map(([event]) => event);
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
