import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Board } from "../support/board.js";
import { type Answer, call, tokenOf } from "../support/call.js";
import { flood } from "../support/flood.js";
import { until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { type Service, startService } from "../support/service.js";

const STORES = [
  { store: "SQLite", env: () => ({}) },
  { store: "MongoDB", env: () => ({ MONGODB_URL: mongoUrl("live") }) },
];

/** Bytes that a value may have as JSON. */
const MAX_BYTES = 64 * 1_024;

let service: Service;
let count = 0;
const boards: Board[] = [];

afterEach(() => {
  for (const board of boards.splice(0)) {
    board.leave();
    expect(board.stale).toEqual([]);
  }
});

/** A name that no test has used. */
const fresh = (name: string) => `${name}-${++count}`;

function board(user: string, ...roles: string[]): Board {
  const one = new Board(service, tokenOf(service, user, ...roles));
  boards.push(one);
  return one;
}

function guest(): Board {
  const one = new Board(service);
  boards.push(one);
  return one;
}

const pathOf = (topic: string) => `/v1/topics/${encodeURIComponent(topic)}`;
const attempt = (topic: string, body: unknown): Promise<Answer> => call(service, "PUT", pathOf(topic), service.apiKey, body);
const read = (topic: string): Promise<Answer> => call(service, "GET", pathOf(topic), service.apiKey);

async function write(topic: string, data: unknown, access?: unknown): Promise<Record<string, unknown>> {
  const answer = await attempt(topic, { data, ...(access === undefined ? {} : { access }) });
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body;
}

const shows = (one: Board, topic: string, data: unknown) =>
  until(
    () => `${JSON.stringify(data)} of ${topic}, shown is ${JSON.stringify(one.shows(topic))}`,
    () => JSON.stringify(one.shows(topic)) === JSON.stringify(data),
  );

/** Whatever was on its way to these boards, which have joined the topic, has come. */
async function settled(marker: string, ...those: Board[]): Promise<void> {
  const { seq } = await write(marker, "marker");
  for (const one of those) await until("the marker", () => one.latest.get(marker)?.seq === seq);
}

describe.each(STORES)("a live board, on $store", ({ env }) => {
  beforeAll(async () => {
    service = await startService({ env: { GUESTS: "on", ...env() } });
  });

  afterAll(async () => {
    await service.stop();
  });

  it("shows on joining the latest value, or that there is none, then every newer one, and says no more once it was left", async () => {
    const [scores, later] = [fresh("scores"), fresh("later")];
    await write(scores, { points: 1 });
    const written = await write(scores, { points: 2 });
    expect(written).toEqual({ topic: scores, seq: 2, at: expect.stringMatching(/^\d{4}-.*Z$/), data: { points: 2 }, access: "members" });
    expect(await read(scores)).toMatchObject({ status: 200, body: written });
    const [one, other] = [board("ada"), board("bruno")];
    for (const each of [one, other]) {
      const value = { seq: 2, at: written.at, data: { points: 2 } };
      expect(await each.join(scores, later)).toEqual({ ok: true, topics: { [scores]: value, [later]: null } });
    }
    await write(scores, { points: 3 });
    await write(later, "now");
    for (const each of [one, other]) {
      await shows(each, scores, { points: 3 });
      await shows(each, later, "now");
    }
    expect(await one.ask("leave", { topics: [scores] })).toEqual({ ok: true });
    await write(scores, { points: 4 });
    await shows(other, scores, { points: 4 });
    await settled(later, one);
    expect(one.shows(scores)).toEqual({ points: 3 });
    expect(await one.join(scores)).toMatchObject({ topics: { [scores]: { seq: 4, data: { points: 4 } } } });
  });

  it("is there after a restart, and after the process was killed behind an answer; its seq goes on", async () => {
    const topic = fresh("kept");
    const watching = board("ada");
    await watching.join(topic);
    await write(topic, 1, ["staff"]);
    await service.restart();
    expect((await read(topic)).body).toMatchObject({ seq: 1, data: 1, access: ["staff"] });
    await flood(service, pathOf(topic), { perSecond: 100, seconds: 1, bodyOf: (index) => ({ data: index, access: "public" }) });
    const last = await write(topic, { last: true });
    await service.kill9();
    await service.start();
    expect((await read(topic)).body).toEqual(last);
    await until("the board is back", () => watching.socket.connected);
    expect(await watching.join(topic)).toMatchObject({ topics: { [topic]: { seq: last.seq, data: { last: true } } } });
    expect(await write(topic, "next")).toMatchObject({ seq: (last.seq as number) + 1 });
    await shows(watching, topic, "next");
  });

  it.each([
    ["null", null],
    ["a number", -0.5],
    ["a text", 'ü \u2028 "quoted" \u0000'],
    ["a truth value", false],
    ["an array", [1, [2, { three: 4 }], null]],
    ["an object", { "": {}, constructor: 1, "42/live,": ["update"] }],
    ["64 KiB", "x".repeat(MAX_BYTES - 2)],
    ["64 KiB of letters that have two bytes", "ü".repeat(MAX_BYTES / 2 - 1)],
  ])("takes any JSON: %s", async (_what, data) => {
    const topic = fresh("any");
    const watching = board("ada");
    await watching.join(topic);
    await write(topic, data);
    await until("the value", () => watching.latest.has(topic));
    expect(watching.shows(topic)).toEqual(data);
    expect((await board("bruno").join(topic)).topics).toMatchObject({ [topic]: { seq: 1, data } });
    expect((await read(topic)).body.data).toEqual(data);
  });

  it("refuses a value of one byte more than 64 KiB, and keeps the one before", async () => {
    const topic = fresh("large");
    await write(topic, "before");
    const escaped = "\u0001".repeat((MAX_BYTES - 2) / 6 + 1);
    for (const data of ["x".repeat(MAX_BYTES - 1), `${"ü".repeat(MAX_BYTES / 2 - 1)}x`, escaped, "x".repeat(MAX_BYTES * 2)]) {
      expect(await attempt(topic, { data })).toMatchObject({ status: 413, body: { code: "too_large" } });
    }
    expect((await read(topic)).body).toMatchObject({ seq: 1, data: "before" });
  });

  it.each(["with space", "ümlaut", "x".repeat(129), "a,b", 'a"b', "a\nb", "a%b", "a?b", " "])("has no name like %j", async (name) => {
    expect(await attempt(name, { data: 1 })).toMatchObject({ status: 400, body: { code: "bad_request" } });
    expect(await read(name)).toMatchObject({ status: 400, body: { code: "bad_request" } });
    expect(await board("ada").join(name)).toMatchObject({ ok: false, error: { code: "bad_request" } });
  });

  it("has no empty name, and any of letters, digits and . _ : / -", async () => {
    expect(await board("ada").join("")).toMatchObject({ ok: false, error: { code: "bad_request" } });
    expect((await call(service, "PUT", "/v1/topics/", service.apiKey, { data: 1 })).status).toBe(404);
    for (const name of ["thread:497/typing", "__proto__", "a.b-C_9", "x".repeat(128)]) {
      await write(name, name);
      expect(await board("ada").join(name)).toMatchObject({ ok: true, topics: JSON.parse(`{"${name}":{"data":"${name}"}}`) });
    }
  });

  it.each([
    ["no data", {}],
    ["an unknown access", { data: 1, access: "everybody" }],
    ["no roles", { data: 1, access: [] }],
    ["roles that are numbers", { data: 1, access: [1] }],
    ["an array", [{ data: 1 }]],
    ["a text", '"data"'],
    ["JSON that ends early", '{"data":'],
  ])("is not written by a body with %s", async (_what, body) => {
    const topic = fresh("unwritten");
    expect(await attempt(topic, body)).toMatchObject({ status: 400, body: { code: "bad_request" } });
    expect((await read(topic)).status).toBe(404);
  });

  describe("and who may look at it", () => {
    let open = "";
    let forMembers = "";
    let forStaff = "";

    beforeAll(async () => {
      [open, forMembers, forStaff] = [fresh("open"), fresh("members"), fresh("staff")];
      await write(open, 1, "public");
      await write(forMembers, 1, "members");
      await write(forStaff, 1, ["staff", "crew"]);
    });

    it("is what its access says: a refusal names the topic, and nothing is joined then", async () => {
      const viewers = [
        { viewer: guest(), may: [true, false, false] },
        { viewer: board("ada"), may: [true, true, false] },
        { viewer: board("bruno", "moderator", "crew"), may: [true, true, true] },
      ];
      for (const { viewer, may } of viewers) {
        for (const [index, topic] of [open, forMembers, forStaff].entries()) {
          const answer = await viewer.join(topic);
          expect(answer).toMatchObject(may[index] ? { topics: { [topic]: { data: 1 } } } : { ok: false, error: { code: "forbidden" } });
          if (!may[index]) expect(answer.error?.message).toContain(topic);
        }
      }
      const marker = fresh("marker");
      const member = board("chi");
      expect(await member.join(open, forMembers, forStaff)).toMatchObject({ ok: false, error: { code: "forbidden" } });
      await member.join(marker);
      for (const topic of [open, forMembers, forStaff]) await write(topic, 1);
      await settled(marker, member);
      expect(member.updates.map(({ topic }) => topic)).toEqual([marker]);
    });

    it("changes for those who have joined: nothing more where it is taken away, the latest where it is given", async () => {
      const [topic, marker] = [fresh("moving"), fresh("marker")];
      await write(marker, 0, "public");
      const [visitor, member, staff] = [guest(), board("ada"), board("bruno", "staff")];
      // A topic that is not there yet can be joined by anybody; it is for members then.
      for (const one of [visitor, member, staff]) await one.join(topic, marker);
      const steps: Array<[data: string, access: unknown, seenBy: Board[]]> = [
        ["first", undefined, [member, staff]],
        ["for staff", ["staff"], [staff]],
        ["for staff still", undefined, [staff]],
        ["for all", "public", [visitor, member, staff]],
        ["for members", "members", [member, staff]],
      ];
      const expected = new Map<Board, string[]>([visitor, member, staff].map((one) => [one, []]));
      for (const [data, access, seenBy] of steps) {
        await write(topic, data, access);
        await settled(marker, visitor, member, staff);
        for (const one of seenBy) expected.get(one)?.push(data);
      }
      for (const [one, values] of expected) {
        expect(one.updates.filter((value) => value.topic === topic).map(({ data }) => data)).toEqual(values);
      }
    });

    it("goes by the roles of a renewed token from then on", async () => {
      const topic = fresh("renewed");
      const member = board("dora");
      await member.join(topic);
      await write(topic, "secret", ["staff"]);
      await write(forMembers, 1);
      expect(await member.ask("refresh", { token: tokenOf(service, "ada", "staff") })).toMatchObject({ error: { code: "forbidden" } });
      expect(member.updates).toEqual([]);
      expect(await member.ask("refresh", { token: tokenOf(service, "dora", "staff") })).toMatchObject({ ok: true });
      await shows(member, topic, "secret");
    });
  });
});
