import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { BelfryError } from "../../../src/errors.js";
import { answerOf, type Http, problemIn, SERVER, startHttp, unavailable } from "./harness.js";

let http: Http;
beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.stop());
afterEach(() => http.reset());

const read = (path: string, headers: Record<string, string> = SERVER) => http.send(path, { headers });

describe("staff", () => {
  it("read who is online", async () => {
    expect(await answerOf(await read("/v1/online"))).toEqual([200, { users: 2, sessions: 5 }]);
    expect((await read("/v1/online", await http.member("7", "moderator"))).status).toBe(200);
  });

  it("read who that is, page by page, and search among them", async () => {
    expect(await answerOf(await read("/v1/online/members"))).toEqual([200, { items: [{ user: "31", sessions: 2 }], more: false }]);
    await read("/v1/online/members?after=12&limit=7&search=Ada%20L");
    expect(http.calls).toEqual([
      ["roll", { limit: 50 }],
      ["roll", { after: "12", limit: 7, search: "Ada L" }],
    ]);
    await problemIn(await read("/v1/online/members?limit=101"), 400, "bad_request");
    await problemIn(await read(`/v1/online/members?search=${"x".repeat(129)}`), 400, "bad_request");
  });

  it("read what was done in the last hour", async () => {
    const minutes = [{ at: "2024-02-13T16:04:00.000Z", events: 3 }];
    expect(await answerOf(await read("/v1/activity", await http.member("7", "moderator")))).toEqual([200, { minutes }]);
    http.state.failure = unavailable();
    await problemIn(await read("/v1/activity"), 503, "unavailable");
  });

  it("read why a member was or was not told", async () => {
    const trace = { user: "31", event: "comment 1", told: false, steps: ["They are the author."] };
    expect(await answerOf(await read("/v1/trace?user=31&event=comment%201"))).toEqual([200, trace]);
    expect(http.calls).toEqual([["trace", "31", "comment 1"]]);
    http.state.failure = new BelfryError("not_found");
    await problemIn(await read("/v1/trace?user=31&event=x", await http.member("7", "admin")), 404, "not_found");
  });

  it.each(["/v1/online", "/v1/online/members", "/v1/activity", "/v1/trace?user=31&event=a"])(
    "are servers and moderators, and nobody else: %s",
    async (path) => {
      await problemIn(await read(path, await http.member("31", "writer")), 403, "forbidden");
      await problemIn(await read(path, {}), 401, "unauthorized");
      expect(http.calls).toEqual([]);
    },
  );

  it.each([
    "",
    "?user=31",
    "?event=a",
    "?user=&event=a",
    "?user=31&event=a&event=b",
    `?user=31&event=${"x".repeat(129)}`,
    "?user=a%00&event=a",
  ])("cannot trace %j", async (query) => {
    await problemIn(await read(`/v1/trace${query}`), 400, "bad_request");
    expect(http.calls).toEqual([]);
  });
});
