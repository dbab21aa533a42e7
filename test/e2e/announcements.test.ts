import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { AnnouncementDevice } from "../support/announcement-device.js";
import { Announcer, fromNow } from "../support/announcing.js";
import { until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { notify } from "../support/notify.js";
import { metric } from "../support/raw.js";
import { type Service, startService } from "../support/service.js";

const STORES = [
  { store: "SQLite", env: () => ({}) },
  { store: "MongoDB", env: () => ({ MONGODB_URL: mongoUrl("announcements") }) },
];

/** Members of whom a server tells the service in one call, and such calls. */
const MEMBERS_A_CALL = 1_000;
const CALLS = 2;

/** Repeats of one announcement at the same time. */
const REPEATS = 20;

/** What must not reach those whom it is not for. */
const SECRET = "plover-egg";

let service: Service;
let server: Announcer;
const devices: AnnouncementDevice[] = [];

afterEach(async () => {
  for (const device of devices.splice(0)) device.disconnect();
  // What is left would be counted in the next test.
  for (const { id, state } of await server.list()) {
    if (state === "live" || state === "scheduled") await server.rescind(id);
  }
});

function device(user: string, roles: string[] = []): AnnouncementDevice {
  const one = new AnnouncementDevice(user, service, roles);
  devices.push(one);
  return one;
}

/** Where the stream is now. */
async function head(): Promise<{ epoch: string; seq: number }> {
  const probe = await device("probe").connect().ready();
  probe.disconnect();
  return probe.streams.announcements.cursor as { epoch: string; seq: number };
}

/** A device that replays the stream of announcements from its beginning. */
async function replaying(user: string, roles: string[] = []): Promise<AnnouncementDevice> {
  const { epoch } = await head();
  return device(user, roles)
    .resume({ announcements: { epoch, seq: 0 } })
    .connect()
    .ready();
}

describe.each(STORES)("an announcement, on $store", ({ env }) => {
  beforeAll(async () => {
    service = await startService({ env: env() });
    server = new Announcer(service);
  });

  afterAll(async () => {
    await service.stop();
  });

  it("reaches members who are there, who come later, and who come back with a cursor of theirs or one that the service keeps", async () => {
    const there = await device("ada").connect().ready();
    const leaving = await device("bob").connect().ready();
    leaving.disconnect();
    const forgetful = await device("cy").connect({ device: "phone" }).ready();
    expect(await forgetful.ask("ack", { stream: "announcements", seq: forgetful.seq })).toEqual({ ok: true });
    forgetful.disconnect();

    const fields = { title: "Hello", text: "All of you.", url: "https://forum.example/t/8", level: "critical", expiresAt: fromNow(60_000) };
    const { id, ...announced } = await server.announce({ ...fields, audience: { joinedBefore: fromNow(60_000) }, key: "hello" });
    await until("it is there", () => there.items.has(id));
    const item = { ...fields, id, dismissible: true, mandatory: false, by: "server", createdAt: announced.createdAt };
    const shown = { ...item, dismissedAt: null, acknowledgedAt: null };
    expect(there.applied.get(there.seq)).toMatchObject({ kind: "announcement", data: item });
    const again = await device("cy").connect({ device: "phone" }).ready();
    const late = await device("dan").connect().ready();
    await leaving.connect().ready();
    for (const one of [there, leaving, again, late]) {
      expect([...one.items.values()]).toEqual([shown]);
      expect(one.unread).toBe(1);
    }
    expect([leaving, again, late].map(({ welcomes }) => welcomes.at(-1)?.streams.announcements)).toMatchObject([
      { resume: "exact", from: there.seq - 1, head: there.seq, unread: 1 },
      { resume: "exact", from: there.seq - 1, head: there.seq, unread: 1 },
      { resume: "snapshot", from: there.seq, head: there.seq, unread: 1 },
    ]);
    expect(late.welcomes[0]?.unread).toBe(1);
  });

  it("says nothing to those whom it is not for, whatever becomes of it: not a word of it is in what they are sent", async () => {
    await Promise.all([server.register("old", { joinedAt: "2020-01-01T00:00:00Z" }), server.register("staff", { roles: ["staff"] })]);
    const others = await Promise.all(["old", "eve"].map((user) => device(user).connect().ready()));
    const staff = await device("staff", ["staff"]).connect().ready();
    const fields = { title: SECRET, text: SECRET, url: `https://forum.example/${SECRET}` };
    const { id } = await server.announce({ ...fields, audience: { roles: ["staff"] } });
    await server.edit(id, { text: `${SECRET} again` });
    const { id: elders } = await server.announce({
      ...fields,
      audience: { joinedBefore: "2021-01-01T00:00:00Z", joinedAfter: "2019-01-01T00:00:00Z" },
    });
    await server.edit(elders, { audience: { roles: ["staff"] } });
    await server.edit(elders, { audience: { users: ["staff"] } });
    await staff.reaches(others[0]?.seq ?? 0);
    await until("staff have both", () => staff.ids.length === 2);
    const [old, eve] = others as [AnnouncementDevice, AnnouncementDevice];
    await until("the elder was told of the one", () => old.frames.some((frame) => frame.includes(SECRET)));
    const during = [await device("eve").connect().ready(), await replaying("eve")];
    await server.rescind(id, SECRET);
    await server.rescind(elders, SECRET);
    const after = [await device("eve").connect().ready(), await replaying("eve")];
    await Promise.all([old, eve].map((one) => one.reaches(after[0]?.seq ?? 0)));
    const { entries } = await eve.ask("sync", { stream: "announcements", after: { ...eve.streams.announcements.cursor, seq: 0 } });
    expect(entries).toHaveLength(eve.seq);
    for (const one of [eve, ...during, ...after]) {
      expect(one.frames.length).toBeGreaterThan(3);
      expect(one.frames.filter((frame) => frame.includes(SECRET) || frame.includes("audience"))).toEqual([]);
      expect([one.ids, one.unread]).toEqual([[], 0]);
    }
    expect([...eve.applied.values()].slice(-7).map(({ data }) => data)).toEqual(
      [id, id, elders, elders, elders, id, elders].map((one) => ({ id: one, hidden: true })),
    );
    expect([old.ids, old.unread, staff.ids, staff.unread]).toEqual([[], 0, [], 0]);
  });

  it("that is edited changes on every screen, goes where it is not for the member any more, and comes back as they left it", async () => {
    const [ada, bob] = [await device("ada").connect().ready(), await device("bob").connect().ready()];
    const { id } = await server.announce({ title: "One" });
    await until("both have it", () => ada.unread === 1 && bob.unread === 1);
    expect(await ada.ask("dismiss", { announcement: id })).toMatchObject({ ok: true, unread: 0 });
    await server.edit(id, { title: "Two", url: "https://forum.example/t/9" });
    await until("both have the new title", () => [ada, bob].every(({ items }) => items.get(id)?.title === "Two"));
    expect([ada.unread, bob.unread]).toEqual([0, 1]);
    await server.edit(id, { audience: { users: ["bob"] } });
    await until("it is gone for ada", () => ada.ids.length === 0);
    const meanwhile = await device("ada").connect().ready();
    expect([meanwhile.ids, meanwhile.unread]).toEqual([[], 0]);
    await server.edit(id, { audience: null, title: "Three", url: null });
    await until("it is back for ada", () => [ada, bob, meanwhile].every(({ items }) => items.get(id)?.title === "Three"));
    expect([ada, bob, meanwhile].map(({ unread }) => unread)).toEqual([0, 1, 0]);
    expect(bob.items.get(id)).not.toHaveProperty("url");
    const replay = await replaying("ada");
    expect([...replay.items.values()]).toEqual([...ada.items.values()]);
    expect(replay.unread).toBe(0);
    // What changes nothing writes nothing.
    const before = await head();
    await server.edit(id, { title: "Three" });
    expect(await head()).toEqual(before);
  });

  it("that is rescinded or expires leaves every screen, and whoever comes later never sees it, wherever their cursor is", async () => {
    const [ada, bob] = [await device("ada").connect().ready(), await device("bob").connect().ready()];
    bob.disconnect();
    const { id: taken } = await server.announce({ text: `${SECRET} one` });
    const { id: ending } = await server.announce({ text: `${SECRET} two`, expiresAt: fromNow(2_000) });
    await until("ada has both", () => ada.unread === 2);
    await server.rescind(taken, "a mistake");
    await until("both have left her screen", () => ada.ids.length === 0);
    expect(ada.unread).toBe(0);
    const ends = [...ada.applied.values()].filter(({ kind }) => kind === "announcement.rescinded").slice(-2);
    expect(ends.map(({ data }) => data)).toEqual([
      { id: taken, why: "a mistake" },
      { id: ending, why: "expired" },
    ]);
    const late = [bob.connect(), await replaying("joins-late")];
    await bob.reaches(ada.seq);
    for (const one of late) {
      expect([one.ids, one.unread]).toEqual([[], 0]);
      expect(one.frames.filter((frame) => frame.includes(SECRET))).toEqual([]);
    }
    expect(await ada.ask("dismiss", { announcement: ending })).toMatchObject({ ok: false, error: { code: "not_found" } });
  });

  it("that is mandatory stays on every device until the member acknowledges it", async () => {
    const [phone, laptop] = [await device("ada").connect().ready(), await device("ada").connect().ready()];
    const { id } = await server.announce({ mandatory: true, dismissible: true });
    await until("both have it", () => phone.unread === 1 && laptop.unread === 1);
    expect(await phone.ask("dismiss", { announcement: id })).toMatchObject({ ok: false, error: { code: "bad_request" } });
    phone.disconnect();
    await service.restart();
    await phone.connect().ready();
    await until("the laptop is back", () => laptop.connected);
    expect([phone.unread, phone.ids]).toEqual([1, [id]]);
    const over = await new Announcer(service, { user: "ada", roles: [] }).must("POST", "/v1/me/acknowledge", { announcement: id });
    expect(over).toEqual({ seq: expect.any(Number), unread: 0 });
    await until("both know", () => phone.unread === 0 && laptop.unread === 0);
    expect(phone.items.get(id)).toMatchObject({ dismissedAt: null, acknowledgedAt: expect.any(String) });
    expect([...laptop.items.values()]).toEqual([...phone.items.values()]);
    expect(await laptop.ask("acknowledge", { announcement: id })).toEqual({ ok: true, ...over });
    const fresh = await device("ada").connect().ready();
    expect([[...fresh.items.values()], fresh.unread]).toEqual([[...phone.items.values()], 0]);
  });

  it("with a key is one, however often and however many at once it is sent", async () => {
    const start = await head();
    const body = { title: "Once", text: "Only.", key: "once" };
    const answers = await Promise.all(Array.from({ length: REPEATS }, () => server.call("POST", "/v1/announcements", body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(REPEATS - 1).fill(200), 201]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect((await head()).seq).toBe(start.seq + 1);
    const appended = await metric(service, "belfry_entries_appended_total");
    expect(await server.call("POST", "/v1/announcements", { ...body, title: "Another" })).toMatchObject({
      status: 200,
      body: { title: "Once" },
    });
    expect(await metric(service, "belfry_entries_appended_total")).toBe(appended);
  });

  it("costs one entry of the stream and one of the audit log, whatever the number of members", async () => {
    for (let call = 0; call < CALLS; call++) {
      await notify(
        service,
        Array.from({ length: MEMBERS_A_CALL }, (_, index) => `m-${call}-${index}`),
        "hello",
      );
    }
    const before = await metric(service, "belfry_entries_appended_total");
    const { id } = await server.announce();
    expect(await metric(service, "belfry_entries_appended_total")).toBe(before + 2);
    await until("all of them are known", async () => {
      const { audience } = await server.must("GET", `/v1/announcements/${id}/report`);
      return Number(audience) >= CALLS * MEMBERS_A_CALL;
    });
    const one = await device("m-1-999").connect().ready();
    expect(one.welcomes[0]).toMatchObject({ unread: 2, streams: { inbox: { unread: 1 }, announcements: { unread: 1 } } });
  });

  it("has a report of who was reached, has seen and has acknowledged it", async () => {
    const users = ["r1", "r2", "r3", "r4"];
    await Promise.all(users.map((user) => server.register(user)));
    const { id } = await server.announce({ audience: { users }, mandatory: true });
    const [, two, three] = await Promise.all(["r1", "r2", "r3"].map((user) => device(user).connect().ready()));
    expect(await two?.ask("seen", {})).toMatchObject({ ok: true });
    expect(await three?.ask("acknowledge", { announcement: id })).toMatchObject({ ok: true });
    const path = `/v1/announcements/${id}/report`;
    const numbers = { audience: 4, reached: 3, seen: 2, acknowledged: 1 };
    await until("all is written", async () => {
      const { reached, seen } = await server.must("GET", path);
      return reached === numbers.reached && seen === numbers.seen;
    });
    const time = expect.stringMatching(/Z$/);
    const rows = [
      { user: "r1", reachedAt: time, seenAt: null, acknowledgedAt: null },
      { user: "r2", reachedAt: time, seenAt: time, acknowledgedAt: null },
      { user: "r3", reachedAt: time, seenAt: time, acknowledgedAt: time },
      { user: "r4", reachedAt: null, seenAt: null, acknowledgedAt: null },
    ];
    const first = await server.must("GET", `${path}?limit=3`);
    expect(first).toEqual({ ...numbers, members: rows.slice(0, 3), more: true });
    expect(await server.must("GET", `${path}?limit=3&after=r3`)).toEqual({ ...numbers, members: rows.slice(3), more: false });
    const { text } = await server.call("GET", `${path}?format=csv`);
    const lines = text.trim().split(/\r?\n/);
    const cells = (first.members as Array<Record<string, string | null>>).map((row) => Object.values(row).map((cell) => cell ?? ""));
    expect(lines.map((line) => line.split(","))).toEqual([["user", "reachedAt", "seenAt", "acknowledgedAt"], ...cells, ["r4", "", "", ""]]);
  });
});
