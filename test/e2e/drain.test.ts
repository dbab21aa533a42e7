import { connect, type Socket as TcpSocket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { call } from "../support/call.js";
import { Member, until } from "../support/member.js";
import { notify } from "../support/notify.js";
import { exchange, RawSocket } from "../support/raw.js";
import { type Service, startService } from "../support/service.js";

/** The promise: a stop takes no longer, whatever its clients do. */
const STOP_MS = 20_000;

let service: Service;
const members: Member[] = [];
const sockets: TcpSocket[] = [];

beforeEach(async () => {
  service = await startService({ env: { LOG_LEVEL: "info" } });
});

afterEach(async () => {
  for (const member of members.splice(0)) member.disconnect();
  for (const socket of sockets.splice(0)) socket.destroy();
  await service.stop();
});

async function arrive(user: string): Promise<Member> {
  const member = new Member(user, { url: service.url, secret: service.jwtSecret });
  members.push(member);
  return member.connect().ready();
}

/** Sends the signal; resolves with how the process ended, and after how many milliseconds. */
async function ending(signal: NodeJS.Signals = "SIGTERM"): Promise<{ code: number | null; ms: number }> {
  const sent = Date.now();
  process.kill(service.pid, signal);
  const { code } = await service.stop();
  return { code, ms: Date.now() - sent };
}

const ready = () => call(service, "GET", "/ready", "");

/** A request whose body is held back until `finish`. */
async function halfOf(path: string, body: string): Promise<{ finish(): Promise<string> }> {
  const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
  sockets.push(socket);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString();
  });
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const head = [
    `POST ${path} HTTP/1.1`,
    "Host: x",
    `Authorization: Bearer ${service.apiKey}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Expect: 100-continue",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  // By now the service knows of the request, whose body is still to come.
  await until("the service waits for the body", () => text.includes("100 Continue"));
  return {
    async finish() {
      socket.write(body);
      await closed;
      return text;
    },
  };
}

const NOTIFICATION = JSON.stringify({ to: ["ada"], type: "test", text: "in flight" });

describe("a node that is told to stop", () => {
  it("is not ready at once, and goes on serving until its members have gone", async () => {
    const ada = await arrive("ada");
    expect((await ready()).status).toBe(200);
    const end = ending();
    await until("it is not ready", async () => (await ready()).status === 503);
    expect(await ready()).toMatchObject({ body: { code: "unavailable" }, headers: expect.anything() });
    expect((await ready()).headers.get("connection")).toBe("close");
    // Whoever is still there is served, over connections old and new.
    expect(ada.connected).toBe(true);
    await notify(service, ["ada"], "while it stops");
    await until("it has arrived", () => ada.applied.size === 1);
    // Those who come anew are sent elsewhere, in words that a balancer understands.
    for (const transport of ["polling", "websocket"]) {
      const upgrade =
        transport === "websocket"
          ? "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
          : "";
      const { text, ended } = await exchange(service, `GET /socket.io/?EIO=4&transport=${transport} HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`);
      expect(text).toMatch(/^HTTP\/1.1 503 Service Unavailable.*connection: close.*"code":"draining"/is);
      expect(ended).toBe(true);
    }
    await until("the farewell", () => ada.farewells.length === 1);
    expect(ada.farewells[0]).toMatchObject({ code: "draining", reconnect: true, afterMs: expect.any(Number) });
    expect(await end).toMatchObject({ code: 0 });
  }, 30_000);

  it("tells its members one after the other", async () => {
    const many = await Promise.all(Array.from({ length: 30 }, (_, index) => arrive(`member-${index}`)));
    const told: number[] = [];
    for (const { socket } of many) socket.once("goodbye", () => told.push(Date.now()));
    expect(await ending()).toMatchObject({ code: 0 });
    expect(told).toHaveLength(30);
    const [first, last] = [Math.min(...told), Math.max(...told)];
    // Each has four milliseconds to itself.
    expect(last - first).toBeGreaterThan(60);
    // No moment has half of them.
    for (const from of told) expect(told.filter((at) => at >= from && at < from + 20).length).toBeLessThan(15);
  }, 30_000);

  it.each(["SIGTERM", "SIGINT"] as const)(
    "by %s, answers what is under way, and no further signal hurries it",
    async (signal) => {
      const request = await halfOf("/v1/notifications", NOTIFICATION);
      const end = ending(signal);
      await until("it stops", () => service.output.includes('"msg":"stopping"'));
      for (const again of ["SIGTERM", "SIGINT", "SIGTERM"] as const) {
        const before = service.output.split("stopping already").length;
        process.kill(service.pid, again);
        await until("it has heard the signal", () => service.output.split("stopping already").length > before);
      }
      const text = await request.finish();
      expect(text).toMatch(/HTTP\/1.1 202 Accepted.*Connection: close/s);
      expect(await end).toMatchObject({ code: 0 });
    },
    30_000,
  );

  it("closes kept connections with their last answer, and those that are idle", async () => {
    const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
    sockets.push(socket);
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString();
    });
    socket.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    await until("the answer", () => text.includes("ok"));
    expect(text).toMatch(/Connection: keep-alive/i);
    const { code, ms } = await ending();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(STOP_MS);
    await until("it is closed", () => socket.closed || socket.readableEnded);
  });

  it("ends in time with clients that do not read, and requests that never end", async () => {
    const deaf = await RawSocket.join(service, "deaf");
    deaf.pause();
    await halfOf("/v1/notifications", NOTIFICATION);
    const text = "x".repeat(4_000);
    for (let count = 0; count < 40; count++)
      await notify(
        service,
        Array.from({ length: 1 }, () => "deaf"),
        text,
        `key-${count}`,
      );
    const { code, ms } = await ending();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(STOP_MS);
    deaf.drop();
  }, 40_000);
});
