import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { ClusterNodes } from "../support/cluster-nodes.js";
import { Member, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { notify } from "../support/notify.js";
import { type RedisProcess, startRedis } from "../support/redis.js";

/** For processes to start and to stop, on a machine that does much else. Milliseconds. */
const START_MS = 120_000;

/** Within which a node that is told to stop has ended. Milliseconds. */
const STOP_MS = 20_000;

/** Members on the node that stops. */
const LEAVING = 100;

/** What the service spends on each connection, at least half of it. Milliseconds. */
const LEAST_SPREAD_MS = (LEAVING * 4) / 2;

let redis: RedisProcess;
let cluster: ClusterNodes;
const members: Member[] = [];

beforeAll(async () => {
  redis = await startRedis();
  cluster = await ClusterNodes.start({ count: 2, mongodbUrl: mongoUrl("drain"), redis });
}, START_MS);

afterEach(() => {
  for (const member of members.splice(0)) member.disconnect();
  cluster.leave();
});

afterAll(async () => {
  await cluster?.stop();
  await redis.stop();
}, START_MS);

/** Where a member is now: on the node that stops, then on the other, as a balancer would have it. */
function moving(user: string): { member: Member; where: { url: string; secret: string } } {
  const { url, jwtSecret } = cluster.at(0).service;
  const where = { url, secret: jwtSecret };
  const member = new Member(user, where);
  members.push(member);
  return { member, where };
}

describe("a node that is told to stop", () => {
  it("sends its members away one after the other, serves on who is not gone yet, loses nothing, and ends in time", async () => {
    const there = cluster.at(1).service;
    const leaving = Array.from({ length: LEAVING }, (_, index) => moving(`leaving-${index}`));
    await Promise.all(leaving.map(({ member }) => member.connect().ready()));
    const users = leaving.map(({ member }) => member.user);
    const toldAt: number[] = [];
    for (const { member, where } of leaving) {
      member.socket.on("goodbye", (farewell: { code: string; reconnect: boolean; afterMs: number }) => {
        toldAt.push(performance.now());
        expect(farewell).toMatchObject({ code: "draining", reconnect: true });
        expect(farewell.afterMs).toBeLessThanOrEqual(200);
        // This client comes back at once, whatever it was told.
        where.url = there.url;
        setImmediate(() => member.connect());
      });
    }
    let told = 0;
    let isStopped = false;
    const telling = (async () => {
      while (!isStopped) {
        await notify(there, users, `text ${told}`, `key ${told}`);
        told++;
      }
    })();
    await until("they are told things", () => leaving.every(({ member }) => member.applied.size > 0));
    const began = performance.now();
    const exit = await cluster.at(0).service.stop();
    const took = performance.now() - began;
    await until("all are on the other node", () => leaving.every(({ member }) => member.connected && member.synced > 1));
    isStopped = true;
    await telling;
    expect(exit).toEqual({ code: 0, signal: null });
    expect(took).toBeLessThan(STOP_MS);
    expect(toldAt).toHaveLength(LEAVING);
    expect(Math.max(...toldAt) - Math.min(...toldAt)).toBeGreaterThan(LEAST_SPREAD_MS);
    for (const { member } of leaving) {
      await until(
        () => `${told} entries for ${member.user}, who has ${member.applied.size}`,
        () => member.applied.size === told,
      );
      expect([member.doubled, member.snapshots]).toEqual([0, 1]);
    }
    await cluster.met(cluster.nodes.slice(1), 0);
    expect(await cluster.at(1).online()).toEqual({ users: LEAVING, sessions: LEAVING });
  }, 120_000);
});
