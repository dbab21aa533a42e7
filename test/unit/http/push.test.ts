import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { answerOf, type Http, ORIGIN, problemIn, SERVER, startHttp, unavailable } from "./harness.js";

const SUBSCRIPTION = { endpoint: "https://push.example/d-1", keys: { p256dh: "p", auth: "a" } };
const DEVICE = { id: "d-1", endpoint: "https://push.example/d-1", createdAt: "2024-02-13T16:04:47.430Z" };

let http: Http;
beforeAll(async () => {
  http = await startHttp();
});
afterEach(() => http.reset());
afterAll(() => http.stop());

describe("GET /v1/push", () => {
  it("gives the public key to whoever asks, also to pages of the allowed origins", async () => {
    const response = await http.send("/v1/push", { headers: { Origin: ORIGIN } });
    expect(response.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(await answerOf(response)).toEqual([200, { publicKey: "public-key" }]);
  });
});

describe("/v1/me/push", () => {
  it("adds a member's device with the name of its browser, lists it, and takes it away", async () => {
    const headers = { ...(await http.member("31")), "User-Agent": "A browser" };
    const send = (method: string, body?: object) =>
      http.send("/v1/me/push", { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    expect(await answerOf(await send("PUT", SUBSCRIPTION))).toEqual([200, DEVICE]);
    expect(await answerOf(await send("GET"))).toEqual([200, { items: [DEVICE] }]);
    expect(await answerOf(await send("DELETE", { endpoint: SUBSCRIPTION.endpoint }))).toEqual([200, { removed: true }]);
    expect(http.calls).toEqual([
      ["subscribe", "31", SUBSCRIPTION, "A browser"],
      ["devices", "31"],
      ["unsubscribe", "31", { endpoint: SUBSCRIPTION.endpoint }],
    ]);
  });

  it("is for members: not for servers, not for the banned, not for nobody", async () => {
    await problemIn(await http.send("/v1/me/push"), 401, "unauthorized");
    await problemIn(await http.send("/v1/me/push", { headers: SERVER }), 403, "forbidden");
    http.state.bans.set("31", { until: null, why: "spam", by: "8", at: 0 });
    const headers = await http.member("31");
    await problemIn(await http.send("/v1/me/push", { method: "PUT", headers, body: JSON.stringify(SUBSCRIPTION) }), 403, "banned");
    expect(http.calls).toEqual([]);
  });

  it.each(["GET", "PUT", "DELETE"])("may be asked by pages of the allowed origins: %s", async (method) => {
    const headers = { Origin: ORIGIN, "Access-Control-Request-Method": method };
    const response = await http.send("/v1/me/push", { method: "OPTIONS", headers });
    expect([response.status, response.headers.get("access-control-allow-methods")]).toEqual([204, expect.stringContaining(method)]);
  });

  it("says so where the store is away", async () => {
    http.state.failure = unavailable();
    await problemIn(await http.send("/v1/me/push", { headers: await http.member() }), 503, "unavailable");
  });

  it.each(["{", '"text"', '{"__proto__":1}'])("refuses %s as a body, or leaves it to the room, and never fails", async (body) => {
    const response = await http.send("/v1/me/push", { method: "PUT", headers: await http.member(), body });
    expect(response.status).toBeLessThan(500);
  });
});

describe("PUSH=off", () => {
  let off: Http;
  beforeAll(async () => {
    off = await startHttp({ push: null });
  });
  afterAll(() => off.stop());

  it.each([
    ["GET", "/v1/push"],
    ["GET", "/v1/me/push"],
    ["PUT", "/v1/me/push"],
    ["DELETE", "/v1/me/push"],
  ])("answers %s %s that there is none", async (method, path) => {
    const body = method === "GET" ? {} : { body: JSON.stringify(SUBSCRIPTION) };
    const detail = await problemIn(await off.send(path, { method, headers: await off.member(), ...body }), 404, "not_found");
    expect(detail).toBe("Web push is off on this service.");
  });
});
