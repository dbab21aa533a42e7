import { EventEmitter } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import type { Response } from "express";
import { sendDownload } from "../../../src/http/download.js";

/** A reader as the response shows it: it is full after every chunk until the test drains it, and may go away. */
class SlowReader extends EventEmitter {
  headersSent = false;
  destroyed = false;
  sent: string[] = [];
  ended = false;

  attachment(): this {
    return this;
  }

  type(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  write(text: string): boolean {
    this.headersSent = true;
    this.sent.push(text);
    return false;
  }

  end(text: string): void {
    this.sent.push(text);
    this.ended = true;
  }
}

/** 100 lines of 4,000 characters; `made` counts those that were asked for, `closed` says that nobody asks any more. */
function source() {
  const state = { made: 0, closed: false };
  async function* lines(): AsyncGenerator<string> {
    try {
      for (; state.made < 100; ) {
        state.made++;
        yield `${"x".repeat(3_999)}\n`;
      }
    } finally {
      state.closed = true;
    }
  }
  return { state, lines: lines() };
}

const send = (reader: SlowReader, lines: AsyncIterable<string>) =>
  sendDownload(reader as unknown as Response, { name: "a.csv", type: "text/csv", header: "h\n", lines });

describe("a download", () => {
  it("is made no faster than it is read", async () => {
    const reader = new SlowReader();
    const { state, lines } = source();
    const sending = send(reader, lines);
    for (let chunks = 1; chunks <= 20; chunks++) {
      // Long enough for a source that nobody holds back.
      for (let turns = 0; turns < 10; turns++) await turn();
      expect(reader.sent).toHaveLength(chunks);
      expect(state.made).toBe(Math.min(chunks * 5, 100));
      reader.emit("drain");
    }
    await sending;
    expect(reader.ended).toBe(true);
    expect(reader.sent.join("")).toHaveLength(2 + 100 * 4_000);
    expect(reader.listenerCount("drain") + reader.listenerCount("close")).toBe(0);
  });

  it("ends when its reader goes away", async () => {
    const reader = new SlowReader();
    const { state, lines } = source();
    const sending = send(reader, lines);
    while (reader.sent.length === 0) await turn();
    reader.destroyed = true;
    reader.emit("close");
    await sending;
    expect([state.closed, state.made < 10, reader.ended]).toEqual([true, true, false]);
  });
});
