import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { BelfryError, type ErrorCode } from "../../../src/errors.js";
import { answerOf, type Http, ORIGIN, problemIn, SERVER, startHttp } from "./harness.js";

let http: Http;
beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.stop());
afterEach(() => http.reset());

const send = (headers: Record<string, string>, body: string) => http.send("/v1/messages", { method: "POST", headers, body });

describe("a message", () => {
  it("is sent by whoever the token says, whatever the body says", async () => {
    const body = { to: "9", text: "Hello", actor: { id: "1" }, from: "1" };
    expect(await answerOf(await send(await http.member("31"), JSON.stringify(body)))).toEqual([200, { id: "m-1" }]);
    expect(http.calls).toEqual([["send", { user: "31", name: "Member 31" }, body]]);
  });

  it.each<[ErrorCode, number]>([
    ["muted", 403],
    ["forbidden", 403],
    ["not_found", 404],
  ])("that the room refuses is answered %s", async (code, status) => {
    http.state.failure = new BelfryError(code);
    await problemIn(await send(await http.member(), "{}"), status, code);
  });

  it("that comes too soon after others is answered with the time to wait", async () => {
    http.state.failure = new BelfryError("rate_limited", "Slower.", { retryAfterMs: 2_500 });
    const response = await send(await http.member(), "{}");
    expect(response.headers.get("retry-after")).toBe("3");
    await problemIn(response, 429, "rate_limited");
  });

  it("is for members to send, and for nobody else", async () => {
    await problemIn(await send(SERVER, "{}"), 403, "forbidden");
    await problemIn(await send({}, "{}"), 401, "unauthorized");
    expect(http.calls).toEqual([]);
  });

  it.each<[string, string, number]>([
    ["that is not JSON", "{", 400],
    ["that is too large", JSON.stringify("x".repeat(70_000)), 413],
  ])("%s is refused", async (_what, body, status) => {
    await problemIn(await send(await http.member(), body), status, status === 413 ? "too_large" : "bad_request");
    expect(http.calls).toEqual([]);
  });

  it("may be sent from a page of an allowed origin", async () => {
    const ask = (origin: string) =>
      http.send("/v1/messages", { method: "OPTIONS", headers: { Origin: origin, "Access-Control-Request-Method": "POST" } });
    const allowed = await ask(ORIGIN);
    expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([204, ORIGIN]);
    await problemIn(await ask("https://evil.example"), 403, "origin_denied");
  });
});
