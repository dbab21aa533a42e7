import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { call } from "../support/call.js";
import { ClusterNodes } from "../support/cluster-nodes.js";
import { until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { notify } from "../support/notify.js";
import { PushService } from "../support/push-service.js";
import { register, toldOf } from "../support/pushed.js";
import { type RedisProcess, startRedis } from "../support/redis.js";

/** For processes to start and to stop, on a machine that does much else. Milliseconds. */
const START_MS = 120_000;

/** For how long a connected member may leave a notification unseen here. Seconds. */
const AFTER = 6;

let redis: RedisProcess;
let pushService: PushService;
let cluster: ClusterNodes;

beforeAll(async () => {
  redis = await startRedis();
  pushService = await PushService.start();
  const env = { ...pushService.env, PUSH_AFTER: String(AFTER) };
  cluster = await ClusterNodes.start({ count: 2, mongodbUrl: mongoUrl("push"), redis, env });
}, START_MS);
afterEach(() => {
  cluster.leave();
  expect(pushService.faults).toEqual([]);
});
afterAll(async () => {
  await cluster?.stop();
  await pushService?.stop();
  await redis?.stop();
}, START_MS);

const serviceAt = (node: number) => cluster.at(node).service;

/** How many devices a node knows of. */
const devicesAt = (node: number) => cluster.at(node).metric("belfry_push_devices");

/** Resolves when each node knows of so many devices, wherever they were added. */
async function known(devices: number): Promise<void> {
  for (const node of cluster.nodes)
    await until("the devices are known", async () => (await node.metric("belfry_push_devices")) === devices);
}

/** Resolves when each node has looked at all devices twice more: once from the beginning to the end. */
async function looked(): Promise<void> {
  const looks = () => Promise.all(cluster.nodes.map((node) => node.metric('belfry_store_call_seconds_count\\{operation="push.page"\\}')));
  const before = await looks();
  await until("all devices were looked at", async () => (await looks()).every((count, node) => count >= (before[node] as number) + 2));
}

/** Tells a member something on a node; resolves with the notification's id and the time. */
async function tell(node: number, user: string): Promise<{ id: string; at: number }> {
  const at = Date.now();
  const { notified } = await notify(serviceAt(node), [user], "hello");
  return { id: notified[0]?.id as string, at };
}

describe("web push on two nodes", () => {
  it("has the same keys on both", async () => {
    const [one, other] = await Promise.all([0, 1].map((node) => call(serviceAt(node), "GET", "/v1/push", "nobody")));
    expect(one?.body.publicKey).toMatch(/^[\w-]{87}$/);
    expect(other?.body).toEqual(one?.body);
  });

  it("tells a device once, on whichever node it was added and the event came", async () => {
    const before = await devicesAt(0);
    const phones = [0, 1].map(() => pushService.phone());
    await register(serviceAt(0), "ada", phones[0] as never);
    await register(serviceAt(1), "bea", phones[1] as never);
    // Then each says at once what it has stored for them.
    await known(before + 2);
    const told: string[][] = [[], []];
    for (const node of [0, 1, 0, 1]) {
      told[0]?.push((await tell(node, "ada")).id);
      told[1]?.push((await tell(node, "bea")).id);
    }
    const last = Date.now();
    await until("both were told of everything", () => phones.every(({ messages }) => messages.length >= 4));
    expect(Date.now() - last).toBeLessThan(5_000);
    // A second node would have told the same by now.
    await looked();
    expect(phones.map((phone) => toldOf(phone))).toEqual(told);
  }, 60_000);

  it("knows who is connected to the other node", async () => {
    const before = await devicesAt(0);
    const phones = [pushService.phone(), pushService.phone()];
    await register(serviceAt(0), "cy", phones[0] as never);
    await register(serviceAt(1), "dan", phones[1] as never);
    await cluster.member("cy", 1);
    await cluster.member("dan", 0);
    await known(before + 2);
    const told = [await tell(0, "cy"), await tell(1, "dan")];
    await until("both are told", () => phones.every(({ messages }) => messages.length > 0));
    for (const [index, { at }] of told.entries()) {
      expect((phones[index]?.messages[0]?.at as number) - at).toBeGreaterThanOrEqual(AFTER * 1_000 - 50);
    }
  }, 60_000);

  it("goes on when the node that pushes is killed, and shows nothing twice", async () => {
    const phone = pushService.phone();
    await register(serviceAt(0), "eve", phone);
    const holder = (await cluster.at(0).metric('belfry_lease_held\\{lease="upkeep"\\}')) === 1 ? 0 : 1;
    const first = await tell(1 - holder, "eve");
    await until("the first has come", () => phone.messages.length === 1);
    await serviceAt(holder).kill9();
    const second = await tell(1 - holder, "eve");
    await until("the second has come", () => toldOf(phone).includes(second.id), 60_000);
    // What the first node had not noted yet comes once more, in the place of itself.
    expect([...new Set(toldOf(phone))]).toEqual([first.id, second.id]);
  }, 120_000);
});
