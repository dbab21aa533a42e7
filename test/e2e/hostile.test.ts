import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Member, until } from "../support/member.js";
import { notify } from "../support/notify.js";
import { exchange, joinPacket, metric, RawSocket, residentBytes } from "../support/raw.js";
import { type Service, startService } from "../support/service.js";

const MB = 1_024 * 1_024;

/** How much the process may grow over all that these tests send, which is some 100 MB. The rest is what V8 has not given back. */
const MAX_GROWTH = 80 * MB;

/** A member beside the trouble hears of news within this time. Milliseconds. */
const PROMPT_MS = 1_000;

let service: Service;
let bystander: Member;
let pid = 0;
let before = 0;
const sockets: RawSocket[] = [];

beforeAll(async () => {
  service = await startService();
  pid = service.pid;
  bystander = await new Member("bystander", { url: service.url, secret: service.jwtSecret }).connect().ready();
  await expectOthersServed();
  before = await residentBytes(pid);
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.drop();
  await expectOthersServed();
  expect((await residentBytes(pid)) - before).toBeLessThan(MAX_GROWTH);
  // What a client sends is its own fault, not one of the service that an operator is called for.
  expect(service.output).not.toMatch(/"level":[56]0/);
});

afterAll(async () => {
  bystander.disconnect();
  await service.stop();
});

/** The process lives, and a session that was there before still gets what comes at once. */
async function expectOthersServed(): Promise<void> {
  expect(service.pid).toBe(pid);
  const { notified } = await notify(service, ["bystander"], "news");
  await until("the news", () => (bystander.cursor?.seq ?? 0) >= (notified[0]?.seq ?? 0), PROMPT_MS);
  expect(bystander.farewells).toEqual([]);
}

async function open(): Promise<RawSocket> {
  const socket = await RawSocket.open(service);
  sockets.push(socket);
  return socket;
}

async function join(user: string): Promise<RawSocket> {
  const socket = await RawSocket.join(service, user);
  sockets.push(socket);
  return socket;
}

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
const event = (payload: string) => `42/notifications,1${payload}`;

describe("a packet that no client of this protocol sends", () => {
  const cut: Array<[string, Array<string | Buffer>]> = [
    ["an empty frame", [""]],
    ["an unknown Engine.IO type", ["9hello"]],
    ["a ping from the wrong side", ["2probe"]],
    ["an unknown Socket.IO type", ["49/notifications,[]"]],
    ["a type that is no digit", ['4x["list",{}]']],
    ["a payload that is no array", ["42/notifications,{}"]],
    ["an array without an event", ["42/notifications,[]"]],
    ["an event that is an object", ['42/notifications,[{"$ne":1}]']],
    ["JSON that ends early", ['42/notifications,["list",{']],
    ["JSON nested so deeply and never closed", [`42/notifications,${"[".repeat(5_000)}`]],
    ["a negative acknowledgement number", ['42/notifications,-1["list",{}]']],
    ["an answer that is no array", ["43/notifications,7{}"]],
    ["the reserved event disconnect", ['42/notifications,["disconnect"]']],
    ["the reserved event connect_error", ['42/notifications,["connect_error",{}]']],
    ["the reserved event newListener", ['42/notifications,["newListener",{}]']],
    ["a second join", ["40/notifications,{}"]],
    ["a connect error from the client", ['44/notifications,{"message":"x"}']],
    ["an event for a namespace that was not joined", ['42/moderation,["kick",{}]']],
    ["a binary frame that was not announced", [Buffer.from([1, 2, 3])]],
    [
      "text where an attachment was announced",
      ['451-/notifications,["read",{"_placeholder":true,"num":0}]', '42/notifications,["list",{}]'],
    ],
    ["an attachment for a place that is not there", ['451-/notifications,["read",{"_placeholder":true,"num":5}]', Buffer.from([1])]],
    ["a claim of a billion attachments", ['451000000000-/notifications,["read",{"_placeholder":true,"num":0}]']],
    ["attachments without a number", ['45-/notifications,["read",{}]']],
    ["a packet of 64 KiB and more", [event(`["list",{"x":"${"x".repeat(64 * 1_024)}"}]`)]],
    ["a packet of 5 MB", [event(`["list",{"x":"${"x".repeat(5 * MB)}"}]`)]],
    ["a binary packet of 5 MB", ['451-/notifications,["read",{"_placeholder":true,"num":0}]', Buffer.alloc(5 * MB)]],
  ];

  it.each(cut)("costs its sender the connection: %s", async (_what, frames) => {
    const socket = await join("hostile");
    socket.send(...frames);
    await socket.isCut();
  });

  const answered: Array<[string, Array<string | Buffer>, string]> = [
    ["an event without a payload", ['42/notifications,1["read"]'], "bad_request"],
    ["1,000 levels", [event(`["read",{"ids":${nested(1_000)}}]`)], "bad_request"],
    ["5,000 levels", [event(`["list",{"filter":${nested(5_000)}}]`)], "bad_request"],
    ["5,000 levels of objects", [event(`["sync",${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}]`)], "bad_request"],
    ["__proto__ in a payload", [event('["read",{"__proto__":{"ids":["x"]},"constructor":{"prototype":{"ids":["x"]}}}]')], "bad_request"],
    ["__proto__ as an id", [event('["read",{"ids":["__proto__","constructor"]}]')], "not_found"],
    ["a placeholder without an attachment", [event('["read",{"ids":[{"_placeholder":true,"num":0}]}]')], "bad_request"],
    ["an attachment where ids belong", ['451-/notifications,1["read",{"_placeholder":true,"num":0}]', Buffer.from([1])], "bad_request"],
    ["an event whose name is a number", [event("[5,{}]")], "bad_request"],
    ["the event error", [event('["error",{}]')], "bad_request"],
    ["an event with a long name", [event(`["${"x".repeat(60_000)}",{}]`)], "bad_request"],
    ["the event toString", [event('["toString",{}]')], "bad_request"],
  ];

  it.each(answered)("is answered, and the session goes on: %s", async (_what, frames, code) => {
    const socket = await join("hostile");
    socket.send(...frames);
    const answer = await socket.hears("43/notifications,1[");
    expect(JSON.parse(answer.slice("43/notifications,1".length))).toMatchObject([{ ok: false, error: { code } }]);
    socket.send('42/notifications,2["list",{}]');
    expect(await socket.hears("43/notifications,2[")).toContain('"ok":true');
  });

  it.each([
    ["an Engine.IO frame that means nothing here", ["0{}", "5", "6"]],
    ["an event that is not there at all", ["42/notifications,"]],
    ["an answer to a question that nobody asked", ["43/notifications,99999999999999999999[{}]"]],
    ["an acknowledgement number past all counting", ['42/notifications,99999999999999999999["list",{}]']],
  ])("is passed over: %s", async (_what, frames) => {
    const socket = await join("hostile");
    socket.send(...frames, '42/notifications,2["list",{}]');
    expect(await socket.hears("43/notifications,2[")).toContain('"ok":true');
  });
});

describe("before it has joined, a connection", () => {
  it.each([
    ["an event", ['42/notifications,["list",{}]']],
    ["a handshake that is null", ["40/notifications,null"]],
    ["a handshake that is an array", ["40/notifications,[]"]],
  ])("is cut for %s", async (_what, frames) => {
    const socket = await open();
    socket.send(...frames);
    await socket.isCut();
  });

  it("is cut for an event right behind the join, or answered where the join was faster", async () => {
    const socket = await open();
    socket.send(joinPacket(service, "hasty"), '42/notifications,1["list",{}]');
    const isAnswered = () => socket.heard.some((text) => text.startsWith("43/notifications,1["));
    await until("the connection is cut, or the event answered", () => socket.closed || isAnswered());
  });

  it.each(["__proto__", "constructor", "live", "moderation", "notifications/.."])("is refused the namespace /%s", async (name) => {
    const socket = await open();
    socket.send(`40/${name},{}`);
    await socket.hears(`44/${name},`);
  });

  it("is cut when it does not join in time, and one among 100 as well", async () => {
    const idle = await Promise.all(Array.from({ length: 100 }, open));
    // Half a minute: a join that waits in a stampede must not be cut.
    await Promise.all(idle.map((socket) => socket.isCut(40_000)));
  }, 60_000);

  it("is cut when it asks to join again and again, whether it reads the answers or not", async () => {
    for (const packet of ["40/nowhere,", "40", "40/notifications,{}", joinPacket(service, "eager")]) {
      const socket = await open();
      for (let count = 0; count < 1_000; count++) socket.send(packet);
      await socket.isCut(5_000);
    }
    await until("no session of theirs is left", async () => (await metric(service, "belfry_connected_sessions")) === 1);
  });
});

describe("a member", () => {
  it("has no more sessions than allowed, also when all are asked for at once", async () => {
    const crowd = await Promise.all(Array.from({ length: 60 }, open));
    for (const socket of crowd) socket.send(joinPacket(service, "crowd"));
    await Promise.all(crowd.map((socket) => until("an answer", () => socket.heard.some((text) => /^4[04]\/notifications,/.test(text)))));
    expect(crowd.filter((socket) => socket.heard.some((text) => text.startsWith("40/notifications,")))).toHaveLength(32);
    expect(crowd.flatMap((socket) => socket.heard).find((text) => text.startsWith("44"))).toContain('"code":"too_many_connections"');
  });

  it("who leaves the namespace does not keep the connection", async () => {
    const socket = await join("leaver");
    socket.send("41/notifications,");
    await socket.isCut();
  });
});

describe("the port", () => {
  const request = (line: string, ...headers: string[]) => [line, "Host: x", ...headers, "", ""].join("\r\n");
  const upgrade = ["Connection: Upgrade", "Upgrade: websocket"];
  const path = "/socket.io/?EIO=4&transport=websocket";
  it.each([
    ["bytes that are no HTTP", Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 7 + 128) % 256))],
    ["a TLS greeting", Buffer.from("1603010200010001fc0303", "hex")],
    ["an upgrade without a key", request(`GET ${path} HTTP/1.1`, ...upgrade)],
    ["an upgrade to another version", request(`GET ${path} HTTP/1.1`, ...upgrade, "Sec-WebSocket-Version: 99", "Sec-WebSocket-Key: x")],
    ["an upgrade that stops halfway", `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgr`],
    ["an upgrade of another path", request("GET /v1/me/stream HTTP/1.1", ...upgrade, "Sec-WebSocket-Version: 13")],
    ["an upgrade to what is not offered", request("POST /v1/events HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c", "Content-Length: 0")],
  ])("ends a connection that sends %s", async (_what, bytes) => {
    expect(await exchange(service, bytes)).toMatchObject({ ended: true });
  });

  it("ends a connection that upgraded and then sent garbage", async () => {
    const key = ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
    const hello = Buffer.from(request(`GET ${path} HTTP/1.1`, ...upgrade, ...key));
    // A close frame: whoever does not answer it is left to the library's own time-out.
    const farewell = { enough: (text: string) => text.includes("\x88") };
    const { text } = await exchange(service, Buffer.concat([hello, Buffer.alloc(1_000, 0xff)]), farewell);
    expect(text).toMatch(/^HTTP\/1.1 101 /);
  });

  it.each([
    ["?EIO=4&transport=__proto__", "GET"],
    ["?EIO=4&transport=constructor", "GET"],
    ["?EIO=4&transport=polling&sid=__proto__", "GET"],
    ["?EIO=4&transport=polling&sid=x", "POST"],
    ["?EIO=3&transport=polling", "GET"],
    ["?EIO=4&transport=polling", "DELETE"],
  ])("refuses the handshake %s by %s", async (query, method) => {
    const response = await fetch(`${service.url}/socket.io/${query}`, { method });
    expect(response.status).toBe(400);
    await response.text();
  });

  it("refuses a polled packet of 5 MB", async () => {
    const opened = await (await fetch(`${service.url}/socket.io/?EIO=4&transport=polling`)).text();
    const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
    const url = `${service.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    const sent = fetch(url, { method: "POST", body: `4${"x".repeat(5 * MB)}` });
    const status = await sent.then((response) => response.status).catch(() => "cut");
    expect([413, "cut"]).toContain(status);
  });
});
