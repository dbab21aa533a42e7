import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { FaultProxy } from "../support/fault-proxy.js";
import { until } from "../support/member.js";

/** How long nothing comes through before that is believed. Milliseconds. */
const SILENCE_MS = 150;

let server: Server;
let proxy: FaultProxy;
let accepted: Socket[];
const clients: Client[] = [];

/** A connection that keeps what it hears. */
class Client {
  heard = "";
  ended: "reset" | "closed" | null = null;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (data) => {
      this.heard += String(data);
    });
    this.socket.on("error", () => {
      this.ended = "reset";
    });
    this.socket.on("close", () => {
      this.ended ??= "closed";
    });
    clients.push(this);
  }

  async says(text: string): Promise<void> {
    this.socket.write(text);
    await until(
      () => `${text} comes back`,
      () => this.heard.endsWith(text),
    );
  }

  async hearsNothing(text: string): Promise<void> {
    const { length } = this.heard;
    this.socket.write(text);
    await new Promise((resolve) => setTimeout(resolve, SILENCE_MS));
    expect(this.heard).toHaveLength(length);
  }
}

beforeEach(async () => {
  accepted = [];
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy = await FaultProxy.start((server.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await proxy.stop();
  for (const socket of accepted) socket.destroy();
  server.close();
  await once(server, "close");
});

describe("the proxy that the faults are made with", () => {
  it("hands on bytes, and an end as an end", async () => {
    const client = new Client(proxy.port);
    await client.says("one");
    await client.says("x".repeat(1_000_000));
    client.socket.end();
    await until("the end has come back", () => client.ended === "closed");
  });

  it("cuts what is there and takes what comes", async () => {
    const client = new Client(proxy.port);
    await client.says("one");
    proxy.cut();
    await until("the connection is reset", () => client.ended === "reset");
    await new Client(proxy.port).says("two");
  });

  it("refuses until it is healed", async () => {
    proxy.refuse();
    const client = new Client(proxy.port);
    await until("the connection is reset", () => client.ended === "reset");
    proxy.heal();
    await new Client(proxy.port).says("one");
  });

  it("lets bytes wait while it is paused, and loses none", async () => {
    const client = new Client(proxy.port);
    await client.says("one");
    proxy.pause();
    await client.hearsNothing("two");
    const other = new Client(proxy.port);
    await other.hearsNothing("three");
    proxy.heal();
    await until("all comes", () => client.heard === "onetwo" && other.heard === "three");
  });

  it("swallows bytes while it is deaf, without a word to either side, and resets what was deaf in the end", async () => {
    const client = new Client(proxy.port);
    await client.says("one");
    proxy.deafen();
    await client.hearsNothing("two");
    const other = new Client(proxy.port);
    await other.hearsNothing("three");
    accepted[0]?.write("four");
    await new Promise((resolve) => setTimeout(resolve, SILENCE_MS));
    expect([client.heard, client.ended, other.ended]).toEqual(["one", null, null]);
    proxy.heal();
    await until("both are reset", () => client.ended === "reset" && other.ended === "reset");
    await new Client(proxy.port).says("five");
  });

  it("is deaf on the chosen connections only", async () => {
    const [even, odd] = [new Client(proxy.port), new Client(proxy.port)];
    await even.says("one");
    await odd.says("one");
    proxy.deafen((connection) => connection % 2 === 1);
    await odd.hearsNothing("two");
    await even.says("two");
    await new Client(proxy.port).says("three");
    await new Client(proxy.port).hearsNothing("three");
  });

  it("is slow each way, in order", async () => {
    const client = new Client(proxy.port);
    await client.says("one");
    proxy.slow(100);
    const began = performance.now();
    client.socket.write("two");
    await client.says("three");
    expect(client.heard).toBe("onetwothree");
    // Timers may be a millisecond early.
    expect(performance.now() - began).toBeGreaterThan(190);
  });
});
