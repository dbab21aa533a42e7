import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { FaultProxy } from "../support/fault-proxy.js";
import { tokenFor, until } from "../support/member.js";
import { notify } from "../support/notify.js";
import { MemoryStorage, Stores } from "../support/sdk.js";
import { type Service, startService } from "../support/service.js";

const USER = "sdk-faults";
const OTHER = "sdk-other";
let service: Service;
let proxy: FaultProxy;
const stores = new Stores();

beforeEach(async () => {
  service = await startService();
  proxy = await FaultProxy.start(Number(new URL(service.url).port));
});
afterEach(async () => {
  stores.close();
  await proxy.stop();
  await service.stop();
});

const seconds = (count: number): number => Math.floor(Date.now() / 1000) + count;

describe("the SDK's store, while things break", () => {
  it("brings what came while the network was cut: all of it, in order, once", async () => {
    const store = await stores.open(service, USER, { port: proxy.port }).synced();
    proxy.refuse();
    await store.is("offline", "unreachable");
    for (const text of ["1", "2", "3", "4", "5"]) await notify(service, [USER], text);
    proxy.heal();
    await store.synced();
    expect(store.texts).toEqual(["5", "4", "3", "2", "1"]);
    expect(store.arrivals.map(({ notification, missed, loud }) => [notification.text, missed, loud])).toEqual(
      ["1", "2", "3", "4", "5"].map((text) => [text, true, true]),
    );
  });

  it("does what was done offline when it is back, in its order, and shows it meanwhile", async () => {
    await notify(service, [USER], "a");
    await notify(service, [USER], "b");
    const store = await stores.open(service, USER, { port: proxy.port }).synced();
    const watcher = await stores.open(service, USER).synced();
    const other = await stores.open(service, OTHER).synced();
    const { belfry } = store;
    proxy.refuse();
    await store.is("offline");
    const [b, a] = belfry.notifications.map(({ id }) => id) as [string, string];
    const done = Promise.all([
      belfry.read([a, b]),
      belfry.archive(a),
      belfry.markUnread(b),
      belfry.send({ to: OTHER, text: "from the train" }),
    ]);
    expect(belfry.notifications.map(({ id, readAt }) => [id, readAt])).toEqual([[b, null]]);
    expect(belfry.pending).toBe(4);
    proxy.heal();
    await done;
    await until("the other device to see it", () => watcher.belfry.unread === 1 && watcher.belfry.notifications.length === 1);
    expect(watcher.texts).toEqual(["b"]);
    await until("the message", () => other.texts[0] === "from the train");
  });

  it("sends after a restart of the program what was done offline before it, once", async () => {
    const storage = new MemoryStorage();
    await notify(service, [USER], "a");
    const store = await stores.open(service, USER, { port: proxy.port, storage }).synced();
    const other = await stores.open(service, OTHER).synced();
    const [{ id }] = store.belfry.notifications as unknown as [{ id: string }];
    await until("the state to be kept", () => storage.texts.size > 0);
    proxy.refuse();
    await store.is("offline");
    const read = store.belfry.read(id);
    void store.belfry.send({ to: OTHER, text: "from the train" });
    store.belfry.close();
    await expect(read).rejects.toMatchObject({ code: "closed" });

    // Still offline: what was there and what was done is shown.
    const again = stores.open(service, USER, { port: proxy.port, storage });
    await until("what was kept", () => again.texts.length === 1);
    expect(again.belfry.notifications[0]?.readAt).not.toBeNull();
    expect([again.belfry.unread, again.belfry.pending]).toEqual([0, 2]);
    proxy.heal();
    await until("both to be done", () => again.belfry.pending === 0 && other.texts.length === 1);
    await until("the mark to be confirmed", () => again.belfry.status.synced);
    expect(again.belfry.unread).toBe(0);
    expect([...storage.texts.keys()].filter((key) => key.endsWith(":queue"))).toEqual([]);
  });

  it("outlives a kill of the service, and says meanwhile that it cannot be reached", async () => {
    const store = await stores.open(service, USER, { port: proxy.port }).synced();
    await service.kill9();
    const status = await store.is("offline", "unreachable");
    expect(status.retryAt).toBeGreaterThan(status.since - 1);
    await service.start();
    await notify(service, [USER], "after the restart");
    await until("what came", () => store.texts[0] === "after the restart");
    await store.synced();
    expect(store.belfry.status.code).toBeUndefined();
  });

  it("follows the service's invitation to come back when it is stopped in order", async () => {
    const store = await stores.open(service, USER, { port: proxy.port }).synced();
    const stopped = service.restart();
    await until("the farewell", () => store.statuses.some(({ code }) => code === "draining"));
    await stopped;
    await store.synced();
  });

  it("finds out by an action without an answer that a connection stands still, and comes by another", async () => {
    await notify(service, [USER], "before");
    const store = await stores.open(service, USER, { port: proxy.port }).synced();
    proxy.deafen((connection) => connection === 0);
    await notify(service, [USER], "into the frozen connection");
    const seen = store.belfry.seen();
    await store.is("offline", "unreachable");
    await until("what came", () => store.texts.length === 2);
    await seen;
  }, 60_000);

  it("starts offline where the service is down, and where what answers is no Belfry", async () => {
    proxy.refuse();
    const down = stores.open(service, USER, { port: proxy.port });
    await down.is("offline", "unreachable");
    const other = createServer((_request, response) => response.writeHead(404).end("not here")).listen(0, "127.0.0.1");
    await once(other, "listening");
    const strange = stores.open(service, USER, { port: (other.address() as AddressInfo).port });
    await strange.is("offline", "incompatible");
    strange.belfry.close();
    other.close();
    other.closeAllConnections();
    const wrong = stores.open(service, USER, { url: "javascript:alert(1)" });
    await wrong.is("stopped", "bad_url");
    const nobody = stores.open(service, USER, { token: () => Promise.reject(new Error("the forum is down")) });
    expect((await nobody.is("offline", "no_token")).message).toContain("the forum is down");
  });

  it("stops with the reason where it is not wanted, and tries again only when it is told to", async () => {
    const foreign = stores.open(service, USER, { token: tokenFor("another service's secret, long enough", { sub: USER }) });
    expect((await foreign.is("stopped", "unauthorized")).message).toContain("signature");
    const store = await stores.open(service, USER, { port: proxy.port }).synced();
    const act = (method: string, body: object): Promise<Response> =>
      fetch(`${service.url}/v1/members/${USER}/ban`, {
        method,
        headers: { authorization: `Bearer ${service.apiKey}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    await act("PUT", { why: "spam" });
    expect((await store.is("stopped", "banned")).message).toContain("spam");
    store.belfry.reconnect();
    await until("the refusal", () => store.statuses.filter(({ is }) => is === "stopped").length === 2);
    expect(store.belfry.status).toMatchObject({ is: "stopped", code: "banned" });
    await act("DELETE", { why: "a mistake" });
    store.belfry.reconnect();
    await store.synced();
  });

  it("refreshes tokens before they expire, whatever this device's clock says, and gets a new one for an expired one", async () => {
    let asked = 0;
    const token = (): string => {
      asked++;
      return tokenFor(service.jwtSecret, { sub: USER, exp: seconds(asked === 1 ? -60 : 12) });
    };
    const store = await stores.open(service, USER, { port: proxy.port, token }).synced();
    expect(asked).toBe(2);
    expect(store.statuses.some(({ code }) => code === "token_expired")).toBe(true);
    const { since } = store.belfry.status;
    await until("two more tokens", () => asked >= 4);
    expect(store.belfry.status).toMatchObject({ is: "online", since });
    // A text cannot be renewed.
    const expired = stores.open(service, USER, { token: tokenFor(service.jwtSecret, { sub: USER, exp: seconds(-60) }) });
    await expired.is("stopped", "token_expired");
  });

  it("works without a storage that is full, forbidden, broken or full of rubbish, and says so once", async () => {
    await notify(service, [USER], "here");
    const fails = (): never => {
      throw new Error("QuotaExceededError");
    };
    const warnings: string[] = [];
    const broken = [
      { getItem: () => null, setItem: fails, removeItem: fails },
      { getItem: fails, setItem: fails, removeItem: fails },
      { getItem: () => Promise.reject(new Error("no")), setItem: () => Promise.reject(new Error("no")), removeItem: fails },
      { getItem: () => '["belfry 1",{"cursor":{"epoch":"x"}},[],{}]', setItem: fails, removeItem: fails },
      {
        getItem: () => '["belfry 1",{"cursor":{"epoch":"x","seq":1},"items":[null]},[],{"cursor":null}]',
        setItem: fails,
        removeItem: fails,
      },
      { getItem: () => 7 as never, setItem: fails, removeItem: fails },
    ];
    for (const storage of broken) {
      const store = await stores.open(service, USER, { storage, onWarning: (text) => warnings.push(text) }).synced();
      await until("the state", () => store.texts.length >= 1);
      await store.belfry.seen();
      store.belfry.close();
    }
    expect(warnings).toHaveLength(broken.length);
    expect(warnings[0]).toContain("storage");
  });
});
