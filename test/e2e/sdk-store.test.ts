import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { until } from "../support/member.js";
import { notify } from "../support/notify.js";
import { MemoryStorage, Stores } from "../support/sdk.js";
import { type Service, startService } from "../support/service.js";

let service: Service;
const stores = new Stores();
let count = 0;
/** A member whom no other test knows. */
const somebody = (): string => `sdk-${++count}`;

beforeAll(async () => {
  service = await startService();
});
afterEach(() => stores.close());
afterAll(() => service.stop());

async function call(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(service.url + path, {
    method,
    headers: { authorization: `Bearer ${service.apiKey}`, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  expect(response.status).toBeLessThan(300);
  return (await response.json()) as Record<string, unknown>;
}

describe("the SDK's store, on a service", () => {
  it("shows what was there, and what comes, newest first, and tells of arrivals once", async () => {
    const user = somebody();
    await notify(service, [user], "before");
    const store = await stores.open(service, user).synced();
    expect(store.belfry.user).toBe(user);
    expect(store.texts).toEqual(["before"]);
    expect(store.belfry.unread).toBe(1);
    await notify(service, [user], "now");
    await until("the arrival", () => store.arrivals.length === 1);
    expect(store.texts).toEqual(["now", "before"]);
    expect(store.arrivals[0]).toMatchObject({ loud: true, missed: false, notification: { text: "now" } });
    expect(store.belfry.view("unread").items).toHaveLength(2);
  });

  it("reads, archives and brings back, at once here and soon on another device", async () => {
    const user = somebody();
    await notify(service, [user], "one");
    const here = await stores.open(service, user).synced();
    const there = await stores.open(service, user).synced();
    const [{ id }] = here.belfry.notifications as unknown as [{ id: string }];
    const read = here.belfry.read(id);
    expect(here.belfry.unread).toBe(0);
    expect(here.belfry.notifications[0]?.readAt).toMatch(/Z$/);
    await read;
    await until("the other device to see it", () => there.belfry.unread === 0);

    await here.belfry.archive([id]);
    await until("the other device to see it", () => there.belfry.notifications.length === 0);
    expect(await here.belfry.more("archived")).toBe(false);
    expect(here.belfry.view("archived").items.map((item) => item.id)).toEqual([id]);
    // This one has never seen it.
    const later = await stores.open(service, user).synced();
    expect(later.belfry.notifications).toEqual([]);
    await there.belfry.markUnread(id);
    await until("everybody to have it back", () => [here, there, later].every(({ belfry }) => belfry.unread === 1));
    await until("the one that has not seen it, too", () => later.belfry.notifications.length === 1);
    expect(later.texts).toEqual(["one"]);
    await until("nothing to wait", () => here.belfry.pending === 0);
  });

  it("takes an action back that the service refuses", async () => {
    const user = somebody();
    await notify(service, [user], "one");
    const { belfry } = await stores.open(service, user).synced();
    const [{ id }] = belfry.notifications as unknown as [{ id: string }];
    const read = belfry.read([id, "nobody's"]);
    expect(belfry.unread).toBe(0);
    await expect(read).rejects.toMatchObject({ name: "BelfryRefusal", code: "not_found" });
    expect(belfry.unread).toBe(1);
    expect(belfry.notifications[0]?.readAt).toBeNull();
  });

  it("reads all that is here, and pages through the rest", async () => {
    const user = somebody();
    for (let i = 0; i < 130; i++) await notify(service, [user], `n${i}`);
    const { belfry, texts } = await stores.open(service, user).synced();
    expect(texts).toHaveLength(50);
    expect(belfry.view("all").more).toBe(true);
    expect(belfry.unread).toBe(130);
    await Promise.all([belfry.more(), belfry.more()]);
    expect(belfry.notifications).toHaveLength(100);
    expect(await belfry.more("all", 100)).toBe(false);
    expect(belfry.notifications.map(({ text }) => text)).toEqual(Array.from({ length: 130 }, (_, i) => `n${129 - i}`));
    expect(belfry.view("all").more).toBe(false);
    const all = belfry.readAll();
    expect(belfry.unread).toBe(0);
    await all;
    await until("nothing to wait", () => belfry.pending === 0);
    expect(belfry.view("unread").items).toEqual([]);
    await belfry.seen();
  });

  it("shows announcements, what may be done about them, and counts them", async () => {
    const { belfry } = await stores.open(service, somebody()).synced();
    await call("POST", "/v1/announcements", { title: "Maintenance", text: "on Sunday" });
    const rules = await call("POST", "/v1/announcements", { title: "Rules", text: "be kind", mandatory: true });
    await until("both", () => belfry.announcements.length === 2);
    expect(belfry.announcements.map(({ title, ask }) => [title, ask])).toEqual([
      ["Rules", "acknowledge"],
      ["Maintenance", "dismiss"],
    ]);
    expect([belfry.unread, belfry.unreadAnnouncements, belfry.unreadNotifications]).toEqual([2, 2, 0]);
    await expect(belfry.dismiss(String(rules.id))).rejects.toMatchObject({ code: "bad_request" });
    expect(belfry.announcements).toHaveLength(2);
    const acknowledged = belfry.acknowledge(String(rules.id));
    expect(belfry.unread).toBe(1);
    await acknowledged;
    await belfry.dismiss(belfry.announcements[0]?.id ?? "");
    expect(belfry.announcements).toEqual([]);
    await until("nothing to wait", () => belfry.pending === 0);
    expect(belfry.unread).toBe(0);
  });

  it("shows a task while it runs, and its end", async () => {
    const user = somebody();
    const { belfry } = await stores.open(service, user).synced();
    await call("PUT", "/v1/tasks/sdk-import", { user, state: "running", percent: 40, title: "Import" });
    await until("the task", () => belfry.tasks[0]?.percent === 40);
    expect(belfry.task("sdk-import")).toMatchObject({ state: "running", title: "Import" });
    await call("PUT", "/v1/tasks/sdk-import", { user, state: "failed", title: "Import", text: "The file is torn." });
    await until("its end", () => belfry.tasks.length === 0);
    expect(belfry.task("sdk-import")).toMatchObject({ state: "failed", title: "Import", text: "The file is torn." });
    expect(belfry.task("other")).toBeNull();
  });

  it("sends messages, blocks, and watches threads", async () => {
    const [from, to] = [somebody(), somebody()];
    const [sender, receiver] = [await stores.open(service, from).synced(), await stores.open(service, to).synced()];
    const { id } = await sender.belfry.send({ to, text: "hello", key: "once" });
    expect((await sender.belfry.send({ to, text: "hello", key: "once" })).id).toBe(id);
    await until("the message", () => receiver.arrivals.length === 1);
    expect(receiver.texts).toEqual(["hello"]);
    await receiver.belfry.block(from);
    await expect(sender.belfry.send({ to, text: "again" })).rejects.toMatchObject({ code: "forbidden" });
    await receiver.belfry.unblock(from);
    await sender.belfry.send({ to, text: "again" });
    const level = await receiver.belfry.level({ scope: "thread", id: "t-1", level: "watching" });
    expect(level).toMatchObject({ scope: "thread", id: "t-1", level: "watching" });
  });

  it("goes on where the last visit was, with what was stored shown at once", async () => {
    const user = somebody();
    const storage = new MemoryStorage();
    await notify(service, [user], "first visit");
    const first = await stores.open(service, user, { storage }).synced();
    first.belfry.close();
    await notify(service, [user], "while away");
    // The token takes its time; who it is, the page knows.
    let give: (token: string) => void = () => {};
    const token = new Promise<string>((resolve) => {
      give = resolve;
    });
    const second = stores.open(service, user, { storage, user, token: () => token });
    await until("what was stored", () => second.texts.length === 1);
    expect(second.belfry.status).toMatchObject({ is: "connecting", synced: false });
    const { tokenFor } = await import("../support/member.js");
    give(tokenFor(service.jwtSecret, { sub: user }));
    await second.synced();
    expect(second.texts).toEqual(["while away", "first visit"]);
    expect(second.arrivals.map(({ missed, notification }) => [missed, notification.text])).toEqual([[true, "while away"]]);
    second.belfry.close({ forget: true });
    expect([...storage.texts.keys()]).toEqual([]);
  });

  it("keeps members apart on one device", async () => {
    const [ada, bruno] = [somebody(), somebody()];
    const storage = new MemoryStorage();
    await notify(service, [ada], "for ada");
    await stores.open(service, ada, { storage }).synced();
    stores.close();
    const store = await stores.open(service, bruno, { storage }).synced();
    expect(store.texts).toEqual([]);
  });
});
