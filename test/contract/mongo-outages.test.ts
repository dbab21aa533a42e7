import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import pino from "pino";
import { BelfryError } from "../../src/errors.js";
import type { InboxChange } from "../../src/inbox/types.js";
import { openMongoStore } from "../../src/storage/mongo/index.js";
import { StoreRefused, type Stores } from "../../src/storage/types.js";
import { OutcomeUnknown, StreamLog } from "../../src/stream/index.js";
import { type MongodProcess, startMongod } from "../support/mongod.js";
import { type Cut, CuttingProxy } from "../support/proxy.js";
import { append, fresh, record, row } from "../support/rows.js";
import { mark } from "./stores/companion.js";

const log = pino({ level: "silent" });

/** Starting a mongod and electing it takes seconds on a busy machine. Milliseconds. */
const SLOW = 60_000;

describe("MongoDB, when a connection is cut at a write", () => {
  let mongod: MongodProcess;
  let proxy: CuttingProxy;
  let stores: Stores;
  let streamLog: StreamLog<InboxChange>;

  beforeAll(async () => {
    mongod = await startMongod();
    proxy = await CuttingProxy.start(mongod.port);
    stores = await openMongoStore(`mongodb://127.0.0.1:${proxy.port}/cut?directConnection=true`, log);
    streamLog = new StreamLog<InboxChange>({ store: stores.streams });
  }, SLOW);
  afterAll(async () => {
    await streamLog.close();
    await stores.close();
    await proxy.stop();
    await mongod.stop();
  }, SLOW);

  const cuts: Cut[] = ["before", "after"];

  it.each(cuts)("%s the server has it, an append says that the outcome is unknown", async (cut) => {
    const stream = fresh("s");
    const done = proxy.cutOnce(cut, "insert", stream);
    await expect(append(stores.streams, row(stream, 1))).rejects.toBeInstanceOf(OutcomeUnknown);
    await done;
    expect((await stores.streams.tails([stream])).get(stream)?.head).toBe(cut === "after" ? 1 : 0);
  });

  it.each(cuts)("%s the server has it, entries are stored exactly once", async (cut) => {
    const stream = fresh("s");
    const done = proxy.cutOnce(cut, "insert", stream);
    const answers = await Promise.all(
      ["a", "b", "c"].map((key) => streamLog.append(stream, { key, kind: "note", own: `{"key":"${key}"}`, count: 1 })),
    );
    await done;
    expect(answers).toEqual([1, 2, 3].map((seq) => ({ seq, unread: seq, repeated: false })));
    expect((await streamLog.page(stream, 0, 100)).map(({ own }) => own)).toEqual(['{"key":"a"}', '{"key":"b"}', '{"key":"c"}']);
  });

  it.each(cuts.flatMap((cut) => [[cut, "publications"] as const, [cut, "entries"] as const]))(
    "%s the server has it, at the insert of %s, a publication is stored exactly once",
    async (cut, collection) => {
      const streams = [fresh("s"), fresh("s")];
      const { id, alias, key, kind, shared, plan, note } = record(fresh("p"), streams);
      const done = proxy.cutOnce(cut, "insert", collection, id);
      const { duplicate, results } = await streamLog.publish({ id, alias, key, kind, shared, plan, note });
      await done;
      expect(duplicate).toBe(false);
      expect(results).toEqual(streams.map((stream) => ({ stream, seq: 1, mine: true })));
      for (const stream of streams) expect(await streamLog.page(stream, 0, 10)).toMatchObject([{ seq: 1, publication: id, shared }]);
    },
  );

  it.each(cuts.flatMap((cut) => [[cut, "insert"] as const, [cut, "update"] as const, [cut, "commitTransaction"] as const]))(
    "%s the server has it, at the %s of a transaction, an entry and its marks are stored exactly once",
    async (cut, step) => {
      const stream = fresh("s");
      const done = proxy.cutOnce(cut, step, ...(step === "commitTransaction" ? [] : [stream]));
      const decide = async (_: unknown, seq: number) => {
        const draft = { key: `read-${stream}`, kind: "read", own: "{}", count: 0 };
        return { draft, companion: { of: "inbox" as const, stream, marks: [mark(1, { readSeq: seq, readAt: 5 })] } };
      };
      // Before the commit nothing can be stored, so the log may pass on a clean failure, which the caller repeats.
      const answer = await streamLog.transact(stream, decide).catch(async (error: unknown) => {
        expect(error).toBeInstanceOf(BelfryError);
        expect((await stores.streams.tails([stream])).get(stream)?.head).toBe(0);
        return streamLog.transact(stream, decide);
      });
      await done;
      expect(answer.seq).toBe(1);
      expect(await streamLog.page(stream, 0, 10)).toHaveLength(1);
      expect(await stores.inbox.marks(stream, [1])).toEqual([mark(1, { readSeq: 1, readAt: 5 })]);
    },
  );
});

describe("MongoDB, when the server dies", () => {
  let mongod: MongodProcess;
  let stores: Stores;

  beforeEach(async () => {
    mongod = await startMongod();
    stores = await openMongoStore(mongod.url, log);
  }, SLOW);
  afterEach(async () => {
    await stores.close();
    await mongod.stop();
  }, SLOW);

  it(
    "in the middle of writes, no acknowledged entry is lost, none is doubled and no stream has a gap",
    async () => {
      const streamLog = new StreamLog<InboxChange>({ store: stores.streams });
      const streams = Array.from({ length: 8 }, () => fresh("s"));
      const acknowledged = new Map<string, { stream: string; seq: number }>();
      let stopped = false;
      const writers = Array.from({ length: 32 }, async (_, writer) => {
        const stream = streams[writer % streams.length] as string;
        for (let turn = 0; !stopped; turn++) {
          const key = `${writer}/${turn}`;
          for (let stored = false; !stored && !stopped; ) {
            const answer = await streamLog.append(stream, { key, kind: "note", own: "{}", count: 1 }).catch(() => null);
            stored = answer !== null;
            if (answer !== null) acknowledged.set(key, { stream, seq: answer.seq });
          }
        }
      });
      for (const enough of [200, 400]) {
        await reached(() => acknowledged.size >= enough);
        await mongod.kill9();
        await mongod.restart();
      }
      const before = acknowledged.size;
      await reached(() => acknowledged.size >= before + 100);
      stopped = true;
      await Promise.all(writers);
      await streamLog.close();

      for (const stream of streams) {
        const entries = await stores.streams.read(stream, 0, 1_000_000, 1_000_000);
        expect(entries.map(({ seq, unread }) => [seq, unread])).toEqual(entries.map((_, index) => [index + 1, index + 1]));
      }
      for (const [key, { stream, seq }] of acknowledged)
        expect(await stores.streams.find(key)).toEqual([{ stream, seq, publication: null }]);
    },
    SLOW,
  );

  it(
    "and stays away, reads and writes say so within their deadline, and go on when it is back",
    async () => {
      const stream = fresh("s");
      await append(stores.streams, row(stream, 1));
      await mongod.kill9();
      const code = (work: Promise<unknown>) =>
        work.then(
          () => "fine",
          (error: unknown) => (error instanceof BelfryError ? error.code : String(error)),
        );
      const write = code(append(stores.streams, row(stream, 2)));
      const answers = await Promise.all([
        code(stores.streams.ping()),
        code(stores.streams.tails([stream])),
        code(stores.inbox.state(stream)),
        code(stores.directory.membersByUsername(["anna"])),
      ]);
      expect(answers).toEqual(Array(4).fill("unavailable"));
      // A pooled connection may not know yet that its server is gone; then the outcome counts as unknown.
      expect(await write).toMatch(/unavailable|OutcomeUnknown/);
      await mongod.restart();
      await reached(() => code(stores.streams.ping()).then((answer) => answer === "fine"));
      expect(await append(stores.streams, row(stream, 2))).toEqual([{ is: "stored" }]);
    },
    SLOW,
  );
});

describe("MongoDB, when the server is not fit", () => {
  const refusalOf = (url: string) =>
    openMongoStore(url, log).then(
      async (stores) => stores.close().then(() => null),
      (error: unknown) => error,
    );

  it.each([["standalone"], ["uninitiated"]] as const)(
    "because it is %s, it is refused with the way to make a replica set",
    async (kind) => {
      const mongod = await startMongod(kind);
      try {
        const refusal = await refusalOf(mongod.url);
        expect(refusal).toBeInstanceOf(StoreRefused);
        expect((refusal as StoreRefused).message).toMatch(/replica set.*--replSet.*rs\.initiate\(\)/s);
      } finally {
        await mongod.stop();
      }
    },
    SLOW,
  );

  const unusable = [
    "",
    "http://user:secret@example.com",
    "mongodb://",
    "mongodb://user:secret@",
    "mongodb://user:secret@127.0.0.1:99999/x",
    "mongodb://user:secret@127.0.0.1:1/x?nonsense=1",
  ];
  it.each(unusable)("because the address is %j, it is refused without showing a password", async (url) => {
    const refusal = await refusalOf(url);
    expect(refusal).toBeInstanceOf(StoreRefused);
    expect((refusal as StoreRefused).message).toMatch(/^MONGODB_URL/);
    expect((refusal as StoreRefused).message).not.toMatch(/secret/);
  });

  it(
    "two nodes that start on a new database at once agree on its epoch",
    async () => {
      const mongod = await startMongod();
      try {
        const opened = await Promise.all(Array.from({ length: 4 }, () => openMongoStore(mongod.url, log)));
        const epochs = await Promise.all(opened.map(({ streams }) => streams.epoch()));
        expect(new Set(epochs).size).toBe(1);
        await Promise.all(opened.map((stores) => stores.close()));
      } finally {
        await mongod.stop();
      }
    },
    SLOW,
  );
});

/** Resolves when the condition holds; the test's own time limit is the deadline. */
async function reached(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}
