import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { BelfryError } from "../../../src/errors.js";
import { createMetrics, type Metrics } from "../../../src/telemetry/index.js";
import { event, type Http, rawHead, SERVER, startHttp } from "../http/harness.js";

/** The labels of all series of a metric, without the buckets. */
async function labelsOf(metrics: Metrics, name: string): Promise<string[]> {
  return (await metrics.text())
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`))
    .map((line) => line.slice(name.length));
}

describe("requests over HTTP", () => {
  let http: Http;

  beforeAll(async () => {
    http = await startHttp();
  });

  afterAll(() => http.stop());

  const routes = () => labelsOf(http.metrics, "belfry_http_request_seconds_count");
  const json = (body: unknown) => ({ method: "POST", headers: SERVER, body: JSON.stringify(body) });

  it("are counted by route, method and status", async () => {
    await http.send("/v1/events", json(event()));
    await http.send("/v1/events?x=1", json({}));
    await http.send("/health");
    await http.send("/v1/online", { headers: SERVER });
    await http.send("/v1/members/31/mute", { method: "PUT", headers: SERVER, body: "{}" });
    const counted = await routes();
    for (const labels of [
      '{route="/v1/events",method="POST",status="2xx"} 1',
      '{route="/v1/events",method="POST",status="4xx"} 1',
      '{route="/health",method="GET",status="2xx"} 1',
      '{route="/v1/online",method="GET",status="2xx"} 1',
      '{route="/v1/members/:id/mute",method="PUT",status="2xx"} 1',
    ]) {
      expect(counted).toContain(labels);
    }
  });

  it("never give a label what a caller has made up", async () => {
    const strange = [
      ["GET", "/v1/members/hunter2"],
      ["GET", "/v1/hunter2/31"],
      ["GET", "/hunter2"],
      ["GET", "/V1/Me/Hunter2"],
      ["GET", "//v1//topics//hunter2"],
      ["GET", "/v1/topics/%E0%A4%A"],
      ["PROPFIND", "/v1/topics/hunter2"],
      ["POST", "/v1/events/hunter2"],
      ["GET", "/v1/me/notifications?hunter2"],
      ["DELETE", "/v1/me/read"],
    ] as const;
    for (const [method, path] of strange) await http.send(path, { method, headers: { "X-Request-Id": "hunter2" } });
    const counted = (await routes()).join("\n");
    expect(counted.toLowerCase()).not.toContain("hunter2");
    expect(counted).not.toContain("PROPFIND");
    expect(counted).toContain('{route="/v1/me/*",method="GET",status="4xx"} 2');
    expect(counted).toContain('{route="(other)",method="GET",status="4xx"}');
    expect(counted).toContain('method="other"');
  });

  it("are named by their caller, or by the service, on the lean routes too", async () => {
    const named = await http.send("/v1/events", { ...json(event()), headers: { ...SERVER, "X-Request-Id": "forum-7.a_B" } });
    expect(named.headers.get("x-request-id")).toBe("forum-7.a_B");
    for (const id of ["a b", "", "a".repeat(65), "\u00e9", '{"a":1}']) {
      const response = await http.send("/v1/events", { ...json({}), headers: { ...SERVER, "X-Request-Id": id } });
      expect(response.headers.get("x-request-id")).toMatch(/^[\da-f]{8}-[\da-f-]{27}$/);
    }
    const refused = await http.raw(`${rawHead("/v1/events", "X-Request-Id: r-1", "Content-Length: 99999999", "Connection: close")}`);
    expect(refused).toMatch(/^HTTP\/1.1 413 [\s\S]*X-Request-Id: r-1/i);
  });
});

describe("a request whose caller goes away", () => {
  it("is counted as such, once", async () => {
    const metrics = createMetrics();
    const trail = metrics.http.begin({ id: "r", method: "GET", isTraced: true, traceparent: null });
    trail.end("/v1/audit", null);
    trail.end("/v1/audit", 200);
    expect(await labelsOf(metrics, "belfry_http_request_seconds_count")).toEqual(['{route="/v1/audit",method="GET",status="aborted"} 1']);
  });
});

describe("requests by socket", () => {
  const handlers = new Map([
    ["list", async (_user: string, payload: unknown): Promise<object> => ({ payload })],
    [
      "send",
      async (): Promise<object> => {
        throw new BelfryError("muted");
      },
    ],
    [
      "read",
      async (): Promise<object> => {
        throw new TypeError("a fault");
      },
    ],
  ]);

  it("are answered as before, and counted by what became of them", async () => {
    const metrics = createMetrics();
    const observed = metrics.sockets.observed("/notifications", handlers);
    expect([...observed.keys()]).toEqual([...handlers.keys()]);
    expect(await observed.get("list")?.("31", 5)).toEqual({ payload: 5 });
    await expect(observed.get("send")?.("31", 5)).rejects.toMatchObject({ code: "muted" });
    await expect(observed.get("read")?.("31", 5)).rejects.toThrow("a fault");
    expect(await labelsOf(metrics, "belfry_socket_request_seconds_count")).toEqual([
      '{namespace="/notifications",event="list",outcome="ok"} 1',
      '{namespace="/notifications",event="send",outcome="refused"} 1',
      '{namespace="/notifications",event="read",outcome="failed"} 1',
    ]);
  });

  it("are let in or refused, and counted by why", async () => {
    const metrics = createMetrics();
    const admit = metrics.sockets.admitting("/live", async (token: string) => {
      if (token === "") throw new BelfryError("unauthorized");
      if (token === "x") throw new Error("the database of hunter2");
      return token;
    });
    expect(await admit("good")).toBe("good");
    await expect(admit("")).rejects.toMatchObject({ code: "unauthorized" });
    await expect(admit("x")).rejects.toThrow("hunter2");
    expect(await labelsOf(metrics, "belfry_handshakes_total")).toEqual([
      '{namespace="/live",outcome="accepted"} 1',
      '{namespace="/live",outcome="unauthorized"} 1',
      '{namespace="/live",outcome="internal"} 1',
    ]);
  });
});
