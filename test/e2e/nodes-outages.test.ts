import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { ClusterNodes } from "../support/cluster-nodes.js";
import { until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { notify } from "../support/notify.js";
import { type RedisProcess, startRedis } from "../support/redis.js";

/** For processes to start and to stop, on a machine that does much else. Milliseconds. */
const START_MS = 120_000;

/** While Redis is away: by when a member on the node that took an event has it, and one on another node. Milliseconds. */
const HERE_MS = 1_000;
const ELSEWHERE_MS = 3_000;

/** By when all is as ever once Redis is back. Milliseconds. */
const RETURN_MS = 5_000;

let redis: RedisProcess;
let cluster: ClusterNodes;

beforeAll(async () => {
  redis = await startRedis();
  cluster = await ClusterNodes.start({ count: 2, mongodbUrl: mongoUrl("outages"), redis });
}, START_MS);

afterEach(() => cluster.leave());

afterAll(async () => {
  await cluster?.stop();
  await redis.stop();
}, START_MS);

const OUTAGES = [
  { what: "killed and started again", begin: () => redis.kill9(), end: () => redis.restart() },
  { what: "frozen and woken", begin: async () => redis.freeze(), end: async () => redis.thaw() },
  {
    what: "behind a network that swallows all and says nothing",
    begin: async () => {
      for (const { way } of cluster.nodes) way.deafen();
    },
    end: async () => {
      for (const { way } of cluster.nodes) way.heal();
    },
  },
];

describe.each(OUTAGES)("a Redis that is $what", ({ begin, end, what }) => {
  it("costs nothing but time on the way to other nodes, is told once, and is as ever soon after", async () => {
    const user = `ada-${what.split(" ")[0]}`;
    const [here, elsewhere] = [await cluster.member(user, 0), await cluster.member(user, 1)];
    const boards = [await cluster.board(user, 0, user), await cluster.board(user, 1, user)];
    const percents: number[] = [];
    elsewhere.socket.on("progress", ({ percent }: { percent: number }) => percents.push(percent));
    const said = (text: string) => cluster.nodes.map((node) => node.logged(text).length);
    const saidBefore = said('"level":40');

    await begin();
    let told = 0;
    for (let round = 1; round <= 5; round++) {
      await notify(cluster.at(0).service, [user], `${round}`);
      told++;
      await until("the member here", () => here.applied.size === told, HERE_MS);
      await until("the member elsewhere", () => elsewhere.applied.size === told, ELSEWHERE_MS);
    }
    for (const node of cluster.nodes) await until("the bus is down", async () => (await node.bus()) === "down");
    for (const node of cluster.nodes) expect(await node.ready()).toEqual({ status: 200, body: { status: "ready", bus: "down" } });
    expect(await elsewhere.ask("read_all", {})).toMatchObject({ ok: true });
    await until("it is read here too", () => here.unread === 0, ELSEWHERE_MS);
    told++;
    await cluster.put(0, `/v1/topics/${user}`, { data: { score: 1 } });
    await cluster.put(0, `/v1/tasks/${user}`, { user, state: "running", percent: 30 });
    for (const board of boards) await until("the board", () => board.shows(user) !== undefined, ELSEWHERE_MS);
    await until("the progress", () => percents.at(-1) === 30, ELSEWHERE_MS);
    // Whoever comes now is served too.
    expect((await cluster.member("newcomer", 1)).connected).toBe(true);

    await end();
    for (const node of cluster.nodes) await until("the bus is up", async () => (await node.bus()) === "up", RETURN_MS);
    await cluster.met();
    const before = await cluster.at(1).metric('belfry_bus_messages_total{direction="in",kind="entries"}');
    await notify(cluster.at(0).service, [user], "as ever");
    await until("the member elsewhere", () => elsewhere.applied.size === told + 1, ELSEWHERE_MS);
    const after = () => cluster.at(1).metric('belfry_bus_messages_total{direction="in",kind="entries"}');
    await until("it came as a hint", async () => (await after()) > (Number.isNaN(before) ? 0 : before), ELSEWHERE_MS);
    for (const member of [here, elsewhere]) expect([member.doubled, member.farewells]).toEqual([0, []]);
    // A warning of the connection and one of the bus, however long it lasts.
    for (const [index, count] of said('"level":40').entries()) expect(count - (saidBefore[index] as number)).toBeLessThanOrEqual(3);
  }, 90_000);
});

describe("a moderator, while Redis is away", () => {
  it("ends sessions on other nodes in time", async () => {
    const [session, other] = [await cluster.member("filou", 1), await cluster.board("filou", 1)];
    const moderator = await cluster.moderator("mod", 0);
    for (const { way } of cluster.nodes) way.refuse();
    expect(await moderator.ask("kick", { user: "filou", why: "spam" })).toMatchObject({ ok: true });
    await until("both are kicked", () => session.farewells.at(-1)?.code === "kicked" && other.isDismissed, ELSEWHERE_MS);
    for (const { way } of cluster.nodes) way.heal();
    await cluster.met();
  }, 60_000);
});
