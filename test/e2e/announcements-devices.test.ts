import { afterEach, describe, expect, it } from "@jest/globals";
import { AnnouncementDevice, isUnsettled } from "../support/announcement-device.js";
import { type Announced, Announcer, fromNow } from "../support/announcing.js";
import { seeded } from "../support/forum-run.js";
import { type Cursor, tokenFor, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { type Service, startService } from "../support/service.js";

const STORES = [
  { store: "SQLite", env: () => ({}) },
  { store: "MongoDB", env: () => ({ MONGODB_URL: mongoUrl("devices") }) },
];

/** Rounds of acts that happen at the same time. */
const ROUNDS = 25;
const ACTS_A_ROUND = 4;

const AUDIENCES = [null, null, { roles: ["staff"] }, { users: ["bob"] }, { roles: ["staff"], users: ["cy"] }];

const MEMBERS = [
  { user: "ada", roles: ["staff"] },
  { user: "bob", roles: [] },
  { user: "cy", roles: [] },
];

/** What a member has dealt with, and their devices: one that stays, and one that comes and goes. */
interface Person {
  user: string;
  roles: string[];
  settled: Set<string>;
  constant: AnnouncementDevice;
  flaky: AnnouncementDevice;
  /** Devices that began with a snapshot in the midst of it. */
  late: AnnouncementDevice[];
}

let service: Service;
let server: Announcer;
let people: Person[] = [];
const devices: AnnouncementDevice[] = [];

afterEach(async () => {
  for (const device of devices.splice(0)) device.disconnect();
  await service.stop();
});

function device({ user, roles }: Pick<Person, "user" | "roles">): AnnouncementDevice {
  const one = new AnnouncementDevice(user, service, roles);
  devices.push(one);
  return one;
}

describe.each(STORES)("any mixture of acts, on $store", ({ env }) => {
  it("leaves all devices of a member with the same announcements and the same number, as the server counts them", async () => {
    const seed = Math.floor(Math.random() * 1e9);
    const random = seeded(seed);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    service = await startService({ env: env() });
    server = new Announcer(service);
    people = await Promise.all(
      MEMBERS.map(async (member) => ({
        ...member,
        settled: new Set<string>(),
        constant: await device(member).connect().ready(),
        flaky: await device(member).connect().ready(),
        late: [],
      })),
    );
    const starts = people.map(({ constant }) => cursorsOf(constant));
    const ids: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all(Array.from({ length: ACTS_A_ROUND }, () => act(random, pick, ids)));
      if (round === Math.floor(ROUNDS / 2)) {
        await service.kill9();
        await service.start();
      }
    }
    await until("all that ends has ended", async () => {
      const open = (await server.list()).filter(({ state }) => state === "live" || state === "scheduled");
      return open.every(({ expiresAt }) => expiresAt === undefined);
    });
    for (const [index, person] of people.entries()) await expectAgreement(person, starts[index] ?? {}, `${person.user}, seed ${seed}`);
  }, 60_000);

  it("is followed by what a new token changes: a role brings its announcements, and takes them away with it", async () => {
    service = await startService({ env: env() });
    server = new Announcer(service);
    const ada = await device({ user: "ada", roles: ["staff"] })
      .connect()
      .ready();
    const phone = await device({ user: "ada", roles: ["staff"] })
      .connect()
      .ready();
    const [all, staff] = [await server.announce(), await server.announce({ audience: { roles: ["staff"] } })];
    await until("both are there", () => ada.unread === 2 && phone.unread === 2);
    expect(await phone.ask("dismiss", { announcement: staff.id })).toMatchObject({ ok: true });
    const refresh = (roles: string[]) => ada.ask("refresh", { token: tokenFor(service.jwtSecret, { sub: "ada", roles }) });
    expect(await refresh([])).toMatchObject({ ok: true });
    await until("one is gone", () => ada.ids.length === 1);
    expect([ada.ids, ada.unread]).toEqual([[all.id], 1]);
    await server.edit(staff.id, { title: "Two" });
    expect(await refresh(["staff"])).toMatchObject({ ok: true });
    await until("it is back", () => ada.ids.length === 2);
    await until("the edit is there", () => phone.items.get(staff.id)?.title === "Two");
    expect([...ada.items.values()]).toEqual([...phone.items.values()]);
    expect([ada.unread, phone.unread]).toEqual([1, 1]);
  });
});

async function act(random: () => number, pick: <T>(from: readonly T[]) => T, ids: string[]): Promise<void> {
  const chance = random();
  const audience = pick(AUDIENCES);
  const ends = random() < 0.3 ? fromNow(800 + random() * 1_500) : null;
  const id = pick(ids.slice(-6));
  const person = pick(people);
  // From one that stays: an answer that a disconnection cuts off would leave open what was settled.
  const [source, verb] = [pick([person.constant, ...person.late]), pick(["dismiss", "acknowledge"] as const)];
  if (chance < 0.25 || id === undefined) {
    const startsAt = ends === null && random() < 0.2 ? fromNow(random() * 1_000) : null;
    ids.push((await server.announce({ title: `number ${ids.length}`, audience, expiresAt: ends, startsAt })).id);
  } else if (chance < 0.45) {
    await lenient(server.call("PATCH", `/v1/announcements/${id}`, { text: `text ${random()}`, audience, expiresAt: ends }));
  } else if (chance < 0.53) await lenient(server.call("DELETE", `/v1/announcements/${id}`));
  else if (chance < 0.85) await settle(person, source, verb, id);
  else if (chance < 0.9) {
    const late = device(person);
    person.late.push(await late.connect().ready());
  } else if (person.flaky.connected) person.flaky.disconnect();
  else await person.flaky.connect().ready();
}

/** What has ended meanwhile is not there to be changed. */
async function lenient(call: Promise<{ status: number; text: string }>): Promise<void> {
  const { status, text } = await call;
  if (status !== 200 && status !== 404) throw new Error(`${status} ${text}`);
}

async function settle(person: Person, source: AnnouncementDevice, verb: "dismiss" | "acknowledge", id: string): Promise<void> {
  if (!source.connected) return;
  const answer = await source.ask(verb, { announcement: id });
  if (answer.ok) person.settled.add(id);
  else expect(answer.error).toMatchObject({ code: "not_found" });
}

function cursorsOf({ streams }: AnnouncementDevice): Partial<Record<"inbox" | "announcements", Cursor>> {
  return { inbox: { ...(streams.inbox.cursor as Cursor) }, announcements: { ...(streams.announcements.cursor as Cursor) } };
}

/** All devices, whenever they came, have what the list of announcements says, and so do two that come now: without a cursor, and from the start. */
async function expectAgreement(person: Person, start: ReturnType<typeof cursorsOf>, context: string): Promise<void> {
  const { constant, flaky, late, user } = person;
  const replaying = await device(person).resume(start).connect().ready();
  const fresh = await device(person).connect().ready();
  if (!flaky.connected) await flaky.connect().ready();
  const all = [constant, flaky, ...late, replaying, fresh];
  const expected = (await server.list()).filter((one) => one.state === "live" && isFor(one, person));
  const ids = expected.map(({ id }) => id).sort();
  const unread = ids.filter((id) => !person.settled.has(id)).length;
  await until(
    () => `${context}: all devices at one place: ${all.map(({ seq }) => seq).join(", ")}`,
    () => all.every((one) => one.connected && one.seq === fresh.seq && one.streams.inbox.cursor?.seq === fresh.streams.inbox.cursor?.seq),
  );
  const seen = all.map((one) => ({ ids: one.ids, unread: one.unread, shown: [...one.items.values()].filter(isUnsettled).length }));
  expect({ context, seen }).toEqual({ context, seen: all.map(() => ({ ids, unread, shown: unread })) });
  expect(replaying.snapshots).toEqual([]);
  for (const { welcomes } of [replaying, fresh]) {
    expect({ context, welcome: welcomes.at(-1) }).toMatchObject({ context, welcome: { unread, streams: { announcements: { unread } } } });
  }
  const texts = (one: AnnouncementDevice) => ids.map((id) => one.items.get(id));
  expect({ context, texts: all.map(texts) }).toEqual({ context, texts: all.map(() => texts(fresh)) });
  const over = await new Announcer(service, { user, roles: person.roles }).must("GET", "/v1/me/announcements");
  expect({ context, over }).toMatchObject({ context, over: { unread, items: texts(fresh).length === 0 ? [] : expect.anything() } });
}

function isFor({ audience }: Announced, { user, roles }: Person): boolean {
  const { users, roles: entitled } = (audience ?? {}) as { users?: string[]; roles?: string[] };
  if (users === undefined && entitled === undefined) return true;
  return users?.includes(user) === true || roles.some((role) => entitled?.includes(role));
}
