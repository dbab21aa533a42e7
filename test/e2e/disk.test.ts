import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { storedStream } from "../support/forum-run.js";
import { Member, tokenFor, until } from "../support/member.js";
import { type Service, startService } from "../support/service.js";

/** What the log of a store may still grow before its disk is full: bytes. Some hundred notifications. */
const ROOM = 400_000;

let service: Service;
let member: Member;

beforeEach(async () => {
  service = await startService();
  member = await new Member("reader", { url: service.url, secret: service.jwtSecret }).connect().ready();
});

afterEach(async () => {
  member.disconnect();
  await service.stop();
});

/**
 * Fills the disk, as far as the service can tell: no file of its process may grow past `bytes`, and writes fail as they do on a full disk.
 * Null makes room again. `prlimit` is a part of util-linux.
 */
async function limitFiles(bytes: number | null): Promise<void> {
  await promisify(execFile)("prlimit", [`--fsize=${bytes ?? "unlimited"}:`, "--pid", String(service.pid)]);
}

/** Leaves room for so many bytes more in the store's log, where every write goes first. */
async function leaveRoom(bytes: number): Promise<void> {
  const { size } = await stat(join(service.dataDir, "belfry.db-wal"));
  await limitFiles(size + bytes);
}

interface Answer {
  status: number;
  body: { code?: string; notified?: Array<{ seq: number }>; items?: Array<{ id: string }>; duplicate?: boolean };
}

async function post(path: string, body: object, credential = service.apiKey): Promise<Answer> {
  const response = await fetch(`${service.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${credential}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

const tell = (key: string) => post("/v1/notifications", { to: ["reader"], type: "test", text: "x".repeat(2_000), key });

/** Tells the member something until the disk is full. Resolves with the keys that were accepted and the one that was refused. */
async function tellUntilFull(): Promise<{ accepted: string[]; refused: string }> {
  const accepted: string[] = [];
  for (let count = 0; count < 2_000; count++) {
    const key = `key-${count}`;
    const { status, body } = await tell(key);
    if (status === 202) {
      accepted.push(key);
      continue;
    }
    expect({ status, body }).toMatchObject({ status: 503, body: { code: "unavailable" } });
    return { accepted, refused: key };
  }
  throw new Error("the disk never got full");
}

const seqs = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe("with a full disk", () => {
  it("writes of every kind are answered unavailable and change nothing, and reads and sessions go on", async () => {
    await tell("before");
    await leaveRoom(ROOM);
    const { accepted } = await tellUntilFull();
    // A mark is smaller and might still fit; now nothing does.
    await limitFiles(0);
    const count = accepted.length + 1;
    await until("the member has what was accepted", () => member.cursor?.seq === count);
    const token = tokenFor(service.jwtSecret, { sub: "reader" });
    const { items } = (await member.ask("list", { limit: 100 })) as unknown as { items: Array<{ id: string }> };
    const ids = items.map(({ id }) => id);

    const refused = { ok: false, error: { code: "unavailable", message: expect.any(String) } };
    for (let round = 0; round < 3; round++) {
      expect(await member.ask("read", { ids })).toMatchObject(refused);
      expect(await member.ask("archive", { ids })).toMatchObject(refused);
      expect(await member.ask("read_all", {})).toMatchObject(refused);
      expect(await post("/v1/me/read", { ids }, token)).toMatchObject({ status: 503, body: { code: "unavailable" } });
      expect(await tell(`more-${round}`)).toMatchObject({ status: 503, body: { code: "unavailable" } });
    }
    const another = await new Member("reader", { url: service.url, secret: service.jwtSecret }).connect({ device: "phone" }).ready();
    expect(await another.ask("ack", { stream: "inbox", seq: 1 })).toMatchObject(refused);
    expect(another.unread).toBe(count);
    another.disconnect();

    const stored = await storedStream(service, "reader");
    expect(stored.map(({ seq }) => seq)).toEqual(seqs(count));
    expect(stored.at(-1)?.unread).toBe(count);
    const epoch = member.cursor?.epoch;
    expect(await member.ask("sync", { stream: "inbox", after: { epoch, seq: count - 1 } })).toMatchObject({
      ok: true,
      head: count,
      more: false,
    });
    expect(await member.ask("list", { filter: "unread" })).toMatchObject({ ok: true, unread: count });
    for (const path of ["/health", "/ready"]) expect((await fetch(service.url + path)).status).toBe(200);
    expect(member).toMatchObject({ connected: true, farewells: [], doubled: 0, cursor: { seq: count } });
  });

  it("what was accepted is there after a restart with room, gapless, and what was refused can be sent again", async () => {
    await tell("before");
    await leaveRoom(ROOM);
    const { accepted, refused } = await tellUntilFull();
    await service.kill9();
    await service.start();
    expect((await storedStream(service, "reader")).map(({ seq }) => seq)).toEqual(seqs(accepted.length + 1));
    const [first] = accepted as [string];
    expect(await tell(first)).toMatchObject({ status: 202, body: { duplicate: true, notified: [{ seq: 2 }] } });
    const head = accepted.length + 2;
    expect(await tell(refused)).toMatchObject({ status: 202, body: { duplicate: false, notified: [{ seq: head }] } });
    await until("the member is back and has it", () => member.cursor?.seq === head);
    expect([...member.applied.keys()]).toEqual(seqs(head));
  });

  it("writes go on without a restart as soon as there is room", async () => {
    await tell("before");
    await leaveRoom(ROOM);
    const { accepted, refused } = await tellUntilFull();
    await limitFiles(null);
    expect(await tell(refused)).toMatchObject({ status: 202, body: { duplicate: false, notified: [{ seq: accepted.length + 2 }] } });
    expect(await member.ask("read_all", {})).toMatchObject({ ok: true, unread: 0 });
    await until("the member has all", () => member.cursor?.seq === accepted.length + 3);
    expect([...member.applied.keys()]).toEqual(seqs(accepted.length + 3));
    expect(member.unread).toBe(0);
  });

  it("no event of many that are under way at once is stored by half", async () => {
    await tell("before");
    await leaveRoom(ROOM);
    const users = ["reader", ...Array.from({ length: 9 }, (_, index) => `user-${index}`)];
    const sent = Array.from({ length: 300 }, (_, index) =>
      post("/v1/notifications", { to: users, type: "test", text: "x".repeat(2_000), key: `many-${index}` }),
    );
    const statuses = (await Promise.all(sent)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([202, 503]));
    const accepted = statuses.filter((status) => status === 202).length;
    for (const user of users) {
      const head = accepted + (user === "reader" ? 1 : 0);
      expect((await storedStream(service, user)).map(({ seq }) => seq)).toEqual(seqs(head));
    }
  });
});
