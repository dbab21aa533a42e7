import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { type Layout, Nginx } from "../support/nginx.js";
import { ask, startNodes, tell, Visitor } from "../support/nginx-client.js";
import { metric } from "../support/raw.js";
import type { Service } from "../support/service.js";

/** The promise: a node that has stopped answering is ended within its watchdog's limit, and its members are elsewhere soon after. */
const ELSEWHERE_MS = 5_000;

const WAYS: Array<[way: string, transports: Array<"websocket" | "polling">]> = [
  ["WebSocket", ["websocket"]],
  ["polling", ["polling"]],
  ["polling that becomes a WebSocket", ["polling", "websocket"]],
];

/** Events that are under way at a time, the pause after each, and members whom they tell. */
const SENDERS = 4;
const SENDING_MS = 25;
const MEMBERS = 8;

describe.each<Layout>(["one-layer", "two-layers"])("behind %s, two nodes", (layout) => {
  let nodes: [Service, Service];
  let nginx: Nginx;
  const visitors: Visitor[] = [];
  let count = 0;

  beforeAll(async () => {
    nodes = await startNodes(mongoUrl("nginx"), { WATCHDOG: "2" });
    const [one, two] = nodes.map(({ url }) => Number(new URL(url).port));
    nginx = await Nginx.start(layout, [one as number, two as number]);
  });

  afterEach(async () => {
    for (const visitor of visitors.splice(0)) visitor.leave();
    for (const node of nodes) if (!(await answers(node))) await node.restart();
    await until("nginx sees both nodes", seesBoth);
  });

  afterAll(async () => {
    await nginx?.stop();
    for (const node of nodes ?? []) await node.stop();
  });

  const answers = (node: Service) =>
    fetch(`${node.url}/health`).then(
      () => true,
      () => false,
    );

  /** Whether calls reach both nodes. */
  async function seesBoth(): Promise<boolean> {
    await Promise.all(Array.from({ length: 20 }, () => ask(nginx, "/health")));
    const last = (await nginx.log("access")).trim().split("\n").slice(-20);
    const reached = new Set(last.map((line) => (JSON.parse(line) as { node: string }).node));
    return nodes.every(({ url }) => reached.has(new URL(url).host));
  }

  /** Members of their own, each from an address of its own, connected and up to date. */
  async function visit(transports: Array<"websocket" | "polling">, number = MEMBERS): Promise<Array<{ user: string; visitor: Visitor }>> {
    const arrived = Array.from({ length: number }, () => {
      const user = `member-${++count}`;
      const visitor = new Visitor(nginx, user, transports, `127.0.1.${(count % 250) + 1}`);
      visitors.push(visitor);
      return { user, visitor };
    });
    await until("all are connected", () => arrived.every(({ visitor }) => visitor.isSynced));
    return arrived;
  }

  const sessions = () => Promise.all(nodes.map((node) => metric(node, "belfry_connected_sessions")));

  it.each(WAYS)(
    "serve members by %s, on both nodes, without a break",
    async (_way, transports) => {
      const arrived = await visit(transports);
      for (let round = 0; round < 5; round++) {
        const answered = await Promise.all(arrived.map(({ user }) => tell(nginx, user, `${user}-${round}`)));
        expect(answered.map(({ status }) => status)).toEqual(arrived.map(() => 202));
      }
      await until("all were told all", () => arrived.every(({ visitor }) => visitor.told.size === 5), 40_000);
      expect(arrived.map(({ visitor }) => [visitor.faults, visitor.connections])).toEqual(arrived.map(() => [0, 1]));
      if (transports.includes("websocket")) {
        await until("all have a WebSocket", () => arrived.every(({ visitor }) => visitor.transport === "websocket"));
      }
      expect((await sessions()).every((number) => number > 0)).toBe(true);
    },
    60_000,
  );

  it("keep a session by polling together by a cookie when the client's address changes, and take no made-up one", async () => {
    const path = "/socket.io/?EIO=4&transport=polling";
    const first = await ask(nginx, path, { from: "127.0.2.1" });
    const cookie = String(first.headers["set-cookie"]?.[0]).split(";")[0] as string;
    expect(first.headers["set-cookie"]).toEqual(["belfry_node=127.0.2.1; Path=/socket.io/; Secure; HttpOnly; SameSite=Lax"]);
    const { sid } = JSON.parse(first.text.slice(1)) as { sid: string };
    const post = (from: string, headers: Record<string, string>) =>
      ask(nginx, `${path}&sid=${sid}`, { method: "POST", from, headers, body: "40/elsewhere," });
    const places = Array.from({ length: 10 }, (_, index) => `127.0.3.${index + 1}`);
    for (const from of places)
      expect(await post(from, { cookie })).toMatchObject({
        status: 200,
        headers: expect.not.objectContaining({ "set-cookie": expect.anything() }),
      });
    // Without it some of the addresses lead elsewhere.
    const statuses = await Promise.all(places.map(async (from) => (await post(from, {})).status));
    expect(new Set(statuses)).toEqual(new Set([200, 400]));
    const forged = await ask(nginx, path, { from: "127.0.2.1", headers: { cookie: "belfry_node=../../x%0d%0a" } });
    expect(forged.headers["set-cookie"]).toEqual(first.headers["set-cookie"]);
  });

  it.each(WAYS)(
    "serve the members of a killed one on the other at once, by %s",
    async (_way, transports) => {
      const arrived = await visit(transports);
      await nodes[0].kill9();
      await Promise.all(
        arrived.map(async ({ user }, index) => {
          expect((await tell(nginx, user, `${user}-${index}`)).status).toBe(202);
        }),
      );
      await until("all were told", () => arrived.every(({ visitor }) => visitor.told.size === 1), ELSEWHERE_MS);
      expect(arrived.every(({ visitor }) => visitor.faults === 0)).toBe(true);
    },
    60_000,
  );

  it("serve the members of a frozen one on the other, and every event is taken", async () => {
    const arrived = await visit(["websocket"]);
    process.kill(nodes[1].pid, "SIGSTOP");
    const answered = await Promise.all(arrived.map(({ user }) => tell(nginx, user, `${user}-frozen`)));
    expect(answered.map(({ status }) => status)).toEqual(arrived.map(() => 202));
    await until("all were told", () => arrived.every(({ visitor }) => visitor.told.size === 1), ELSEWHERE_MS);
  }, 60_000);

  it("restart one after the other under load, and nobody notices but for reconnects", async () => {
    const arrived = [...(await visit(["websocket"])), ...(await visit(["polling"], 4)), ...(await visit(["polling", "websocket"], 4))];
    const sent = new Map(arrived.map(({ user }) => [user, 0]));
    const statuses = new Map<number, number>();
    let isOver = false;
    const senders = Array.from({ length: SENDERS }, async (_, sender) => {
      for (let round = 0; !isOver; round++) {
        const { user } = arrived[(round * SENDERS + sender) % arrived.length] as { user: string };
        const { status } = await tell(nginx, user, `${user}-${sender}-${round}`);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        sent.set(user, (sent.get(user) as number) + 1);
        await pause(SENDING_MS);
      }
    });
    for (const node of nodes) {
      await node.restart();
      await until("nginx sees both nodes", seesBoth);
    }
    isOver = true;
    await Promise.all(senders);
    const faults = [await nginx.log("access"), await nginx.log("error")].map((text) =>
      text.split("\n").filter((line) => /"status":5|upstream/.test(line)),
    );
    expect({ statuses: [...statuses.keys()], faults }).toMatchObject({ statuses: [202] });
    expect(statuses.get(202)).toBeGreaterThan(arrived.length);
    await until(
      () => `all were told all: ${arrived.map(({ user, visitor }) => `${visitor.told.size}/${sent.get(user)}`).join(" ")}`,
      () => arrived.every(({ user, visitor }) => visitor.told.size === sent.get(user)),
      45_000,
    );
    expect(arrived.map(({ visitor }) => visitor.faults)).toEqual(arrived.map(() => 0));
    const server = (await nginx.log("access")).split("\n").filter((line) => /"path":"\/v1\/.*"status":5/.test(line));
    expect(server).toEqual([]);
  }, 120_000);
});
