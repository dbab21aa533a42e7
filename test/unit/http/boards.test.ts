import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { BelfryError } from "../../../src/errors.js";
import { answerOf, type Http, problemIn, SERVER, startHttp } from "./harness.js";

let http: Http;
beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.stop());
afterEach(() => http.reset());

const put = (path: string, body: unknown, headers: Record<string, string> = SERVER) =>
  http.send(path, { method: "PUT", headers, body: typeof body === "string" ? body : JSON.stringify(body) });

describe("a server", () => {
  it("reports on a task", async () => {
    const body = { user: "31", state: "running", percent: 7 };
    expect(await answerOf(await put("/v1/tasks/export%2F1", body))).toEqual([200, { task: "export/1", state: "running" }]);
    expect(http.calls).toEqual([["report", "export/1", body]]);
  });

  it("writes a topic's value, of up to 64 KiB", async () => {
    const body = { data: "x".repeat(64 * 1024 - 2), access: ["staff"] };
    const written = { topic: "board:1", seq: 3, at: "2024-02-13T16:04:47.430Z", data: { é: 1 }, access: "members" };
    expect(await answerOf(await put("/v1/topics/board:1", body))).toEqual([200, written]);
    expect(http.calls).toEqual([["write", "board:1", body]]);
  });

  it("reads a topic's value, whoever may see it", async () => {
    const value = { topic: "a/b", seq: 3, at: "2024-02-13T16:04:47.430Z", data: null, access: ["staff"] };
    const response = await http.send("/v1/topics/a%2Fb", { headers: SERVER });
    expect([response.headers.get("content-type"), response.headers.get("cache-control")]).toEqual([
      "application/json; charset=utf-8",
      "no-store",
    ]);
    expect(await answerOf(response)).toEqual([200, value]);
    expect(http.calls).toEqual([["read", "a/b"]]);
  });

  it("is told by the room what is wrong", async () => {
    http.state.failure = new BelfryError("too_large", "data is larger than 65536 bytes as JSON.");
    expect(await problemIn(await put("/v1/topics/a", { data: 1 }), 413, "too_large")).toContain("65536");
    http.state.failure = new BelfryError("bad_request", "user is missing.");
    await problemIn(await put("/v1/tasks/a", {}), 400, "bad_request");
  });
});

describe("nobody else writes or reads them", () => {
  it.each([
    ["PUT", "/v1/tasks/a"],
    ["PUT", "/v1/topics/a"],
    ["GET", "/v1/topics/a"],
  ])("%s %s", async (method, path) => {
    for (const role of ["writer", "admin"]) {
      await problemIn(await http.send(path, { method, headers: await http.member("7", role) }), 403, "forbidden");
    }
    await problemIn(await http.send(path, { method }), 401, "unauthorized");
    await problemIn(await http.send(path, { method, headers: { Authorization: "Bearer another-key" } }), 401, "unauthorized");
    expect(http.calls).toEqual([]);
  });
});

describe("a body that cannot be read is refused", () => {
  it.each<[string, string, number]>([
    ["/v1/tasks/a", "{", 400],
    ["/v1/tasks/a", JSON.stringify("x".repeat(40_000)), 413],
    ["/v1/topics/a", "{", 400],
    ["/v1/topics/a", '{"data":{"__proto__":1}}', 400],
    ["/v1/topics/a", `{"data":${"[".repeat(40)}${"]".repeat(40)}}`, 400],
    ["/v1/topics/a", JSON.stringify({ data: "x".repeat(90_000) }), 413],
  ])("PUT %s %.30s", async (path, body, status) => {
    await problemIn(await put(path, body), status, status === 413 ? "too_large" : "bad_request");
    expect(http.calls).toEqual([]);
  });

  it.each([
    ["GET", "/v1/tasks/a"],
    ["POST", "/v1/tasks"],
    ["DELETE", "/v1/topics/a"],
    ["GET", "/v1/topics"],
  ])("there is no %s %s", async (method, path) => {
    await problemIn(await http.send(path, { method, headers: SERVER }), 404, "not_found");
  });
});
