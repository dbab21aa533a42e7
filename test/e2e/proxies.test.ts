import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { tokenFor } from "../support/member.js";
import { type Layout, Nginx } from "../support/nginx.js";
import { API_KEY, ask, SECRET } from "../support/nginx-client.js";
import { type Service, startService } from "../support/service.js";

/** Where a client is, and who it says it is. Whatever else is on this machine comes from 127.0.0.1. */
const CLIENT = "127.0.0.7";
const FORGED = "203.0.113.66";

const MB = 1_024 * 1_024;

const SERVER = { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" };

const opened: Array<{ stop(): Promise<unknown> }> = [];

async function startBehind(layout: Layout, trustProxy: string | undefined): Promise<{ service: Service; nginx: Nginx }> {
  const service = await startService({ env: { JWT_SECRET: SECRET, API_KEYS: API_KEY, TRUST_PROXY: trustProxy } });
  opened.push(service);
  const port = Number(new URL(service.url).port);
  const nginx = await Nginx.start(layout, [port, port]);
  opened.push(nginx);
  return { service, nginx };
}

afterAll(async () => {
  for (const one of opened.reverse()) await one.stop();
});

describe.each<Layout>(["one-layer", "two-layers"])("behind %s", (layout) => {
  let service: Service;
  let nginx: Nginx;
  beforeAll(async () => {
    ({ service, nginx } = await startBehind(layout, "1"));
  });

  /** The address that the audit log has of an act by a client that claims to come from elsewhere. */
  async function addressOf(through: Nginx, at: Service): Promise<unknown> {
    const forged = { "x-forwarded-for": `${FORGED}, 10.0.0.1`, "x-real-ip": FORGED, forwarded: `for=${FORGED}` };
    const body = JSON.stringify({ why: "to see from where" });
    await ask(through, "/v1/members/ada", { method: "PUT", headers: SERVER, body: "{}" });
    const kicked = await ask(through, "/v1/members/ada/kick", { method: "POST", from: CLIENT, headers: { ...SERVER, ...forged }, body });
    expect(kicked.status).toBe(200);
    const log = await fetch(`${at.url}/v1/audit?limit=1`, { headers: SERVER });
    return ((await log.json()) as { items: Array<{ from: unknown }> }).items[0]?.from;
  }

  it("knows the client's address and believes no forged one", async () => {
    expect(await addressOf(nginx, service)).toBe(CLIENT);
  });

  it.each([
    ["2, which is one too many", "2", CLIENT],
    ["true", "true", CLIENT],
    ["the proxy's address", "127.0.0.1", CLIENT],
    ["not set", undefined, "127.0.0.1"],
    ["0", "0", "127.0.0.1"],
    ["a subnet that the proxy is not in", "10.0.0.0/8", "127.0.0.1"],
  ])("and TRUST_PROXY is %s, sees an address that no client has made up", async (_what, trustProxy, expected) => {
    const other = await startBehind(layout, trustProxy);
    expect(await addressOf(other.nginx, other.service)).toBe(expected);
  });

  it.each(["/metrics", "/metrics/", "/Metrics", "/METRICS?x=1", "/%6detrics", "//metrics", "/v1/../metrics", "/./metrics", "/metrics%2f"])(
    "%s is not public",
    async (path) => {
      const answer = await ask(nginx, path);
      expect(answer.status).toBe(404);
      expect(answer.text).not.toContain("belfry_");
      expect((await fetch(`${service.url}/metrics`)).status).toBe(200);
    },
  );

  it("sends plain HTTP to HTTPS, and has browsers remember it", async () => {
    const plain = await fetch(`http://127.0.0.1:${nginx.httpPort}/v1/me/notifications?limit=3`, { redirect: "manual" });
    expect([plain.status, plain.headers.get("location")]).toEqual([308, "https://127.0.0.1/v1/me/notifications?limit=3"]);
    for (const path of ["/health", "/socket.io/?EIO=4&transport=polling"]) {
      expect((await ask(nginx, path)).headers["strict-transport-security"]).toBe("max-age=31536000");
    }
  });

  it("lets through what the service takes, and the service's own word on what it does not", async () => {
    const text = (length: number) => JSON.stringify({ to: ["ada"], type: "test", text: "x".repeat(length) });
    const post = (path: string, body: string) => ask(nginx, path, { method: "POST", headers: SERVER, body });
    const many = Array.from({ length: 1_000 }, (_, index) => ({
      id: `event-${index}`,
      type: "comment.created",
      actor: { id: "7" },
      thread: { id: "t", author: "ada", title: "x".repeat(200) },
      comment: { id: `c-${index}`, excerpt: "x".repeat(3_500) },
    }));
    expect((await post("/v1/events", JSON.stringify(many))).status).toBe(202);
    expect(await post("/v1/events", text(4.5 * MB))).toMatchObject({ status: 413, text: expect.stringContaining('"code":"too_large"') });
    expect(await post("/v1/notifications", text(300_000))).toMatchObject({
      status: 413,
      text: expect.stringContaining('"code":"too_large"'),
    });
    // Beyond that it is nginx that refuses.
    expect((await post("/v1/notifications", text(MB))).status).toBe(413);
  });

  it("takes a token of 8 KB", async () => {
    const token = tokenFor(SECRET, { sub: "ada", filling: "x".repeat(5_900) });
    expect(token.length).toBeGreaterThan(8_000);
    expect((await ask(nginx, "/v1/me/notifications", { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
  });

  it("gives a request one name on both sides", async () => {
    expect((await ask(nginx, "/health", { headers: { "x-request-id": "mine-1" } })).headers["x-request-id"]).toBe("mine-1");
    const { headers } = await ask(nginx, "/health", { headers: { "x-request-id": "a b\tc" } });
    expect(headers["x-request-id"]).toMatch(/^[0-9a-f]{32}$/);
    expect(await nginx.log("access")).toContain(String(headers["x-request-id"]));
  });

  it("answers what nobody can upgrade, and still has its nodes", async () => {
    const upgrade = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    };
    for (let count = 0; count < 10; count++) {
      const answers = await Promise.all([
        ask(nginx, "/socket.io/?EIO=4&transport=websocket", { method: "OPTIONS", headers: upgrade }),
        ask(nginx, "/x/../socket.io/?EIO=4&transport=websocket", { headers: upgrade }),
        ask(nginx, "/socket.io/?EIO=9&transport=websocket", { headers: upgrade }),
        ask(nginx, "/socket.io/?EIO=4&transport=nothing", { headers: upgrade }),
        ask(nginx, "/health", { headers: upgrade }),
      ]);
      for (const { status } of answers) expect([101, 200, 204, 400, 404]).toContain(status);
    }
    expect((await ask(nginx, "/ready")).status).toBe(200);
  });
});
