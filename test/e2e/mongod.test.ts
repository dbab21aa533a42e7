import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import mongoose from "mongoose";
import { readForum } from "../support/expected-forum.js";
import { Audience, expectExactly, seeded, sendUntilAccepted, storedStream } from "../support/forum-run.js";
import { Member, tokenFor, until } from "../support/member.js";
import { type MongodProcess, startMongod } from "../support/mongod.js";
import { type Service, startService } from "../support/service.js";

/** Starting a mongod and electing it takes seconds on a busy machine. Milliseconds. */
const SLOW = 60_000;

/** How often mongod is killed in the run. */
const KILLS = 4;

/** By when every request is answered, whatever the store does: the core's deadline, one call's, and a busy machine. Milliseconds. */
const ANSWER_MS = 20_000;

let mongod: MongodProcess;
let service: Service | null = null;

afterEach(async () => {
  await service?.stop();
  service = null;
  await mongod.stop();
}, SLOW);

/** The address of a database of the test's own. */
function database(name: string, credentials = ""): string {
  const url = new URL(mongod.url);
  url.pathname = `/${name}`;
  return url.toString().replace("mongodb://", `mongodb://${credentials}`);
}

describe("kill -9 of mongod at random moments of the forum's posts", () => {
  beforeEach(async () => {
    mongod = await startMongod();
  }, SLOW);

  it("loses and doubles nothing, and nobody's session ends", async () => {
    const bodies = await readForum();
    const seed = Math.floor(Math.random() * 1e9);
    const random = seeded(seed);
    service = await startService({ env: { MONGODB_URL: database("forum"), LOG_LEVEL: "fatal" } });
    const audience = new Audience(bodies, service);
    try {
      await audience.arrive();
      const moments = new Set(Array.from({ length: KILLS }, (_, kill) => Math.floor(((kill + random()) * bodies.length) / KILLS)));
      let killing: Promise<void> = Promise.resolve();
      for (const [index, body] of bodies.entries()) {
        if (moments.has(index)) {
          await killing;
          // The kill comes while this post, or one of the next, is under way.
          const pause = random() * 10;
          killing = new Promise((resolve) => setTimeout(resolve, pause)).then(() => mongod.kill9()).then(() => mongod.restart());
        }
        await sendUntilAccepted(service, body, String(index + 1));
        if (random() < 0.1) audience.toggle(random);
      }
      await killing;
      for (const member of audience.constant) expect(member).toMatchObject({ connected: true, farewells: [], synced: 1 });
      await audience.assemble(service);
      await expectExactly(bodies, audience, service, seed);
    } finally {
      audience.leave();
    }
  }, 240_000);
});

describe("a mongod that stands still", () => {
  let member: Member;
  let stopped = false;

  beforeEach(async () => {
    mongod = await startMongod();
    service = await startService({ env: { MONGODB_URL: database("still"), LOG_LEVEL: "fatal" } });
    member = await new Member("31", { url: service.url, secret: service.jwtSecret }).connect().ready();
    expect((await tell("warm up")).status).toBe(202);
  }, SLOW);

  afterEach(() => {
    wake();
    member.disconnect();
  });

  function stop(): void {
    process.kill(mongod.pid, "SIGSTOP");
    stopped = true;
  }

  function wake(): void {
    if (stopped) process.kill(mongod.pid, "SIGCONT");
    stopped = false;
  }

  async function tell(key: string): Promise<{ status: number; body: Record<string, unknown>; took: number }> {
    const { url, apiKey } = service as Service;
    const started = Date.now();
    const response = await fetch(`${url}/v1/notifications`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({ to: ["31", "12"], type: "test", text: key, key }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown>, took: Date.now() - started };
  }

  /** Each member has exactly these notifications, in any order, without a gap. */
  async function expectStored(keys: string[]): Promise<void> {
    for (const user of ["31", "12"]) {
      const stored = await storedStream(service as Service, user);
      expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, index) => index + 1));
      expect(stored.map(({ data }) => data.text).sort()).toEqual([...keys].sort());
    }
  }

  it(
    "for seconds delays requests and loses none",
    async () => {
      stop();
      const keys = Array.from({ length: 20 }, (_, index) => `key ${index}`);
      const sent = keys.map(tell);
      const waking = new Promise((resolve) => setTimeout(resolve, 3_000)).then(wake);
      for (const [index, { status, body, took }] of (await Promise.all(sent)).entries()) {
        expect([202, 503]).toContain(status);
        expect(took).toBeLessThan(ANSWER_MS);
        if (status === 503) {
          expect(body.code).toBe("unavailable");
          expect((await tell(keys[index] as string)).status).toBe(202);
        }
      }
      await waking;
      await expectStored(["warm up", ...keys]);
      await until("the member has all", () => member.cursor?.seq === keys.length + 1);
      expect(member).toMatchObject({ connected: true, farewells: [] });
    },
    SLOW,
  );

  it(
    "for long is answered unavailable in time, and what is sent again afterwards is there once",
    async () => {
      stop();
      const { url, jwtSecret } = service as Service;
      const keys = Array.from({ length: 5 }, (_, index) => `key ${index}`);
      const started = Date.now();
      const listing = fetch(`${url}/v1/me/notifications`, { headers: { authorization: `Bearer ${tokenFor(jwtSecret, { sub: "31" })}` } });
      const reading = member.socket.timeout(ANSWER_MS).emitWithAck("read_all", {});
      const refused = await Promise.all(keys.map(tell));
      for (const { status, body } of refused) expect({ status, code: body.code }).toEqual({ status: 503, code: "unavailable" });
      expect((await listing).status).toBe(503);
      expect(await reading).toMatchObject({ ok: false, error: { code: "unavailable" } });
      expect(Date.now() - started).toBeLessThan(ANSWER_MS);
      expect((await fetch(`${url}/health`)).status).toBe(200);
      expect((await fetch(`${url}/ready`)).status).toBe(503);
      wake();
      await until("the service is ready", async () => (await fetch(`${url}/ready`)).status === 200);
      for (const key of keys) await until(`${key} is accepted`, async () => (await tell(key)).status === 202);
      const told = (await storedStream(service as Service, "12")).map(({ data }) => data.text);
      expect(told.sort()).toEqual(["warm up", ...keys].sort());
      await until("the member has all", () => member.items.size === keys.length + 1);
      expect(member).toMatchObject({ connected: true, farewells: [] });
    },
    SLOW,
  );
});

describe("a mongod that comes up after the service", () => {
  it(
    "is waited for",
    async () => {
      mongod = await startMongod();
      await mongod.kill9();
      const starting = startService({ env: { MONGODB_URL: database("late") } });
      await mongod.restart();
      service = await starting;
      expect((await fetch(`${service.url}/ready`)).status).toBe(200);
    },
    SLOW,
  );
});

describe("the service does not start, says why, and exits with 78,", () => {
  const starting = (url: string) => startService({ env: { MONGODB_URL: url } });

  it(
    "with a MongoDB that is no replica set, or not yet one, and says how to make one",
    async () => {
      for (const kind of ["standalone", "uninitiated"] as const) {
        mongod = await startMongod(kind);
        await expect(starting(database("x"))).rejects.toThrow(/\(78\).*--replSet.*rs\.initiate/s);
        await mongod.stop();
      }
    },
    SLOW,
  );

  it(
    "with a database that a newer version wrote, and leaves it alone",
    async () => {
      mongod = await startMongod();
      await (await starting(database("newer"))).stop();
      const client = await new mongoose.mongo.MongoClient(database("newer")).connect();
      try {
        const meta = client.db().collection<{ _id: string; schema: number }>("meta");
        await meta.updateOne({ _id: "store" }, { $set: { schema: 99 } });
        const was = await meta.find().toArray();
        await expect(starting(database("newer"))).rejects.toThrow(/\(78\).*schema 99.*newer version/s);
        expect(await meta.find().toArray()).toEqual(was);
      } finally {
        await client.close();
      }
    },
    SLOW,
  );

  it(
    "with an address that is none, a user that is not known, or a server that does not answer",
    async () => {
      mongod = await startMongod();
      for (const url of [
        "mongodb://",
        "postgres://127.0.0.1/belfry",
        "mongodb://127.0.0.1:99999/belfry",
        "mongodb://127.0.0.1/?replicaSet=",
      ]) {
        await expect(starting(url)).rejects.toThrow(/\(78\).*MONGODB_URL/s);
      }
      const wrong = starting(database("x", "belfry:open-sesame@"));
      await expect(wrong).rejects.toThrow(/\(78\).*MONGODB_URL.*user/s);
      await expect(wrong).rejects.not.toThrow(/open-sesame/);
      await mongod.kill9();
      await expect(starting(database("x"))).rejects.toThrow(/\(78\).*no usable MongoDB answered.*start it, or correct the address/s);
    },
    SLOW,
  );
});
