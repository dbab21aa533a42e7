import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { BelfryError } from "../../../src/errors.js";
import { API_KEY, event, type Http, ORIGIN, rawHead, signed, startHttp, unavailable } from "./harness.js";

let http: Http;
beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.stop());
afterEach(() => {
  http.calls.length = 0;
  http.state.failure = null;
  http.state.draining = false;
});

const server = { Authorization: `Bearer ${API_KEY}`, "Content-Type": "application/json; charset=utf-8" };
const post = (path: string, body: unknown, headers: Record<string, string> = server) =>
  http.send(path, { method: "POST", headers, body: JSON.stringify(body) });
const member = async () => ({ "Content-Type": "application/json", Authorization: `Bearer ${await http.token()}` });

describe("events", () => {
  it("are answered one by one, or as an array in its order", async () => {
    const one = await post("/v1/events?from=forum", event("a"));
    expect([one.status, await one.json()]).toEqual([202, { id: "a", duplicate: false, notified: [], skipped: [] }]);
    const two = await post("/v1/events", [event("b"), event("c")]);
    expect([two.status, ((await two.json()) as Array<{ id: string }>).map(({ id }) => id)]).toEqual([202, ["b", "c"]]);
    expect(http.calls.map(([method, events]) => [method, (events as Array<{ id: string }>).map(({ id }) => id)])).toEqual([
      ["handleAll", ["a"]],
      ["handleAll", ["b", "c"]],
    ]);
  });

  it("may come 1,000 at a time, and in pieces", async () => {
    const body = JSON.stringify(Array.from({ length: 1_000 }, (_, n) => event(`é-${n}`)));
    const pieces = new ReadableStream({
      start(controller) {
        const bytes = new TextEncoder().encode(body);
        // Of an odd size, so that characters are cut.
        for (let at = 0; at < bytes.length; at += 9_973) controller.enqueue(bytes.subarray(at, at + 9_973));
        controller.close();
      },
    });
    const response = await http.send("/v1/events", { method: "POST", headers: server, body: pieces, duplex: "half" } as RequestInit);
    expect(response.status).toBe(202);
    expect(((await response.json()) as Array<{ id: string }>).at(-1)?.id).toBe("é-999");
  });

  it("that cannot be stored are answered `unavailable`, with the time after which to try again", async () => {
    http.state.failure = unavailable();
    const response = await post("/v1/events", event());
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
    expect(await response.json()).toMatchObject({ code: "unavailable", detail: "The disk is full.", retryAfterMs: 1500 });
  });

  it("that meet a fault of the service learn nothing of it", async () => {
    http.state.failure = new Error("password of the database: hunter2");
    const response = await post("/v1/events", event());
    const text = await response.text();
    expect([response.status, JSON.parse(text)]).toEqual([500, expect.objectContaining({ code: "internal" })]);
    expect(text).not.toContain("hunter2");
  });

  it("whose sender goes away half-way reach nobody and harm nobody", async () => {
    const head = `${rawHead("/v1/events", "Content-Length: 100")}{"id"`;
    await new Promise<void>((resolve) => {
      const socket = connect(http.port, "127.0.0.1", () => socket.write(head, () => socket.resetAndDestroy()));
      socket.on("close", () => resolve());
    });
    expect((await post("/v1/events", event())).status).toBe(202);
    expect(http.calls).toHaveLength(1);
  });

  it("are counted by their outcome", async () => {
    const before = http.metrics.events.stored.value;
    const refused = http.metrics.events.refused.value;
    await post("/v1/events", [event("a"), event("b")]);
    await post("/v1/events", {});
    expect([http.metrics.events.stored.value - before, http.metrics.events.refused.value - refused]).toEqual([2, 1]);
  });
});

describe("a notification", () => {
  it("is accepted", async () => {
    const response = await post("/v1/notifications", { to: ["1", "2"], type: "invoice", text: "Hello" });
    expect(response.status).toBe(202);
    expect(http.calls).toEqual([["notify", expect.objectContaining({ to: ["1", "2"], type: "invoice", text: "Hello" })]]);
  });
});

describe("a Discourse hook", () => {
  const path = "/v1/hooks/discourse";
  const payload = { post: { id: 1, cooked: "<p>é & + =</p>" } };

  it("is received as JSON and as a form, signed over the bytes as they come", async () => {
    const json = JSON.stringify(payload);
    const form = `x=1&${new URLSearchParams({ payload: json })}`;
    const first = await http.send(path, { method: "POST", headers: signed(json, "post_created"), body: json });
    const headers = { ...signed(form, "post_edited"), "Content-Type": "application/x-www-form-urlencoded" };
    const second = await http.send(path, { method: "POST", headers, body: form });
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(await first.json()).toMatchObject({ id: "d", duplicate: false });
    const hook = { eventId: "17", instance: "https://forum.example", body: payload };
    expect(http.calls).toEqual([
      ["receive", { event: "post_created", ...hook }],
      ["receive", { event: "post_edited", ...hook }],
    ]);
  });

  it("that tells nobody is acknowledged as ignored", async () => {
    const response = await http.send(path, { method: "POST", headers: signed("{}", "topic_created"), body: "{}" });
    expect([response.status, await response.json()]).toEqual([202, { ignored: true, event: "topic_created" }]);
  });

  it("that pings is answered 200 and goes no further", async () => {
    const body = '{"ping":"OK"}';
    const response = await http.send(path, { method: "POST", headers: signed(body, "ping"), body });
    expect([response.status, await response.json()]).toEqual([200, { ok: true }]);
    expect(http.calls).toEqual([]);
  });
});

describe("a member", () => {
  it("lists notifications", async () => {
    const headers = await member();
    const response = await http.send("/v1/me/notifications", { headers });
    expect([response.status, await response.json()]).toEqual([200, { items: [], more: false, unread: 3 }]);
    await http.send("/v1/me/notifications?filter=unread&before=n-1&limit=10", { headers });
    expect(http.calls).toEqual([
      ["list", "31", { filter: "all", limit: 50 }],
      ["list", "31", { filter: "unread", before: "n-1", limit: 10 }],
    ]);
  });

  it("marks notifications, each once", async () => {
    const headers = await member();
    for (const verb of ["read", "unread", "archive", "unarchive"]) {
      const response = await post(`/v1/me/${verb}`, { ids: ["a", "b", "a"], more: 1 }, headers);
      expect([response.status, await response.json()]).toEqual([200, { seq: 7, unread: 2 }]);
    }
    expect(http.calls).toEqual(["read", "unread", "archive", "unarchive"].map((verb) => ["mark", "31", verb, ["a", "b"]]));
  });

  it("reads all, with or without a body", async () => {
    const headers = await member();
    expect((await http.send("/v1/me/read_all", { method: "POST", headers })).status).toBe(200);
    expect((await post("/v1/me/read_all", {}, headers)).status).toBe(200);
    expect(await (await post("/v1/me/seen", { upTo: 7 }, headers)).json()).toEqual({ seq: 8, unread: 0 });
    expect(http.calls).toEqual([
      ["markUpTo", "31", "read_all", undefined],
      ["markUpTo", "31", "read_all", undefined],
      ["markUpTo", "31", "seen", 7],
      ["seen", "31"],
    ]);
  });

  it("reads the stream after a cursor or from its base, or learns that this is not possible", async () => {
    const headers = await member();
    const response = await http.send("/v1/me/stream?after=a:b:12&limit=5", { headers });
    expect([response.status, await response.json()]).toEqual([200, { epoch: "e", entries: [], head: 9, more: false }]);
    expect((await http.send("/v1/me/stream", { headers })).status).toBe(200);
    expect(http.calls).toEqual([
      ["sync", "31", { epoch: "a:b", seq: 12 }, 5],
      ["sync", "31", null, 100],
    ]);
    http.state.failure = new BelfryError("reset");
    const reset = await http.send("/v1/me/stream?after=old:0", { headers });
    expect([reset.status, await reset.json()]).toEqual([410, expect.objectContaining({ code: "reset" })]);
  });

  it("may call from a page of an allowed origin, and from no other", async () => {
    const preflight = (origin: string) =>
      http.send("/v1/me/read", { method: "OPTIONS", headers: { Origin: origin, "Access-Control-Request-Method": "POST" } });
    const allowed = await preflight(ORIGIN);
    expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([204, ORIGIN]);
    expect(allowed.headers.get("access-control-allow-headers")).toContain("Authorization");
    expect(allowed.headers.get("access-control-allow-methods")).toBe("GET, POST, PUT, DELETE");
    const denied = await preflight("https://evil.example");
    expect([denied.status, await denied.json()]).toEqual([403, expect.objectContaining({ code: "origin_denied" })]);
    expect(denied.headers.get("access-control-allow-origin")).toBeNull();
    const refused = await http.send("/v1/me/notifications", { headers: { Origin: ORIGIN } });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([401, ORIGIN]);
  });
});

describe("the service says", () => {
  it("that it is up", async () => {
    const response = await http.send("/health");
    expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
  });

  it("whether it can serve", async () => {
    expect((await http.send("/ready")).status).toBe(200);
    http.state.failure = new Error("no connection to hunter2@db");
    const broken = await http.send("/ready");
    const text = await broken.text();
    expect([broken.status, JSON.parse(text)]).toEqual([503, expect.objectContaining({ code: "unavailable" })]);
    expect(text).not.toContain("hunter2");
    http.state.draining = true;
    expect(await (await http.send("/ready")).json()).toMatchObject({ status: 503, code: "unavailable" });
  });

  it("its numbers in Prometheus's format", async () => {
    await http.send("/nowhere");
    const response = await http.send("/metrics");
    const text = await response.text();
    expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
    for (const line of [
      /^belfry_events_total\{outcome="stored"\} \d+$/m,
      /^belfry_http_errors_total\{code="not_found"\} [1-9]/m,
      /^process_cpu_seconds_total/m,
    ]) {
      expect(text).toMatch(line);
    }
  });

  it("nothing of what it is made of, and names every request", async () => {
    const response = await http.send("/health", { headers: { "X-Request-Id": "abc-1" } });
    expect(response.headers.get("x-powered-by")).toBeNull();
    expect(response.headers.get("x-request-id")).toBe("abc-1");
    expect(response.headers.get("content-security-policy")).toContain("script-src 'self'");
    expect((await http.send("/health", { headers: { "X-Request-Id": "a b" } })).headers.get("x-request-id")).toMatch(/^[\da-f-]{36}$/);
  });
});
