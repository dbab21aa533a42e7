import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { WebSocket } from "ws";
import { tokenOf } from "../support/call.js";
import { ClusterNodes } from "../support/cluster-nodes.js";
import { type Entry, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { notify } from "../support/notify.js";
import { residentBytes } from "../support/raw.js";
import { type RedisProcess, startRedis } from "../support/redis.js";
import type { Service } from "../support/service.js";

/** For processes to start and to stop, on a machine that does much else. Milliseconds. */
const START_MS = 120_000;

/** Members of the killed node, and what each has missed. */
const ARRIVING = 1_000;
const MISSED = 10;

/** Members who are on the other node already. */
const STAYING = 20;

/** What an arriving member may cost in memory while all of them are served: bytes. */
const BYTES_EACH = 150_000;

/** A member who comes with a cursor, by hand: a thousand clients of the library would be busier than the service. */
class Arrival {
  readonly seqs: number[] = [];
  refused = 0;
  lost = 0;
  isSynced = false;
  #socket: WebSocket | null = null;
  #left = false;

  constructor(
    private readonly service: Service,
    private readonly auth: { token: string; cursors?: object },
    private readonly onEntry: (entry: Entry) => void = () => {},
  ) {}

  connect(): this {
    const socket = new WebSocket(`${this.service.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, {
      perMessageDeflate: false,
    });
    this.#socket = socket;
    const join = () => socket.send(`40/notifications,${JSON.stringify(this.auth)}`, () => {});
    socket.on("message", (data) => {
      const text = String(data);
      const payload = () => JSON.parse(text.slice(text.indexOf(",") + 1));
      if (text.startsWith("0")) join();
      else if (text === "2") socket.send("3", () => {});
      else if (text.startsWith('42/notifications,["entries",')) {
        for (const entry of payload()[1].entries as Entry[]) {
          this.seqs.push(entry.seq);
          this.onEntry(entry);
        }
      } else if (text.startsWith('42/notifications,["synced",{"stream":"inbox"')) this.isSynced = true;
      else if (text.startsWith("44/notifications,")) {
        this.refused++;
        setTimeout(join, payload().data.retryAfterMs as number);
      }
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#left) return;
      this.lost++;
      setTimeout(() => this.connect(), 500 + Math.random() * 1_000);
    });
    return this;
  }

  leave(): void {
    this.#left = true;
    this.#socket?.terminate();
  }
}

let redis: RedisProcess;
let cluster: ClusterNodes;
const everybody: Arrival[] = [];

beforeAll(async () => {
  redis = await startRedis();
  cluster = await ClusterNodes.start({ count: 2, mongodbUrl: mongoUrl("stampede"), redis });
}, START_MS);

afterAll(async () => {
  for (const one of everybody) one.leave();
  await cluster?.stop();
  await redis.stop();
}, START_MS);

function arrival(user: string, cursors?: object, onEntry?: (entry: Entry) => void): Arrival {
  const { service } = cluster.at(0);
  const one = new Arrival(service, { token: tokenOf(service, user), ...(cursors === undefined ? {} : { cursors }) }, onEntry);
  everybody.push(one);
  return one.connect();
}

const quantile = (values: number[], share: number) => values.toSorted((one, other) => one - other)[Math.floor(values.length * share)] ?? 0;

describe("the members of a killed node, who come to another one all at once", () => {
  it("are all served, in turn; those who were there are not held up, and memory stays", async () => {
    const { service } = cluster.at(0);
    const users = Array.from({ length: ARRIVING }, (_, index) => `arriving-${index}`);
    for (let missed = 1; missed <= MISSED; missed++) await notify(service, users, `missed ${missed}`, `missed ${missed}`);
    const probe = await cluster.member("probe", 0);
    const { epoch } = probe.cursor as { epoch: string };
    const waits: number[] = [];
    const staying = Array.from({ length: STAYING }, (_, index) =>
      arrival(`staying-${index}`, undefined, ({ data }) => waits.push(Date.now() - Number(data.text))),
    );
    await until("those who stay", () => staying.every(({ isSynced }) => isSynced));
    await cluster.at(1).service.kill9();
    const memoryBefore = await residentBytes(service.pid);

    let queue = 0;
    let memory = 0;
    let isOver = false;
    const watching = (async () => {
      for (let next = 0; !isOver; next++) {
        // In milliseconds since 1970: read again where it arrives.
        await notify(service, [`staying-${next % STAYING}`], String(Date.now()));
        if (next % 10 !== 0) continue;
        queue = Math.max(queue, await cluster.at(0).metric("belfry_admission_queue"));
        memory = Math.max(memory, await residentBytes(service.pid));
      }
    })();
    const began = Date.now();
    const arriving = users.map((user) => arrival(user, { inbox: { epoch, seq: 0 } }));
    await until(
      () => `all are synced; ${arriving.filter(({ isSynced }) => isSynced).length} are`,
      () => arriving.every(({ isSynced }) => isSynced),
      100_000,
    );
    const took = Date.now() - began;
    isOver = true;
    await watching;

    const all = Array.from({ length: MISSED }, (_, index) => index + 1);
    for (const one of arriving) expect(one.seqs).toEqual(all);
    expect(arriving.reduce((sum, { lost }) => sum + lost, 0)).toBe(0);
    expect(queue).toBeGreaterThan(0);
    expect(memory - memoryBefore).toBeLessThan(ARRIVING * BYTES_EACH);
    // Without a gate the last ones of these wait about half as long as all who arrive.
    expect(quantile(waits, 0.95)).toBeLessThan(Math.max(500, took / 5));
    expect(staying.every(({ lost }) => lost === 0)).toBe(true);
  }, 150_000);
});
