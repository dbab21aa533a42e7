import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { call, tokenOf } from "../support/call.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { until } from "../support/member.js";
import { notify } from "../support/notify.js";
import { PythonMember } from "../support/python-member.js";
import { obtainPythonSocketio } from "../support/python-socketio.mjs";
import { type Service, startService } from "../support/service.js";

/** For pip, once for each machine. Milliseconds. */
const OBTAIN_MS = 300_000;

let folder: string;
let service: Service;
let way: FaultProxy;
let member: PythonMember;

beforeAll(async () => {
  await obtainPythonSocketio();
  folder = await mkdtemp(join(tmpdir(), "belfry-python-"));
  service = await startService();
  way = await FaultProxy.start(Number(new URL(service.url).port));
}, OBTAIN_MS);
afterEach(() => member?.stop());
afterAll(async () => {
  await way?.stop();
  await service?.stop();
  await rm(folder, { recursive: true, force: true });
});

function device(user: string): PythonMember {
  member = new PythonMember(`http://127.0.0.1:${way.port}`, tokenOf(service, user), join(folder, `${user}.json`));
  return member;
}

const texts = () => member.shown.map(({ text }) => text);

async function tell(user: string, ...said: string[]): Promise<void> {
  for (const text of said) await notify(service, [user], text);
}

async function shows(expected: string[]): Promise<void> {
  await until(
    () => `${JSON.stringify(expected)} to be shown, not ${JSON.stringify(texts())}\n${member.complaints}`,
    () => texts().length >= expected.length,
    60_000,
  );
  expect(texts()).toEqual(expected);
}

describe("the example of a device in Python", () => {
  it("shows every notification once and in order, while its connection is cut again and again", async () => {
    await tell("ada", "before it came");
    await device("ada").start();
    await shows(["before it came"]);
    const expected = ["before it came"];
    for (let round = 0; round < 4; round++) {
      const live = Array.from({ length: 5 }, (_, index) => `round ${round}, live ${index}`);
      await tell("ada", ...live);
      // Cut while some of them may be on their way, and told more meanwhile.
      way.refuse();
      const away = Array.from({ length: 5 }, (_, index) => `round ${round}, away ${index}`);
      await tell("ada", ...away);
      way.heal();
      expected.push(...live, ...away);
      await shows(expected);
    }
  }, 120_000);

  it("catches up more than a page, and goes on from where it was when it is started again", async () => {
    await device("bea").start();
    await tell("bea", "first");
    await shows(["first"]);
    await member.stop();
    const missed = Array.from({ length: 130 }, (_, index) => `missed ${index}`);
    await tell("bea", ...missed);
    const before = member.shown.length;
    await device("bea").start();
    await shows(missed);
    expect(before).toBe(1);
    await tell("bea", "last");
    await shows([...missed, "last"]);
  }, 120_000);

  it("survives a restart of the service", async () => {
    await device("cy").start();
    await tell("cy", "one");
    await shows(["one"]);
    await service.kill9();
    await service.start();
    await tell("cy", "two");
    await shows(["one", "two"]);
  }, 60_000);

  it("ends when it is told to stay away", async () => {
    await device("dan").start();
    await tell("dan", "one");
    await shows(["one"]);
    const ban = await call(service, "PUT", "/v1/members/dan/ban", service.apiKey, { why: "spam" });
    expect(ban.status).toBe(200);
    await until("it has ended", () => !member.isRunning);
    expect(member.complaints).toBe("");
  }, 60_000);
});
