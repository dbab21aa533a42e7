import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { addressOf } from "../../../client/sdk/src/address.js";
import { waitFor } from "../../../client/sdk/src/backoff.js";
import { connectBy } from "../../../client/sdk/src/connect.js";
import { type ConnectOptions, webAddress } from "../../../client/sdk/src/index.js";
import { fromText } from "../../../client/sdk/src/kept.js";
import { NOTHING } from "../../../client/sdk/src/known.js";
import { advance, MAX_HELD } from "../../../client/sdk/src/rule.js";
import { claimsOf, useFor } from "../../../client/sdk/src/tokens.js";
import { tokenFor } from "../../support/member.js";
import { MemoryStorage } from "../../support/sdk.js";
import { ServiceModel } from "../../support/sdk-model.js";
import { Wire } from "../../support/sdk-wire.js";

describe("webAddress", () => {
  it("lets http and https through, and nothing else", () => {
    for (const good of ["https://a.example/x?y#z", "http://localhost:3000", "HTTPS://A.example"]) expect(webAddress(good)).toBe(good);
    const bad = [
      "javascript:alert(1)",
      "java\nscript:alert(1)",
      " https://a",
      "data:text/html,x",
      "//a.example",
      "/x",
      "https:///x",
      "https:a",
      "",
      null,
      7,
    ];
    for (const one of bad) expect(webAddress(one)).toBeNull();
  });
});

describe("the address of a service", () => {
  it("is an origin, with the path under which the service stands", () => {
    expect(addressOf("https://a.example")).toEqual({ origin: "https://a.example", path: "/socket.io/" });
    expect(addressOf("https://a.example:8443/belfry//")).toEqual({ origin: "https://a.example:8443", path: "/belfry/socket.io/" });
    expect(addressOf("", "https://page.example")).toEqual({ origin: "https://page.example", path: "/socket.io/" });
    for (const bad of ["", "a.example", "ftp://a", "javascript:alert(1)", "https://", "https://me:pw@a.example", null, 7]) {
      expect(addressOf(bad as string)).toBeNull();
    }
  });
});

describe("the wait before the next attempt", () => {
  it("is anything up to a second at first, up to 30 s at most, and never less than the service asked for", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.nat({ max: 100_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, least, chance) => {
          const wait = waitFor(failures, least, () => chance);
          expect(wait).toBeGreaterThanOrEqual(least);
          expect(wait - least).toBeLessThanOrEqual(Math.min(30_000, 1_000 * 2 ** (failures - 1)) + 0.01);
        },
      ),
    );
    expect([1, 2, 3, 6, 99].map((failures) => waitFor(failures, 0, () => 1))).toEqual([1_000, 2_000, 4_000, 30_000, 30_000]);
  });
});

describe("a token", () => {
  it("says whose it is and when it ends, in any writing, and nothing where it is none", () => {
    expect(claimsOf(tokenFor("s", { sub: "Жанна 🔔", exp: 1_000 }))).toEqual({ user: "Жанна 🔔", expiresAt: 1_000_000 });
    for (const none of ["", "x", "a.b.c", "a.e30.c"]) expect(claimsOf(none).user).toBeUndefined();
  });

  it("is used until a minute before its end, or for half of a short life", () => {
    expect([3_600_000, 120_000, 10_000].map(useFor)).toEqual([3_540_000, 60_000, 5_000]);
  });
});

describe("the client rule", () => {
  it("applies each entry once and in order, and holds no more than it must of what comes early", () => {
    const entry = (seq: number) => ({ seq, at: "", kind: "later.kind", unread: 0, data: {} });
    const many = Array.from({ length: 3 * MAX_HELD }, (_, i) => entry(i + 2));
    const early = advance(0, [], many);
    expect([early.due, early.seq, early.held.length]).toEqual([[], 0, MAX_HELD]);
    const { due, seq } = advance(0, early.held, [entry(1), entry(2), entry(1)]);
    expect(due.map((one) => one.seq)).toEqual(Array.from({ length: MAX_HELD + 1 }, (_, i) => i + 1));
    expect(seq).toBe(MAX_HELD + 1);
  });
});

describe("what is kept", () => {
  it("is nothing where the text is not whole, and never an exception", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((json) => `["belfry 1",${json},0,[],{"cursor":null,"items":[],"older":0}]`),
        ),
        (text) => {
          expect(fromText(text).inbox.items).toEqual(NOTHING.inbox.items);
        },
      ),
    );
    expect(fromText(null)).toBe(NOTHING);
  });
});

describe("a store, on a model of the service", () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  function open(more: Partial<ConnectOptions> = {}) {
    const model = new ServiceModel();
    const wire = new Wire(model);
    const belfry = connectBy(wire.io as never, { url: "http://a.test", token: () => "x", user: "ada", storage: null, ...more });
    const calm = async (ms = 500): Promise<void> => {
      for (let i = 0; i < 10; i++) {
        wire.deliver();
        await jest.advanceTimersByTimeAsync(ms / 10);
      }
    };
    return { model, wire, belfry, calm };
  }

  it("does again what the service could not do now, in its order, and gives up what it refuses", async () => {
    const { model, wire, belfry, calm } = open();
    model.come();
    await calm();
    wire.refusals = ["rate_limited", "unavailable"];
    const done = [belfry.read("n1"), belfry.archive("n1")];
    await calm(900);
    expect(belfry.pending).toBe(2);
    await calm(4_000);
    await Promise.all(done);
    expect(model.list("archived")).toHaveLength(1);
    wire.refusals = ["internal"];
    await Promise.all([calm(), expect(belfry.unarchive("n1")).rejects.toMatchObject({ code: "internal" })]);
    belfry.close();
  });

  it("shows the last of what was done, whichever answers and entries have come", async () => {
    const { model, wire, belfry, calm } = open();
    model.come();
    await calm();
    const done = Promise.all([belfry.read("n1"), belfry.markUnread("n1"), belfry.archive("n1"), belfry.unarchive("n1"), belfry.read("n1")]);
    for (const way of [
      "up",
      "answers",
      "up",
      "answers",
      "down",
      "up",
      "up",
      "answers",
      "down",
      "answers",
      "up",
      "answers",
      "down",
    ] as const) {
      expect(belfry.notifications[0]?.readAt).not.toBeNull();
      wire.deliver(way);
      await jest.advanceTimersByTimeAsync(0);
    }
    await calm();
    await done;
    expect(belfry.notifications).toEqual(model.list("all"));
    belfry.close();
  });

  it("keeps state and queue in a storage that takes its time", async () => {
    const kept = new MemoryStorage();
    const slow = {
      getItem: async (key: string) => kept.getItem(key),
      setItem: async (key: string, value: string) => kept.setItem(key, value),
      removeItem: async (key: string) => kept.removeItem(key),
    };
    const first = open({ storage: slow });
    first.model.come();
    await first.calm();
    first.wire.isDown = true;
    first.wire.cut();
    void first.belfry.read("n1");
    await first.calm();
    first.belfry.close();
    const second = open({ storage: slow });
    second.wire.isDown = true;
    await second.calm();
    expect(second.belfry.notifications).toHaveLength(1);
    expect([second.belfry.unread, second.belfry.pending]).toEqual([0, 1]);
    second.belfry.close({ forget: true });
    await second.calm();
    expect(kept.texts.size).toBe(0);
  });

  it("does not read what is another history's", async () => {
    const { model, wire, belfry, calm } = open();
    for (let i = 0; i < 3; i++) model.come();
    await calm();
    wire.isDown = true;
    wire.cut();
    const done = belfry.readAll();
    model.setBack();
    wire.isDown = false;
    await Promise.all([calm(40_000), expect(done).rejects.toMatchObject({ code: "reset" })]);
    expect(belfry.unread).toBe(3);
    belfry.close();
  });

  it("takes 200 actions offline and no more", async () => {
    const { wire, belfry, calm } = open();
    await calm();
    wire.isDown = true;
    wire.cut();
    for (let i = 0; i < 200; i++) void belfry.block(`member-${i}`);
    await expect(belfry.block("one more")).rejects.toMatchObject({ code: "queue_full" });
    expect(belfry.pending).toBe(200);
    belfry.close();
    await expect(belfry.block("after the end")).rejects.toMatchObject({ code: "closed" });
  });

  it("tells of changes once however many entries came, also where a listener throws, and not after it was taken back", async () => {
    const { model, wire, belfry, calm } = open();
    await calm();
    const error = jest.spyOn(console, "error").mockImplementation(() => {});
    let told = 0;
    belfry.subscribe(() => {
      throw new Error("a listener's fault");
    });
    const end = belfry.subscribe(() => told++);
    const { notifications } = belfry;
    expect(belfry.notifications).toBe(notifications);
    for (let i = 0; i < 20; i++) model.come();
    wire.deliver();
    await jest.advanceTimersByTimeAsync(0);
    expect(told).toBe(1);
    expect(belfry.notifications).toHaveLength(20);
    const [newest] = belfry.notifications;
    model.come();
    await calm();
    expect(belfry.notifications[1]).toBe(newest);
    end();
    const before = told;
    model.come();
    await calm();
    expect(told).toBe(before);
    expect(error).toHaveBeenCalled();
    belfry.close();
    await jest.advanceTimersByTimeAsync(0);
    error.mockRestore();
  });

  it("waits as long as it was told to, stops where it was told to, and outlives nonsense", async () => {
    const { wire, belfry, calm } = open();
    await calm();
    wire.say("goodbye", { code: "draining", message: "Back soon.", reconnect: true, afterMs: 60_000 });
    await calm();
    expect(belfry.status).toMatchObject({ is: "offline", code: "draining", message: "Back soon.", synced: false });
    await calm(59_000);
    expect(wire.handshakes).toBe(1);
    await calm(3_000);
    expect(belfry.status).toMatchObject({ is: "online", synced: true });
    wire.say("snapshot", { stream: "inbox", epoch: "e9", seq: 1, items: null });
    wire.deliver();
    await jest.advanceTimersByTimeAsync(0);
    expect(belfry.status).toMatchObject({ is: "offline", code: "incompatible" });
    await calm(3_000);
    expect(belfry.status.synced).toBe(true);
    wire.say("goodbye", { code: "replaced", message: "A newer one took over.", reconnect: false });
    await calm(300_000);
    expect(belfry.status).toMatchObject({ is: "stopped", code: "replaced" });
    belfry.close();
  });

  it("looks after a sleep whether its connection is still there, and makes another if it is not", async () => {
    const { model, wire, belfry, calm } = open();
    await calm();
    // Nothing travels any more, and nobody says so.
    jest.setSystemTime(Date.now() + 3_600_000);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(belfry.status.is).toBe("online");
    await jest.advanceTimersByTimeAsync(5_000);
    expect(belfry.status).toMatchObject({ is: "offline", code: "unreachable" });
    model.come();
    await calm(2_000);
    expect(belfry.status.synced).toBe(true);
    expect(belfry.notifications).toHaveLength(1);
    // A connection that answers is kept.
    jest.setSystemTime(Date.now() + 3_600_000);
    await calm(20_000);
    expect(wire.handshakes).toBe(2);
    belfry.close();
  });

  it("does not wait out a long pause when the device wakes, unless the service has asked for it", async () => {
    const { wire, belfry, calm } = open();
    wire.isDown = true;
    while (wire.handshakes < 8) await calm(10_000);
    expect(belfry.status).toMatchObject({ is: "offline", code: "unreachable" });
    const before = wire.handshakes;
    wire.isDown = false;
    jest.setSystemTime(Date.now() + 100_000);
    await calm(5_100);
    expect(wire.handshakes).toBeGreaterThan(before);
    await calm();
    expect(belfry.status.synced).toBe(true);
    wire.say("goodbye", { code: "overloaded", message: "", reconnect: true, afterMs: 600_000 });
    await calm();
    const then = wire.handshakes;
    jest.setSystemTime(Date.now() + 100_000);
    await calm(5_100);
    expect(wire.handshakes).toBe(then);
    belfry.close();
  });
});
