import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { io, type Socket } from "socket.io-client";
import { Member, tokenFor, until } from "../support/member.js";
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
