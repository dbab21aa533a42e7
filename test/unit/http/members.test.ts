import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { BelfryError } from "../../../src/errors.js";
import { answerOf, type Http, problemIn, SERVER, startHttp } from "./harness.js";

let http: Http;
beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.stop());
afterEach(() => http.reset());

const byServer = { by: "server", rank: "server", from: "127.0.0.1" };
const call = (method: string, path: string, headers: Record<string, string>, body?: string) =>
  http.send(`/v1/members${path}`, { method, headers, ...(body === undefined ? {} : { body }) });

const ACTS: Array<[method: string, path: string, act: string]> = [
  ["PUT", "/31/mute", "mute"],
  ["DELETE", "/31/mute", "unmute"],
  ["PUT", "/31/ban", "ban"],
  ["DELETE", "/31/ban", "unban"],
  ["POST", "/31/kick", "kick"],
];

describe.each(ACTS)("%s %s", (method, path, act) => {
  it("is an act of moderation, answered with what was written", async () => {
    const body = { why: "spam", until: "2099-01-01T00:00:00Z" };
    const written = { user: "31", by: "server", at: "2024-02-13T16:04:47.430Z" };
    expect(await answerOf(await call(method, path, SERVER, JSON.stringify(body)))).toEqual([200, written]);
    expect((await call(method, path, await http.member("7", "writer", "admin"), JSON.stringify(body))).status).toBe(200);
    expect(http.calls).toEqual([
      [act, byServer, "31", body],
      [act, { by: "7", rank: "admin", from: "127.0.0.1" }, "31", body],
    ]);
  });

  it("is for the room to refuse, whoever asks and whatever they say", async () => {
    http.state.failure = new BelfryError("forbidden", "No.");
    await problemIn(await call(method, path, await http.member(), "[1]"), 403, "forbidden");
    expect(http.calls).toEqual([[act, { by: "31", rank: null, from: "127.0.0.1" }, "31", [1]]]);
  });

  it("that cannot be read is refused through the guard", async () => {
    await problemIn(await call(method, path, SERVER, "{"), 400, "bad_request");
    await problemIn(await call(method, path, SERVER, JSON.stringify("x".repeat(20_000))), 413, "too_large");
    await problemIn(await call(method, path.replace("31", "a%00"), SERVER, "{}"), 400, "bad_request");
    expect(http.calls).toEqual([
      ["guard", byServer, { act, target: "31" }],
      ["guard", byServer, { act, target: "31" }],
      ["guard", byServer, { act }],
    ]);
  });
});

describe("an act without a body", () => {
  it("may say why in the query", async () => {
    await call("DELETE", "/31/ban?why=a%20mistake", SERVER);
    await call("DELETE", "/31/ban", SERVER);
    expect(http.calls.map((made) => made.at(-1))).toEqual([{ why: "a mistake" }, {}]);
  });
});

describe("a member", () => {
  const until = Date.UTC(2024, 5, 1);
  const sanction = (end: number | null) => ({ until: end, why: "spam", by: "7", at: Date.UTC(2024, 1, 1) });
  const shownSanction = { why: "spam", by: "7", at: "2024-02-01T00:00:00.000Z" };

  it("is registered by a server", async () => {
    const body = JSON.stringify({ name: "Ada", roles: ["writer", "writer"], joinedAt: "2020-01-01T01:00:00+01:00" });
    expect(await answerOf(await call("PUT", "/a%20b", SERVER, body))).toEqual([
      200,
      { user: "a b", name: "Ada", roles: ["writer"], joinedAt: "2020-01-01T00:00:00.000Z", mute: null, ban: null },
    ]);
    expect(http.calls).toEqual([["register", { user: "a b", name: "Ada", roles: ["writer"], joinedAt: Date.UTC(2020, 0, 1) }]]);
  });

  it("is shown to staff, with what is laid on them", async () => {
    http.state.member = { mute: sanction(until), ban: sanction(null) };
    http.state.now = until - 1;
    expect(await answerOf(await call("GET", "/31", SERVER))).toEqual([
      200,
      {
        user: "31",
        roles: ["writer"],
        joinedAt: "2024-01-01T00:00:00.000Z",
        mute: { until: "2024-06-01T00:00:00.000Z", ...shownSanction },
        ban: { until: null, ...shownSanction },
      },
    ]);
  });

  it("is shown without what has run out", async () => {
    http.state.member = { mute: sanction(until) };
    http.state.now = until;
    expect(await answerOf(await call("GET", "/31", SERVER))).toEqual([200, expect.objectContaining({ mute: null, ban: null })]);
  });

  it("who is not known is not found", async () => {
    http.state.failure = new BelfryError("not_found");
    await problemIn(await call("GET", "/31", SERVER), 404, "not_found");
  });

  it("is neither registered nor shown by a member without the right", async () => {
    await problemIn(await call("PUT", "/31", await http.member("7", "admin"), "{}"), 403, "forbidden");
    await problemIn(await call("GET", "/31", await http.member("7", "writer")), 403, "forbidden");
    await problemIn(await call("GET", "/31", {}), 401, "unauthorized");
    expect(http.calls).toEqual([]);
    expect((await call("GET", "/31", await http.member("7", "moderator"))).status).toBe(200);
  });

  it.each<[string, string, number]>([
    ["/31", "{", 400],
    ["/31", "[]", 400],
    ["/31", '{"name":7}', 400],
    ["/31", '{"roles":"admin"}', 400],
    ["/31", '{"joinedAt":"yesterday"}', 400],
    ["/31", JSON.stringify({ name: "x".repeat(20_000) }), 413],
    ["/a%00", "{}", 400],
    [`/${"x".repeat(129)}`, "{}", 400],
  ])("is not registered with bad input: PUT %s %.30s", async (path, body, status) => {
    await problemIn(await call("PUT", path, SERVER, body), status, status === 413 ? "too_large" : "bad_request");
    expect(http.calls).toEqual([]);
  });

  it.each([
    ["POST", "/31"],
    ["DELETE", "/31"],
    ["GET", "/31/mute"],
    ["POST", "/31/ban"],
    ["PUT", "/31/kick"],
  ])("has no %s %s", async (method, path) => {
    await problemIn(await call(method, path, SERVER), 404, "not_found");
  });
});
