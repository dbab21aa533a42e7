import { afterEach, describe, expect, it } from "@jest/globals";
import { AnnouncementDevice } from "../support/announcement-device.js";
import { Announcer, fromNow } from "../support/announcing.js";
import { type Entry, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { type Environment, type Service, startService } from "../support/service.js";

const STORES = [
  { store: "SQLite", env: (): Environment => ({}) },
  { store: "MongoDB", env: (): Environment => ({ MONGODB_URL: mongoUrl("schedule") }) },
];

/** Announcements that are under way, or become due one after the other, when the service is killed. */
const MANY = 20;

const services: Service[] = [];
const devices: AnnouncementDevice[] = [];

afterEach(async () => {
  for (const device of devices.splice(0)) device.disconnect();
  await Promise.all(services.splice(0).map((service) => service.stop()));
});

async function started(env: Environment): Promise<Service> {
  const service = await startService({ env });
  services.push(service);
  return service;
}

function device(user: string, where: { url: string; jwtSecret: string }): AnnouncementDevice {
  const one = new AnnouncementDevice(user, where);
  devices.push(one);
  return one;
}

/** The whole stream, as a member's device gets it from its beginning. */
async function replayed(where: { url: string; jwtSecret: string }): Promise<Entry[]> {
  const probe = await device("probe", where).connect().ready();
  const { epoch } = probe.streams.announcements.cursor as { epoch: string };
  const reader = await device("probe", where)
    .resume({ announcements: { epoch, seq: 0 } })
    .connect()
    .ready();
  return [...reader.applied.values()];
}

function brief({ kind, data }: Entry): string {
  return `${kind} ${String(data.id)}`;
}

describe.each(STORES)("time, on $store", ({ env }) => {
  it("brings a scheduled announcement once, and not before; an edit puts it off, a rescission means never", async () => {
    const service = await started(env());
    const server = new Announcer(service);
    const ada = await device("ada", service).connect().ready();
    const startsAt = fromNow(1_500);
    const [on, off, later] = await Promise.all([
      server.announce({ startsAt, expiresAt: fromNow(60_000) }),
      server.announce({ startsAt }),
      server.announce({ startsAt }),
    ]);
    expect(new Set((await server.list()).map(({ state }) => state))).toEqual(new Set(["scheduled"]));
    await server.rescind(off.id);
    const anotherStart = fromNow(3_000);
    await server.edit(later.id, { startsAt: anotherStart, title: "Later" });
    // Nobody sees any of it yet.
    expect((await device("bob", service).connect().ready()).welcomes[0]).toMatchObject({
      streams: { announcements: { head: 0, unread: 0 } },
    });
    await until("both have come", () => ada.ids.length === 2);
    expect([...ada.applied.values()].map(brief)).toEqual([`announcement ${on.id}`, `announcement ${later.id}`]);
    const [first, second] = [...ada.applied.values()].map(({ at }) => Date.parse(at)) as [number, number];
    expect(first).toBeGreaterThanOrEqual(Date.parse(startsAt));
    expect(second).toBeGreaterThanOrEqual(Date.parse(anotherStart));
    expect(ada.items.get(later.id)).toMatchObject({ title: "Later", startsAt: anotherStart });
    expect((await server.list()).map(({ id, state }) => [id, state]).sort()).toEqual(
      [
        [on.id, "live"],
        [off.id, "rescinded"],
        [later.id, "live"],
      ].sort(),
    );
    expect(ada.unread).toBe(2);
  });

  it("brings it after a kill -9 or a stop in the meantime, once; what was over by then never appears", async () => {
    const service = await started(env());
    const server = new Announcer(service);
    const ada = await device("ada", service).connect().ready();
    const { id: killed } = await server.announce({ startsAt: fromNow(2_000) });
    const { id: over } = await server.announce({ text: "too late", startsAt: fromNow(2_000), expiresAt: fromNow(2_200) });
    const ends = fromNow(2_300);
    const { id: ended } = await server.announce({ expiresAt: ends });
    await service.kill9();
    await until("its time has passed", () => Date.now() > Date.parse(ends));
    await service.start();
    await until("it is there", () => ada.items.has(killed));
    const { id: stopped } = await server.announce({ startsAt: fromNow(1_000) });
    await service.restart();
    await until("the next is there", () => ada.items.has(stopped));
    await service.restart();
    await until("she is back", () => ada.connected && ada.synced >= 4);
    const last = await server.announce();
    await until("the last is there", () => ada.items.has(last.id));
    const entries = (await replayed(service)).map(brief);
    // The two that were due at the start come in either order.
    expect([entries[0], ...entries.slice(1, 3).sort(), ...entries.slice(3)]).toEqual([
      `announcement ${ended}`,
      `announcement ${killed}`,
      `announcement.rescinded ${ended}`,
      `announcement ${stopped}`,
      `announcement ${last.id}`,
    ]);
    expect([ada.ids, ada.unread]).toEqual([[killed, stopped, last.id].sort(), 3]);
    expect(ada.frames.filter((frame) => frame.includes("too late"))).toEqual([]);
    expect(await server.must("GET", `/v1/announcements/${over}`)).toMatchObject({ state: "expired" });
  });

  it("takes nothing back that was answered: after a kill -9 right behind the answer all is there", async () => {
    const service = await started(env());
    const server = new Announcer(service);
    const ada = await device("ada", service).connect().ready();
    const { id } = await server.announce({ title: "First" });
    await service.kill9();
    await service.start();
    expect(await server.must("GET", `/v1/announcements/${id}`)).toMatchObject({ title: "First", state: "live" });
    await server.edit(id, { title: "Second" });
    await service.kill9();
    await service.start();
    await until("the edit is there", () => ada.items.get(id)?.title === "Second");
    await until("she is there", () => ada.connected);
    expect(await ada.ask("acknowledge", { announcement: id })).toMatchObject({ ok: true, unread: 0 });
    await server.rescind(id, "over");
    await service.kill9();
    await service.start();
    const time = expect.any(String);
    const { members } = await server.must("GET", `/v1/announcements/${id}/report`);
    expect(members).toEqual([{ user: "ada", reachedAt: time, seenAt: time, acknowledgedAt: time }]);
    await until("it is gone", () => ada.ids.length === 0);
    expect([...ada.applied.values()].map(brief)).toEqual(
      ["announcement", "announcement.updated", "announcement.rescinded"].map((kind) => `${kind} ${id}`),
    );
    expect((await server.audit()).map(({ act }) => act)).toEqual(["rescind", "announcement.edit", "announce"]);
  });

  it("loses and doubles none that a kill -9 meets on its way, or on its start", async () => {
    const service = await started(env());
    const server = new Announcer(service);
    const ada = await device("ada", service).connect().ready();
    const first = Date.now() + 3_000;
    // Half of them at once, half of them one after the other around the second kill.
    const bodies = Array.from({ length: 2 * MANY }, (_, index) => ({
      title: `number ${index}`,
      text: "Once.",
      key: `key ${index}`,
      ...(index < MANY ? {} : { startsAt: new Date(first + (index - MANY) * 50).toISOString() }),
    }));
    const sendAll = () => Promise.allSettled(bodies.map((body) => server.announce(body)));
    const sending = sendAll();
    await until("some are there", () => ada.ids.length > 0);
    await service.kill9();
    await sending;
    await service.start();
    const answers = await sendAll();
    expect(answers.filter(({ status }) => status === "rejected")).toEqual([]);
    const ids = answers.map((answer) => (answer as PromiseFulfilledResult<{ id: string }>).value.id);
    await until("some have become due", () => ada.ids.length > MANY);
    await service.kill9();
    await service.start();
    await until("all are there", () => ada.ids.length === bodies.length);
    expect((await replayed(service)).map(brief).sort()).toEqual(ids.map((id) => `announcement ${id}`).sort());
    expect(ada.unread).toBe(bodies.length);
  });
});
