import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { answerOf, type Http, problemIn, SERVER, startHttp } from "./harness.js";

let http: Http;
beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.stop());
afterEach(() => http.reset());

const read = (query: string, headers: Record<string, string> = SERVER) => http.send(`/v1/audit${query}`, { headers });
const ENTRIES = [
  {
    id: "1",
    at: "2024-02-13T16:04:47.430Z",
    by: "server",
    act: "ban",
    target: "31",
    why: "spam, =and\nmore",
    until: "2099-01-01T00:00:00.000Z",
    from: "192.0.2.1",
  },
  { id: "2", at: "2024-02-13T16:04:48.430Z", by: "7", act: "mute", target: "31", why: "@all", refused: "not_found" },
  { id: "3", at: "2024-02-13T16:04:49.430Z", by: "7", act: "announce" },
];

describe("the audit log", () => {
  it("is read in pages, narrowed to what is asked for", async () => {
    http.state.auditLog = ENTRIES;
    expect(await answerOf(await read(""))).toEqual([200, { items: ENTRIES, more: false }]);
    await read("?before=12&limit=100&by=7&act=mute&target=31&other=x", await http.member("7", "moderator"));
    expect(http.calls).toEqual([
      ["audit", { limit: 50 }],
      ["audit", { before: "12", limit: 100, by: "7", act: "mute", target: "31" }],
    ]);
  });

  it.each([
    ["the query says so", "?format=csv", {}],
    ["the client asks for it", "", { Accept: "text/csv" }],
  ])("is exported as CSV where %s", async (_when, query, headers) => {
    http.state.auditLog = ENTRIES;
    const response = await read(query, { ...SERVER, ...headers });
    expect([response.headers.get("content-type"), response.headers.get("content-disposition")]).toEqual([
      "text/csv; charset=utf-8",
      "attachment; filename=audit.csv",
    ]);
    expect(await response.text()).toBe(
      [
        "id,at,by,act,target,why,until,refused,from",
        '1,2024-02-13T16:04:47.430Z,server,ban,31,"spam, =and\nmore",2099-01-01T00:00:00.000Z,,192.0.2.1',
        "2,2024-02-13T16:04:48.430Z,7,mute,31,'@all,,not_found,",
        "3,2024-02-13T16:04:49.430Z,7,announce,,,,,",
        "",
      ].join("\r\n"),
    );
  });

  it("is exported as lines of JSON", async () => {
    http.state.auditLog = ENTRIES;
    const response = await read("?format=ndjson");
    expect(response.headers.get("content-type")).toMatch(/^application\/x-ndjson/);
    expect(
      (await response.text())
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
    ).toEqual(ENTRIES);
    expect((await read("", { ...SERVER, Accept: "application/x-ndjson" })).headers.get("content-type")).toMatch(/^application\/x-ndjson/);
  });

  it.each([
    ["by=7", ["2", "3"]],
    ["act=ban", ["1"]],
    ["target=31", ["1", "2"]],
    ["by=7&target=31", ["2"]],
    ["by=nobody", []],
  ])("is exported narrowed to %s", async (query, ids) => {
    http.state.auditLog = ENTRIES;
    const text = await (await read(`?format=ndjson&${query}`)).text();
    expect([...text.matchAll(/^\{"id":"(\d)"/gm)].map(([, id]) => id)).toEqual(ids);
  });

  it("that is empty is exported with its header", async () => {
    expect(await (await read("?format=csv")).text()).toBe("id,at,by,act,target,why,until,refused,from\r\n");
    expect(await (await read("?format=ndjson")).text()).toBe("");
  });

  it("is for servers and moderators only", async () => {
    await problemIn(await read("", await http.member("31", "writer")), 403, "forbidden");
    await problemIn(await read("?format=csv", await http.member()), 403, "forbidden");
    await problemIn(await read("", {}), 401, "unauthorized");
    expect(http.calls).toEqual([]);
  });

  it("takes a field without a value for one that is not there", async () => {
    expect((await read("?before=&limit=&by=&act=&target=")).status).toBe(200);
    expect(http.calls).toEqual([["audit", { limit: 50 }]]);
  });

  it.each(["?limit=0", "?limit=101", `?act=${"x".repeat(65)}`, "?target=a%00", "?act=a&act=b", "?format=xml"])(
    "refuses %s",
    async (query) => {
      await problemIn(await read(query), 400, "bad_request");
      expect(http.calls).toEqual([]);
    },
  );

  it("cannot be written or deleted", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      await problemIn(await http.send("/v1/audit", { method, headers: SERVER }), 404, "not_found");
    }
  });
});
