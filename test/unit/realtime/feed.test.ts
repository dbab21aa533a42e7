import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Feed, type FeedOutlet } from "../../../src/realtime/feed.js";
import { inboxOf } from "../../../src/realtime/member-streams.js";
import type { Packet } from "../../../src/realtime/packet.js";
import { Turnstile } from "../../../src/realtime/turnstile.js";
import type { StoredEntry } from "../../../src/stream/index.js";
import { type Embedded, openEmbedded, tell } from "../../support/embedded.js";

/** A client that follows the rule, at the other end of an outlet that may be congested for a while. */
class Client implements FeedOutlet {
  congested = false;
  readonly applied: number[] = [];
  cursor = 0;
  holes = 0;
  synced = 0;
  #waiters: Array<() => void> = [];

  writeEncoded(packet: string | Packet): void {
    const [name, payload] = JSON.parse(typeof packet === "string" ? packet : packet.event) as [string, { entries: Array<{ seq: number }> }];
    if (name !== "entries") return;
    for (const { seq } of payload.entries) {
      if (seq > this.cursor + 1) this.holes++;
      if (seq !== this.cursor + 1) continue;
      this.cursor = seq;
      this.applied.push(seq);
    }
  }

  emit(event: string, payload: { seq: number }): void {
    if (event === "snapshot") this.cursor = payload.seq;
    if (event === "synced") this.synced++;
  }

  async ready(): Promise<void> {
    if (this.congested) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  drain(): void {
    this.congested = false;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

const SILENT = {
  replayed: () => {},
  reset: () => {},
  held: () => {},
  failed: (error: unknown) => Promise.reject(error),
  showing: () => {},
  synced: () => {},
};

/** Lets everything that is ready run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function openFeed(embedded: Embedded, client: Client, from: number): Promise<Feed> {
  const feed = new Feed(inboxOf("ada", embedded.inbox), { log: embedded.log, turns: new Turnstile(1) }, client, SILENT);
  const epoch = await embedded.log.epoch();
  await feed.open({ epoch, seq: from }, epoch, await embedded.log.tail("inbox:ada"));
  return feed;
}

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("append" as const), heard: fc.constantFrom("once", "twice", "never", "late") }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("rumour" as const), seq: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("congest" as const, "drain" as const, "settle" as const) }) },
);

describe("a feed", () => {
  it("brings a client to exactly the stream's content, whatever is lost, late, doubled or reordered on the way", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(5), fc.array(step, { maxLength: 40 }), async (before, steps) => {
        const embedded = await openEmbedded();
        try {
          for (let post = 0; post < before; post++) await tell(embedded, "ada", `before-${post}`);
          const client = new Client();
          const feed = await openFeed(embedded, client, 0);
          const entries: StoredEntry[] = [];
          embedded.log.subscribe((_stream, entry) => entries.push(entry));
          const late: StoredEntry[] = [];
          const hear = (entry: StoredEntry) => {
            if (feed.takes(entry.seq)) feed.push(entry, feed.source.encode(entry));
            queueMicrotask(() => feed.flush());
          };
          feed.start();
          for (const [index, one] of steps.entries()) {
            if (one.do === "append") {
              await tell(embedded, "ada", String(index));
              const entry = entries.at(-1) as StoredEntry;
              if (one.heard === "late") late.push(entry);
              for (let times = { once: 1, twice: 2, never: 0, late: 0 }[one.heard] as number; times > 0; times--) hear(entry);
            } else if (one.do === "rumour") {
              // A hint older than what is known, doubled, or early: another node's, before this one sees the entry.
              if (one.seq <= before + entries.length) feed.onHead(one.seq);
            } else if (one.do === "congest") client.congested = true;
            else if (one.do === "drain") client.drain();
            else await settle();
          }
          for (const entry of late.reverse()) hear(entry);
          client.drain();
          await settle();
          // What the sweep does every 30 s.
          feed.onHead((await embedded.log.tail("inbox:ada")).head);
          await settle();
          const total = before + entries.length;
          expect(client.applied).toEqual(Array.from({ length: total }, (_, index) => index + 1));
          expect(client.holes).toBe(0);
          expect(client.synced).toBe(1);
        } finally {
          await embedded.close();
        }
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  it("starts over with a snapshot when trimming has passed the reader", async () => {
    const embedded = await openEmbedded();
    try {
      for (let post = 1; post <= 3; post++) await tell(embedded, "ada", String(post));
      const client = new Client();
      const feed = await openFeed(embedded, client, 0);
      client.congested = true;
      feed.start();
      for (let post = 4; post <= 9; post++) await tell(embedded, "ada", String(post));
      await embedded.log.trim("inbox:ada", 8);
      client.drain();
      await settle();
      await tell(embedded, "ada", "10");
      feed.onHead(10);
      await settle();
      expect(client.cursor).toBe(10);
      expect(client.holes).toBe(0);
    } finally {
      await embedded.close();
    }
  });
});
