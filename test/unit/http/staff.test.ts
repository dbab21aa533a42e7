import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { BelfryError } from "../../../src/errors.js";
import { answerOf, type Http, problemIn, SERVER, startHttp } from "./harness.js";

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

  it("read why a member was or was not told", async () => {
    const trace = { user: "31", event: "comment 1", told: false, steps: ["They are the author."] };
    expect(await answerOf(await read("/v1/trace?user=31&event=comment%201"))).toEqual([200, trace]);
    expect(http.calls).toEqual([["trace", "31", "comment 1"]]);
    http.state.failure = new BelfryError("not_found");
    await problemIn(await read("/v1/trace?user=31&event=x", await http.member("7", "admin")), 404, "not_found");
  });

  it.each(["/v1/online", "/v1/trace?user=31&event=a"])("are servers and moderators, and nobody else: %s", async (path) => {
    await problemIn(await read(path, await http.member("31", "writer")), 403, "forbidden");
    await problemIn(await read(path, {}), 401, "unauthorized");
    expect(http.calls).toEqual([]);
  });

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
