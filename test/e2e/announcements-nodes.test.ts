import { afterEach, describe, expect, it } from "@jest/globals";
import { AnnouncementDevice } from "../support/announcement-device.js";
import { Announcer, fromNow } from "../support/announcing.js";
import { until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { type Service, startService } from "../support/service.js";

/** By when what one node was told is on the screens of the others' members. Milliseconds. */
const ACROSS_NODES_MS = 5_000;

/** Announcements that two nodes are asked to make at the same time. */
const SCHEDULED = 10;

interface Place {
  url: string;
  jwtSecret: string;
  apiKey: string;
}

interface Node {
  service: Service;
  where: Place;
  server: Announcer;
}

const services: Service[] = [];
const devices: AnnouncementDevice[] = [];

afterEach(async () => {
  for (const device of devices.splice(0)) device.disconnect();
  await Promise.all(services.splice(0).map((service) => service.stop()));
});

/** Two nodes that have a database and their keys in common. */
async function nodes(): Promise<[Node, Node]> {
  const shared = { MONGODB_URL: mongoUrl("nodes"), JWT_SECRET: "of-both-nodes-".repeat(4), API_KEYS: "key-of-both-nodes-".repeat(3) };
  const start = async (): Promise<Node> => {
    const service = await startService({ env: shared });
    services.push(service);
    const where = { url: service.url, jwtSecret: shared.JWT_SECRET, apiKey: shared.API_KEYS };
    return { service, where, server: new Announcer(where) };
  };
  return Promise.all([start(), start()]);
}

function device(user: string, where: Place): AnnouncementDevice {
  const one = new AnnouncementDevice(user, where);
  devices.push(one);
  return one;
}

/** The whole stream, as a member's device gets it from its beginning: kinds and ids. */
async function replayed(where: Place): Promise<string[]> {
  const probe = await device("probe", where).connect().ready();
  const { epoch } = probe.streams.announcements.cursor as { epoch: string };
  const reader = device("probe", where).resume({ announcements: { epoch, seq: 0 } });
  await reader.connect().ready();
  return [...reader.applied.values()].map(({ kind, data }) => `${kind} ${String(data.id)}`);
}

describe("two nodes on one MongoDB", () => {
  it("bring each scheduled announcement once, also where the node that took it is gone", async () => {
    const [one, other] = await nodes();
    const startsAt = fromNow(1_500);
    const ids = await Promise.all(
      Array.from({ length: SCHEDULED }, async (_, index) => {
        const { server } = index % 2 === 0 ? one : other;
        return (await server.announce({ title: `number ${index}`, startsAt, expiresAt: fromNow(8_000) })).id;
      }),
    );
    const { id: orphan } = await one.server.announce({ startsAt: fromNow(5_000) });
    const bob = await device("bob", other.where).connect().ready();
    await until(
      "the ten are on the list",
      async () => (await other.server.list()).filter(({ state }) => state === "live").length === SCHEDULED,
    );
    await one.service.kill9();
    await until("the orphan has come", async () => (await other.server.must("GET", `/v1/announcements/${orphan}`)).state === "live");
    await until("the ten have ended", async () =>
      (await other.server.list()).every(({ id, state }) => id === orphan || state === "expired"),
    );
    const entries = await replayed(other.where);
    expect(entries.toSorted()).toEqual(
      [`announcement ${orphan}`, ...ids.flatMap((id) => [`announcement ${id}`, `announcement.rescinded ${id}`])].sort(),
    );
    await bob.reaches(entries.length);
    expect([bob.ids, bob.unread]).toEqual([[orphan], 1]);
  });

  it("show what one was told on the screens of the other's members, too", async () => {
    const [one, other] = await nodes();
    const ada = await device("ada", one.where).connect().ready();
    const bob = await device("bob", other.where).connect().ready();
    const { id } = await one.server.announce({ title: "One" });
    const shows = (title: string) => [ada, bob].every(({ items }) => items.get(id)?.title === title);
    await until("both have it", () => shows("One"), ACROSS_NODES_MS);
    await other.server.edit(id, { title: "Two" });
    await until("both have the edit", () => shows("Two"), ACROSS_NODES_MS);
    expect([ada.unread, bob.unread]).toEqual([1, 1]);
    await one.server.rescind(id);
    await until("it is gone from both", () => ada.ids.length + bob.ids.length === 0, ACROSS_NODES_MS);
    const key = "of both";
    const answers = await Promise.all([one, other, one, other].map(({ server }) => server.announce({ title: "Three", key })));
    expect(new Set(answers.map((answer) => answer.id)).size).toBe(1);
    await until("both have the next", () => [ada, bob].every((each) => each.unread === 1), ACROSS_NODES_MS);
    expect(await replayed(one.where)).toEqual([
      `announcement ${id}`,
      `announcement.updated ${id}`,
      `announcement.rescinded ${id}`,
      `announcement ${answers[0]?.id}`,
    ]);
  });
});
