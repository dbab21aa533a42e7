import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { ClusterNodes } from "../support/cluster-nodes.js";
import { type Member, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { type RedisProcess, startRedis } from "../support/redis.js";

/** For processes to start and to stop, on a machine that does much else. Milliseconds. */
const START_MS = 120_000;

/** By when all is as ever once Redis is back. Milliseconds. */
const RETURN_MS = 5_000;

let redis: RedisProcess;
let cluster: ClusterNodes;

beforeAll(async () => {
  redis = await startRedis();
  cluster = await ClusterNodes.start({ count: 2, mongodbUrl: mongoUrl("single"), redis, env: { SESSION_POLICY: "single" } });
}, START_MS);

afterEach(() => cluster.leave());

afterAll(async () => {
  await cluster?.stop();
  await redis.stop();
}, START_MS);

const isReplaced = ({ farewells, connected }: Member) => farewells.at(-1)?.code === "replaced" && !connected;

describe("SESSION_POLICY=single on many nodes", () => {
  it("leaves a member the newest session, on whichever node it is", async () => {
    for (let round = 0; round < 3; round++) {
      const sessions: Member[] = [];
      for (const node of [0, 1, 0, 1]) {
        sessions.push(await cluster.member("ada", node));
        const older = sessions.slice(0, -1);
        await until("the older ones are told", () => older.every(isReplaced));
        expect(sessions.at(-1)?.connected).toBe(true);
      }
      await until("the other node counts one member", async () => (await cluster.at(0).online()).users === 1);
      cluster.leave();
    }
  });

  it("leaves exactly one of those that begin at the same time", async () => {
    for (let round = 0; round < 5; round++) {
      const sessions = [0, 1, 0, 1].map((node) => cluster.arriving("bruno", node));
      await until("each has come, or had to go", () => sessions.every((one) => one.synced > 0 || isReplaced(one)));
      await until("one is left", () => sessions.filter(isReplaced).length === sessions.length - 1);
      expect(sessions.filter(({ connected }) => connected)).toHaveLength(1);
      cluster.leave();
    }
  }, 60_000);

  it("is made good after Redis was away: of sessions that began meanwhile the newest is left", async () => {
    const [first, ...nodes] = [await cluster.member("chi", 0), ...cluster.nodes];
    for (const node of nodes) node.way.refuse();
    for (const [index, node] of nodes.entries()) await until(`node ${index} to notice`, async () => (await node.bus()) === "down");
    const second = await cluster.member("chi", 1);
    expect(first.connected).toBe(true);
    for (const node of nodes) node.way.heal();
    await cluster.met();
    await until("the older one is told", () => isReplaced(first), RETURN_MS);
    expect(second.connected).toBe(true);
  }, 60_000);
});
