import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { tell } from "../../support/embedded.js";
import { until } from "../../support/member.js";
import { type Client, type RealtimeServer, startRealtime } from "./realtime-server.js";

/** Announcements of which each is dismissed and edited. */
const SEVERAL = 20;

let server: RealtimeServer;

beforeEach(async () => {
  server = await startRealtime();
});

afterEach(async () => {
  await server.stop();
});

const member = (user: string, auth: Parameters<RealtimeServer["connect"]>[2] = {}): Promise<Client> =>
  server.connect("/notifications", user, auth).ready();

const syncedOf = (client: Client, stream: string) => client.all("synced").filter((synced) => synced.stream === stream);
const snapshotsOf = (client: Client, stream: string) => client.all("snapshot").filter((snapshot) => snapshot.stream === stream);
const entriesOf = (client: Client, stream: string) =>
  client
    .all("entries")
    .filter((packet) => packet.stream === stream)
    .flatMap(({ entries }) => entries as unknown as Array<{ seq: number; kind: string; data: object }>);

describe("a session", () => {
  it("is welcomed with the sum of both counts and the number of members online", async () => {
    await tell(server.embedded, "ada", "1");
    await server.announce();
    await server.announce();
    await member("bea");
    await member("bea");
    const ada = await member("ada");
    expect(ada.heard[0]).toMatchObject({
      event: "welcome",
      payload: { unread: 3, online: 2, streams: { inbox: { unread: 1 }, announcements: { unread: 2, head: 2, resume: "snapshot" } } },
    });
    // The announcements come when the inbox is complete.
    expect(ada.heard.map(({ event, payload }) => [event, payload.stream])).toEqual([
      ["welcome", undefined],
      ["snapshot", "inbox"],
      ["synced", "inbox"],
      ["snapshot", "announcements"],
      ["synced", "announcements"],
    ]);
    ada.socket.disconnect();
    await until("one is left", () => server.presence.users === 1);
    expect(server.presence.sessions).toBe(2);
  });

  it("shows what was settled on another device, and counts it once", async () => {
    const [first, second] = [await server.announce(), await server.announce({ mandatory: true })];
    const [phone, laptop] = [await member("ada"), await member("ada")];
    expect(await phone.ask("dismiss", { announcement: first })).toMatchObject({ ok: true, unread: 1 });
    expect(await phone.ask("dismiss", { announcement: second })).toMatchObject({ error: { code: "bad_request" } });
    expect(await phone.ask("acknowledge", { announcement: second })).toMatchObject({ ok: true, unread: 0 });
    for (const device of [phone, laptop]) {
      await until("both entries", () => entriesOf(device, "inbox").length === 2);
      expect(entriesOf(device, "inbox")).toMatchObject([
        { kind: "dismissed", data: { announcement: first } },
        { kind: "acknowledged", data: { announcement: second } },
      ]);
    }
    const epoch = await server.embedded.log.epoch();
    const behind = await member("ada", { cursors: { inbox: { epoch, seq: 0 }, announcements: { epoch, seq: 0 } } });
    expect(entriesOf(behind, "announcements")).toHaveLength(2);
    expect(syncedOf(behind, "announcements")).toMatchObject([{ seq: 2, unread: 0 }]);
    const fresh = await member("ada");
    expect(snapshotsOf(fresh, "announcements")).toMatchObject([
      {
        items: [
          { id: second, acknowledgedAt: expect.any(String) },
          { id: first, dismissedAt: expect.any(String) },
        ],
      },
    ]);
  });

  it("shows a snapshot that fits what the inbox's replay has just told", async () => {
    const id = await server.announce();
    const phone = await member("ada");
    await phone.ask("dismiss", { announcement: id });
    const epoch = await server.embedded.log.epoch();
    const laptop = await member("ada", { cursors: { inbox: { epoch, seq: 0 } } });
    expect(entriesOf(laptop, "inbox")).toMatchObject([{ kind: "dismissed" }]);
    expect(snapshotsOf(laptop, "announcements")).toMatchObject([{ unread: 0, items: [{ id, dismissedAt: expect.any(String) }] }]);
    expect(syncedOf(laptop, "announcements")).toMatchObject([{ unread: 0 }]);
  });

  it("shows announcements anew where the inbox's cursor has fallen behind, as what was trimmed there may have settled them", async () => {
    const id = await server.announce();
    const phone = await member("ada");
    const epoch = await server.embedded.log.epoch();
    expect(await phone.ask("dismiss", { announcement: id })).toMatchObject({ ok: true });
    await tell(server.embedded, "ada", "1");
    await server.embedded.log.trim("inbox:ada", 2);
    const tablet = await member("ada", { cursors: { inbox: { epoch, seq: 0 }, announcements: { epoch, seq: 1 } } });
    expect(tablet.all("welcome")).toMatchObject([{ streams: { inbox: { resume: "reset" }, announcements: { resume: "reset" } } }]);
    expect(snapshotsOf(tablet, "announcements")).toMatchObject([{ unread: 0, items: [{ id, dismissedAt: expect.any(String) }] }]);
  });

  it("is given a settling before any announcement that says so, also where both are stored at once", async () => {
    const ids: string[] = [];
    for (let count = 0; count < SEVERAL; count++) ids.push(await server.announce());
    const phone = await member("ada");
    const view = await server.announcements.view({ user: "ada", roles: [], joinedAt: 0 });
    const dismissals = ids.map((id) => server.announcements.settle("ada", "dismiss", id, view));
    const edits = ids.map((id) => server.announcements.edit(id, "server", { title: "Later" }, async () => {}));
    await Promise.all([...dismissals, ...edits]);
    await until("all of it", () => entriesOf(phone, "announcements").length === SEVERAL && entriesOf(phone, "inbox").length === SEVERAL);
    const told = new Set<unknown>();
    for (const { stream, entries } of phone.all("entries")) {
      for (const { data } of entries as unknown as Array<{ data: { announcement?: string; id?: string; dismissedAt?: string } }>) {
        if ((stream as unknown) === "inbox") told.add(data.announcement);
        else expect([data.id, data.dismissedAt !== undefined]).toEqual([data.id, told.has(data.id)]);
      }
    }
  });

  it("hides what is for others, and shows it when a new token has the role", async () => {
    await server.members.register({ user: "editor", roles: ["editor"] });
    const ada = await member("ada");
    const id = await server.announce({ audience: { roles: ["editor"] } });
    await until("the entry", () => entriesOf(ada, "announcements").length === 1);
    expect(entriesOf(ada, "announcements")).toMatchObject([{ seq: 1, kind: "announcement", data: { id, hidden: true } }]);
    expect(await ada.ask("refresh", { token: server.tokenOf("ada", ["editor"]) })).toMatchObject({ ok: true });
    await until("the stream anew", () => syncedOf(ada, "announcements").length === 2);
    expect(snapshotsOf(ada, "announcements")[1]).toMatchObject({ seq: 1, unread: 1, items: [{ id }] });
    const { epoch } = snapshotsOf(ada, "announcements")[1] as unknown as { epoch: string };
    const { entries } = await ada.ask("sync", { stream: "announcements", after: { epoch, seq: 0 } });
    expect(entries).toMatchObject([{ seq: 1, data: { id, title: "Maintenance" } }]);
  });

  it("begins anew, with other announcements, for a member who comes back with other roles", async () => {
    await server.members.register({ user: "editor", roles: ["editor"] });
    const ada = await member("ada");
    const id = await server.announce({ audience: { roles: ["editor"] } });
    await until("the entry", () => entriesOf(ada, "announcements").length === 1);
    const before = await server.embedded.log.epoch();
    const cursors = { announcements: { epoch: before, seq: 1 } };
    const same = server.connect("/notifications", "ada", { cursors });
    await same.ready();
    expect(same.all("welcome")[0]).toMatchObject({ streams: { announcements: { epoch: before, resume: "exact" } } });
    const promoted = server.connect("/notifications", "ada", { cursors, roles: ["editor"] });
    await promoted.ready();
    expect(promoted.all("welcome")[0]).toMatchObject({
      streams: { inbox: { epoch: before }, announcements: { resume: "reset", unread: 1 } },
    });
    expect(snapshotsOf(promoted, "announcements")).toMatchObject([{ items: [{ id }] }]);
  });

  it("sends everybody the same announcement, also several at once", async () => {
    const members = await Promise.all(["ada", "bea", "cem"].map((user) => member(user)));
    const ids = await Promise.all(Array.from({ length: 5 }, () => server.announce()));
    for (const one of members) {
      await until("five", () => entriesOf(one, "announcements").length === 5);
      expect(entriesOf(one, "announcements").map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
      expect(new Set(entriesOf(one, "announcements").map(({ data }) => (data as { id: string }).id))).toEqual(new Set(ids));
    }
  });
});

describe("a member's requests", () => {
  it("send messages under their own name", async () => {
    const [ada, bea] = [await member("ada"), await member("bea")];
    const sent = await ada.ask("send", { to: "bea", text: "hello", actor: { id: "cem" } });
    expect(sent).toMatchObject({ ok: true, id: expect.any(String) });
    await until("the message", () => entriesOf(bea, "inbox").length === 1);
    expect(entriesOf(bea, "inbox")[0]?.data).toMatchObject({ id: sent.id, type: "message", actor: { id: "ada" }, text: "hello" });
    expect(await bea.ask("block", { user: "ada" })).toMatchObject({ ok: true, user: "ada", blocked: true });
    expect(await ada.ask("send", { to: "bea", text: "hello?" })).toMatchObject({ error: { code: "forbidden" } });
    expect(await bea.ask("unblock", { user: "ada" })).toMatchObject({ ok: true, blocked: false });
    expect(await ada.ask("send", { to: "bea", text: "hello!" })).toMatchObject({ ok: true });
    expect(await ada.ask("level", { scope: "thread", id: "7", level: "muted" })).toMatchObject({ ok: true, level: "muted", until: null });
  });

  it("say that announcements were seen, with the inbox's end", async () => {
    const id = await server.announce();
    const ada = await member("ada");
    const seen = async () => (await server.announcements.report(id, { limit: 10 })).seen;
    await tell(server.embedded, "ada", "1");
    await tell(server.embedded, "ada", "2");
    expect(await ada.ask("seen", { upTo: 1 })).toMatchObject({ ok: true });
    await server.announcements.tick();
    expect(await seen()).toBe(0);
    expect(await ada.ask("seen", {})).toMatchObject({ ok: true });
    await server.announcements.tick();
    expect(await seen()).toBe(1);
  });

  it.each([
    ["send", null, "bad_request"],
    ["send", { to: "nobody", text: "x" }, "not_found"],
    ["dismiss", null, "bad_request"],
    ["dismiss", { announcement: "a-none" }, "not_found"],
    ["acknowledge", "text", "bad_request"],
    ["level", { scope: "world" }, "bad_request"],
    ["block", {}, "bad_request"],
    ["block", { user: "ada" }, "bad_request"],
    ["unblock", [1], "bad_request"],
  ])("that are wrong are answered: %s %j", async (event, payload, code) => {
    const ada = await member("ada");
    expect(await ada.ask(event, payload)).toMatchObject({ ok: false, error: { code } });
  });
});

describe("the progress of a task", () => {
  it("reaches whoever comes in the middle, after their inbox, and follows", async () => {
    await server.tasks.report("t1", { user: "ada", state: "running", percent: 10 });
    await server.tasks.report("t2", { user: "bea", state: "running", percent: 10 });
    const ada = await member("ada");
    expect(await ada.hears("progress")).toMatchObject({ task: "t1", percent: 10 });
    const events = ada.heard.map(({ event }) => event);
    expect(events.indexOf("progress")).toBeGreaterThan(events.indexOf("synced"));
    await server.tasks.report("t1", { user: "ada", state: "running", percent: 60 });
    expect(await ada.hears("progress", 2)).toMatchObject({ task: "t1", percent: 60 });
    await server.tasks.report("t1", { user: "ada", state: "completed" });
    await until("the result", () => entriesOf(ada, "inbox").length === 1);
    expect(entriesOf(ada, "inbox")[0]?.data).toMatchObject({ type: "task", data: { task: "t1", state: "completed" } });
    expect(ada.all("progress")).toHaveLength(2);
  });
});

describe("the places of a member", () => {
  it("are counted for each namespace, also when all are asked for at once, and given back", async () => {
    const crowd = Array.from({ length: 40 }, () => server.connect("/notifications", "ada"));
    await until("an answer for each", () => crowd.every((one) => one.socket.connected || one.refusal !== null));
    const accepted = crowd.filter((one) => one.socket.connected);
    expect(accepted).toHaveLength(32);
    expect(crowd.find((one) => one.refusal !== null)?.refusal).toMatchObject({ code: "too_many_connections", retry: true });
    await server.connect("/live", "ada").connected();
    accepted[0]?.socket.disconnect();
    await until("a place", () => server.presence.sessions === 31);
    await member("ada");
    expect(await server.connect("/notifications", "ada").isRefused()).toBe("too_many_connections");
  });
});

describe("a connection with several namespaces", () => {
  it("lasts as long as one of them is in use, and no longer", async () => {
    const raw = await server.raw();
    const token = JSON.stringify({ token: server.tokenOf("ada") });
    raw.send(`40/notifications,${token}`, `40/live,${token}`);
    await raw.hears('42/notifications,["synced",{"stream":"announcements"');
    await raw.hears("40/live,");
    raw.send("41/live,", '42/notifications,1["list",{}]');
    expect(await raw.hears("43/notifications,1")).toContain('"ok":true');
    await tell(server.embedded, "ada", "1");
    await raw.hears('42/notifications,["entries"');
    expect(raw.closed).toBe(false);
    raw.send("41/notifications,");
    await raw.isCut();
  });

  it("loses only the one that is ended for good", async () => {
    const [notifications, live] = server.connectAll(["/notifications", "/live"], "ada") as [Client, Client];
    await notifications.ready();
    await live.connected();
    const goodbye = live.hears("goodbye");
    let hasEnded = false;
    void goodbye.then(() => {
      hasEnded = true;
    });
    for (let count = 0; count < 2_100; count++) live.socket.emit("nonsense");
    // The last ones one by one: Socket.IO closes the connection of whoever still sends to a namespace that it has left.
    while (!hasEnded) await Promise.race([goodbye, new Promise((answered) => live.socket.emit("nonsense", {}, answered))]);
    expect(await goodbye).toMatchObject({ code: "protocol_error" });
    await until("the end", () => !live.socket.connected);
    expect(await notifications.ask("list", {})).toMatchObject({ ok: true });
  });

  it("is told which namespaces there are", async () => {
    const lost = server.connect("/nowhere", "ada");
    expect(await lost.isRefused()).toBe("bad_request");
    for (const name of ["/notifications", "/live", "/moderation"]) expect(lost.refusal?.message).toContain(name);
  });
});
