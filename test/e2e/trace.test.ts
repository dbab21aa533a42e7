import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Answer, call, tokenOf } from "../support/call.js";
import { mongoUrl } from "../support/mongo-url.js";
import { notify } from "../support/notify.js";
import { type Service, startService } from "../support/service.js";

const STORES = [
  { store: "SQLite", env: () => ({}) },
  { store: "MongoDB", env: () => ({ MONGODB_URL: mongoUrl("trace") }) },
];

let service: Service;

const trace = (user: string, event: string, credential = service.apiKey): Promise<Answer> =>
  call(service, "GET", `/v1/trace?${new URLSearchParams({ user, event })}`, credential);

async function send(event: object): Promise<Array<{ user: string; id: string }>> {
  const answer = await call(service, "POST", "/v1/events", service.apiKey, event);
  expect(answer).toMatchObject({ status: 202 });
  return answer.body.notified as Array<{ user: string; id: string }>;
}

/** All steps of a trace, as one text. */
async function wordsOf(user: string, event: string): Promise<string> {
  const { status, body } = await trace(user, event);
  expect({ status, user: body.user, event: body.event }).toEqual({ status: 200, user, event });
  return (body.steps as string[]).join("\n");
}

describe.each(STORES)("a trace, on $store, says in words", ({ env }) => {
  const event = (type: string) => ({
    id: `${type}-1531`,
    type: `comment.${type}`,
    actor: { id: "author" },
    thread: { id: "497", category: "7", tags: ["music"], author: "starter" },
    comment: { id: "1531", parentAuthor: "parent", mentions: ["mentioned", "author", "blocking", "muting"] },
  });
  let told: Array<{ user: string; id: string }> = [];

  beforeAll(async () => {
    service = await startService({ env: env() });
    const set = (user: string, path: string, body?: object) => call(service, "PUT", `/v1/me/${path}`, tokenOf(service, user), body);
    await call(service, "PUT", "/v1/members/author", service.apiKey, {});
    const settings = await Promise.all([
      set("blocking", "blocks/author"),
      set("muting", "levels", { scope: "category", id: "7", level: "muted" }),
      set("watching", "levels", { scope: "tag", id: "music", level: "watching" }),
    ]);
    expect(settings.map(({ status }) => status)).toEqual([200, 200, 200]);
    told = await send(event("created"));
  });

  afterAll(async () => {
    await service.stop();
  });

  it.each([
    ["mentioned", "mention"],
    ["parent", "reply"],
    ["starter", "comment"],
    ["watching", "watching"],
  ])("that %s was told, why, and where it is", async (user, reason) => {
    expect((await trace(user, "created-1531")).body).toMatchObject({ told: true, reason });
    const words = await wordsOf(user, "created-1531");
    expect(words).toContain(`Member ${user} was told with reason ${reason}: entry 1 of their inbox`);
    expect(words).toContain(String(told.find((one) => one.user === user)?.id));
  });

  it.each([
    ["author", "their own post"],
    ["blocking", "blocked the author"],
    ["muting", "muted the category 7"],
    ["stranger", "is none of those whom it concerned"],
    ["__proto__", "is none of those whom it concerned"],
  ])("that %s was not, and why", async (user, why) => {
    const { body } = await trace(user, "created-1531");
    expect(body).toMatchObject({ told: false });
    expect(body).not.toHaveProperty("reason");
    expect(await wordsOf(user, "created-1531")).toContain(why);
  });

  it("what has become of it: read, of an edit told before, rescinded, back again", async () => {
    const id = told.find(({ user }) => user === "mentioned")?.id;
    expect(await wordsOf("mentioned", "created-1531")).toContain("It has not been read.");
    await call(service, "POST", "/v1/me/read", tokenOf(service, "mentioned"), { ids: [id] });
    expect(await wordsOf("mentioned", "created-1531")).toMatch(/It was read at \d{4}-/);
    await send(event("updated"));
    expect((await trace("mentioned", "updated-1531")).body).toMatchObject({ told: false });
    expect(await wordsOf("mentioned", "updated-1531")).toContain("they had already been told of this post by created-1531");

    await send(event("deleted"));
    expect(await wordsOf("mentioned", "created-1531")).toMatch(/It was rescinded: deleted\.\nIt was read at .*\nThe post is gone now/);
    expect(await wordsOf("mentioned", "deleted-1531")).toContain("a deletion or a restoration");
    await send(event("restored"));
    expect(await wordsOf("mentioned", "created-1531")).not.toMatch(/rescinded|gone/);
  });

  it("what was set then, not what is set now, also after a kill -9", async () => {
    await call(service, "DELETE", "/v1/me/blocks/author", tokenOf(service, "blocking"));
    await call(service, "PUT", "/v1/me/levels", tokenOf(service, "mentioned"), { scope: "all", level: "muted" });
    await service.kill9();
    await service.start();
    expect(await wordsOf("blocking", "created-1531")).toContain("blocked the author");
    expect((await trace("mentioned", "created-1531")).body).toMatchObject({ told: true });
  });

  it("to whom a direct notification or a message went", async () => {
    await notify(service, ["mentioned"], "hello", "greeting");
    expect((await trace("mentioned", "direct:greeting")).body).toMatchObject({ told: true, reason: "direct" });
    expect(await wordsOf("parent", "direct:greeting")).toContain("is none of those that it was sent to");
    const message = { to: "mentioned", text: "hello", key: "hi" };
    expect(await call(service, "POST", "/v1/messages", tokenOf(service, "parent"), message)).toMatchObject({ status: 200 });
    expect((await trace("mentioned", "message:parent:hi")).body).toMatchObject({ told: true, reason: "direct" });
  });

  it("to servers and moderators only, and of what is known only", async () => {
    expect(await trace("mentioned", "created-1531", tokenOf(service, "mod", "moderator"))).toMatchObject({ status: 200 });
    expect(await trace("mentioned", "created-1531", tokenOf(service, "boss", "admin"))).toMatchObject({ status: 200 });
    const refused = await trace("mentioned", "created-1531", tokenOf(service, "mentioned", "helper"));
    expect(refused).toMatchObject({ status: 403, body: { code: "forbidden" } });
    expect(await trace("mentioned", "created-1531", "nonsense")).toMatchObject({ status: 401, body: { code: "unauthorized" } });
    for (const unknown of ["created-1532", "__proto__", "direct:farewell"]) {
      expect(await trace("mentioned", unknown)).toMatchObject({ status: 404, body: { code: "not_found" } });
    }
    for (const query of [
      "",
      "user=mentioned",
      "event=created-1531",
      `user=${"x".repeat(200)}&event=x`,
      "user=a&user=b&event=x",
      "user[x]=a&event=x",
    ]) {
      expect(await call(service, "GET", `/v1/trace?${query}`, service.apiKey)).toMatchObject({
        status: 400,
        body: { code: "bad_request" },
      });
    }
  });
});
