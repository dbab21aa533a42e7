import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { io } from "socket.io-client";
import { followMember } from "../../examples/mobile/member.js";
import { call, tokenOf } from "../support/call.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { until } from "../support/member.js";
import { notify } from "../support/notify.js";
import { type Service, startService } from "../support/service.js";

let service: Service;
let way: FaultProxy;
const following: Array<{ stop(): void }> = [];

beforeAll(async () => {
  service = await startService();
  way = await FaultProxy.start(Number(new URL(service.url).port));
});
afterEach(() => {
  for (const one of following.splice(0)) one.stop();
});
afterAll(async () => {
  await way?.stop();
  await service?.stop();
});

/** A device that keeps what it knows in `memory`, over as many starts of the app as there are. */
async function follow(user: string, memory: { cursors: Record<string, { epoch: string; seq: number }>; shown: string[] }) {
  const statuses: string[] = [];
  const member = await followMember({
    io,
    url: `http://127.0.0.1:${way.port}`,
    token: () => tokenOf(service, user),
    memory: {
      load: async () => memory.cursors,
      save: async (cursors) => {
        memory.cursors = cursors;
      },
    },
    onSnapshot: (stream: string, items: object[]) => {
      if (stream === "inbox") memory.shown = (items as Array<{ text: string }>).map(({ text }) => text).reverse();
    },
    onEntry: (stream: string, { kind, data }: { kind: string; data: object }) => {
      if (stream === "inbox" && kind === "notification") memory.shown.push((data as { text: string }).text);
    },
    onStatus: (status: string) => statuses.push(status),
  });
  following.push(member);
  return { member, statuses };
}

const newMemory = () => ({ cursors: {}, shown: [] as string[] });

async function shows(memory: { shown: string[] }, expected: string[]): Promise<void> {
  await until(
    () => `${expected.length} to be shown, not ${memory.shown.length}`,
    () => memory.shown.length >= expected.length,
  );
  expect(memory.shown).toEqual(expected);
}

describe("the example of a device in JavaScript", () => {
  it("shows every notification once and in order, whatever is cut, and over starts of the app", async () => {
    const memory = newMemory();
    let { member } = await follow("ada", memory);
    const expected: string[] = [];
    for (let round = 0; round < 3; round++) {
      const texts = Array.from({ length: 60 }, (_, index) => `${round}.${index}`);
      for (const [index, text] of texts.entries()) {
        if (index === 20) way.refuse();
        if (index === 40 && round === 2) {
          // The app is closed, and opened again.
          member.stop();
          ({ member } = await follow("ada", memory));
        }
        await notify(service, ["ada"], text);
      }
      way.heal();
      expected.push(...texts);
      await shows(memory, expected);
    }
  }, 60_000);

  it("marks as read and as seen, comes back when it is woken, and says when it is over", async () => {
    const memory = newMemory();
    const { member, statuses } = await follow("bea", memory);
    const { notified } = await notify(service, ["bea"], "one");
    await shows(memory, ["one"]);
    expect(await member.read([notified[0]?.id])).toMatchObject({ ok: true, unread: 0 });
    expect(await member.seen()).toMatchObject({ ok: true });
    member.wake();
    await notify(service, ["bea"], "two");
    await shows(memory, ["one", "two"]);
    await call(service, "PUT", "/v1/members/bea/ban", service.apiKey, { why: "spam" });
    await until("it knows", () => statuses.includes("banned"));
    expect(statuses.slice(0, 3)).toEqual(["connected", "away", "connected"]);
  }, 60_000);
});
