import { beforeEach, describe, expect, it } from "@jest/globals";
import { Community, DiscourseConnector, type EventAnswer } from "../../../src/community/index.js";
import { BelfryError } from "../../../src/errors.js";
import {
  MemoryAcquaintances,
  MemoryDirectory,
  MemoryInbox,
  MemoryPreferences,
  MemoryPublisher,
  MemorySubjects,
} from "../../support/community-ports.js";
import { expectedForum, readForum } from "../../support/expected-forum.js";

const INSTANCE = "https://forum.example";

let calls: string[];
let publisher: MemoryPublisher;
let directory: MemoryDirectory;
let connector: DiscourseConnector;
let preferences: MemoryPreferences;
let hooks: number;

beforeEach(() => {
  calls = [];
  hooks = 0;
  publisher = new MemoryPublisher(calls);
  directory = new MemoryDirectory();
  preferences = new MemoryPreferences();
  const community = new Community({
    publisher,
    inbox: new MemoryInbox(calls),
    subjects: new MemorySubjects(),
    preferences,
    acquaintances: new MemoryAcquaintances(),
  });
  connector = new DiscourseConnector({ community, directory });
});

function receive(event: string, body: unknown, eventId: string | null = `hook-${hooks++}`): Promise<EventAnswer | null> {
  return connector.receive({ event, eventId, instance: INSTANCE, body });
}

function post(change: object = {}) {
  return {
    post: {
      id: 100,
      user_id: 1,
      username: "Ann",
      name: "Ann A.",
      avatar_template: "/letter/ann/{size}.png",
      created_at: "2024-01-01T00:00:00.000Z",
      updated_at: "2024-01-02T00:00:00.000Z",
      topic_id: 7,
      topic_slug: "hello",
      topic_title: "Hello",
      category_id: 5,
      post_number: 1,
      post_type: 1,
      reply_to_post_number: null,
      version: 1,
      hidden: false,
      deleted_at: null,
      raw: "text",
      ...change,
    },
  };
}

const comment = (change: object = {}) => post({ id: 101, user_id: 2, username: "ben", name: null, post_number: 2, ...change });
const told = (answer: EventAnswer | null) => answer?.notified.map(({ user, reason }) => `${user} ${reason}`);

describe("Discourse's webhooks", () => {
  it("cause exactly the notifications that the forum's data calls for, row by row", async () => {
    const forum = await readForum();
    const rows = [];
    for (const body of forum) {
      const { post } = body as { post: { id: number; user_id: number } };
      const answer = await receive("post_created", body);
      for (const { user, reason } of answer?.notified ?? []) rows.push({ user, post: post.id, reason, actor: String(post.user_id) });
    }
    expect(rows).toHaveLength(2_040);
    expect(rows).toEqual(expectedForum(forum));
  });

  it("make the same notification of a hook sent again, under the same event id or another", async () => {
    await receive("post_created", post());
    const first = await receive("post_created", comment(), "h1");
    expect(first).toMatchObject({ duplicate: false, notified: [{ user: "1", reason: "comment" }] });
    expect(await receive("post_created", comment(), "h1")).toEqual({ ...first, duplicate: true });
    expect(await receive("post_created", comment(), "h2")).toEqual({ ...first, duplicate: true });
    expect(await receive("post_created", comment(), null)).toEqual({ ...first, duplicate: true });
    expect(publisher.log).toHaveLength(1);
  });

  it("show who, where and what", async () => {
    await receive("post_created", post());
    await receive(
      "post_created",
      comment({ raw: '[quote="Ann, post:1, topic:7"]\nold\n[/quote]\n\nnew\n  words', avatar_template: "//cdn.example/{size}.png" }),
    );
    expect(JSON.parse(publisher.log[0]?.shared ?? "")).toEqual({
      type: "comment",
      actor: { id: "2", name: "ben", avatar: "https://cdn.example/48.png" },
      thread: { id: "7", title: "Hello", url: "https://forum.example/t/hello/7" },
      comment: { id: "101", url: "https://forum.example/t/hello/7/2" },
      text: "new words",
      url: "https://forum.example/t/hello/7/2",
      createdAt: "2024-01-01T00:00:00.000Z",
    });
    expect(directory.members.get("ann")).toEqual({
      id: "1",
      username: "Ann",
      name: "Ann A.",
      avatar: "https://forum.example/letter/ann/48.png",
    });
  });

  it.each([
    [{ tags: ["x", "y"] }, ["x", "y"]],
    [{ topic_tags: [{ id: 1, name: "x", slug: "x" }] }, ["x"]],
    [{ tags: ["x", "", null, 7, { name: 7 }, "z".repeat(200)] }, ["x"]],
    [{ tags: "x" }, undefined],
    [{}, undefined],
  ])("say where it happened for watch levels: the topic, its category, and of %j the tags %j", async (change, tags) => {
    const asked: unknown[] = [];
    preferences.watchers = (...args: unknown[]) => {
      asked.push(args[0]);
      return ["9"];
    };
    expect(told(await receive("post_created", post(change)))).toEqual(["9 watching"]);
    expect(asked).toEqual([{ thread: "7", category: "5", ...(tags && { tags }) }]);
  });

  it("give no address of a forum that has none, and no address that is not the web's", async () => {
    await connector.receive({ event: "post_created", eventId: null, instance: "javascript:alert(1)", body: post() });
    await connector.receive({
      event: "post_created",
      eventId: null,
      instance: "javascript:alert(1)",
      body: comment({ avatar_template: "javascript:alert({size})", topic_slug: "../../x" }),
    });
    expect(publisher.log[0]?.shared).not.toMatch(/javascript|"url"|avatar/);
  });

  it("treat a topic's first post as the thread, and system as a member", async () => {
    await receive("user_created", { user: { id: 9, username: "Zoe" } });
    const answer = await receive("post_created", post({ raw: "hello @zoe", user_id: -1, username: "system" }));
    expect(told(answer)).toEqual(["9 mention"]);
    expect(JSON.parse(publisher.log[0]?.shared ?? "")).toMatchObject({
      type: "thread",
      actor: { id: "-1" },
      url: "https://forum.example/t/hello/7",
    });
    expect(publisher.log[0]?.key).toBe("thread:7");
  });

  it("say of whom nothing is known that they were skipped", async () => {
    const answer = await receive(
      "post_created",
      comment({ raw: '@Ghost @ghost [quote="Ghoul, post:1, topic:7"]x[/quote]', reply_to_post_number: 5 }),
    );
    expect(answer).toMatchObject({
      notified: [],
      skipped: [
        { user: "Ghost", why: "no member with this username is known" },
        { user: "Ghoul", why: "no member with this username is known" },
        { user: "post 5 of topic 7", why: "its author is not known" },
        { user: "post 1 of topic 7", why: "its author is not known" },
      ],
    });
  });

  it("look up a bounded number of names", async () => {
    const raw = Array.from({ length: 700 }, (_, index) => `@ghost${index}`).join(" ");
    const answer = await receive("post_created", comment({ raw }));
    expect(answer?.skipped[0]).toEqual({ user: "200 more names", why: "more than 500 names in one post" });
    expect(answer?.skipped).toHaveLength(502);
  });

  it.each([
    ["hidden", { hidden: true }, "the post is hidden"],
    ["deleted", { deleted_at: "2024-01-03T00:00:00.000Z" }, "the post is deleted"],
    ["of another type", { post_type: 4 }, "not a regular post"],
    ["private", { topic_archetype: "private_message" }, "a private message"],
  ])("tell nobody of a post that is %s, and say why", async (_, change, why) => {
    await receive("post_created", post());
    const answer = await receive("post_created", comment({ raw: "@ann", ...change }));
    expect(answer).toMatchObject({ duplicate: false, notified: [], skipped: [{ user: "1", why }] });
    expect(await receive("post_created", comment({ raw: "@ann", ...change }))).toEqual({ ...answer, duplicate: true });
    expect(publisher.log).toEqual([]);
  });

  it("tell the members whom an edit newly mentions, once a version", async () => {
    await receive("user_created", { user: { id: 9, username: "zoe" } });
    await receive("post_created", post());
    await receive("post_created", comment());
    const edited = comment({ raw: "@zoe @ann", version: 2 });
    expect(told(await receive("post_edited", edited))).toEqual(["9 mention"]);
    expect(await receive("post_edited", edited)).toMatchObject({ duplicate: true });
    expect(told(await receive("post_edited", comment({ raw: "@zoe @ben", version: 3 })))).toEqual([]);
  });

  it("take back what a post caused when it is destroyed or hidden, and bring it back when it is recovered", async () => {
    await receive("post_created", comment());
    await receive("post_edited", comment({ version: 2 }));
    await receive("post_edited", comment({ version: 2, hidden: true }));
    await receive("post_recovered", comment({ version: 2, hidden: true }));
    await receive("post_recovered", comment({ version: 2, updated_at: "2024-01-04T00:00:00.000Z" }));
    const destroyed = (at: string) =>
      receive("post_destroyed", comment({ version: 2, deleted_at: at, user_id: null, username: null, raw: undefined }));
    await destroyed("2024-01-05T00:00:00.000Z");
    expect(await destroyed("2024-01-05T00:00:00.000Z")).toMatchObject({ duplicate: true });
    expect(await destroyed("2024-01-06T00:00:00.000Z")).toMatchObject({ duplicate: false });
    await receive("post_destroyed", post());
    const acts = calls.filter((call) => !call.startsWith("stored")).map((call) => call.replace(/discourse:[0-9a-f]{12}:/, ""));
    expect(acts).toEqual([
      "rescind comment:101 by post_edited:101:2:hidden: hidden",
      "restore comment:101 by post_recovered:101:2:1704326400000",
      "rescind comment:101 by post_destroyed:101:2:1704412800000: deleted",
      "rescind comment:101 by post_destroyed:101:2:1704499200000: deleted",
      "rescind thread:7 by post_destroyed:100:1:: deleted",
    ]);
  });

  it("take an edit of a hidden post that is visible since as its return, and nothing that is older", async () => {
    await receive("user_created", { user: { id: 9, username: "zoe" } });
    const day = (number: number) => `2024-01-0${number}T00:00:00.000Z`;
    await receive("post_created", comment({ updated_at: day(1) }));
    await receive("post_edited", comment({ hidden: true, updated_at: day(3) }));
    const older = await receive("post_edited", comment({ version: 2, raw: "@zoe", updated_at: day(2) }));
    expect(older).toMatchObject({ notified: [], skipped: [{ user: "9", why: "the post is gone" }] });
    const undated = await receive("post_edited", comment({ version: 3, raw: "@zoe", updated_at: null }));
    expect(undated).toMatchObject({ notified: [], skipped: [{ user: "9", why: "the post is gone" }] });
    expect(calls.join()).not.toContain("restore");
    expect(told(await receive("post_edited", comment({ version: 4, raw: "@zoe", updated_at: day(4) })))).toEqual(["9 mention"]);
    expect(calls.join()).toContain("restore comment:101");
  });

  it("follow a member to a new username", async () => {
    await receive("user_created", { user: { id: 9, username: "zoe" } });
    await receive("user_updated", { user: { id: 9, username: "Zora" } });
    expect(told(await receive("post_created", post({ raw: "@zora" })))).toEqual(["9 mention"]);
  });

  it.each(["ping", "topic_created", "user_logged_in", "__proto__", ""])(
    "are acknowledged and forgotten where the event is %j",
    async (event) => {
      expect(await receive(event, null)).toBeNull();
      expect(calls).toEqual([]);
    },
  );

  it.each<[string, unknown, string]>([
    ["post_created", null, "The body must be an object."],
    ["post_created", {}, "post is missing."],
    ["post_created", { post: [] }, "post must be an object."],
    ["post_created", post({ id: "100" }), "post.id must be a number."],
    ["post_created", post({ id: 1.5 }), "post.id must be a whole number."],
    ["post_created", post({ user_id: null }), "post.user_id must be a number."],
    ["post_created", post({ user_id: -2 }), "post.user_id must be"],
    ["post_created", post({ username: { $gt: "" } }), "post.username must be a string."],
    ["post_created", post({ raw: undefined }), "post.raw is missing."],
    ["post_created", post({ post_number: 0 }), "post.post_number must be at least 1."],
    ["post_created", post({ version: undefined }), "post.version is missing."],
    ["post_created", post({ hidden: "no" }), "post.hidden must be a boolean."],
    ["post_created", post({ created_at: "now" }), "post.created_at must be a time"],
    ["post_destroyed", post({ topic_id: 0 }), "post.topic_id must be at least 1."],
    ["user_created", { user: { id: 1 } }, "user.username is missing."],
  ])("are refused where a body of %s is malformed, before anything is learned", async (event, body, message) => {
    const error = await receive(event, body).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BelfryError);
    expect(error).toMatchObject({ code: "bad_request", message: expect.stringContaining(message) });
    expect([calls, directory.members.size]).toEqual([[], 0]);
  });

  it("are refused where the event id is no id", async () => {
    await expect(receive("post_created", post(), "x".repeat(129))).rejects.toMatchObject({ code: "bad_request" });
    await expect(receive("post_created", post(), "")).rejects.toMatchObject({ code: "bad_request" });
  });
});
