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

const call = async (method: string, path: string, body?: unknown) =>
  http.send(`/v1/me${path}`, {
    method,
    headers: await http.member("31", "writer"),
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
const facts = expect.objectContaining({ user: "31", roles: ["writer"], joinedAt: Date.UTC(2024, 0, 1) });

describe("a member's announcements", () => {
  it("are those that are there for them, which then have reached them", async () => {
    expect(await answerOf(await call("GET", "/announcements"))).toEqual([200, { items: [ANNOUNCEMENT], unread: 1, more: false }]);
    expect(http.calls).toEqual([
      ["view", facts],
      ["passed", 12],
    ]);
  });

  it.each(["dismiss", "acknowledge"])("are settled: %s", async (verb) => {
    expect(await answerOf(await call("POST", `/${verb}`, { announcement: "a-1" }))).toEqual([200, { seq: 4, unread: 2 }]);
    expect(http.calls).toEqual([["settle", "31", verb, "a-1", facts]]);
  });

  it.each<[string, unknown]>([
    ["no body", undefined],
    ["null", null],
    ["an array", []],
    ["a text", '"a-1"'],
  ])("that %s does not name are for the room to refuse", async (_what, body) => {
    http.state.failure = new BelfryError("bad_request", "announcement is missing.");
    await problemIn(await call("POST", "/dismiss", body), 400, "bad_request");
    expect(http.calls).toEqual([["settle", "31", "dismiss", undefined, facts]]);
  });

  // The fake's mark stands at 8.
  it.each<[string, object, boolean]>([
    ["the end", {}, true],
    ["the mark's own entry", { upTo: 8 }, true],
    ["the entry before it", { upTo: 7 }, true],
    ["an older one", { upTo: 6 }, false],
  ])("are seen when the inbox is, up to %s: %j", async (_what, body, seen) => {
    expect(await answerOf(await call("POST", "/seen", body))).toEqual([200, { seq: 8, unread: 0 }]);
    expect(http.calls.slice(1)).toEqual(seen ? [["seen", "31"]] : []);
  });

  it("are not seen when the inbox is only read", async () => {
    await call("POST", "/read_all");
    expect(http.calls).toEqual([["markUpTo", "31", "read_all", undefined]]);
  });
});

describe("a member's levels", () => {
  it("are listed and set", async () => {
    expect(await answerOf(await call("GET", "/levels"))).toEqual([200, { items: [] }]);
    const level = { scope: "all", level: "muted" };
    expect(await answerOf(await call("PUT", "/levels", level))).toEqual([200, { ...level, until: null }]);
    expect(http.calls).toEqual([
      ["levelsOf", "31"],
      ["setLevel", "31", level],
    ]);
  });
});

describe("a member's blocks", () => {
  it("are listed, made and ended, of members whose ids may need percent-encoding", async () => {
    expect(await answerOf(await call("GET", "/blocks"))).toEqual([200, { items: [{ user: "9" }] }]);
    expect(await answerOf(await call("PUT", "/blocks/a%2Fb"))).toEqual([200, { user: "a/b", blocked: true }]);
    expect(await answerOf(await call("DELETE", "/blocks/9"))).toEqual([200, { user: "9", blocked: false }]);
    expect(http.calls).toEqual([
      ["blocksOf", "31"],
      ["setBlock", "31", "a/b", true],
      ["setBlock", "31", "9", false],
    ]);
  });

  it("of unknown members are not found", async () => {
    http.state.failure = new BelfryError("not_found");
    await problemIn(await call("PUT", "/blocks/9"), 404, "not_found");
  });
});

describe("calls of a member", () => {
  const ROUTES = [
    ["GET", "/announcements"],
    ["POST", "/dismiss"],
    ["POST", "/acknowledge"],
    ["GET", "/levels"],
    ["PUT", "/levels"],
    ["GET", "/blocks"],
    ["PUT", "/blocks/9"],
    ["DELETE", "/blocks/9"],
  ] as const;

  it.each(ROUTES)("are for members only: %s %s", async (method, path) => {
    await problemIn(await http.send(`/v1/me${path}`, { method, headers: SERVER }), 403, "forbidden");
    await problemIn(await http.send(`/v1/me${path}`, { method }), 401, "unauthorized");
    expect(http.calls).toEqual([]);
  });

  it.each<[string, string, string, number]>([
    ["PUT", "/levels", "{", 400],
    ["PUT", "/levels", JSON.stringify("x".repeat(70_000)), 413],
    ["POST", "/dismiss", "nope", 400],
    ["POST", "/acknowledge", '{"__proto__":{}}', 400],
  ])("that cannot be read are refused: %s %s %.20s", async (method, path, body, status) => {
    await problemIn(await call(method, path, body), status, status === 413 ? "too_large" : "bad_request");
    expect(http.calls).toEqual([]);
  });

  it.each([
    ["POST", "/blocks/9"],
    ["DELETE", "/levels"],
    ["PUT", "/announcements"],
  ])("that do not exist are not found: %s %s", async (method, path) => {
    await problemIn(await call(method, path), 404, "not_found");
  });
});
