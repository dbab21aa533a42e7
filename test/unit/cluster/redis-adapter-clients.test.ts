import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { adapterClientsOf } from "../../../src/cluster/redis/adapter-clients.js";
import { Subscriptions } from "../../../src/cluster/redis/subscriptions.js";
import { Rubbish } from "../../../src/cluster/types.js";

const REQUESTS = "belfry:x:io-request#/live#";

/** The clients, and an adapter's listener to requests and to packets. */
async function make() {
  const subscriptions = new Subscriptions();
  const published: Array<[string, string | Buffer]> = [];
  const [requests, packets, rubbish]: [string[], string[], unknown[]] = [[], [], []];
  const clients = adapterClientsOf({
    publish: (channel, message) => {
      published.push([channel, message]);
      return false;
    },
    subscriptions,
    onAdded: () => {},
  });
  const onRequest = (message: Buffer) => void requests.push(message.toString());
  const onPacket = (message: Buffer) => void packets.push(message.toString());
  subscriptions.onRubbish((_channel, error) => rubbish.push(error));
  await clients.sub.subscribe([REQUESTS], onRequest, true);
  await clients.sub.pSubscribe("belfry:x:io#/live#*", onPacket, true);
  const send = (message: Buffer) => subscriptions.deliver("channel", REQUESTS, message, Buffer.from(REQUESTS));
  return { clients, subscriptions, published, requests, packets, rubbish, send, onRequest, onPacket };
}

describe("what the adapter is given of other nodes' requests", () => {
  it("is events for the other servers, as they came", async () => {
    const { send, requests, rubbish } = await make();
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), fc.array(fc.jsonValue()), async (event, values) => {
        fc.pre(!["connect", "connection", "new_namespace"].includes(event));
        const text = JSON.stringify({ uid: "abc", type: 6, data: [event, ...values] });
        send(Buffer.from(text));
        expect(requests.pop()).toBe(text);
      }),
    );
    expect(rubbish).toEqual([]);
  });

  it("is nothing else, whatever it is: that is counted and throws nothing", async () => {
    const { send, requests, rubbish } = await make();
    const almost = fc.record({
      uid: fc.jsonValue(),
      type: fc.constantFrom(...Array(10).keys()),
      requestId: fc.string(),
      data: fc.jsonValue(),
    });
    const bytes = fc.uint8Array().map((array) => Buffer.from(array));
    const text = fc
      .oneof(
        fc.json(),
        almost.map((request) => JSON.stringify(request)),
      )
      .map((json) => Buffer.from(json));
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(bytes, text), async (message) => {
        send(message);
        expect(rubbish).toHaveLength(++sent);
      }),
    );
    expect(requests).toEqual([]);
    expect(rubbish.every((error) => error instanceof Rubbish)).toBe(true);
  });

  it("is no event that means something to Socket.IO itself", async () => {
    const { send, requests, rubbish } = await make();
    for (const event of ["connect", "connection", "new_namespace"])
      send(Buffer.from(JSON.stringify({ uid: "a", type: 6, data: [event, {}] })));
    expect([requests, rubbish.length]).toEqual([[], 3]);
  });
});

describe("the clients for the adapter", () => {
  it("promise nothing that can fail, and give on what is published as it is", async () => {
    const { clients, published } = await make();
    await expect(clients.pub.publish("c", "text")).resolves.toBe(0);
    await expect(clients.pub.publish("c", new Uint8Array([1, 2, 3]).subarray(1))).resolves.toBe(0);
    expect(published).toEqual([
      ["c", "text"],
      ["c", Buffer.from([2, 3])],
    ]);
    const nothing = () => {};
    clients.pub.on("error", nothing);
    clients.pub.off("error", nothing);
    expect(clients.pub.listenerCount("error")).toBe(0);
  });

  it("forget what an adapter that is closed had subscribed to", async () => {
    const { clients, subscriptions, send, requests, rubbish, onRequest, onPacket } = await make();
    await clients.sub.unsubscribe(REQUESTS, onRequest, true);
    await clients.sub.pUnsubscribe("belfry:x:io#/live#*", onPacket, true);
    send(Buffer.from(JSON.stringify({ uid: "a", type: 6, data: ["value"] })));
    expect([subscriptions.names("channel"), subscriptions.names("pattern"), requests, rubbish]).toEqual([[], [], [], []]);
  });
});
