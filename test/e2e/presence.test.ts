import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Board } from "../support/board.js";
import { call, tokenOf } from "../support/call.js";
import { Member, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { type Service, startService } from "../support/service.js";

const STORES = [
  { store: "SQLite", env: () => ({}) },
  { store: "MongoDB", env: () => ({ MONGODB_URL: mongoUrl("presence") }) },
];

let service: Service;
const members: Member[] = [];
const boards: Board[] = [];

afterEach(async () => {
  for (const member of members.splice(0)) member.disconnect();
  for (const board of boards.splice(0)) board.leave();
  await until("everybody is gone", async () => (await online()).sessions === 0);
});

async function online(): Promise<{ users: number; sessions: number }> {
  const answer = await call(service, "GET", "/v1/online", service.apiKey);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body as unknown as { users: number; sessions: number };
}

/** A device of the member, with the number that its welcome told. */
async function device(user: string): Promise<{ member: Member; welcomed: number }> {
  const member = new Member(user, { url: service.url, secret: service.jwtSecret });
  members.push(member);
  const welcome = new Promise<number>((resolve) => {
    member.connect().socket.once("welcome", (payload: { online: number }) => resolve(payload.online));
  });
  await member.ready();
  return { member, welcomed: await welcome };
}

async function board(user: string): Promise<Board> {
  const one = new Board(service, tokenOf(service, user));
  boards.push(one);
  await until("the first number", () => one.online.length > 0);
  return one;
}

const shows = (one: Board, users: number) =>
  until(
    () => `${users} online, shown are ${one.online}`,
    () => one.online.at(-1) === users,
  );

describe.each(STORES)("who is online, on $store", ({ env }) => {
  beforeAll(async () => {
    service = await startService({ env: env() });
  });

  afterAll(async () => {
    await service.stop();
  });

  it("is the same in the welcome, over HTTP and on /live: three devices of one member count once, and as three sessions", async () => {
    const watching = await board("ada");
    // A screen of a live board is no session of a member.
    expect([watching.online, await online()]).toEqual([[0], { users: 0, sessions: 0 }]);
    const devices = [await device("ada"), await device("ada"), await device("ada"), await device("bruno")];
    expect(devices.map(({ welcomed }) => welcomed)).toEqual([1, 1, 1, 2]);
    expect(await online()).toEqual({ users: 2, sessions: 4 });
    await shows(watching, 2);
    expect((await board("chi")).online).toEqual([2]);

    devices[0]?.member.disconnect();
    await until("three sessions are left", async () => (await online()).sessions === 3);
    expect(await online()).toEqual({ users: 2, sessions: 3 });
    for (const { member } of devices.slice(1, 3)) member.disconnect();
    await shows(watching, 1);
    expect(await online()).toEqual({ users: 1, sessions: 1 });
  });

  it("starts from nobody after the process was killed", async () => {
    const before = [await device("ada"), await device("bruno")];
    expect(await online()).toEqual({ users: 2, sessions: 2 });
    await service.kill9();
    for (const { member } of before) member.disconnect();
    await service.start();
    expect(await online()).toEqual({ users: 0, sessions: 0 });
    const watching = await board("ada");
    expect((await device("ada")).welcomed).toBe(1);
    await shows(watching, 1);
  });
});

describe("the number on /live", () => {
  beforeAll(async () => {
    service = await startService();
  });

  afterAll(async () => {
    await service.stop();
  });

  it("comes at most once a second, however many come and go, and is right in the end", async () => {
    const watching = await board("watcher");
    const began = performance.now();
    const crowd = await Promise.all(Array.from({ length: 50 }, (_, index) => device(`member-${index}`)));
    for (const { member } of crowd) {
      member.disconnect();
      await member.connect().ready();
    }
    for (const { member } of crowd.slice(0, 43)) member.disconnect();
    await shows(watching, 7);
    const seconds = (performance.now() - began) / 1_000;
    expect(await online()).toEqual({ users: 7, sessions: 7 });
    // One before and one at once; timers of either side need not agree to the millisecond.
    expect(watching.online.length).toBeLessThanOrEqual(2 + seconds * 1.2);
    for (const [index, users] of watching.online.entries()) expect(users).not.toBe(watching.online[index - 1]);
  });

  it("is right for a board that opens while a member is there for a moment", async () => {
    await device("stays");
    const { member } = await device("passes");
    const late = await board("watcher");
    member.disconnect();
    await shows(late, 1);
  });

  it("is for servers and moderators to ask over HTTP", async () => {
    const ask = async (credential: string) => (await call(service, "GET", "/v1/online", credential)).status;
    expect(await ask(tokenOf(service, "mod", "moderator"))).toBe(200);
    expect(await ask(tokenOf(service, "ada"))).toBe(403);
    expect(await ask("no-token")).toBe(401);
  });
});
