import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { io, type Socket } from "socket.io-client";
import { AnnouncementDevice } from "../support/announcement-device.js";
import { Announcer, fromNow } from "../support/announcing.js";
import { tokenFor, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { type Service, startService } from "../support/service.js";

const STORES = [
  { store: "SQLite", env: () => ({}) },
  { store: "MongoDB", env: () => ({ MONGODB_URL: mongoUrl("refusals") }) },
];

const HOUR = 3_600_000;

/** What an announcement cannot say, and the words of the refusal. */
const ANNOUNCEMENTS: Array<{ what: string; fields: () => object; code?: string; says: string }> = [
  { what: "no title", fields: () => ({ title: undefined }), says: "title is missing" },
  { what: "an empty title", fields: () => ({ title: "" }), says: "title must have at least 1 character" },
  { what: "a title that is too long", fields: () => ({ title: "x".repeat(201) }), says: "title must have at most 200 characters" },
  { what: "no text", fields: () => ({ text: undefined }), says: "text is missing" },
  { what: "a text that is too long", fields: () => ({ text: "x".repeat(4_001) }), says: "text must have at most 4000 characters" },
  { what: "a level that there is not", fields: () => ({ level: "urgent" }), says: "level must be one of info, warning, critical" },
  { what: "an address that is a script", fields: () => ({ url: "javascript:alert(1)" }), says: "url must be a URL" },
  { what: "a start that is no time", fields: () => ({ startsAt: "tomorrow" }), says: "startsAt must be a time" },
  { what: "a start in the past", fields: () => ({ startsAt: fromNow(-HOUR) }), says: "startsAt is in the past" },
  { what: "an end in the past", fields: () => ({ expiresAt: fromNow(-1) }), says: "expiresAt is in the past" },
  {
    what: "an end before the start",
    fields: () => ({ startsAt: fromNow(2 * HOUR), expiresAt: fromNow(HOUR) }),
    says: "expiresAt must be after startsAt",
  },
  { what: "a word for a truth", fields: () => ({ dismissible: "no" }), says: "dismissible must be a boolean" },
  { what: "a role that nobody has", fields: () => ({ audience: { roles: ["nobody"] } }), says: "matches nobody" },
  { what: "an unknown member", fields: () => ({ audience: { users: ["mo", "ghost"] } }), code: "not_found", says: '"ghost"' },
  { what: "an audience of no users", fields: () => ({ audience: { users: [] } }), says: "audience.users must have at least 1 item" },
  { what: "members from before the forum", fields: () => ({ audience: { joinedBefore: "1990-01-01T00:00:00Z" } }), says: "matches nobody" },
  {
    what: "members who joined after and before",
    fields: () => ({ audience: { joinedAfter: "2024-01-01T00:00:00Z", joinedBefore: "2023-01-01T00:00:00Z" } }),
    says: "joinedAfter must be before joinedBefore",
  },
  { what: "an audience in words", fields: () => ({ audience: "everybody" }), says: "audience must be an object" },
  { what: "a key that is too long", fields: () => ({ key: "x".repeat(129) }), says: "key must be 1 to 128 characters" },
];

/** Changes that cannot be, of the announcement that is `live`, `rescinded`, `expired` or `unknown`. */
const CHANGES: Array<{ what: string; act: "edit" | "rescind"; of: string; fields: () => object; code?: string; says: string }> = [
  { what: "an unknown one", act: "edit", of: "unknown", fields: () => ({ title: "x" }), code: "not_found", says: "no announcement" },
  { what: "a rescinded one", act: "edit", of: "rescinded", fields: () => ({ title: "x" }), code: "not_found", says: "was rescinded" },
  { what: "an expired one", act: "edit", of: "expired", fields: () => ({ title: "x" }), code: "not_found", says: "has expired" },
  { what: "the start of a live one", act: "edit", of: "live", fields: () => ({ startsAt: fromNow(HOUR) }), says: "startsAt cannot be" },
  {
    what: "the end, to one that has passed",
    act: "edit",
    of: "live",
    fields: () => ({ expiresAt: fromNow(-1) }),
    says: "expiresAt is in the",
  },
  { what: "the title, to none", act: "edit", of: "live", fields: () => ({ title: null }), says: "title must be a string" },
  { what: "the audience, to nobody", act: "edit", of: "live", fields: () => ({ audience: { roles: ["nobody"] } }), says: "matches nobody" },
  {
    what: "the audience, to an unknown member",
    act: "edit",
    of: "live",
    fields: () => ({ audience: { users: ["ghost"] } }),
    code: "not_found",
    says: '"ghost"',
  },
  { what: "an unknown one", act: "rescind", of: "unknown", fields: () => ({}), code: "not_found", says: "no announcement" },
  { what: "one that was rescinded", act: "rescind", of: "rescinded", fields: () => ({}), code: "not_found", says: "was rescinded" },
  { what: "one that has expired", act: "rescind", of: "expired", fields: () => ({}), code: "not_found", says: "has expired" },
  { what: "with a long why", act: "rescind", of: "live", fields: () => ({ why: "x".repeat(501) }), says: "why must have at most 500" },
];

const STATUS: Record<string, number> = { bad_request: 400, forbidden: 403, not_found: 404, too_large: 413 };
const ACT_NAMES = { announce: "announce", edit: "announcement.edit", rescind: "rescind" } as const;

let service: Service;
let server: Announcer;
let watcher: AnnouncementDevice;
let moderator: Socket;
let ids: Record<string, string>;

/** What is stored: the audit log's head and all that a refused act must not change. */
async function stored(): Promise<{ audit: number; rest: unknown }> {
  const { head } = await watcher.ask("sync", { stream: "announcements", after: watcher.streams.announcements.cursor });
  return { audit: Number((await server.audit(1))[0]?.id), rest: { head, list: await server.list() } };
}

/** The act is refused with these words, changes nothing, and stands in the audit log. */
async function expectRefused(
  by: string,
  act: { name: string; target?: string | undefined },
  says: string,
  doIt: () => Promise<string>,
): Promise<void> {
  const before = await stored();
  const refused = await doIt();
  expect(refused).toContain(says);
  expect(await stored()).toEqual({ audit: before.audit + 1, rest: before.rest });
  const [entry] = await server.audit(1);
  expect(entry).toMatchObject({ by, act: act.name, refused, ...(act.target === undefined ? {} : { target: act.target }) });
}

async function overHttp(who: Announcer, method: string, path: string, body: unknown, code: string): Promise<string> {
  const answer = await who.call(method, path, body);
  expect([answer.status, answer.body.code]).toEqual([STATUS[code], code]);
  return answer.body.detail as string;
}

async function overSocket(event: string, payload: unknown, code: string): Promise<string> {
  const answer = await moderator.timeout(10_000).emitWithAck(event, payload);
  expect(answer).toMatchObject({ ok: false, error: { code } });
  return answer.error.message;
}

function moderation(user: string, roles: string[]): Socket {
  return io(`${service.url}/moderation`, {
    forceNew: true,
    transports: ["websocket"],
    auth: { token: tokenFor(service.jwtSecret, { sub: user, roles }) },
  });
}

describe.each(STORES)("what cannot be, on $store", ({ env }) => {
  beforeAll(async () => {
    service = await startService({ env: env() });
    server = new Announcer(service);
    watcher = await new AnnouncementDevice("watcher", service).connect().ready();
    moderator = moderation("mo", ["moderator"]);
    await until("the moderator is there", () => moderator.connected);
    const [live, rescinded, expired] = await Promise.all([
      server.announce(),
      server.announce(),
      server.announce({ expiresAt: fromNow(1_000) }),
    ]);
    await server.rescind(rescinded.id);
    ids = { live: live.id, rescinded: rescinded.id, expired: expired.id, unknown: "a-nobody-knows" };
    await until("one has expired", async () => (await server.list()).some(({ state }) => state === "expired"));
    await until("the watcher has all", () => watcher.ids.length === 1);
  });

  afterAll(async () => {
    watcher.disconnect();
    moderator.disconnect();
    await service.stop();
  });

  it.each(ANNOUNCEMENTS)("an announcement with $what is refused, stores nothing but that it was tried, and says why", async (given) => {
    const { code = "bad_request", says } = given;
    const payload = { title: "Title", text: "Text", ...given.fields() };
    await expectRefused("server", { name: "announce" }, says, () => overHttp(server, "POST", "/v1/announcements", payload, code));
    await expectRefused("mo", { name: "announce" }, says, () => overSocket("announce", payload, code));
  });

  it.each(CHANGES)("$act: $what is refused, changes nothing, and says why", async ({ act, of, fields, code = "bad_request", says }) => {
    const id = ids[of] as string;
    const method = act === "edit" ? "PATCH" : "DELETE";
    const words = { name: ACT_NAMES[act], target: id };
    await expectRefused("server", words, says, () => overHttp(server, method, `/v1/announcements/${id}`, fields(), code));
    await expectRefused("mo", words, says, () => overSocket(act, { id, ...fields() }, code));
  });

  it("no announcement at all is refused: what is no object, no JSON, or too large", async () => {
    const announce = { name: "announce" };
    for (const body of [null, [], "{"]) {
      await expectRefused("server", announce, "", () => overHttp(server, "POST", "/v1/announcements", JSON.stringify(body), "bad_request"));
    }
    await expectRefused("server", announce, "not valid JSON", () => overHttp(server, "POST", "/v1/announcements", "{", "bad_request"));
    const large = { title: "Title", text: "x".repeat(300_000) };
    await expectRefused("server", announce, "larger than", () => overHttp(server, "POST", "/v1/announcements", large, "too_large"));
    for (const payload of [null, [], "all", 7]) {
      await expectRefused("mo", announce, "must be an object", () => overSocket("announce", payload, "bad_request"));
    }
    await expectRefused("mo", { name: "announcement.edit" }, "", () => overSocket("edit", { title: "x" }, "bad_request"));
  });

  it("a member without the role can do nothing of it, and each try is written down", async () => {
    const eve = new Announcer(service, { user: "eve", roles: ["member"] });
    const path = `/v1/announcements/${ids.live}`;
    const why = "need the role moderator or admin";
    const tries = [
      ["POST", "/v1/announcements", { title: "Title", text: "Text" }, { name: "announce" }],
      ["PATCH", path, { title: "x" }, { name: "announcement.edit", target: ids.live }],
      ["DELETE", path, undefined, { name: "rescind", target: ids.live }],
    ] as const;
    for (const [method, to, body, act] of tries) {
      await expectRefused("eve", act, why, () => overHttp(eve, method, to, body, "forbidden"));
    }
    await expectRefused("eve", { name: "connect" }, why, async () => {
      const socket = moderation("eve", ["member"]);
      const error = await new Promise<Error & { data?: { code: string; message: string } }>((resolve) =>
        socket.on("connect_error", (thrown) => resolve(thrown)),
      );
      socket.disconnect();
      expect(error.data?.code).toBe("unauthorized");
      return error.data?.message ?? "";
    });
    const before = await stored();
    for (const to of ["/v1/announcements", path, `${path}/report`]) expect((await eve.call("GET", to)).status).toBe(403);
    const stranger = await fetch(`${service.url}/v1/announcements`, { method: "POST" });
    expect(stranger.status).toBe(401);
    expect(await stored()).toEqual(before);
  });

  it("a member settles only what is there for them", async () => {
    const bob = new Announcer(service, { user: "bob", roles: [] });
    const { id: other } = await server.announce({ audience: { users: ["watcher"] } });
    const { id: lasting } = await server.announce({ dismissible: false });
    const codes = async (verb: string, announcement: unknown) => (await bob.call("POST", `/v1/me/${verb}`, { announcement })).body.code;
    for (const id of [other, ids.rescinded, ids.expired, ids.unknown]) {
      expect([await codes("dismiss", id), await codes("acknowledge", id)]).toEqual(["not_found", "not_found"]);
    }
    for (const id of [7, "", null, undefined, "x".repeat(129)]) expect(await codes("dismiss", id)).toBe("bad_request");
    expect(await codes("dismiss", lasting)).toBe("bad_request");
    expect(await bob.must("GET", "/v1/me/announcements")).toMatchObject({ unread: 2, more: false });
    expect(await bob.must("GET", "/v1/me/notifications")).toMatchObject({ unread: 0, items: [] });
    await Promise.all([server.rescind(other), server.rescind(lasting)]);
  });
});
