import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { Flow, Markers } from "../../../src/realtime/flow.js";
import { Packet } from "../../../src/realtime/packet.js";

/** A client that reads when it is told to, at the end of an outlet that may be congested. */
class Reader {
  congested = false;
  readonly sent: string[] = [];
  readonly #marks: Array<() => void> = [];
  #waiters: Array<() => void> = [];

  writeEncoded(packet: string | Packet): void {
    this.sent.push(packet instanceof Packet ? packet.event : packet);
  }

  async ready(): Promise<void> {
    if (this.congested) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  mark(onRead: () => void): void {
    this.#marks.push(onRead);
  }

  /** Reads all that was sent. Returns how many markers that passed. */
  read(): number {
    const marks = this.#marks.splice(0);
    for (const onRead of marks) onRead();
    return marks.length;
  }

  drain(): void {
    this.congested = false;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

function open() {
  const reader = new Reader();
  const values = new Map<string, string>();
  const flow = new Flow<string>(reader, reader, (key) => (values.has(key) ? new Packet("/live", values.get(key) as string) : null));
  const write = (key: string, value: string) => {
    values.set(key, value);
    flow.changed(key);
  };
  return { reader, values, flow, write };
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe("a flow", () => {
  it("sends nothing until the last batch is read, however long that takes; then the newest value of each", () => {
    const { reader, write } = open();
    for (let value = 1; value <= 1_000; value++) {
      write("a", `a${value}`);
      write("b", `b${value}`);
      jest.advanceTimersByTime(60);
    }
    expect(reader.sent).toEqual(["a1"]);
    reader.read();
    expect(reader.sent).toEqual(["a1", "b1000", "a1000"]);
    jest.advanceTimersByTime(60);
    expect(reader.read()).toBe(1);
    expect(reader.sent).toHaveLength(3);
  });

  it("leaves at least 50 ms between two batches to a client that reads at once", () => {
    const { reader, write } = open();
    for (let value = 1; value <= 1_000; value++) {
      write("a", `a${value}`);
      reader.read();
      jest.advanceTimersByTime(1);
    }
    jest.advanceTimersByTime(50);
    expect(reader.sent.length).toBeLessThanOrEqual(22);
    expect(reader.sent.length).toBeGreaterThan(15);
    expect(reader.sent.at(-1)).toBe("a1000");
  });

  it("sends many changes in batches that a slow client can finish, none of them twice and none left out", () => {
    const { reader, write } = open();
    write("first", "first");
    for (let key = 0; key < 100; key++) write(`k${key}`, `v${key}`);
    let before = reader.sent.length;
    while (reader.read() > 0) {
      jest.advanceTimersByTime(50);
      expect(reader.sent.length - before).toBeLessThanOrEqual(16);
      before = reader.sent.length;
    }
    expect(reader.sent.slice(1)).toEqual(Array.from({ length: 100 }, (_, key) => `v${key}`));
  });

  it("counts large values by their bytes: two of 64 KiB do not share a batch", () => {
    const { reader, write } = open();
    write("first", "first");
    for (const key of ["a", "b", "c"]) write(key, key.repeat(64 * 1024));
    reader.read();
    jest.advanceTimersByTime(50);
    expect(reader.sent.map((event) => event[0])).toEqual(["f", "a"]);
  });

  it("lets a busy value not starve the others", () => {
    const { reader, write } = open();
    for (let key = 0; key < 40; key++) write(`k${key}`, `v${key}`);
    for (let round = 0; round < 4; round++) {
      for (let key = 0; key < 16; key++) write(`k${key}`, `busy${key}`);
      reader.read();
      jest.advanceTimersByTime(50);
    }
    for (let key = 16; key < 40; key++) expect(reader.sent).toContain(`v${key}`);
  });

  it("holds back from a client that answers what it did not read", async () => {
    const { reader, write } = open();
    write("a", "a1");
    reader.congested = true;
    write("a", "a2");
    reader.read();
    jest.advanceTimersByTime(1_000);
    write("a", "a3");
    expect(reader.sent).toEqual(["a1"]);
    reader.drain();
    await Promise.resolve();
    await Promise.resolve();
    expect(reader.sent).toEqual(["a1", "a3"]);
  });

  it("asks for no answer where there was nothing to tell", () => {
    const { reader, flow } = open();
    flow.changed("unknown");
    expect(reader.read()).toBe(0);
  });

  it("is silent once it is closed, and leaves no timer", async () => {
    const { reader, flow, write } = open();
    write("a", "a1");
    write("a", "a2");
    flow.close();
    expect(jest.getTimerCount()).toBe(0);
    reader.read();
    write("a", "a3");
    expect(reader.sent).toEqual(["a1"]);
  });
});

/** A connection's engine, as far as markers see it. */
class Connection extends EventEmitter {
  pingTimeoutTimer: object | null = null;
  pings = 0;

  sendPacket(type: string): void {
    this.pings++;
    this.emit("packetCreate", { type });
  }

  pong(): void {
    this.emit("heartbeat");
  }
}

function mark(connection: Connection, read: string[], name: string): void {
  Markers.of(connection as never).mark(() => read.push(name));
}

describe("a marker", () => {
  it("is read when its own ping is answered, not the engine's before or after it", () => {
    const connection = new Connection();
    const read: string[] = [];
    mark(connection, read, "first");
    connection.sendPacket("ping");
    mark(connection, read, "second");
    mark(connection, read, "third");
    const readAfter = Array.from({ length: 4 }, () => {
      connection.pong();
      return [...read];
    });
    expect(readAfter).toEqual([["first"], ["first"], ["first", "second"], ["first", "second", "third"]]);
    expect(connection.pings).toBe(4);
  });

  it("is not taken for read by the answer to a heartbeat that was under way before anything was marked", () => {
    const connection = new Connection();
    connection.pingTimeoutTimer = {};
    const read: string[] = [];
    mark(connection, read, "first");
    connection.pong();
    expect(read).toEqual([]);
    connection.pong();
    expect(read).toEqual(["first"]);
  });

  it("is not answered in advance by pongs that nothing asked for, nor by other packets", () => {
    const connection = new Connection();
    const read: string[] = [];
    mark(connection, read, "first");
    for (let pong = 0; pong < 10; pong++) connection.pong();
    connection.emit("packetCreate", { type: "message" });
    mark(connection, read, "second");
    expect(read).toEqual(["first"]);
    connection.pong();
    expect(read).toEqual(["first", "second"]);
  });
});
