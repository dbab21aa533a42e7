import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { until } from "../support/member.js";
import { type RedisProcess, startOwn, startRedis, stopOwn } from "../support/redis.js";
import { LinkProgram } from "../support/redis-programs.js";

/** Starting processes and an outage of more than six seconds. Milliseconds. */
const SLOW = 120_000;

/** After this the client of Redis gives up a command that it could not send. Milliseconds. */
const LONGER_THAN_A_COMMAND_WAITS_MS = 6_500;

const CLEAN = { code: 0, complaint: "" };

describe("Socket.IO's adapter over a link", () => {
  let redis: RedisProcess;
  let programs: LinkProgram[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    for (const program of programs) program.kill();
    programs = [];
    await stopOwn();
  });
  afterAll(() => redis.stop());

  async function start(): Promise<LinkProgram> {
    const program = new LinkProgram(redis.url);
    programs.push(program);
    await until("the adapter has subscribed", () => program.ready > 0, SLOW);
    return program;
  }

  /** Sends an event from one to the other until it arrives. */
  async function untilCarried(from: LinkProgram, to: LinkProgram): Promise<void> {
    const mark = Math.random();
    await until("an event arrives", async () => {
      from.emit(mark);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return to.values.includes(mark);
    });
  }

  it(
    "carries events between servers, each once, over lost connections",
    async () => {
      const [one, other] = [await start(), await start()];
      await untilCarried(one, other);
      const before = [one.ready, other.ready];
      await redis.command("CLIENT", "KILL", "TYPE", "normal");
      await redis.command("CLIENT", "KILL", "TYPE", "pubsub");
      await until("both are ready again", () => one.ready > (before[0] ?? 0) && other.ready > (before[1] ?? 0));
      other.values.length = 0;
      for (const value of [1, 2, 3]) one.emit({ value });
      await until("all has arrived", () => other.values.length === 3);
      expect(other.values).toEqual([{ value: 1 }, { value: 2 }, { value: 3 }]);
      expect([await one.stop(), await other.stop()]).toEqual([CLEAN, CLEAN]);
      expect([one.rubbish, other.rubbish]).toEqual([0, 0]);
    },
    SLOW,
  );

  it(
    "ignores and counts rubbish on its channels",
    async () => {
      const program = await start();
      const other = await start();
      const requests = ["not msgpack", "\u0000\u0001", "", "null", "5", "[]", '{"type":2}', '{"type":6}', '{"type":6,"data":5}', "{"];
      const emit = { type: 6, uid: "peer" };
      const hostile = [
        { ...emit, data: [] },
        { ...emit, data: [5] },
        { ...emit, data: ["connection", {}] },
        { ...emit, data: "value" },
        { ...emit, data: ["value"], requestId: "1" },
        { type: 3, uid: "peer", opts: { rooms: 1 } },
        { type: 4, uid: "peer", opts: { rooms: [], except: [] }, close: true },
        { type: 5, uid: "peer", opts: {} },
        { type: 6, uid: "peer", data: ["value"], padding: "x".repeat(1024 * 1024) },
      ].map((request) => JSON.stringify(request));
      let sent = 0;
      for (const text of [...requests, ...hostile]) {
        await redis.command("PUBLISH", "belfry:test:io-request#/notifications#", text);
        await redis.command("PUBLISH", "belfry:test:io-response#/notifications#", text);
        sent += 2;
      }
      for (const text of ["not msgpack", "null", '{"type":6,"data":5}', '{"type":2}', "", "\u0091\u00c0"]) {
        await redis.command("PUBLISH", "belfry:test:io#/notifications#", text);
        sent++;
      }
      await until(
        () => `all is counted (${program.rubbish} of ${sent})`,
        () => program.rubbish === sent,
      );
      expect(program.ended).toBeNull();
      expect([program.values, program.connections]).toEqual([[], 0]);
      await untilCarried(other, program);
      expect(await program.stop()).toEqual(CLEAN);
    },
    SLOW,
  );

  it.each(["killed", "frozen"])(
    "outlives an outage longer than a command waits, with Redis %s, while it publishes",
    async (fault) => {
      const own = await startOwn();
      const program = new LinkProgram(own.url);
      programs.push(program);
      await until("the adapter has subscribed", () => program.ready > 0, SLOW);
      const { ready } = program;
      program.flood(true);
      if (fault === "killed") await own.kill9();
      else own.freeze();
      await new Promise((resolve) => setTimeout(resolve, LONGER_THAN_A_COMMAND_WAITS_MS));
      expect(program.ended).toBeNull();
      if (fault === "killed") await own.restart();
      else own.thaw();
      await until("it is ready again", () => program.ready > ready, 5_000);
      program.flood(false);
      expect(await program.stop()).toEqual(CLEAN);
    },
    SLOW,
  );
});
