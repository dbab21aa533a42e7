import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { type Http, problemIn, SERVER, startHttp } from "./harness.js";

let http: Http;
beforeAll(async () => {
  http = await startHttp({ trustProxy: 1 });
});
afterAll(() => http.stop());
afterEach(() => http.reset());

/** One route of each router that members may come to. */
const ROUTES = [
  ["GET", "/v1/me/notifications"],
  ["GET", "/v1/me/levels"],
  ["POST", "/v1/messages"],
  ["GET", "/v1/announcements"],
  ["PUT", "/v1/members/9/ban"],
  ["GET", "/v1/audit"],
  ["GET", "/v1/online"],
  ["GET", "/v1/trace?user=9&event=a"],
] as const;

describe("a member who is banned", () => {
  it.each(ROUTES)("is refused and told why: %s %s", async (method, path) => {
    http.state.bans.set("7", { until: Date.UTC(2099, 0, 1), why: "spam", by: "8", at: 0 });
    const response = await http.send(path, { method, headers: await http.member("7", "moderator") });
    const detail = await problemIn(response, 403, "banned");
    expect(detail).toContain("spam");
    expect(detail).toContain("2099-01-01");
    expect(http.calls).toEqual([]);
  });

  it("is let in again once the ban has run out", async () => {
    http.state.bans.set("7", { until: Date.UTC(2024, 0, 1), why: "spam", by: "8", at: 0 });
    expect((await http.send("/v1/me/levels", { headers: await http.member("7") })).status).toBe(200);
  });
});

describe("a member who calls too often", () => {
  const now = Date.UTC(2024, 0, 1);
  const call = async (user: string, ...roles: string[]) =>
    http.send(roles.length === 0 ? "/v1/me/levels" : "/v1/online", { headers: await http.member(user, ...roles) });

  it("is asked to wait, alone, and for as long as it takes", async () => {
    http.state.now = now;
    const answers = await Promise.all(Array.from({ length: 200 }, () => call("eager")));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const refused = await call("eager");
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toMatchObject({ status: 429, code: "rate_limited", retryAfterMs: 20 });
    expect((await call("patient")).status).toBe(200);
    http.state.now = now + 20;
    expect((await call("eager")).status).toBe(200);
    await problemIn(await call("eager"), 429, "rate_limited");
    // One member has one bucket, whatever the call.
    await problemIn(await call("eager", "moderator"), 429, "rate_limited");
  });

  it("is not a server, which may call as often as it needs to", async () => {
    http.state.now = now;
    const answers = await Promise.all(Array.from({ length: 250 }, () => http.send("/v1/online", { headers: SERVER })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe("who acts", () => {
  it.each<[string, string[], string | null]>([
    ["a moderator", ["writer", "moderator"], "moderator"],
    ["an admin, also as a moderator", ["moderator", "admin"], "admin"],
    ["a member like any other", ["writer"], null],
  ])("is %s by the token's roles, at the address that the proxy saw", async (_who, roles, rank) => {
    const headers = { ...(await http.member("7", ...roles)), "X-Forwarded-For": "203.0.113.9, 198.51.100.7" };
    await http.send("/v1/members/9/kick", { method: "POST", headers, body: '{"why":"x"}' });
    expect(http.calls).toEqual([["kick", { by: "7", rank, from: "198.51.100.7" }, "9", { why: "x" }]]);
  });

  it.each([
    ["nobody", undefined, 401, "unauthorized"],
    ["somebody with a wrong key", "Bearer another-key", 401, "unauthorized"],
    ["somebody of another scheme", "Basic YTpi", 401, "unauthorized"],
  ])("is not %s", async (_who, authorization, status, code) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization };
    for (const [method, path] of ROUTES) await problemIn(await http.send(path, { method, headers }), status, code);
    expect(http.calls).toEqual([]);
  });

  it("is not somebody whose token has expired", async () => {
    const headers = { Authorization: `Bearer ${await http.token("7", -1, ["admin"])}` };
    for (const [method, path] of ROUTES) await problemIn(await http.send(path, { method, headers }), 401, "token_expired");
  });
});
