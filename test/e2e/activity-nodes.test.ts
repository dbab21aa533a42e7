import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { call } from "../support/call.js";
import { ClusterNodes } from "../support/cluster-nodes.js";
import { until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { notify } from "../support/notify.js";
import { type RedisProcess, startRedis } from "../support/redis.js";

/** For processes to start and to stop, on a machine that does much else. Milliseconds. */
const START_MS = 120_000;

let redis: RedisProcess;
let cluster: ClusterNodes;

beforeAll(async () => {
  redis = await startRedis();
  cluster = await ClusterNodes.start({ count: 2, mongodbUrl: mongoUrl("activity"), redis });
}, START_MS);

afterAll(async () => {
  await cluster?.stop();
  await redis.stop();
}, START_MS);

interface Minute {
  events: number;
  delivered: number;
  sessions: number;
  processes: number;
}

/** What a node says of the last hour. */
async function hour(node: number): Promise<{ events: number; delivered: number; now: Minute }> {
  const { service } = cluster.at(node);
  const { body } = await call(service, "GET", "/v1/activity", service.apiKey);
  const minutes = body.minutes as Minute[];
  expect(minutes).toHaveLength(60);
  const sum = (of: (minute: Minute) => number) => minutes.reduce((all, minute) => all + of(minute), 0);
  return {
    events: sum(({ events }) => events),
    delivered: sum(({ delivered }) => delivered),
    now: minutes[59] as Minute,
  };
}

async function online(node: number, query = ""): Promise<unknown> {
  const { service } = cluster.at(node);
  return (await call(service, "GET", `/v1/online/members${query}`, service.apiKey)).body;
}

describe("several nodes", () => {
  it("name everybody who is online anywhere, and what all of them have done", async () => {
    await cluster.member("ada", 0);
    await cluster.member("ada", 1);
    await cluster.member("bruno", 1);
    const everybody = [
      { user: "ada", sessions: 2 },
      { user: "bruno", sessions: 1 },
    ];
    for (const node of [0, 1]) {
      await until(
        `node ${node} knows all`,
        async () => JSON.stringify(await online(node)) === JSON.stringify({ items: everybody, more: false }),
      );
    }
    expect(await online(0, "?limit=1")).toEqual({ items: [everybody[0]], more: true });
    expect(await online(0, "?search=BRU")).toEqual({ items: [everybody[1]], more: false });

    for (let count = 0; count < 4; count++) await notify(cluster.at(0).service, ["ada"], `from one ${count}`);
    for (let count = 0; count < 3; count++) await notify(cluster.at(1).service, ["bruno"], `from the other ${count}`);
    for (const node of [0, 1]) {
      await until(`node ${node} has heard what was done`, async () => {
        const { events, delivered } = await hour(node);
        return events === 7 && delivered === 11;
      });
    }
    // Whichever minute it is by now, both write that they are there.
    await until("both count their sessions", async () => {
      const { now } = await hour(0);
      return now.processes === 2 && now.sessions === 3;
    });
  });

  it("keep count of what a node did that has stopped, and not of its sessions", async () => {
    await cluster.at(1).service.stop();
    const { events, delivered, now } = await hour(0);
    expect([events, delivered, now.sessions]).toEqual([7, 11, 1]);
    await until("its members are not online any more", async () => JSON.stringify(await online(0)).indexOf("bruno") === -1, 60_000);
  });
});
