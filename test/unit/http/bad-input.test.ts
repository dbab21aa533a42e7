import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { API_KEY, event, type Http, rawHead, signed, startHttp } from "./harness.js";

let http: Http;
beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.stop());
afterEach(() => {
  http.calls.length = 0;
});

interface Case {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array | undefined;
}

async function refused({ path = "/v1/events", method = "POST", headers = {}, body }: Case, status: number, code: string): Promise<string> {
  const response = await http.send(path, { method, headers, ...(body === undefined ? {} : { body: body as string }) });
  const problem = (await response.json()) as Record<string, unknown>;
  expect({ status: response.status, code: problem.code }).toEqual({ status, code });
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(problem).toEqual({ type: expect.any(String), title: expect.any(String), status, detail: expect.any(String), code });
  if (status === 401) expect(response.headers.get("www-authenticate")).toBeTruthy();
  expect(http.calls).toEqual([]);
  return problem.detail as string;
}

const server = { Authorization: `Bearer ${API_KEY}`, "Content-Type": "application/json" };
const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const withId = (id: unknown) => JSON.stringify({ ...event(), id });
const unicode = Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
const many = (count: number) => JSON.stringify(Array.from({ length: count }, (_, n) => event(`e-${n}`)));

describe("a malformed body is answered with a problem and reaches nobody", () => {
  it.each<[string, string | Uint8Array | undefined, RegExp]>([
    ["empty", undefined, /empty/],
    ["of white space", "  ", /empty/],
    ["that is not JSON", '{"id": nope}', /not valid JSON/],
    ["that ends too early", '{"id": "a"', /not valid JSON/],
    ["with two values", "{} {}", /not valid JSON \(at character 3\)/],
    ["that is not UTF-8", unicode, /UTF-8/],
    ["that is null", "null", /event/i],
    ["that is a text", '"event"', /event/i],
    ["that is a number", "1", /event/i],
    ["of 33 levels", nested(33), /deeper than 32/],
    ["of 5,000 levels", nested(5_000), /deeper than 32/],
    ["of 100,000 levels", nested(100_000), /deeper than 32/],
    ["of 5,000 levels of objects", `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`, /deeper than 32/],
    ["with a key __proto__", '{"id":"a","__proto__":{"admin":true}}', /__proto__/],
    ["with an escaped key __proto__ inside", '{"id":"a","thread":{"tags":[{"\\u005f_proto__":1}]}}', /__proto__/],
    ["with an operator for an id", withId({ $gt: "" }), /id/],
    ["with a number for an id", withId(7), /id/],
    ["with an id that is too long", withId("x".repeat(129)), /id/],
    ["without an id", withId(undefined), /id/],
    ["with an array of none", "[]", /holds 0/],
    ["with an array of 1,001", many(1_001), /holds 1001/],
    ["with an array in an array", "[[]]", /^Event 0 /],
    ["with one bad event among good ones", JSON.stringify([event("a"), event("b"), { id: 1 }]), /^Event 2 of the array/],
  ])("%s", async (_what, body, detail) => {
    expect(await refused({ headers: server, body }, 400, "bad_request")).toMatch(detail);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["without a content type", {}, /Content-Type: application\/json/],
    ["that calls itself text", { "Content-Type": "text/plain" }, /Content-Type: application\/json/],
    ["that calls itself a form", { "Content-Type": "application/x-www-form-urlencoded" }, /Content-Type: application\/json/],
    ["in another charset", { "Content-Type": "application/json; charset=iso-8859-1" }, /UTF-8/],
    ["that is compressed", { "Content-Type": "application/json", "Content-Encoding": "gzip" }, /Content-Encoding/],
  ])("%s", async (_what, headers, detail) => {
    const body = new TextEncoder().encode(JSON.stringify(event()));
    expect(await refused({ headers: { Authorization: `Bearer ${API_KEY}`, ...headers }, body }, 400, "bad_request")).toMatch(detail);
  });

  it.each([
    ["without recipients", { to: [], type: "x" }],
    ["to a number", { to: [1], type: "x" }],
    ["to an operator", { to: { $gt: "" }, type: "x" }],
    ["to 1,001", { to: Array.from({ length: 1_001 }, String), type: "x" }],
    ["in an array", [{ to: ["1"], type: "x" }]],
  ])("a notification %s", async (_what, body) => {
    await refused({ path: "/v1/notifications", headers: server, body: JSON.stringify(body) }, 400, "bad_request");
  });
});

describe("a body that is too large is answered and ends the connection", () => {
  it.each([
    ["/v1/events", 5_000_000],
    ["/v1/notifications", 300_000],
    ["/v1/hooks/discourse", 1_100_000],
  ])("%s of %d bytes", async (path, size) => {
    const body = JSON.stringify("x".repeat(size));
    const headers = path.includes("hooks") ? signed(body, "post_created") : server;
    await refused({ path, headers, body }, 413, "too_large");
  });

  it("to a member's call of 100,000 bytes", async () => {
    const headers = { ...server, Authorization: `Bearer ${await http.token()}` };
    await refused({ path: "/v1/me/read", headers, body: JSON.stringify({ ids: ["x".repeat(100_000)] }) }, 413, "too_large");
  });

  it("even where its length was not said before", async () => {
    const chunk = "x".repeat(64 * 1024);
    const head = rawHead("/v1/notifications", "Transfer-Encoding: chunked");
    const answer = await http.raw(`${head}${`10000\r\n${chunk}\r\n`.repeat(6)}0\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*Connection: close[\s\S]*"code":"too_large"/);
    expect(http.calls).toEqual([]);
  });

  it("and whose sender never finishes is cut off soon", async () => {
    expect(await http.raw(`${rawHead("/v1/events", "Content-Length: 99999999")}[`)).toMatch(/^HTTP\/1\.1 413 /);
  });
});

describe("a credential", () => {
  const body = JSON.stringify(event());
  it.each([
    ["that is missing", undefined],
    ["of another scheme", "Basic YTpi"],
    ["that is empty", "Bearer "],
    ["that is wrong", "Bearer key-of-another-server"],
  ])("%s is unauthorized on every route", async (_what, authorization) => {
    const headers = { "Content-Type": "application/json", ...(authorization === undefined ? {} : { Authorization: authorization }) };
    for (const path of ["/v1/events", "/v1/notifications"]) await refused({ path, headers, body }, 401, "unauthorized");
    await refused({ path: "/v1/me/notifications", method: "GET", headers }, 401, "unauthorized");
    await refused({ path: "/v1/me/read", headers, body: '{"ids":["a"]}' }, 401, "unauthorized");
  });

  it("of the wrong kind is forbidden", async () => {
    const member = { ...server, Authorization: `Bearer ${await http.token()}` };
    for (const path of ["/v1/events", "/v1/notifications"]) await refused({ path, headers: member, body }, 403, "forbidden");
    await refused({ path: "/v1/me/notifications", method: "GET", headers: server }, 403, "forbidden");
  });

  it("that has expired says so", async () => {
    const headers = { Authorization: `Bearer ${await http.token("31", -1)}` };
    await refused({ path: "/v1/me/notifications", method: "GET", headers }, 401, "token_expired");
  });

  it("is asked for before the body is read", async () => {
    await refused({ headers: { "Content-Type": "application/json" }, body: "x".repeat(5_000_000) }, 401, "unauthorized");
  });
});

describe("a Discourse hook", () => {
  const path = "/v1/hooks/discourse";
  const body = JSON.stringify({ post: { id: 1 } });
  it.each<[string, Record<string, string>]>([
    ["without a signature", { "Content-Type": "application/json", "X-Discourse-Event": "post_created" }],
    ["with another secret's signature", signed(body, "post_created", "another")],
    ["with another body's signature", signed("{}", "post_created")],
    ["with a signature of no form", { ...signed(body, "post_created"), "X-Discourse-Event-Signature": "sha256=zz" }],
    ["with a signature by SHA-1", { ...signed(body, "post_created"), "X-Discourse-Event-Signature": `sha1=${"0".repeat(40)}` }],
    ["with an API key instead", { ...server, "X-Discourse-Event": "post_created" }],
  ])("%s is unauthorized", async (_what, headers) => {
    await refused({ path, headers, body }, 401, "unauthorized");
  });

  it.each<[string, string, Record<string, string>]>([
    ["no event name", body, { "X-Discourse-Event": "" }],
    ["an endless event id", body, { "X-Discourse-Event-Id": "9".repeat(300) }],
    ["another content type", body, { "Content-Type": "text/plain" }],
    ["a form without payload", "other=1", { "Content-Type": "application/x-www-form-urlencoded" }],
    ["a form of bad percent-encoding", "payload=%zz", { "Content-Type": "application/x-www-form-urlencoded" }],
    ["a form of bad UTF-8", "payload=%c3%28", { "Content-Type": "application/x-www-form-urlencoded" }],
    ["a form whose payload is not JSON", "payload=x", { "Content-Type": "application/x-www-form-urlencoded" }],
    ["a body that is not JSON", "x", {}],
    ["a deep body", nested(5_000), {}],
  ])("with a right signature and %s is malformed", async (_what, text, headers) => {
    await refused({ path, headers: { ...signed(text, "post_created"), ...headers }, body: text }, 400, "bad_request");
  });

  it("is refused where no secret is configured", async () => {
    const closed = await startHttp({ hookSecret: null });
    const response = await closed.send(path, { method: "POST", headers: signed(body, "post_created"), body });
    expect([response.status, await response.json()]).toEqual([
      403,
      expect.objectContaining({ code: "forbidden", detail: expect.stringContaining("DISCOURSE_SECRET") }),
    ]);
    expect(closed.calls).toEqual([]);
    await closed.stop();
  });
});

describe("a member's call is refused", () => {
  const ids = (value: unknown) => JSON.stringify({ ids: value });
  it.each<[string, string, string | undefined]>([
    ["POST", "/v1/me/read", undefined],
    ["POST", "/v1/me/read", "[]"],
    ["POST", "/v1/me/read", "null"],
    ["POST", "/v1/me/read", ids("a")],
    ["POST", "/v1/me/unread", ids([])],
    ["POST", "/v1/me/archive", ids([1])],
    ["POST", "/v1/me/archive", ids([{ $gt: "" }])],
    ["POST", "/v1/me/unarchive", ids([""])],
    ["POST", "/v1/me/read", ids(["x".repeat(129)])],
    ["POST", "/v1/me/read", ids(Array.from({ length: 101 }, String))],
    ["POST", "/v1/me/read", '{"ids":["a"],"__proto__":{}}'],
    ["POST", "/v1/me/read", nested(5_000)],
    ["POST", "/v1/me/read_all", '{"upTo":0}'],
    ["POST", "/v1/me/read_all", '{"upTo":"7"}'],
    ["POST", "/v1/me/seen", '{"upTo":1.5}'],
    ["POST", "/v1/me/seen", '{"upTo":9007199254740993}'],
    ["GET", "/v1/me/notifications?filter=mine", undefined],
    ["GET", "/v1/me/notifications?limit=0", undefined],
    ["GET", "/v1/me/notifications?limit=101", undefined],
    ["GET", "/v1/me/notifications?limit=ten", undefined],
    ["GET", "/v1/me/notifications?limit=1&limit=2", undefined],
    ["GET", "/v1/me/notifications?before[$gt]=&before=a&before=b", undefined],
    ["GET", "/v1/me/stream?limit=101", undefined],
    ["GET", "/v1/me/stream?after=epoch", undefined],
    ["GET", "/v1/me/stream?after=:1", undefined],
    ["GET", "/v1/me/stream?after=epoch:", undefined],
    ["GET", "/v1/me/stream?after=epoch:-1", undefined],
    ["GET", "/v1/me/stream?after=epoch:1&limit=101", undefined],
    ["GET", `/v1/me/stream?after=${"e".repeat(65)}:1`, undefined],
  ])("%s %s %j", async (method, path, body) => {
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${await http.token()}` };
    await refused({ path, method, headers, body }, 400, "bad_request");
  });
});

describe("a path", () => {
  it.each([
    ["GET", "/nowhere"],
    ["GET", "/v1/events"],
    ["PUT", "/v1/events"],
    ["POST", "/v1/events/"],
    ["POST", "/v1/eventsx"],
    ["DELETE", "/"],
    ["POST", "/health"],
  ])("that does not exist is not found: %s %s", async (method, path) => {
    await refused({ path, method, headers: server }, 404, "not_found");
  });

  it("of a member that does not exist is not found", async () => {
    await refused({ path: "/v1/me/nothing", method: "GET", headers: { Authorization: `Bearer ${await http.token()}` } }, 404, "not_found");
  });

  it.each(["/%zz", "/v1/me/%c3%28", "/%"])("of bad percent-encoding is malformed: %s", async (path) => {
    const answer = await http.raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*application\/problem\+json[\s\S]*"code":"bad_request"/);
  });
});

describe("what is not HTTP", () => {
  it.each([
    ["bytes without sense", "\u0000\u0001 hello\r\n\r\n"],
    ["headers that are too large", `GET /health HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
    ["a length that is no number", "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"],
    ["two lengths", "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ])("%s: is answered with a problem", async (_what, text) => {
    expect(await http.raw(text)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*application\/problem\+json[\s\S]*"code":"bad_request"/);
    expect(http.calls).toEqual([]);
  });
});
