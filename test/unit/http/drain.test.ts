import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Drain } from "../../../src/http/index.js";
import { until } from "../../support/member.js";

const UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

let server: Server;
let drain: Drain;
/** Requests that reached what is behind, and are to be answered by the test. */
let waiting: Array<{ url: string; response: ServerResponse }>;
let upgraded: string[];
const sockets: Socket[] = [];

beforeEach(async () => {
  waiting = [];
  upgraded = [];
  server = createServer((request, response) => {
    if (request.url?.startsWith("/slow")) waiting.push({ url: request.url, response });
    else response.end(`served ${request.url}`);
  });
  server.on("upgrade", (request, socket) => {
    upgraded.push(request.url as string);
    socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  });
  drain = new Drain(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  if (!server.listening) return;
  server.close();
  await once(server, "close");
});

/** A connection that keeps what it hears. */
function open(): { say(head: string): void; heard(): string; isClosed(): boolean } {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  sockets.push(socket);
  let [text, closed] = ["", false];
  socket.on("data", (chunk) => {
    text += chunk.toString();
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    closed = true;
  });
  return { say: (head) => socket.write(`${head}\r\nHost: x\r\n\r\n`), heard: () => text, isClosed: () => closed };
}

/** The answer to one request on a connection of its own. */
async function answerTo(head: string): Promise<string> {
  const connection = open();
  connection.say(head);
  await until(`an answer to ${head}`, () => connection.heard() !== "");
  return connection.heard();
}

describe("a server that does not stop", () => {
  it("gives on what it is asked, and keeps connections", async () => {
    const answer = await answerTo("GET /here HTTP/1.1");
    expect(answer).toMatch(/^HTTP\/1.1 200 .*Connection: keep-alive.*served \/here$/s);
    expect(await answerTo("GET /socket.io/?EIO=4&transport=polling HTTP/1.1")).toMatch(/^HTTP\/1.1 200 /);
    expect(await answerTo(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n${UPGRADE.trim()}`)).toMatch(/^HTTP\/1.1 101 /);
    expect(upgraded).toEqual(["/socket.io/?EIO=4&transport=websocket"]);
  });

  it.each(["GET /elsewhere", "GET /socket.io", "OPTIONS /socket.io/?EIO=4&transport=websocket", "GET /x/../socket.io/?EIO=4"])(
    "answers an upgrade that nobody takes: %s",
    async (line) => {
      expect(await answerTo(`${line} HTTP/1.1\r\n${UPGRADE.trim()}`)).toMatch(/^HTTP\/1.1 400 Bad Request\r\n.*"code":"bad_request"/s);
      expect(upgraded).toEqual([]);
    },
  );
});

describe("a server that begins to stop", () => {
  it("ends connections with their next answer, those whose request is under way too", async () => {
    const [idle, busy] = [open(), open()];
    idle.say("GET /first HTTP/1.1");
    busy.say("GET /slow HTTP/1.1");
    await until("both requests", () => idle.heard().includes("served") && waiting.length === 1);
    drain.begin();
    expect(idle.isClosed()).toBe(false);
    idle.say("GET /second HTTP/1.1");
    waiting[0]?.response.end("at last");
    await until("both are closed", () => idle.isClosed() && busy.isClosed());
    expect(idle.heard()).toMatch(/Connection: keep-alive.*served \/first.*Connection: close.*served \/second$/s);
    expect(busy.heard()).toMatch(/^HTTP\/1.1 200 .*Connection: close.*at last/s);
    await drain.end();
  });

  it("serves new connections, but begins no sessions", async () => {
    drain.begin();
    expect(await answerTo("GET /here HTTP/1.1")).toMatch(/^HTTP\/1.1 200 .*Connection: close/s);
    for (const head of ["GET /socket.io/?EIO=4&transport=polling HTTP/1.1", `GET /socket.io/?EIO=4&sid= HTTP/1.1\r\n${UPGRADE.trim()}`]) {
      expect(await answerTo(head)).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n.*"code":"draining"/s);
    }
    // Those that there are go on until they are told.
    expect(await answerTo("POST /socket.io/?EIO=4&transport=polling&sid=abc HTTP/1.1")).toMatch(/^HTTP\/1.1 200 /);
    expect(await answerTo(`GET /socket.io/?sid=abc HTTP/1.1\r\n${UPGRADE.trim()}`)).toMatch(/^HTTP\/1.1 101 /);
    await drain.end();
  });

  it("gives whoever asks for /ready time to learn of it, and waits for nobody else", async () => {
    drain.begin();
    const begun = performance.now();
    await drain.noticed();
    expect(performance.now() - begun).toBeLessThan(1_000);
    await answerTo("GET /ready HTTP/1.1");
    const asked = performance.now();
    await drain.noticed();
    expect(performance.now() - asked).toBeGreaterThan(2_000);
    await drain.end();
  }, 10_000);

  it("has ended when the last answer is out, and takes no more connections", async () => {
    const busy = open();
    const silent = open();
    busy.say("GET /slow HTTP/1.1");
    await until("the request", () => waiting.length === 1);
    drain.begin();
    const ended = drain.end();
    expect(server.listening).toBe(false);
    await until("the idle one is closed", () => silent.isClosed());
    expect(busy.isClosed()).toBe(false);
    waiting[0]?.response.end("at last");
    await ended;
    await until("the answer", () => busy.heard().includes("at last"));
  });
});
