import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Departure } from "../../../src/realtime/departure.js";
import { until } from "../../support/member.js";
import { type LiveServer, startLive } from "./live-server.js";

let server: LiveServer;

beforeEach(async () => {
  server = await startLive();
});

afterEach(() => server.stop());

describe("a board", () => {
  it("shows the latest value on joining and every newer one after, to members and guests alike", async () => {
    const { topics } = server;
    await topics.write("board", { data: { score: 1 }, access: "public" });
    for (const token of [undefined, "ada"]) {
      const viewer = server.view(token);
      const seq = server.store.values.get("board")?.seq as number;
      expect(await viewer.ask("join", { topics: ["board", "not-yet"] })).toEqual({
        ok: true,
        topics: { board: { seq, at: expect.stringMatching(/^\d{4}-.*Z$/), data: { score: seq } }, "not-yet": null },
      });
      await topics.write("board", { data: { score: seq + 1 } });
      await until("the update", () => viewer.updates.length === 1);
      expect(viewer.updates).toEqual([
        { topic: "board", seq: seq + 1, at: expect.stringMatching(/^\d{4}-.*Z$/), data: { score: seq + 1 } },
      ]);
    }
  });

  it("that is made after it was joined appears then", async () => {
    const viewer = server.view("ada");
    await viewer.ask("join", { topics: ["__proto__", "b"] });
    await server.topics.write("__proto__", { data: 1 });
    await until("the first value", () => viewer.updates.length === 1);
    expect(viewer.updates[0]).toMatchObject({ topic: "__proto__", seq: 1, data: 1 });
  });

  it("loses no value that is written while it is joined", async () => {
    const { topics, store } = server;
    await topics.write("board", { data: "before" });
    const viewer = server.view("ada");
    let reading = false;
    let read = () => {};
    const gate = new Promise<void>((resolve) => {
      read = resolve;
    });
    const old = new Map(store.values);
    store.read = async () => {
      reading = true;
      await gate;
      return old;
    };
    const joined = viewer.ask("join", { topics: ["board"] });
    await until("the board is read", () => reading);
    await topics.write("board", { data: "meanwhile" });
    read();
    expect(await joined).toMatchObject({ topics: { board: { seq: 2, data: "meanwhile" } } });
    await topics.write("board", { data: "after" });
    await until("the next value", () => viewer.updates.length > 0);
    expect(viewer.updates.map(({ data }) => data)).toEqual(["after"]);
  });

  it("that was left says no more, also where it was joined twice", async () => {
    const { topics } = server;
    const viewer = server.view("ada");
    await viewer.ask("join", { topics: ["left", "kept"] });
    await viewer.ask("join", { topics: ["left"] });
    expect(await viewer.ask("leave", { topics: ["left", "never-joined"] })).toEqual({ ok: true });
    await topics.write("left", { data: 1 });
    await topics.write("kept", { data: 2 });
    await until("the update of the other", () => viewer.updates.length > 0);
    expect(viewer.updates.map(({ topic }) => topic)).toEqual(["kept"]);
  });

  it("is refused with its name where the viewer may not look, and then nothing is joined", async () => {
    const { topics } = server;
    await topics.write("open", { data: 1, access: "public" });
    await topics.write("staff-only", { data: 1, access: ["staff"] });
    const guest = server.view();
    const refused = await guest.ask("join", { topics: ["open", "staff-only"] });
    expect(refused).toMatchObject({ ok: false, error: { code: "forbidden", message: expect.stringContaining("staff-only") } });
    await topics.write("open", { data: 2 });
    await topics.write("staff-only", { data: 2 });
    expect(await guest.ask("join", { topics: ["open"] })).toMatchObject({ ok: true, topics: { open: { seq: 2 } } });
    await topics.write("open", { data: 3 });
    await until("the update after joining", () => guest.updates.length > 0);
    expect(guest.updates.map(({ topic, seq }) => [topic, seq])).toEqual([["open", 3]]);
    expect(await server.view("ada:staff").ask("join", { topics: ["staff-only"] })).toMatchObject({ ok: true });
  });

  it("that is closed to a viewer gives them nothing from that value on, and opens with a token that has the role", async () => {
    const { topics } = server;
    await topics.write("board", { data: "for all", access: "public" });
    const viewer = server.view("ada");
    const staff = server.view("bruno:staff");
    for (const one of [viewer, staff]) await one.ask("join", { topics: ["board", "marker"] });
    await topics.write("board", { data: "for staff", access: ["staff"] });
    await topics.write("marker", { data: 1 });
    for (const one of [viewer, staff]) {
      await until("the marker", () => one.updates.some(({ topic }) => topic === "marker"));
    }
    expect(viewer.updates.map(({ data }) => data)).toEqual([1]);
    expect(staff.updates.map(({ data }) => data)).toEqual(["for staff", 1]);
    expect(await viewer.ask("join", { topics: ["board"] })).toMatchObject({ ok: false, error: { code: "forbidden" } });
    expect(await viewer.ask("refresh", { token: "bruno" })).toMatchObject({ ok: false, error: { code: "forbidden" } });
    server.state.banned.set("ada", { until: null, why: "spam", by: "mia", at: 0 });
    expect(await viewer.ask("refresh", { token: "ada:staff:8e15" })).toMatchObject({ ok: false, error: { code: "banned" } });
    server.state.banned.clear();
    expect(await viewer.ask("refresh", { token: "ada:staff:8e15" })).toEqual({ ok: true, expiresAt: new Date(8e15).toISOString() });
    await until("the value that the role opens", () => viewer.updates.length === 2);
    expect(viewer.updates[1]).toMatchObject({ topic: "board", data: "for staff" });
  });

  it("takes 200 topics of one connection, and refuses more until some are left", async () => {
    const viewer = server.view("ada");
    const names = (from: number) => Array.from({ length: 50 }, (_, index) => `t${from + index}`);
    for (const from of [0, 50, 100, 150]) expect(await viewer.ask("join", { topics: names(from) })).toMatchObject({ ok: true });
    expect(await viewer.ask("join", { topics: ["one-more"] })).toMatchObject({ ok: false, error: { code: "bad_request" } });
    expect(await viewer.ask("join", { topics: names(0) })).toMatchObject({ ok: true });
    await viewer.ask("leave", { topics: ["t0"] });
    expect(await viewer.ask("join", { topics: ["one-more"] })).toMatchObject({ ok: true });
  });
});

describe("the number of members online", () => {
  it("comes once after connecting, and on change; a change too soon after the last waits for the sweep", async () => {
    const { presence, live } = server;
    presence.become(3);
    const viewer = server.view();
    await until("the number", () => viewer.online.length === 1);
    presence.become(4);
    presence.become(5);
    await viewer.ask("leave", { topics: ["x"] });
    live.sweep(Date.now());
    await viewer.ask("leave", { topics: ["x"] });
    expect(viewer.online).toEqual([3]);
    live.sweep(Date.now() + 1_000);
    await until("the newest number", () => viewer.online.length === 2);
    expect(viewer.online).toEqual([3, 5]);
  });

  it("is put right by the sweep where it has come back to what all were told before, unheard", async () => {
    const { presence, live } = server;
    presence.become(3);
    presence.users = 4;
    const viewer = server.view();
    await until("the number", () => viewer.online.length === 1);
    presence.users = 3;
    live.sweep(Date.now() + 1_000);
    await until("the right number", () => viewer.online.length === 2);
    live.sweep(Date.now() + 2_000);
    await viewer.ask("leave", { topics: ["x"] });
    expect(viewer.online).toEqual([4, 3]);
  });
});

describe("a connection to /live", () => {
  it("is refused with the reason that its admission gives", async () => {
    const viewer = server.view("nobody");
    await until("the refusal", () => viewer.refusals.length > 0);
    expect(viewer.refusals[0]).toEqual({ code: "unauthorized", message: "The token is not valid.", retry: false });
    expect(server.live.count).toBe(0);
  });

  it("is found by its member, counted with those of guests, and forgotten when it goes", async () => {
    const viewers = [server.view("ada"), server.view("ada"), server.view()];
    await until("all are connected", () => server.live.count === 3);
    expect([...server.live.sessionsOf("ada")]).toHaveLength(2);
    expect([...server.live.sessionsOf("bruno")]).toHaveLength(0);
    for (const session of server.live.sessionsOf("ada")) session.end({ code: "token_expired", message: "Enough.", reconnect: false });
    await until("the member's are gone", () => server.live.count === 1);
    await until("the farewells", () => viewers[0]?.farewells.length === 1 && viewers[1]?.farewells.length === 1);
    expect(viewers.map(({ farewells }) => farewells.map(({ code }) => code))).toEqual([["token_expired"], ["token_expired"], []]);
    expect([...server.live.sessionsOf("ada")]).toHaveLength(0);
  });

  it("ends when its token expires; a guest's does not", async () => {
    const now = Date.now();
    const member = server.view(`ada::${now + 60_000}`);
    const guest = server.view();
    await until("both are connected", () => server.live.count === 2);
    server.live.sweep(now + 59_000);
    expect(server.live.count).toBe(2);
    server.live.sweep(now + 60_000);
    await until("the member's is gone", () => server.live.count === 1);
    await until("the farewell", () => member.farewells.length === 1);
    expect(member.farewells[0]).toMatchObject({ code: "token_expired", reconnect: true });
    expect(await guest.ask("refresh", { token: "ada" })).toMatchObject({ ok: false, error: { code: "forbidden" } });
  });

  it("is told to come back when the node stops, and nothing listens any more then", async () => {
    const viewer = server.view("ada");
    await viewer.ask("join", { topics: ["board"] });
    await new Departure(() => server.live.sessions()).spread();
    await until("the farewell", () => viewer.farewells.length === 1);
    expect(viewer.farewells[0]).toMatchObject({ code: "draining", reconnect: true, afterMs: expect.any(Number) });
    server.live.close();
    expect(server.presence.listeners.size).toBe(0);
    await until("it is gone", () => server.live.count === 0);
  });

  it("shares a transport with other namespaces, and gives it back with the last of them", async () => {
    const both = await server.raw("ada", ["board"]);
    both.send("40/other,");
    await both.hears("40/other,");
    const alone = await server.raw("bruno", ["board"]);
    for (const raw of [both, alone]) raw.send("41/live,");
    await alone.isCut();
    await until("both sessions are gone", () => server.live.count === 0);
    both.send("40/live,{}");
    await until("it has joined again", () => server.live.count === 1);
    expect(both.closed).toBe(false);
  });
});

describe("whatever a client sends", () => {
  it("an unknown event or a wrong payload is answered with what is wrong", async () => {
    const viewer = server.view("ada");
    const ask = async (event: string, payload?: unknown) => (await viewer.ask(event, payload)).error;
    expect(await ask("shout", {})).toEqual({ code: "bad_request", message: 'There is no event "shout".' });
    expect(await ask("constructor", {})).toMatchObject({ code: "bad_request" });
    for (const payload of [undefined, null, 7, "x", [], {}, { topics: [] }, { topics: ["a b"] }, { topics: { 0: "a" } }]) {
      expect(await ask("join", payload)).toMatchObject({ code: "bad_request" });
      expect(await ask("leave", payload)).toMatchObject({ code: "bad_request" });
      expect(await ask("refresh", payload)).toMatchObject({ code: "bad_request" });
    }
    expect(await ask("refresh", { token: "nobody" })).toMatchObject({ code: "unauthorized" });
  });

  it("no missing callback, no extra argument and no reserved name harms it", async () => {
    const viewer = server.view("ada");
    const { socket } = viewer;
    socket.emit("join");
    socket.emit("join", { topics: ["board"] });
    socket.emit("join", () => {}, "not a callback");
    socket.emit("join", { topics: ["board"] }, { more: Buffer.from("x") }, 7);
    socket.emit("error", new Error("mine"));
    socket.emit("error");
    const raw = await server.raw("bruno", ["board"]);
    for (const event of ["[]", "[7]", '["disconnect"]', '["join"]', '[null,{"topics":["a"]}]']) raw.send(`42/live,${event}`);
    await server.topics.write("board", { data: 1 });
    await until("the update", () => viewer.updates.length === 1);
    expect(server.live.count).toBeGreaterThan(0);
  });

  it("more events than are allowed are refused, and a client that goes on is cut off", async () => {
    const viewer = server.view("ada");
    const answers: string[] = [];
    for (let event = 0; event < 2_500; event++) {
      viewer.socket.emit("leave", { topics: ["x"] }, (answer: { ok: boolean; error?: { code: string } }) =>
        answers.push(answer.ok ? "ok" : String(answer.error?.code)),
      );
    }
    await until("the farewell", () => viewer.farewells.length > 0);
    expect(viewer.farewells[0]).toMatchObject({ code: "protocol_error", reconnect: false });
    expect(new Set(answers)).toEqual(new Set(["ok", "rate_limited"]));
    await until("it is gone", () => server.live.count === 0);
  });

  it("a store that fails is answered, and the topics can be joined then", async () => {
    const viewer = server.view("ada");
    server.store.before = async () => {
      throw new Error("a fault with a secret");
    };
    const { error } = await viewer.ask("join", { topics: ["board"] });
    expect(error).toEqual({ code: "internal", message: expect.not.stringContaining("secret") });
    server.store.before = async () => {};
    expect(await viewer.ask("join", { topics: ["board"] })).toEqual({ ok: true, topics: { board: null } });
  });
});
