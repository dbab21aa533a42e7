import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { StreamLog } from "../../../src/stream/index.js";
import { until } from "../../support/member.js";
import { FakeNodes } from "./fake-nodes.js";
import { type Client, type RealtimeServer, startRealtime } from "./realtime-server.js";

let nodes: FakeNodes;
let server: RealtimeServer;

beforeEach(async () => {
  nodes = new FakeNodes();
  server = await startRealtime({ nodes, sessionPolicy: "single" });
});

afterEach(() => server.stop());

const entriesOf = (client: Client) =>
  client.all("entries").flatMap(({ stream, entries }) => (stream === "inbox" ? (entries as unknown as unknown[]) : []));

/** Stores an entry for the member as another node does: nobody here hears of it. */
async function storeElsewhere(user: string, key: string): Promise<void> {
  const elsewhere = new StreamLog({ store: server.embedded.stores.streams });
  await elsewhere.append(server.embedded.inbox.streamOf(user), { key, kind: "notification", own: "{}", count: 1 });
}

describe("a session, where there are other nodes", () => {
  it("looks at the store when something may have been lost, and not before", async () => {
    const ada = await server.connect("/notifications", "ada").ready();
    await storeElsewhere("ada", "1");
    // As far as another member's doubt: the session was there long before.
    nodes.doubt(Date.now() + 60_000);
    await ada.ask("list", {});
    await ada.ask("list", {});
    expect(entriesOf(ada)).toEqual([]);
    nodes.doubt(0);
    await until("the entry", () => entriesOf(ada).length === 1);
    await storeElsewhere("ada", "2");
    nodes.doubt(Date.now());
    await until("the next entry", () => entriesOf(ada).length === 2);
  });

  it("misses nothing of what is stored while a look is under way", async () => {
    const members = ["ada", "bea", "cem"];
    const clients = await Promise.all(members.map((user) => server.connect("/notifications", user).ready()));
    for (let round = 1; round <= 20; round++) {
      await Promise.all(members.map((user) => storeElsewhere(user, String(round))));
      nodes.doubt(0);
      nodes.doubt(0);
    }
    for (const client of clients) await until("all entries", () => entriesOf(client).length === 20);
  });

  it("is ended by a newer one on another node, which an older one does not end", async () => {
    const ada = await server.connect("/notifications", "ada").ready();
    const [, , mine] = nodes.emitted[0] as [string, string, { user: string; session: string; at: number }];
    expect(nodes.emitted).toEqual([["/notifications", "replaced", { user: "ada", session: ada.socket.id, at: expect.any(Number) }]]);
    nodes.emit("/notifications", "replaced", { user: "ada", session: "older", at: mine.at - 1 });
    // The other node is told that there is a newer one.
    await until("an answer", () => nodes.emitted.length === 2);
    expect(nodes.emitted[1]).toEqual(nodes.emitted[0]);
    expect(ada.socket.connected).toBe(true);
    nodes.emit("/notifications", "replaced", { user: "ada", session: "newer", at: mine.at + 1 });
    expect(await ada.hears("goodbye")).toMatchObject({ code: "replaced", reconnect: false });
  });

  it("is shown what other nodes tell of tasks and topics", async () => {
    const ada = await server.connect("/notifications", "ada").ready();
    const screen = await server.connect("/live", "ada").connected();
    expect(await screen.ask("join", { topics: ["board"] })).toMatchObject({ ok: true });
    nodes.say("progress", { user: "ada", progress: { task: "t", state: "running", percent: 30, at: new Date().toISOString() } });
    expect(await ada.hears("progress")).toMatchObject({ task: "t", percent: 30 });
    nodes.emit("/live", "value", { topic: "board", seq: 7, at: Date.now(), data: '{"score":7}', access: "members" });
    expect(await screen.hears("update")).toMatchObject({ topic: "board", seq: 7, data: { score: 7 } });
  });

  it("is shown what a watched topic has become meanwhile, when something may have been lost", async () => {
    const { topics } = server.embedded.stores;
    const screen = await server.connect("/live", "ada").connected();
    await screen.ask("join", { topics: ["board", "other"] });
    await topics.write("board", '{"score":1}', "members", Date.now());
    nodes.doubt(0);
    nodes.doubt(0);
    expect(await screen.hears("update")).toMatchObject({ topic: "board", seq: 1, data: { score: 1 } });
    await topics.write("board", '{"score":2}', "members", Date.now());
    nodes.doubt(0);
    expect(await screen.hears("update", 2)).toMatchObject({ topic: "board", seq: 2 });
  });

  it("leaves nobody listening when the node stops", async () => {
    await server.connect("/notifications", "ada").ready();
    await server.realtime.close();
    expect(nodes.listeners).toBe(0);
  });
});

describe("a namespace that does not exist", () => {
  it("costs no command of Redis, whoever asks for how many", async () => {
    const before = [...nodes.commands];
    // Those that exist are subscribed once, when the node starts.
    expect(before).toEqual(["/notifications", "/live", "/moderation"].flatMap(() => ["pSubscribe", "subscribe"]));
    for (let name = 0; name < 20; name++) expect(await server.connect(`/made-up-${name}`, "ada").isRefused()).toBe("bad_request");
    expect(nodes.commands).toEqual(before);
  });
});
