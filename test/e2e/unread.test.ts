import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { type Entry, Member, until } from "../support/member.js";
import { notify } from "../support/notify.js";
import { joinPacket, metric, RawSocket, residentBytes } from "../support/raw.js";
import { type Service, startService } from "../support/service.js";

const MB = 1_024 * 1_024;

/** What the reader who does not read is sent: this many notifications, each of about this many bytes. */
const COUNT = 20_000;
const BYTES = 1_800;

/** Entries of 8 KB, 31 of which fill a page. */
const LARGE = 200;

/**
 * How much the service may grow while nobody reads the 36 MB that are sent to each of `SESSIONS` sessions, 720 MB in all. A session may hold
 * half a megabyte; the rest is V8's slack over batches of 2 MB (37 to 61 MB in all were seen; 390 where pages were not counted in bytes).
 */
const MAX_GROWTH = 120 * MB;
const SESSIONS = 20;

/** A member beside the trouble hears of news within this time, also while whole batches of 1,000 are stored. Milliseconds. */
const PROMPT_MS = 2_000;

/** How long a session that stands still lives (STALL_MS of the service), and what the farewell and its deadline add. Milliseconds. */
const CUT_MS = 45_000;

let service: Service;
let bystander: Member;
let epoch = "";
const sockets: RawSocket[] = [];

beforeAll(async () => {
  // Nothing is trimmed: a stream that is read from its start must have one.
  service = await startService({ env: { KEEP_ENTRIES: "0" } });
  bystander = await new Member("bystander", { url: service.url, secret: service.jwtSecret }).connect().ready();
  // The same amount for somebody who is not there: what the store and V8 take for it is not counted against the sessions.
  await tellMuch("absent", COUNT);
  await tellMuch("reader", 1);
  const { heard } = await join("reader", {});
  epoch = /"inbox":\{"epoch":"([^"]+)"/.exec(heard.join())?.[1] ?? "";
  for (const socket of sockets.splice(0)) socket.drop();
}, 60_000);

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.drop();
});

afterAll(async () => {
  bystander.disconnect();
  await service.stop();
});

async function join(user: string, auth: object): Promise<RawSocket> {
  const socket = await RawSocket.join(service, user, auth);
  sockets.push(socket);
  return socket;
}

/** Stores notifications for a member, a thousand with each request. */
async function tellMuch(user: string, count: number): Promise<void> {
  const run = Math.random().toString(36).slice(2);
  const url = `https://forum.example/${"x".repeat(BYTES - 1_050)}`;
  for (let sent = 0; sent < count; sent += 1_000) {
    const events = Array.from({ length: Math.min(1_000, count - sent) }, (_, index) => ({
      id: `${run}-${sent + index}`,
      type: "comment.created",
      actor: { id: "actor" },
      thread: { id: "thread", author: user },
      comment: { id: `${run}-${sent + index}`, url, excerpt: "y".repeat(400) },
    }));
    const response = await fetch(`${service.url}/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${service.apiKey}`, "content-type": "application/json" },
      body: JSON.stringify(events),
    });
    expect(response.status).toBe(202);
    await response.arrayBuffer();
    await expectPrompt();
  }
}

async function expectPrompt(): Promise<void> {
  const { notified } = await notify(service, ["bystander"], "news");
  await until("the news", () => (bystander.cursor?.seq ?? 0) >= (notified[0]?.seq ?? 0), PROMPT_MS);
}

/** The inbox's entries that a connection was sent, in the order in which they came. */
function seqsOf(socket: RawSocket): number[] {
  return socket.heard
    .filter((text) => text.startsWith('42/notifications,["entries",{"stream":"inbox"'))
    .flatMap((text) => (JSON.parse(text.slice("42/notifications,".length)) as [string, { entries: Entry[] }])[1].entries)
    .map(({ seq }) => seq);
}

const numbers = (from: number, upTo: number) => Array.from({ length: upTo - from + 1 }, (_, index) => from + index);

/** How much the service grows at most until `condition` holds: bytes. Somebody else is served promptly all the while. */
async function growthUntil(what: string, condition: () => Promise<boolean>, ms: number): Promise<number> {
  const before = await residentBytes(service.pid);
  let most = before;
  await until(
    what,
    async () => {
      most = Math.max(most, await residentBytes(service.pid));
      await expectPrompt();
      return condition();
    },
    ms,
  );
  return most - before;
}

const cutOff = () => metric(service, "belfry_slow_consumers_total");

describe("a client that does not read", () => {
  it("gets everything in order when it reads again soon enough", async () => {
    const socket = await join("pausing", { cursors: { inbox: { epoch, seq: 0 } } });
    socket.pause();
    await tellMuch("pausing", COUNT);
    socket.resume();
    await until("the last entry", () => socket.heard.at(-1)?.includes(`"seq":${COUNT},`) === true);
    expect(seqsOf(socket)).toEqual(numbers(1, COUNT));
    expect(socket.closed).toBe(false);
    // The whole stream once more, by replay, as fast as it is read.
    const again = await join("pausing", { cursors: { inbox: { epoch, seq: 0 } } });
    expect(seqsOf(again)).toEqual(numbers(1, COUNT));
  }, 60_000);

  it("costs the service little and the others nothing, is cut off in the end, and misses nothing", async () => {
    const live = await Promise.all(Array.from({ length: SESSIONS / 2 }, () => join("reader", { cursors: { inbox: { epoch, seq: 0 } } })));
    for (const socket of live) socket.pause();
    const before = await cutOff();
    const replaying: RawSocket[] = [];
    const telling = tellMuch("reader", COUNT).then(async () => {
      replaying.push(...(await Promise.all(Array.from({ length: SESSIONS / 2 }, () => RawSocket.open(service)))));
      sockets.push(...replaying);
      for (const socket of replaying) {
        socket.send(joinPacket(service, "reader", { cursors: { inbox: { epoch, seq: 0 } } }));
        socket.pause();
      }
    });
    const growth = await growthUntil(
      "all are cut off",
      async () => {
        // Those who replay answer pings unseen, so that only their standing still gives them away; the others are found by the heartbeat.
        for (const socket of replaying) socket.send("3");
        return (await cutOff()) - before === SESSIONS / 2 && (await metric(service, "belfry_connected_sessions")) === 1;
      },
      CUT_MS + 15_000,
    );
    await telling;
    expect(growth).toBeLessThan(MAX_GROWTH);
    const [socket] = replaying as [RawSocket];
    socket.resume();
    await socket.isCut();
    const got = seqsOf(socket);
    expect(got).toEqual(numbers(1, got.length));
    const back = await join("reader", { cursors: { inbox: { epoch, seq: got.length } } });
    expect([...got, ...seqsOf(back)]).toEqual(numbers(1, COUNT + 1));
  }, 90_000);

  it("is cut off when it goes on asking for answers that it does not read", async () => {
    const socket = await join("reader", { cursors: { inbox: { epoch, seq: 1 } } });
    socket.pause();
    const growth = await growthUntil(
      "it is cut off",
      async () => {
        // Pings are answered unseen: what gives it away is that it stands still, or asks on in spite of refusals.
        socket.send("3");
        for (let count = 0; count < 20; count++) socket.send(`42/notifications,1["list",{"limit":100}]`);
        return (await metric(service, "belfry_connected_sessions")) === 1;
      },
      CUT_MS,
    );
    expect(growth).toBeLessThan(MAX_GROWTH);
  }, 60_000);
});

describe("a client that reads as fast as it can", () => {
  it("is sent one page after the other, however large they are", async () => {
    const data = { filling: "z".repeat(8_000) };
    const { apiKey, url } = service;
    const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
    for (let count = 0; count < LARGE; count++) {
      const body = JSON.stringify({ to: ["large"], type: "test", data });
      await (await fetch(`${url}/v1/notifications`, { method: "POST", headers, body })).arrayBuffer();
    }
    const socket = await RawSocket.open(service);
    sockets.push(socket);
    socket.send(joinPacket(service, "large", { cursors: { inbox: { epoch, seq: 0 } } }));
    await until("the last entry", () => seqsOf(socket).length === LARGE, PROMPT_MS);
    expect(seqsOf(socket)).toEqual(numbers(1, LARGE));
  });
});
