import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { BelfryError } from "../../../src/errors.js";
import { answerOf, type Http, problemIn, SERVER, startHttp } from "./harness.js";
import { ANNOUNCEMENT } from "./rooms.js";

let http: Http;
beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.stop());
afterEach(() => http.reset());

const byServer = { by: "server", rank: "server", from: "127.0.0.1" };
const byModerator = { by: "7", rank: "moderator", from: "127.0.0.1" };
const byMember = { by: "31", rank: null, from: "127.0.0.1" };
const call = (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
  http.send(`/v1/announcements${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

describe("an announcement", () => {
  const body = { title: "Maintenance", text: "On Sunday." };

  it("is answered 201 with it, after it was written into the audit log", async () => {
    expect(await answerOf(await call("POST", "", SERVER, body))).toEqual([201, ANNOUNCEMENT]);
    expect(http.calls).toEqual([
      ["guard", byServer, { act: "announce" }],
      ["record", "a-1", undefined],
      ["announce", "server", body],
    ]);
  });

  it("that repeats a key is answered 200 with the first", async () => {
    http.state.repeat = true;
    expect(await answerOf(await call("POST", "", await http.member("7", "moderator"), body))).toEqual([200, ANNOUNCEMENT]);
    expect(http.calls[0]).toEqual(["guard", byModerator, { act: "announce" }]);
  });

  it("is edited and rescinded by its id, which may need percent-encoding", async () => {
    const moderator = await http.member("7", "moderator");
    expect(await answerOf(await call("PATCH", "/a%2F1%20x", moderator, { title: "New" }))).toEqual([200, { ...ANNOUNCEMENT, id: "a/1 x" }]);
    expect((await call("DELETE", "/a-1", SERVER)).status).toBe(200);
    expect(http.calls).toEqual([
      ["guard", byModerator, { act: "announcement.edit", target: "a/1 x" }],
      ["record", "a/1 x", undefined],
      ["edit", "a/1 x", "7", { title: "New" }],
      ["guard", byServer, { act: "rescind", target: "a-1" }],
      ["record", "a-1", "why"],
      ["rescind", "a-1", "server", {}],
    ]);
  });

  it.each<[string, string, unknown, unknown]>([
    ["in the body", "/a-1", { why: "wrong day" }, { why: "wrong day" }],
    ["in the query", "/a-1?why=wrong%20day", undefined, { why: "wrong day" }],
    ["in both, of which the body counts", "/a-1?why=x", { why: "wrong day" }, { why: "wrong day" }],
  ])("is rescinded with a reason %s", async (_where, path, given, payload) => {
    expect((await call("DELETE", path, SERVER, given)).status).toBe(200);
    expect(http.calls.at(-1)).toEqual(["rescind", "a-1", "server", payload]);
  });

  it("is listed, and shown by its id", async () => {
    expect(await answerOf(await call("GET", "", SERVER))).toEqual([200, { items: [ANNOUNCEMENT], more: false }]);
    expect((await call("GET", "?before=a-1&limit=7", await http.member("7", "admin"))).status).toBe(200);
    expect(await answerOf(await call("GET", "/a-1", SERVER))).toEqual([200, { ...ANNOUNCEMENT, state: "live" }]);
    expect(http.calls).toEqual([
      ["list", { limit: 50 }],
      ["list", { before: "a-1", limit: 7 }],
      ["get", "a-1"],
    ]);
  });

  it("is for no cache on the way", async () => {
    expect((await call("GET", "", SERVER)).headers.get("cache-control")).toBe("no-store");
  });
});

describe("a member without a role", () => {
  it.each([
    ["POST", ""],
    ["PATCH", "/a-1"],
    ["DELETE", "/a-1"],
  ])("is refused by the guard, which writes it down: %s %s", async (method, path) => {
    await problemIn(await call(method, path, await http.member(), { title: "Mine" }), 403, "forbidden");
    expect(http.calls).toEqual([["guard", byMember, expect.objectContaining({ act: expect.any(String) })]]);
  });

  it.each(["", "/a-1", "/a-1/report", "/a-1/report?format=csv"])("may not read: GET %j", async (path) => {
    await problemIn(await call("GET", path, await http.member("31", "writer")), 403, "forbidden");
    expect(http.calls).toEqual([]);
  });
});

describe("bad input", () => {
  const guarded = (act: string) => ["guard", byServer, expect.objectContaining({ act })];

  it.each<[string, string, string, number, string]>([
    ["POST", "", "{", 400, "announce"],
    ["POST", "", JSON.stringify("x".repeat(300_000)), 413, "announce"],
    ["PATCH", "/a-1", "nope", 400, "announcement.edit"],
    ["PATCH", `/${"x".repeat(129)}`, "{}", 400, "announcement.edit"],
    ["PATCH", "/a%00", "{}", 400, "announcement.edit"],
    ["DELETE", "/a-1", "nope", 400, "rescind"],
  ])("is an act refused, and stands in the audit log: %s %j %.10j", async (method, path, body, status, act) => {
    await problemIn(
      await http.send(`/v1/announcements${path}`, { method, headers: SERVER, body }),
      status,
      status === 413 ? "too_large" : "bad_request",
    );
    expect(http.calls).toEqual([guarded(act)]);
  });

  it.each([
    "?limit=0",
    "?limit=101",
    "?limit=1.5",
    "?limit=ten",
    "?limit=1&limit=2",
    "?before=a&before=b",
    `?before=${"x".repeat(129)}`,
    "/a%00",
    "/a-1/report?limit=0",
    "/a-1/report?format=xml",
    "/a-1/report?format=ndjson",
    "/a-1/report?format=csv&format=csv",
  ])("in a query is refused: GET %s", async (path) => {
    await problemIn(await call("GET", path, SERVER), 400, "bad_request");
    expect(http.calls).toEqual([]);
  });

  it("tells which field is at fault", async () => {
    expect(await problemIn(await call("GET", "?limit=101", SERVER), 400, "bad_request")).toBe("limit must be at most 100.");
    expect(await problemIn(await call("GET", "/a%00", SERVER), 400, "bad_request")).toMatch(/^The id in the path must be/);
  });

  it.each([
    ["PUT", "/a-1"],
    ["POST", "/a-1"],
    ["POST", "/a-1/report"],
    ["GET", "/a-1/reports"],
  ])("in a path is not found: %s %s", async (method, path) => {
    await problemIn(await call(method, path, SERVER), 404, "not_found");
  });

  it("of an announcement that does not exist is answered as the room says", async () => {
    http.state.failure = new BelfryError("not_found", "There is no such announcement.");
    for (const [method, path] of [
      ["GET", "/a-9"],
      ["GET", "/a-9/report"],
      ["GET", "/a-9/report?format=csv"],
    ] as const) {
      await problemIn(await call(method, path, SERVER), 404, "not_found");
    }
  });
});

describe("a report", () => {
  const at = "2024-02-13T16:04:47.430Z";

  it("is a page of numbers and members", async () => {
    expect(await answerOf(await call("GET", "/a-1/report?after=31&limit=2", SERVER))).toEqual([
      200,
      { audience: 3, reached: 2, seen: 1, acknowledged: 0, members: [], more: false },
    ]);
    expect(http.calls).toEqual([["report", "a-1", { after: "31", limit: 2 }]]);
  });

  it.each<[string, string, Record<string, string>]>([
    ["the query says so", "?format=csv", {}],
    ["the client takes nothing else", "", { Accept: "text/csv" }],
  ])("is a file where %s", async (_when, query, headers) => {
    http.state.reportRows = [
      { user: "31", reachedAt: at, seenAt: at, acknowledgedAt: null },
      { user: '=1,"x"', reachedAt: at, seenAt: null, acknowledgedAt: null },
    ];
    const response = await call("GET", `/a-1/report${query}`, { ...SERVER, ...headers });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/csv; charset=utf-8"]);
    expect(response.headers.get("content-disposition")).toBe("attachment; filename=announcement-a-1.csv");
    expect(await response.text()).toBe(`user,reachedAt,seenAt,acknowledgedAt\r\n31,${at},${at},\r\n"'=1,""x""",${at},,\r\n`);
  });

  it("of 20,000 members is sent whole", async () => {
    http.state.reportRows = Array.from({ length: 20_000 }, (_, n) => ({ user: `${n}`, reachedAt: at, seenAt: null, acknowledgedAt: null }));
    const lines = (await (await call("GET", "/a-1/report?format=csv", SERVER)).text()).split("\r\n");
    expect([lines.length, lines[20_000]]).toEqual([20_002, `19999,${at},,`]);
  });

  it("that fails half-way is cut off, so that nobody takes it for whole", async () => {
    const row = { user: "x".repeat(100), reachedAt: at, seenAt: null, acknowledgedAt: null };
    http.state.reportRows = [...Array.from({ length: 2_000 }, () => row), new Error("the store is away")];
    const response = await call("GET", "/a-1/report?format=csv", SERVER);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });
});
