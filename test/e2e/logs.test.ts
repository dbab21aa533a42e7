import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Member, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { sharedRedis } from "../support/redis.js";
import { type Service, startService } from "../support/service.js";

let service: Service;
const members: Member[] = [];

afterEach(() => {
  for (const member of members.splice(0)) member.disconnect();
});

type Line = Record<string, unknown> & { level: number; msg: string };

/** The lines of the log that a service has written of late. */
function linesOf(one: Service): Line[] {
  return one.output
    .split("\n")
    .filter((line) => line.startsWith('{"level"') && line.endsWith("}"))
    .map((line) => JSON.parse(line) as Line);
}

const accepted = (event: string) => linesOf(service).filter((line) => line.msg === "an event was accepted" && line.event === event);

/** The deliveries to a member in the log. */
const delivered = (user: string, by = service) => linesOf(by).filter((line) => line.msg === "an entry was delivered" && line.user === user);

async function arrives(user: string, where = service): Promise<Member> {
  const member = new Member(user, { url: where.url, secret: where.jwtSecret }).connect();
  members.push(member);
  return member.ready();
}

/** Posts an event in which some are mentioned; resolves with the answer. */
function post(id: string, mentions: string[], headers: Record<string, string> = {}): Promise<Response> {
  const comment = { id: `of-${id}`, excerpt: "…", mentions, quotes: [] };
  const event = { id, type: "comment.created", at: new Date().toISOString(), actor: { id: "1" }, thread: { id: "9", title: "T" }, comment };
  return fetch(`${service.url}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${service.apiKey}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(event),
  });
}

describe("the log at debug", () => {
  beforeAll(async () => {
    service = await startService({ env: { LOG_LEVEL: "debug" } });
  });

  afterAll(() => service.stop());

  it("follows an event by the id of its request to every session", async () => {
    const [ada, again, bruno] = [await arrives("ada"), await arrives("ada"), await arrives("bruno")];
    const response = await post("comment-1", ["ada", "bruno", "nobody"], { "x-request-id": "forum-7" });
    expect(response.headers.get("x-request-id")).toBe("forum-7");
    await until("all have it", () => [ada, again, bruno].every((member) => member.applied.size === 1));
    await until("it is in the log", () => delivered("ada").length + delivered("bruno").length === 3);
    expect(accepted("comment-1")).toEqual([expect.objectContaining({ level: 20, request: "forum-7", notified: 3, duplicate: false })]);
    const expected = (member: Member) =>
      expect.objectContaining({
        level: 20,
        stream: `inbox:${member.user}`,
        seq: 1,
        event: "comment-1",
        request: "forum-7",
        session: member.socket.id,
        way: "live",
      });
    expect(delivered("ada")).toEqual(expect.arrayContaining([expected(ada), expected(again)]));
    expect(delivered("bruno")).toEqual([expected(bruno)]);
  });

  it("tells events apart that are stored in one batch", async () => {
    const carla = await arrives("carla");
    const ids = ["a", "b", "c", "d"];
    await Promise.all(ids.map((id) => post(id, ["carla"], { "x-request-id": `of-${id}` })));
    await until("all have arrived", () => carla.applied.size === 4);
    await until("all are in the log", () => delivered("carla").length === 4);
    expect(ids.flatMap(accepted).map(({ request }) => request)).toEqual(ids.map((id) => `of-${id}`));
    for (const { event, request } of delivered("carla")) expect(request).toBe(`of-${String(event)}`);
  });

  it("follows a mark by socket to the member's other devices, under a request of its own", async () => {
    const [phone, desk] = [await arrives("dora"), await arrives("dora")];
    await post("comment-2", ["dora"]);
    await until("both have it", () => phone.applied.size === 1 && desk.applied.size === 1);
    await phone.ask("read_all", {});
    await until("both know", () => phone.applied.size === 2 && desk.applied.size === 2);
    await until("it is in the log", () => delivered("dora").length === 4);
    const marks = delivered("dora").filter(({ kind }) => kind === "read_all");
    const [request] = new Set(marks.map((line) => line.request));
    expect(marks.map((line) => line.request)).toEqual([request, request]);
    expect(request).toMatch(/^[\da-f-]{36}$/);
    expect(request).not.toBe(accepted("comment-2")[0]?.request);
  });

  it("says what a client was sent that was away, without the request that nobody knows any more", async () => {
    const emil = await arrives("emil");
    emil.disconnect();
    await post("comment-3", ["emil"]);
    await emil.connect().ready();
    await until("it is in the log", () => delivered("emil").length === 1);
    expect(delivered("emil")[0]).toMatchObject({ way: "replay", event: "comment-3", session: emil.socket.id });
    expect(delivered("emil")[0]).not.toHaveProperty("request");
  });
});

describe("the log at info", () => {
  beforeAll(async () => {
    service = await startService({ env: { LOG_LEVEL: "info" } });
  });

  afterAll(() => service.stop());

  it("says nothing of events and deliveries", async () => {
    const ada = await arrives("ada");
    const before = linesOf(service).length;
    const response = await post("comment-1", ["ada"]);
    expect(response.headers.get("x-request-id")).toMatch(/^[\da-f-]{36}$/);
    await until("it has arrived", () => ada.applied.size === 1);
    expect(linesOf(service).length).toBe(before);
  });
});

describe("the logs of two nodes at debug", () => {
  let other: Service;

  beforeAll(async () => {
    const both = { MONGODB_URL: mongoUrl("logs"), REDIS_URL: sharedRedis(), LOG_LEVEL: "debug" };
    service = await startService({ env: both });
    other = await startService({ env: { ...both, JWT_SECRET: service.jwtSecret, API_KEYS: service.apiKey } });
    other.keys = service.keys;
  });

  afterAll(async () => {
    await Promise.all([service.stop(), other.stop()]);
  });

  it("follow an event from the request to one of them to the session on the other", async () => {
    const ada = await arrives("ada", other);
    // Until the roster has told where the member is, the other node finds out by looking at the store, and nobody knows the request there.
    let tries = 0;
    const followed = () => delivered("ada", other).filter(({ request }) => request !== undefined);
    await until("a request is known to the other node", async () => {
      await post(`comment-${++tries}`, ["ada"], { "x-request-id": `forum-${tries}` });
      await until("it has arrived", () => ada.applied.size === tries);
      await until("it is in the log", () => delivered("ada", other).some(({ seq }) => seq === tries));
      return followed().length > 0;
    });
    const [line] = followed();
    expect(line).toMatchObject({ stream: "inbox:ada", session: ada.socket.id, way: "live" });
    expect(line?.event).toBe(String(line?.request).replace("forum", "comment"));
    expect(accepted(String(line?.event))[0]?.request).toBe(line?.request);
  });
});
