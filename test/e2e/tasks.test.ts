import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { type Answer, call, tokenOf } from "../support/call.js";
import { flood } from "../support/flood.js";
import { Member, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { metric } from "../support/raw.js";
import { type Service, startService } from "../support/service.js";

const STORES = [
  { store: "SQLite", env: () => ({}) },
  { store: "MongoDB", env: () => ({ MONGODB_URL: mongoUrl("tasks") }) },
];

/** Longer than usual: the reports take as long as a busy machine needs for them. Milliseconds. */
const FLOOD_TIMEOUT_MS = 90_000;

/** What a device hears of tasks, in order. */
interface Screen {
  member: Member;
  events: Array<{ event: string; payload: Record<string, unknown> }>;
}

let service: Service;
const members: Member[] = [];

afterEach(() => {
  for (const member of members.splice(0)) member.disconnect();
});

function report(task: string, body: object): Promise<Answer> {
  return call(service, "PUT", `/v1/tasks/${task}`, service.apiKey, body);
}

/** A device that is connecting; `events` is all it hears from the first packet on. */
function connect(user: string): Screen {
  const member = new Member(user, { url: service.url, secret: service.jwtSecret });
  members.push(member);
  member.connect();
  const events: Screen["events"] = [];
  member.socket.onAny((event, payload) => events.push({ event, payload }));
  return { member, events };
}

async function screen(user: string): Promise<Screen> {
  const one = connect(user);
  await one.member.ready();
  return one;
}

const progressOf = ({ events }: Screen, task: string) =>
  events.filter(({ event, payload }) => event === "progress" && payload.task === task).map(({ payload }) => payload);

/** The ends of the task that the device has: of its snapshot and of what came since. */
const endsOf = ({ member }: Screen, task: string) =>
  [...member.items.values()].filter(({ type, data }) => type === "task" && (data as { task: string }).task === task);

/** The ends of the task that the member has been told, as the service has them stored. */
async function storedEnds(user: string, task: string): Promise<Array<Record<string, unknown>>> {
  const { body } = await call(service, "GET", "/v1/me/notifications?limit=100", tokenOf(service, user));
  return (body.items as Array<{ data?: { task?: string } }>).filter(({ data }) => data?.task === task);
}

/** Whatever progress was on its way to these screens has come: what is sent of another task is paced as it is. */
async function settled(user: string, ...screens: Screen[]): Promise<void> {
  for (const step of ["one", "two"]) await report(`after-${user}`, { user, state: "running", step });
  for (const one of screens) await until("the other task's last step", () => progressOf(one, `after-${user}`).at(-1)?.step === "two");
}

describe.each(STORES)("a task, on $store", ({ env }) => {
  beforeAll(async () => {
    service = await startService({ env: env() });
  });

  afterAll(async () => {
    await service.stop();
  });

  it(
    "that reports 1,000 times a second costs each device ten packets a second, stores nothing but its state, and ends once",
    async () => {
      const [phone, laptop] = [await screen("ada"), await screen("ada")];
      const before = await metric(service, "belfry_entries_appended_total");
      const flooding = flood(service, "/v1/tasks/import", {
        perSecond: 1_000,
        seconds: 3,
        bodyOf: (index) => ({ user: "ada", state: "running", percent: index / 30, step: `row ${index}`, title: "Import" }),
      });
      await until("some progress", () => progressOf(phone, "import").length >= 5);
      const tablet = await screen("ada");
      const { accepted, ms } = await flooding;
      // Right behind the last report, so that some progress is still held back.
      const end = await report("import", { user: "ada", state: "completed", title: "Import" });
      expect(accepted).toBe(3_000);
      expect(end).toMatchObject({ status: 200, body: { task: "import", user: "ada", state: "completed" } });
      for (const one of [phone, laptop, tablet]) await until("the end", () => endsOf(one, "import").length > 0);
      await settled("ada", phone, laptop, tablet);

      expect(await metric(service, "belfry_entries_appended_total")).toBe(before + 1);
      for (const one of [phone, laptop, tablet]) {
        expect(endsOf(one, "import")).toMatchObject([{ type: "task", reason: "direct", data: { task: "import", state: "completed" } }]);
        expect(progressOf(one, "import").length).toBeLessThanOrEqual(ms / 100 + 10);
        expect(progressOf(one, "import").length).toBeGreaterThan(1);
        const times = progressOf(one, "import").map(({ at }) => at as string);
        expect(times).toEqual([...times].sort());
        const shape = {
          task: "import",
          state: "running",
          title: "Import",
          step: expect.stringMatching(/^row \d+$/),
          percent: expect.any(Number),
        };
        expect(progressOf(one, "import")).toEqual(times.map((at) => ({ ...shape, at })));
        const last = one.events.findLastIndex(({ event, payload }) => event === "progress" && payload.task === "import");
        expect(one.events.findIndex(({ event, payload }) => event === "entries" && payload.stream === "inbox")).toBeGreaterThan(last);
      }
    },
    FLOOD_TIMEOUT_MS,
  );

  it("is shown to its owner who comes in the middle, once the inbox is synced, and to nobody else", async () => {
    const { body } = await report("export", {
      user: "bruno",
      state: "running",
      percent: 40,
      step: "Packing",
      url: "https://forum.example/export",
    });
    const [other, owner] = [connect("chi"), connect("bruno")];
    await Promise.all([other, owner].map(({ member }) => member.ready()));
    await until("where the task is", () => progressOf(owner, "export").length > 0);
    const { user: _owner, ...progress } = body;
    expect(progressOf(owner, "export")).toEqual([progress]);
    const order = owner.events.filter(({ event, payload }) => event === "progress" || payload.stream === "inbox").map(({ event }) => event);
    expect(order).toEqual(["snapshot", "synced", "progress"]);

    await report("export", { user: "bruno", state: "running", percent: 60 });
    await until("the next progress", () => progressOf(owner, "export").length > 1);
    expect(progressOf(owner, "export")[1]).toEqual({ task: "export", state: "running", percent: 60, at: expect.any(String) });
    await settled("chi", other);
    expect(progressOf(other, "export")).toEqual([]);
  });

  it("that ends while its owner is away is told on their return, once, and is no longer shown as running", async () => {
    const first = await screen("dora");
    await report("rebuild", { user: "dora", state: "running", percent: 10 });
    await until("the progress", () => progressOf(first, "rebuild").length > 0);
    first.member.disconnect();
    await report("rebuild", {
      user: "dora",
      state: "failed",
      title: "Rebuild",
      text: "The disk is full",
      url: "https://forum.example/log",
    });
    const end = {
      type: "task",
      actor: { id: "system", name: "Rebuild" },
      text: "The disk is full",
      url: "https://forum.example/log",
      data: { task: "rebuild", state: "failed" },
    };

    const heard = first.events.length;
    first.member.connect();
    first.member.socket.onAny((event, payload) => first.events.push({ event, payload }));
    await first.member.ready();
    const fresh = await screen("dora");
    await settled("dora", first, fresh);
    for (const one of [first, fresh]) expect(endsOf(one, "rebuild")).toMatchObject([end]);
    expect(progressOf({ ...first, events: first.events.slice(heard) }, "rebuild")).toEqual([]);
    expect(progressOf(fresh, "rebuild")).toEqual([]);
  });

  it("that has ended stays so: a late report changes nothing and is answered with the end", async () => {
    const owner = await screen("emil");
    const end = await report("backup", { user: "emil", state: "completed", text: "Done" });
    for (const state of ["running", "failed", "completed"]) {
      expect(await report("backup", { user: "emil", state, percent: 1 })).toMatchObject({ status: 200, body: end.body });
    }
    await settled("emil", owner);
    expect(progressOf(owner, "backup")).toEqual([]);
    expect(endsOf(owner, "backup")).toHaveLength(1);
  });

  it("keeps its owner, while it runs and after its end", async () => {
    const other = await screen("gil");
    await report("kept", { user: "flora", state: "running" });
    const refusal = { status: 400, body: { code: "bad_request" } };
    expect(await report("kept", { user: "gil", state: "running", percent: 50 })).toMatchObject(refusal);
    expect(await report("kept", { user: "gil", state: "completed" })).toMatchObject(refusal);
    await report("kept", { user: "flora", state: "completed" });
    expect(await report("kept", { user: "gil", state: "completed" })).toMatchObject(refusal);
    await settled("gil", other);
    expect([progressOf(other, "kept"), await storedEnds("gil", "kept")]).toEqual([[], []]);
    expect(await storedEnds("flora", "kept")).toHaveLength(1);
  });

  it("that reports its end 20 times at once, and again after the process was killed behind the answer, is told of once", async () => {
    const { member } = await screen("hana");
    await report("merge", { user: "hana", state: "running", percent: 99 });
    const reports = Array.from({ length: 20 }, () => report("merge", { user: "hana", state: "completed" }));
    const all = Promise.allSettled(reports);
    expect(await Promise.any(reports)).toMatchObject({ status: 200, body: { state: "completed" } });
    await service.kill9();
    await all;
    await service.start();
    expect(await storedEnds("hana", "merge")).toHaveLength(1);
    const again = await Promise.all(Array.from({ length: 20 }, () => report("merge", { user: "hana", state: "completed" })));
    expect(new Set(again.map(({ text }) => text)).size).toBe(1);
    const [end] = await storedEnds("hana", "merge");
    expect(await storedEnds("hana", "merge")).toMatchObject([{ type: "task", data: { task: "merge", state: "completed" } }]);
    await until("the device is back", () => member.connected && member.items.size > 0 && member.cursor?.seq === end?.seq);
    expect([...member.items.keys()]).toEqual([end?.id]);
  });

  it("that the process was killed under goes on where it was", async () => {
    await report("long", { user: "ida", state: "running", percent: 70, step: "Sorting" });
    await service.kill9();
    await service.start();
    const owner = await screen("ida");
    await until("where the task is", () => progressOf(owner, "long").length > 0);
    expect(progressOf(owner, "long")).toMatchObject([{ percent: 70, step: "Sorting" }]);
    await report("long", { user: "ida", state: "completed" });
    await until("the end", () => endsOf(owner, "long").length === 1);
  });
});
