import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { tell } from "../../support/embedded.js";
import { until } from "../../support/member.js";
import { type Client, type RealtimeServer, startRealtime } from "./realtime-server.js";

let server: RealtimeServer;

beforeEach(async () => {
  server = await startRealtime();
});

afterEach(async () => {
  await server.stop();
});

const moderate = (user = "mod", roles = ["moderator"]): Promise<Client> => server.connect("/moderation", user, { roles }).connected();

describe("/moderation", () => {
  it("refuses a member without the role, and writes the attempt down", async () => {
    expect(await server.connect("/moderation", "ada").isRefused()).toBe("unauthorized");
    const moderator = await moderate();
    const { items } = await moderator.ask("audit", {});
    expect(items).toEqual([expect.objectContaining({ by: "ada", act: "connect", refused: expect.any(String), from: "192.0.2.7" })]);
  });

  it("announces, edits and takes back; members and the other moderators follow", async () => {
    const ada = await server.connect("/notifications", "ada").ready();
    const [one, other] = [await moderate(), await moderate("admin", ["admin"])];
    const announced = await one.ask("announce", { title: "Party", text: "On Friday.", level: "info" });
    expect(announced).toMatchObject({ ok: true, title: "Party", by: "mod", id: expect.any(String) });
    expect(await other.ask("edit", { id: announced.id, text: "On Saturday." })).toMatchObject({ ok: true, text: "On Saturday." });
    expect(await one.ask("rescind", { id: announced.id, why: "rain" })).toMatchObject({ ok: true, why: "rain" });
    await until("three entries", () => ada.all("entries").flatMap(({ entries }) => entries).length === 3);
    expect(ada.all("entries").flatMap(({ entries }) => entries)).toMatchObject([
      { seq: 1, kind: "announcement", data: { id: announced.id, text: "On Friday." } },
      { seq: 2, kind: "announcement.updated", data: { text: "On Saturday." } },
      { seq: 3, kind: "announcement.rescinded", data: { id: announced.id, why: "rain" } },
    ]);
    await other.hears("audit", 3);
    expect(other.all("audit")).toMatchObject([
      { id: "1", by: "mod", act: "announce", target: announced.id },
      { id: "2", by: "admin", act: "announcement.edit", target: announced.id },
      { id: "3", by: "mod", act: "rescind", target: announced.id, why: "rain", from: "192.0.2.7" },
    ]);
    expect(await one.ask("report", { id: announced.id })).toMatchObject({ ok: true, audience: 3, members: expect.any(Array) });
    expect(await one.ask("audit", { limit: 1, by: "mod" })).toMatchObject({ ok: true, more: true, items: [{ id: "3" }] });
  });

  const wrong: Array<[string, unknown, string]> = [
    ["announce", null, "bad_request"],
    ["announce", { title: "" }, "bad_request"],
    ["edit", { id: "a-none", text: "x" }, "not_found"],
    ["edit", {}, "bad_request"],
    ["rescind", { id: 5 }, "bad_request"],
    ["rescind", undefined, "bad_request"],
    ["mute", { user: "nobody", why: "spam" }, "not_found"],
    ["mute", { user: { $ne: "" }, why: "spam" }, "bad_request"],
    ["ban", { user: "mod", why: "spam" }, "bad_request"],
    ["kick", "text", "bad_request"],
    ["unban", { user: "ada" }, "not_found"],
    ["report", { id: "a-none" }, "not_found"],
    ["report", { id: "a-none", limit: 1e9 }, "bad_request"],
    ["audit", { before: "x" }, "bad_request"],
    ["audit", 5, "bad_request"],
    ["refresh", { token: "x" }, "unauthorized"],
    ["list", {}, "bad_request"],
    ["__proto__", {}, "bad_request"],
  ];

  it("answers whatever is wrong, and goes on", async () => {
    await server.members.arrive({ user: "ada", roles: [], name: null });
    const moderator = await moderate();
    for (const [event, payload, code] of wrong) {
      expect([event, payload, await moderator.ask(event, payload)]).toMatchObject([event, payload, { ok: false, error: { code } }]);
    }
    expect(await moderator.ask("audit")).toMatchObject({ ok: true });
  });

  it("goes on with a new token of the same moderator, and with no other", async () => {
    const moderator = await moderate();
    expect(await moderator.ask("refresh", { token: server.tokenOf("mod", ["admin"]) })).toMatchObject({ ok: true });
    expect(await moderator.ask("refresh", { token: server.tokenOf("mod") })).toMatchObject({ error: { code: "forbidden" } });
    expect(await moderator.ask("refresh", { token: server.tokenOf("ada", ["admin"]) })).toMatchObject({ error: { code: "forbidden" } });
    // The new rank counts at once: a moderator could not do this.
    await server.members.arrive({ user: "boss", roles: ["admin"], name: null });
    expect(await moderator.ask("mute", { user: "boss", why: "noise" })).toMatchObject({ ok: true, user: "boss", until: null });
  });
});

describe("a member who is kicked", () => {
  it("loses every session, is told why, and may come back", async () => {
    const sessions = [
      await server.connect("/notifications", "ada", { roles: ["moderator"] }).ready(),
      ...(await Promise.all(server.connectAll(["/live", "/moderation"], "ada", ["moderator"]).map((client) => client.connected()))),
    ];
    const bystander = await server.connect("/notifications", "bea").ready();
    await (await moderate("boss", ["admin"])).ask("kick", { user: "ada", why: "noise" });
    for (const session of sessions) {
      expect(await session.hears("goodbye")).toMatchObject({ code: "kicked", message: expect.stringContaining("noise"), reconnect: false });
      await until("the end", () => !session.socket.connected);
    }
    expect(bystander.all("goodbye")).toEqual([]);
    await server.connect("/notifications", "ada").ready();
  });
});

describe("a member who is banned", () => {
  it("loses every session and is refused everywhere, until the ban is lifted", async () => {
    const session = await server.connect("/notifications", "ada").ready();
    const moderator = await moderate();
    await moderator.ask("ban", { user: "ada", why: "spam", until: "2999-01-01T00:00:00Z" });
    expect(await session.hears("goodbye")).toMatchObject({
      code: "banned",
      message: expect.stringMatching(/2999.*spam/),
      reconnect: false,
    });
    for (const namespace of ["/notifications", "/live", "/moderation"]) {
      const refused = server.connect(namespace, "ada", { roles: ["moderator"] });
      expect(await refused.isRefused()).toBe("banned");
      expect(refused.refusal).toMatchObject({ retry: false, message: expect.stringContaining("spam") });
    }
    await moderator.ask("unban", { user: "ada" });
    await server.connect("/notifications", "ada").ready();
  });

  it.each(["/notifications", "/live", "/moderation"])(
    "between the handshake with %s and the session does not slip through",
    async (namespace) => {
      await server.members.arrive({ user: "ada", roles: [], name: null });
      const moderator = await moderate();
      let banned = false;
      server.state.arriving = async () => {
        if (banned) return;
        banned = true;
        await moderator.ask("ban", { user: "ada", why: "spam" });
      };
      const late = server.connect(namespace, "ada", { roles: ["moderator"] });
      expect(await late.hears("goodbye")).toMatchObject({ code: "banned" });
      await until("the end", () => !late.socket.connected);
      expect(late.all("snapshot")).toEqual([]);
    },
  );

  it("cannot go on with a new token", async () => {
    const session = await server.connect("/notifications", "ada").ready();
    const moderator = await moderate();
    server.state.arriving = async () => {
      await moderator.ask("ban", { user: "ada", why: "spam" });
    };
    const answer = session.ask("refresh", { token: server.tokenOf("ada") }).catch(() => ({ error: { code: "banned" } }));
    await session.hears("goodbye");
    expect(await answer).toMatchObject({ error: { code: "banned" } });
  });

  it("in a replay of 10,000 entries gets nothing of it later", async () => {
    const { embedded } = server;
    await Promise.all(Array.from({ length: 10_000 }, (_, index) => tell(embedded, "ada", String(index))));
    const session = server.connect("/notifications", "ada", { cursors: { inbox: { epoch: await embedded.log.epoch(), seq: 0 } } });
    const actor = { by: "mod", rank: "moderator", from: null } as const;
    await new Promise((resolve) => session.socket.once("entries", resolve));
    await server.moderation.ban(actor, "ada", { why: "spam" });
    await until("the end", () => !session.socket.connected);
    const last = session.heard.length - 1;
    expect(session.heard.findIndex(({ event }) => event === "goodbye")).toBe(last);
    const seqs = session.all("entries").flatMap(({ entries }) => (entries as unknown as Array<{ seq: number }>).map(({ seq }) => seq));
    expect(seqs.length).toBeLessThan(10_000);
    expect(seqs).toEqual(Array.from(seqs, (_, index) => index + 1));
  }, 60_000);
});
