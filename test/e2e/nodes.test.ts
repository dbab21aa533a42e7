import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { ClusterNodes } from "../support/cluster-nodes.js";
import { until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { notify } from "../support/notify.js";
import { type RedisProcess, startRedis } from "../support/redis.js";

/**
 * By when something is on a screen of another node while all is well. It takes milliseconds; a session that is told nothing looks at the
 * store after 15 s at the earliest.
 */
const SOON_MS = 5_000;

/** By when the number of members is right again after a node was killed. */
const PRESENCE_MS = 30_000;

/** For processes to start and to stop, on a machine that does much else. Milliseconds. */
const START_MS = 120_000;

let redis: RedisProcess;
let cluster: ClusterNodes;

beforeAll(async () => {
  redis = await startRedis();
  cluster = await ClusterNodes.start({ count: 3, mongodbUrl: mongoUrl("nodes"), redis });
}, START_MS);

afterEach(() => cluster.leave());

afterAll(async () => {
  await cluster?.stop();
  await redis.stop();
}, START_MS);

describe("what happens on one node", () => {
  it("reaches the members on all others, each entry once", async () => {
    const devices = [await cluster.member("ada", 0), await cluster.member("ada", 1), await cluster.member("bruno", 2)];
    for (let round = 0; round < 3; round++) {
      for (const [index, { service }] of cluster.nodes.entries()) await notify(service, ["ada", "bruno"], `${round} from ${index}`);
    }
    for (const device of devices) {
      await until(`nine entries for ${device.user}`, () => device.applied.size === 9, SOON_MS);
      expect([device.doubled, device.unread, device.snapshots]).toEqual([0, 9, 1]);
    }
    for (const node of cluster.nodes) expect(await node.metric("belfry_bus_rubbish_total")).toBe(0);
  });

  it("is read on one and read on all", async () => {
    const [phone, laptop] = [await cluster.member("chi", 0), await cluster.member("chi", 1)];
    const { notified } = await notify(cluster.at(2).service, ["chi"], "one");
    await notify(cluster.at(2).service, ["chi"], "two");
    await until("both entries", () => phone.unread === 2 && laptop.unread === 2, SOON_MS);
    const [first] = notified;
    expect(await phone.ask("read", { ids: [first?.id] })).toMatchObject({ ok: true, unread: 1 });
    await until("one is read", () => laptop.unread === 1 && typeof laptop.items.get(first?.id as string)?.readAt === "string", SOON_MS);
    expect(await laptop.ask("read_all", {})).toMatchObject({ ok: true, unread: 0 });
    await until("all are read", () => phone.unread === 0, SOON_MS);
  });

  it("is announced to the members of all", async () => {
    const readers = await Promise.all([0, 1, 2].map((node) => cluster.reader(`reader-${node}`, node)));
    const { id } = await cluster.announcer(1).announce();
    for (const reader of readers) await until("the announcement", () => reader.items.has(id), SOON_MS);
    await cluster.announcer(2).rescind(id);
    for (const reader of readers) await until("it is taken back", () => !reader.items.has(id), SOON_MS);
  });

  it("is seen on live boards of all", async () => {
    const boards = await Promise.all([0, 1, 2].map((node) => cluster.board("dora", node, "score")));
    for (let score = 1; score <= 20; score++) await cluster.put(score % 3, "/v1/topics/score", { data: { score } });
    for (const board of boards) {
      await until("the last value", () => (board.shows("score") as { score?: number } | undefined)?.score === 20, SOON_MS);
      expect(board.stale).toEqual([]);
    }
  });

  it("is shown as the progress of a task to its owner, wherever they are", async () => {
    const screen = await cluster.member("emil", 2);
    const heard: Array<{ task: string; percent: number }> = [];
    screen.socket.on("progress", (progress) => heard.push(progress));
    await cluster.put(0, "/v1/tasks/export", { user: "emil", state: "running", percent: 10 });
    await until("the progress", () => heard.at(-1)?.percent === 10, SOON_MS);
    await cluster.put(1, "/v1/tasks/export", { user: "emil", state: "running", percent: 70 });
    await until("more of it", () => heard.at(-1)?.percent === 70, SOON_MS);
    await cluster.put(0, "/v1/tasks/export", { user: "emil", state: "completed" });
    await until("the end", () => screen.applied.size === 1, SOON_MS);
    expect([...screen.applied.values()][0]?.data).toMatchObject({ type: "task", data: { task: "export", state: "completed" } });
  });
});

describe("a moderator on one node", () => {
  it("ends sessions on the others, and hears of all acts", async () => {
    const moderator = await cluster.moderator("mod", 0);
    const other = await cluster.moderator("other-mod", 1);
    for (const [act, code] of [
      ["kick", "kicked"],
      ["ban", "banned"],
    ]) {
      const sessions = await Promise.all([0, 1, 2].map((node) => cluster.member("filou", node)));
      const screen = await cluster.board("filou", 2);
      expect(await moderator.ask(act as string, { user: "filou", why: "noise" })).toMatchObject({ ok: true });
      for (const session of sessions) {
        await until(`${code} on all nodes`, () => session.farewells.at(-1)?.code === code && !session.connected, SOON_MS);
        expect(session.socket.active).toBe(false);
      }
      await until("the board too", () => screen.isDismissed, SOON_MS);
      await until("the act is shown", () => other.of("audit").some((entry) => entry.act === act && entry.target === "filou"), SOON_MS);
    }
    expect((await cluster.board("filou", 1)).refusals).toMatchObject([{ code: "banned" }]);
    await moderator.ask("unban", { user: "filou" });
    expect((await cluster.member("filou", 2)).connected).toBe(true);
  }, 60_000);
});

describe("who is online", () => {
  it("is known on all nodes, and again after one was killed", async () => {
    for (const [node, user] of ["ada", "bruno", "ada"].entries()) await cluster.member(user, node % 2);
    const chi = await cluster.member("chi", 2);
    const board = await cluster.board("watcher", 1);
    const all = async (users: number, sessions: number, nodes = cluster.nodes) => {
      const numbers = await Promise.all(nodes.map((node) => node.online()));
      return numbers.every((one) => one.users === users && one.sessions === sessions);
    };
    await until("three members with four sessions", () => all(3, 4), SOON_MS);
    await until("the board shows it", () => board.online.at(-1) === 3, SOON_MS);
    const again = await cluster.member("bruno", 0);
    await until("five sessions", () => all(3, 5), SOON_MS);
    await cluster.at(2).service.kill9();
    // Otherwise the client would come back by itself.
    chi.disconnect();
    const left = cluster.nodes.slice(0, 2);
    await until("those who are left", () => all(2, 4, left), PRESENCE_MS);
    await until("the board shows it", () => board.online.at(-1) === 2, SOON_MS);
    again.disconnect();
    await until("three sessions", () => all(2, 3, left), SOON_MS);
    await cluster.at(2).service.start();
    cluster.at(2).service.keys = cluster.at(0).service.keys;
    await cluster.met();
    await until("the new node knows all", async () => (await cluster.at(2).online()).users === 2, SOON_MS);
    expect(await cluster.at(2).online()).toEqual({ users: 2, sessions: 3 });
  }, 90_000);
});
