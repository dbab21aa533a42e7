import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { tokenFor } from "../support/member.js";
import { exchange, residentBytes } from "../support/raw.js";
import { type Service, startService } from "../support/service.js";

const MB = 1_024 * 1_024;

/** How much the process may grow over all of these tests: what V8 has not given back yet. */
const MAX_GROWTH = 80 * MB;

let service: Service;
let before = 0;

beforeAll(async () => {
  service = await startService();
  await post("/v1/notifications", { to: ["31"], type: "test", text: "first" });
  before = await residentBytes(service.pid);
});

afterEach(async () => {
  expect((await fetch(`${service.url}/health`)).status).toBe(200);
  expect((await residentBytes(service.pid)) - before).toBeLessThan(MAX_GROWTH);
  // Everything here is the caller's fault.
  expect(service.output).not.toMatch(/"level":[56]0/);
});

afterAll(async () => {
  await service.stop();
});

interface Answer {
  status: number;
  type: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: what the service answered, looked at field by field.
  body: any;
}

async function ask(method: string, path: string, credential: string, body?: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${credential}`, ...(body === undefined ? {} : { "content-type": "application/json" }) };
  const response = await fetch(service.url + path, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  return { status: response.status, type: response.headers.get("content-type"), body: text === "" ? null : JSON.parse(text) };
}

const post = (path: string, body: unknown, credential = service.apiKey) => ask("POST", path, credential, JSON.stringify(body));
const tokenOf = (user: string) => tokenFor(service.jwtSecret, { sub: user });
const problem = (status: number, code: string) => ({
  status,
  type: expect.stringContaining("application/problem+json"),
  body: { type: `urn:belfry:error:${code}`, status, code, title: expect.any(String), detail: expect.any(String) },
});

/** What a member was told, newest first. */
async function inboxOf(user: string): Promise<Array<{ id: string; text?: string; readAt: string | null; comment?: { id: string } }>> {
  return (await ask("GET", "/v1/me/notifications?limit=100", tokenOf(user))).body.items;
}

let made = 0;
const event = (id: string, author: string) => ({
  id,
  type: "comment.created",
  actor: { id: "7" },
  thread: { id: "t", author },
  comment: { id: `c-${id}-${made++}` },
});

/** The head of a request, with what every one needs. */
function head(line: string, ...headers: string[]): string {
  return [
    `${line} HTTP/1.1`,
    "Host: x",
    `Authorization: Bearer ${service.apiKey}`,
    "Content-Type: application/json",
    ...headers,
    "",
    "",
  ].join("\r\n");
}

describe("a body", () => {
  it.each(["/v1/events", "/v1/notifications"])("of 5 MB to %s is refused, and the caller reads why", async (path) => {
    const large = JSON.stringify({ to: ["31"], type: "test", text: "x".repeat(5 * MB) });
    expect(await ask("POST", path, service.apiKey, large)).toMatchObject(problem(413, "too_large"));
    expect(await ask("POST", "/v1/me/read", tokenOf("31"), large)).toMatchObject(problem(413, "too_large"));
    expect(await inboxOf("31")).toHaveLength(1);
  });

  it("of 5 MB ends the connection once it is answered, also where its length was not announced", async () => {
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const chunked = `${head("POST /v1/events", "Transfer-Encoding: chunked")}${chunk.repeat(80)}0\r\n\r\n`;
    const announced = `${head("POST /v1/events", `Content-Length: ${5 * MB}`)}${"x".repeat(5 * MB)}`;
    for (const bytes of [chunked, announced]) {
      const { text, ended } = await exchange(service, bytes);
      expect(text).toMatch(/^HTTP\/1.1 413 .*connection: close.*"code":"too_large"/is);
      expect(ended).toBe(true);
    }
  });

  it("that never ends is cut when it is too large", async () => {
    const start = head("POST /v1/events", "Transfer-Encoding: chunked");
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const { text, ended } = await exchange(service, start, { more: () => chunk.repeat(4) });
    expect(text).toContain('"code":"too_large"');
    expect(ended).toBe(true);
  });

  it("that comes a byte at a time is cut when its time is over, and so are slow headers", async () => {
    const body = exchange(service, head("POST /v1/events", "Content-Length: 100000"), { more: () => "x", ms: 40_000 });
    const chunked = exchange(service, head("POST /v1/events", "Transfer-Encoding: chunked"), { more: () => "1\r\nx\r\n", ms: 40_000 });
    const silent = exchange(service, head("POST /v1/me/read", "Content-Length: 10"), { ms: 40_000 });
    const headers = exchange(service, "POST /v1/events HTTP/1.1\r\nHost: x\r\n", { more: () => "X-A: a\r\n", ms: 40_000 });
    for (const answer of [await body, await chunked, await headers]) {
      expect(answer.text).toMatch(/^HTTP\/1.1 400 .*too slow/s);
      expect(answer.ended).toBe(true);
    }
    // An API key is refused at once; the body that does not come is waited for no longer than any other.
    expect((await silent).ended).toBe(true);
  }, 60_000);

  it.each([
    ["no JSON", "{", "bad_request"],
    ["5,000 levels", "[".repeat(5_000) + "]".repeat(5_000), "bad_request"],
    ["__proto__", '{"__proto__":{"to":["31"]},"type":"x"}', "bad_request"],
    ["an operator where ids belong", '{"to":[{"$gt":""}],"type":"x"}', "bad_request"],
    ["an operator where a text belongs", '{"to":["31"],"type":{"$ne":""}}', "bad_request"],
    ["nothing", "", "bad_request"],
  ])("with %s is refused and changes nothing", async (_what, body, code) => {
    const was = await inboxOf("31");
    for (const path of ["/v1/notifications", "/v1/events"]) {
      expect(await ask("POST", path, service.apiKey, body)).toMatchObject(problem(400, code));
    }
    expect(await inboxOf("31")).toEqual(was);
  });
});

describe("a request that is no proper HTTP", () => {
  it("with headers of 20 KB is refused", async () => {
    const { text, ended } = await exchange(service, head("GET /health", `X-Large: ${"x".repeat(20_000)}`));
    expect(text).toMatch(/^HTTP\/1.1 400 .*application\/problem\+json.*The headers are larger/s);
    expect(ended).toBe(true);
  });

  it("behind a good one costs the connection, and the good one is answered first", async () => {
    const { text, ended } = await exchange(service, `${head("GET /health")}\x00\x01garbage\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1.1 200 .*HTTP\/1.1 400 /s);
    expect(ended).toBe(true);
  });

  it.each([
    ["two lengths", ["Content-Length: 5", "Content-Length: 6"]],
    ["a length and chunks", ["Content-Length: 5", "Transfer-Encoding: chunked"]],
    ["a negative length", ["Content-Length: -5"]],
    ["an unknown coding of transfer", ["Transfer-Encoding: gzip"]],
  ])("with %s is refused", async (_what, headers) => {
    const { text, ended } = await exchange(service, `${head("POST /v1/notifications", ...headers)}{}{}{}`);
    expect(text).toMatch(/^HTTP\/1.1 400 .*"code":"bad_request"/s);
    expect(ended).toBe(true);
  });

  it("with a chunk whose size is no number is cut", async () => {
    const { ended } = await exchange(service, `${head("POST /v1/notifications", "Transfer-Encoding: chunked")}zz\r\n{}\r\n`);
    expect(ended).toBe(true);
  });
});

describe("a path or method that is not there", () => {
  it.each([
    ["PUT", "/v1/events"],
    ["DELETE", "/v1/notifications"],
    ["PATCH", "/v1/hooks/discourse"],
    ["GET", "/v1/events"],
    ["DELETE", "/v1/me/notifications"],
    ["PUT", "/v1/me/read"],
    ["GET", "/v1/messages"],
    ["GET", "/v1/me/../../etc/passwd"],
    ["GET", "/%2e%2e/%2e%2e/etc/passwd"],
  ])("is a problem: %s %s", async (method, path) => {
    expect(await ask(method, path, path.startsWith("/v1/me") ? tokenOf("31") : service.apiKey)).toMatchObject(problem(404, "not_found"));
  });

  it("answers HEAD without a body", async () => {
    for (const path of ["/v1/events", "/v1/me/read"]) {
      expect(await ask("HEAD", path, tokenOf("31"))).toMatchObject({ status: 404, body: null });
    }
  });

  it.each(["/%", "/%zz", "/v1/me/%c3%28", "/%ff"])("is malformed: %s", async (path) => {
    const { text } = await exchange(service, head(`GET ${path}`, "Connection: close"));
    expect(text).toMatch(/^HTTP\/1.1 400 .*"code":"bad_request"/s);
  });

  it.each(["after=x", "after=x:y", "after=:1", "after=%ff:1", "after=a:1&after=b:1", "limit=0", "limit=1e3", "limit=1&limit=2"])(
    "has a query that is refused: %s",
    async (query) => {
      expect(await ask("GET", `/v1/me/stream?${query}`, tokenOf("31"))).toMatchObject({
        body: { code: expect.stringMatching(/bad_request|reset/) },
      });
    },
  );
});

describe("events", () => {
  it("of an array of 1,001, and of one with a single bad event, tell nobody", async () => {
    const many = Array.from({ length: 1_001 }, (_, index) => event(`array-${index}`, "many"));
    expect(await post("/v1/events", many)).toMatchObject(problem(400, "bad_request"));
    expect(await post("/v1/events", [])).toMatchObject(problem(400, "bad_request"));
    const bad = [event("good-1", "many"), { ...event("bad", "many"), type: "comment.exploded" }, event("good-2", "many")];
    const answer = await post("/v1/events", bad);
    expect(answer).toMatchObject(problem(400, "bad_request"));
    expect(answer.body.detail).toContain("Event 1 ");
    expect(await inboxOf("many")).toEqual([]);
    expect(await post("/v1/events", bad.slice(0, 1))).toMatchObject({ status: 202, body: [{ duplicate: false }] });
  });

  it("with one id, many at once, are stored once and answered alike", async () => {
    const one = event("same", "twice");
    const answers = await Promise.all(Array.from({ length: 20 }, () => post("/v1/events", one)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(202));
    expect(answers.filter(({ body }) => !body.duplicate)).toHaveLength(1);
    for (const { body } of answers) expect({ ...body, duplicate: false }).toEqual({ ...answers[0]?.body, duplicate: false });
    expect(await inboxOf("twice")).toHaveLength(1);
  });

  it("with the id of an earlier one are answered like it, also after a restart, and so are keys of notifications", async () => {
    const one = event("again", "restart");
    const direct = { to: ["restart", "31"], type: "test", text: "hello", key: "a key" };
    const first = [await post("/v1/events", one), await post("/v1/notifications", direct)];
    await service.restart();
    before = Math.max(before, await residentBytes(service.pid));
    const second = [await post("/v1/events", one), await post("/v1/notifications", { ...direct, text: "another text" })];
    for (const [index, { status, body }] of second.entries()) {
      expect(status).toBe(202);
      expect(body).toEqual({ ...first[index]?.body, duplicate: true });
    }
    expect((await inboxOf("restart")).map(({ text }) => text)).toEqual(["hello", undefined]);
  });
});

describe("a credential", () => {
  it("of the wrong kind is forbidden, none or a wrong one unauthorized", async () => {
    const body = { to: ["31"], type: "test" };
    expect(await post("/v1/notifications", body, tokenOf("31"))).toMatchObject(problem(403, "forbidden"));
    expect(await post("/v1/events", event("x", "31"), tokenOf("31"))).toMatchObject(problem(403, "forbidden"));
    expect(await ask("GET", "/v1/me/notifications", service.apiKey)).toMatchObject(problem(403, "forbidden"));
    expect(await post("/v1/me/read_all", {}, service.apiKey)).toMatchObject(problem(403, "forbidden"));
    expect(await post("/v1/notifications", body, "wrong")).toMatchObject(problem(401, "unauthorized"));
    expect(await ask("GET", "/v1/me/notifications", "wrong")).toMatchObject(problem(401, "unauthorized"));
    expect(await post("/v1/hooks/discourse", {})).toMatchObject(problem(401, "unauthorized"));
    const expired = tokenFor(service.jwtSecret, { sub: "31", exp: 1 });
    expect(await ask("GET", "/v1/me/stream", expired)).toMatchObject(problem(401, "token_expired"));
  });

  it("of one member does not reach another's notifications", async () => {
    const [own] = await inboxOf("31");
    await post("/v1/notifications", { to: ["stranger"], type: "test", text: "theirs" });
    const [theirs] = await inboxOf("stranger");
    for (const verb of ["read", "unread", "archive", "unarchive"]) {
      expect(await post(`/v1/me/${verb}`, { ids: [own?.id, theirs?.id] }, tokenOf("stranger"))).toMatchObject(problem(404, "not_found"));
    }
    expect(await ask("GET", `/v1/me/notifications?before=${own?.id}`, tokenOf("stranger"))).toMatchObject(problem(404, "not_found"));
    expect((await inboxOf("31"))[0]).toEqual(own);
    expect((await inboxOf("stranger"))[0]).toEqual(theirs);
  });
});
