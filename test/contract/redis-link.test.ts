import { afterEach, describe, expect, it } from "@jest/globals";
import { MAX_UNCONFIRMED_MESSAGES } from "../../src/cluster/redis/pair.js";
import { until } from "../support/member.js";
import { sharedRedis, startOwn, stopOwn } from "../support/redis.js";
import { ear, Links, untilCarried } from "../support/redis-links.js";

/** Faults are noticed and repaired within seconds, more on a busy machine. Milliseconds. */
const SLOW = 60_000;

describe("a link to one Redis", () => {
  const links = new Links();
  afterEach(async () => {
    await links.closeAll();
    await stopOwn();
  });

  it("carries text as it is, in order, to everyone who listens, the sender too", async () => {
    const [one, other] = [await links.open(sharedRedis()), await links.open(sharedRedis())];
    const heard = [ear(one, "belfry:t"), ear(other, "belfry:t"), ear(other, "belfry:t")];
    ear(other, "belfry:elsewhere");
    await until("all is subscribed", () => one.isReady && other.isReady);
    const texts = ["", "1", "ä → 🎈\n\0", "x".repeat(100_000)];
    for (const text of texts) expect(one.publish("belfry:t", text)).toBe(true);
    await until("all has arrived", () => heard.every((all) => all.length === texts.length));
    expect(heard).toEqual([texts, texts, texts]);
  });

  it(
    "is ready when what is published then is heard, at first and after every lost connection",
    async () => {
      const redis = await startOwn();
      const link = await links.open(redis.url);
      const heard = ear(link, "belfry:ready");
      let ready = 0;
      link.onReady(() => link.publish("belfry:ready", String(++ready)));
      await until("it is ready", () => ready === 1);
      for (const [round, type] of ["normal", "pubsub", "normal", "pubsub"].entries()) {
        await redis.command("CLIENT", "KILL", "TYPE", type);
        await until("it is ready again", () => ready === round + 2);
      }
      await until("all is heard", () => heard.length === ready);
      expect(heard).toEqual(["1", "2", "3", "4", "5"]);
    },
    SLOW,
  );

  it("tells a listener that comes late that it is ready, and again when something was added", async () => {
    const link = await links.open(sharedRedis());
    let ready = 0;
    link.onReady(() => ready++);
    await until("it has told", () => ready === 1);
    ear(link, "belfry:one");
    ear(link, "belfry:two");
    expect(link.isReady).toBe(false);
    await until("it is ready with both", () => ready === 2);
    expect(link.isReady).toBe(true);
  });

  it(
    "drops what is published while Redis is down, connects again by itself, and the log says each once",
    async () => {
      const own = await startOwn();
      const { link, lines } = await links.openLogged(own.url);
      const heard = ear(link, "belfry:t");
      await until("it is ready", () => link.isReady);
      await own.kill9();
      await until("the loss is noticed", () => !link.isReady);
      expect(link.publish("belfry:t", "lost")).toBe(false);
      expect(link.dropped).toBe(1);
      await until("some attempts have failed", () => lines.length > 5);
      await own.restart();
      await until("it is ready again", () => link.isReady, 5_000);
      link.publish("belfry:t", "found");
      await until("it is heard", () => heard.length > 0);
      expect(heard).toEqual(["found"]);
      expect(lines.filter(({ level }) => level > 20).map(({ msg }) => msg)).toEqual([
        "redis connected",
        "redis cannot be used; this node goes on without it and tries again",
        "redis connected",
      ]);
    },
    SLOW,
  );

  it(
    "lets a frozen Redis go within seconds, and comes back when it goes on",
    async () => {
      const own = await startOwn();
      const link = await links.open(own.url);
      own.freeze();
      await until("the silence is noticed", () => !link.isReady, 8_000);
      own.thaw();
      await until("it is ready again", () => link.isReady, 5_000);
      await untilCarried(link, link);
    },
    SLOW,
  );

  it(
    "lets connections go at once when it is told to renew them",
    async () => {
      const own = await startOwn();
      const { link, lines } = await links.openLogged(own.url);
      const heard = ear(link, "belfry:t");
      await until("it is ready", () => link.isReady);
      own.freeze();
      link.renew();
      expect(link.isReady).toBe(false);
      link.renew();
      own.thaw();
      await until("it is ready again", () => link.isReady, 5_000);
      link.publish("belfry:t", "after");
      await until("it is heard", () => heard.length > 0);
      expect(heard).toEqual(["after"]);
      const clients = String(await own.command("CLIENT", "LIST"));
      expect(clients.match(/name=belfry-(publisher|subscriber)/g)).toHaveLength(2);
      // Nothing was lost that anybody had to be told of, unless an attempt fell into the freeze.
      expect(lines.filter(({ level }) => level > 20).length).toBeLessThanOrEqual(3);
    },
    SLOW,
  );

  it(
    "keeps a bounded number of messages that a frozen Redis has not taken",
    async () => {
      const own = await startOwn();
      const link = await links.open(own.url);
      own.freeze();
      let taken = 0;
      while (link.publish("belfry:t", "x")) taken++;
      expect(taken).toBe(MAX_UNCONFIRMED_MESSAGES);
      link.renew();
      expect(link.publish("belfry:t", "x")).toBe(false);
      own.thaw();
      await until("it is ready again", () => link.isReady, 5_000);
      await untilCarried(link, link);
    },
    SLOW,
  );

  it("keeps a bounded size of them", async () => {
    const link = await links.open(sharedRedis());
    const text = "x".repeat(1024 * 1024);
    let taken = 0;
    while (link.publish("belfry:t", text)) taken++;
    expect(taken).toBe(16);
    await until("there is room again", () => link.publish("belfry:t", text));
  });

  it("survives a listener that throws, and counts what it threw", async () => {
    const link = await links.open(sharedRedis());
    const rubbish: string[] = [];
    link.onRubbish((channel, error) => rubbish.push(`${channel}: ${error instanceof Error ? error.message : ""}`));
    link.subscribe("belfry:t", (text) => {
      if (text === "bad") throw new Error("no use");
    });
    const heard = ear(link, "belfry:t");
    await until("it is ready", () => link.isReady);
    for (const text of ["bad", "good", "bad", "good"]) link.publish("belfry:t", text);
    await until("all is heard", () => heard.length === 4);
    expect(heard).toEqual(["bad", "good", "bad", "good"]);
    expect(rubbish).toEqual(["belfry:t: no use", "belfry:t: no use"]);
  });

  it("gives Redis what was published before it is closed, and nothing after", async () => {
    const [one, other] = [await links.open(sharedRedis()), await links.open(sharedRedis())];
    const heard = ear(other, "belfry:bye");
    await until("it is ready", () => other.isReady);
    one.publish("belfry:bye", "bye");
    await one.close();
    expect(one.publish("belfry:bye", "more")).toBe(false);
    one.renew();
    await until("it is heard", () => heard.length > 0);
    expect(heard).toEqual(["bye"]);
    await one.close();
  });

  it(
    "starts without a Redis, and connects when there is one",
    async () => {
      const own = await startOwn();
      await own.kill9();
      const { link, lines } = await links.openLogged(own.url);
      expect(link.isReady).toBe(false);
      const heard = ear(link, "belfry:t");
      await own.restart();
      await until("it is ready", () => link.isReady, 5_000);
      link.publish("belfry:t", "late");
      await until("it is heard", () => heard.length > 0);
      expect(lines.map(({ level }) => level).filter((level) => level > 20)).toEqual([40, 30]);
    },
    SLOW,
  );

  it(
    "can be closed while Redis does not answer",
    async () => {
      const own = await startOwn();
      const link = await links.open(own.url);
      own.freeze();
      link.renew();
      await link.close();
    },
    SLOW,
  );
});
