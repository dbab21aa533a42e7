import { describe, expect, it } from "@jest/globals";
import { MAX_DATA_BYTES } from "../../../src/checked.js";
import { MAX_MENTIONS, parseEvent, parseNotification } from "../../../src/community/event-schema.js";
import { BelfryError } from "../../../src/errors.js";

const EXAMPLE = JSON.parse(`{ "id": "comment-1531", "type": "comment.created", "at": "2024-02-13T16:04:47.430Z",
  "actor": { "id": "31", "name": "Member 31" },
  "thread": { "id": "497", "title": "Topic 497", "url": "https://forum.example/t/497", "author": "7", "category": "7", "tags": [] },
  "comment": { "id": "1531", "parent": "1530", "parentAuthor": "12", "url": "https://forum.example/t/497/2", "excerpt": "…",
               "mentions": ["3"], "quotes": ["9"] } }`);

/** The example with one field replaced (or, with undefined, taken away), by its path. */
function withField(path: string, value: unknown): unknown {
  const copy = structuredClone(EXAMPLE);
  const steps = path.split(".");
  const last = steps.pop() as string;
  const parent = steps.reduce((object, step) => object[step], copy);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

function refusal(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (error instanceof BelfryError && error.code === "bad_request") return error.message;
    throw error;
  }
  return "accepted";
}

describe("a domain event from outside", () => {
  it("becomes the event of the contract's example", () => {
    expect(parseEvent(EXAMPLE)).toEqual({
      id: "comment-1531",
      act: "created",
      at: "2024-02-13T16:04:47.430Z",
      actor: { id: "31", name: "Member 31" },
      thread: { id: "497", title: "Topic 497", url: "https://forum.example/t/497", author: "7", category: "7", tags: [] },
      comment: { id: "1531", parent: "1530", parentAuthor: "12", url: "https://forum.example/t/497/2" },
      excerpt: "…",
      mentions: ["3"],
      quotes: ["9"],
      skipped: [],
    });
  });

  it("takes a deletion that says no more than which comment", () => {
    const event = parseEvent({ id: "d1", type: "comment.deleted", comment: { id: "1531" } });
    expect(event).toMatchObject({ act: "deleted", comment: { id: "1531" } });
    expect(event).not.toHaveProperty("actor");
    expect(Date.parse(event.at)).not.toBeNaN();
  });

  it("takes a thread without a comment, with its own mentions", () => {
    const thread = { id: "9", author: "1", mentions: ["2"], quotes: ["3"], excerpt: "hello" };
    const event = parseEvent({ id: "t", type: "thread.created", actor: { id: "1" }, thread, comment: { id: "ignored" } });
    expect(event).toMatchObject({ act: "created", thread: { id: "9", author: "1" }, mentions: ["2"], quotes: ["3"], excerpt: "hello" });
    expect(event).not.toHaveProperty("comment");
  });

  it("takes null for an optional field as its absence", () => {
    for (const path of [
      "at",
      "actor.name",
      "thread.url",
      "comment.parent",
      "comment.parentAuthor",
      "comment.mentions",
      "comment.excerpt",
    ]) {
      const [nothing, absent] = [parseEvent(withField(path, null)), parseEvent(withField(path, undefined))];
      expect({ ...nothing, at: "" }).toEqual({ ...absent, at: "" });
    }
  });

  it("cuts a long excerpt, title and name by characters and refuses none of them", () => {
    const event = parseEvent({
      ...EXAMPLE,
      actor: { id: "1", name: "n".repeat(1_000) },
      thread: { id: "1", title: "t".repeat(1_000) },
      comment: { id: "1", excerpt: "😀".repeat(1_000) },
    });
    expect([event.actor?.name?.length, event.thread?.title?.length]).toEqual([300, 300]);
    expect(event.excerpt).toBe("😀".repeat(500));
  });

  it("ignores what it does not know, __proto__ included", () => {
    const event = parseEvent(
      JSON.parse(JSON.stringify(EXAMPLE).replace("{", '{"__proto__":{"polluted":1},"constructor":1,"extra":{"deep":[]},')),
    );
    expect(event).toEqual(parseEvent(EXAMPLE));
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it.each<[string, unknown, string]>([
    ["id", 1531, "id must be a string."],
    ["id", undefined, "id is missing."],
    ["id", null, "id must be a string."],
    ["id", { $gt: "" }, "id must be a string."],
    ["id", "", "id must be 1 to 128 characters"],
    ["id", "x".repeat(129), "id must be 1 to 128 characters"],
    ["id", "a\u0000b", "none of them a control character"],
    ["id", "\ud800", "id must be 1 to 128 characters"],
    ["type", "comment.exploded", "type must be one of comment.created"],
    ["type", undefined, "type is missing."],
    ["type", ["comment.created"], "type must be one of"],
    ["at", "yesterday", "at must be a time as RFC 3339 has it"],
    ["at", "2024-02-30T00:00:00Z", "at must be a time"],
    ["at", "2024-02-13", "at must be a time"],
    ["at", 1707840287430, "at must be a string."],
    ["at", "0000-01-01T00:00:00+23:59", "at must be a time in the years"],
    ["actor", undefined, "actor is missing."],
    ["actor", "31", "actor must be an object."],
    ["actor.id", 31, "actor.id must be a string."],
    ["actor.id", JSON.parse('{"__proto__":"x"}'), "actor.id must be a string."],
    ["actor.avatar", "javascript:alert(1)", "actor.avatar must be a URL that starts with http:// or https://."],
    ["thread", undefined, "thread is missing."],
    ["thread", [], "thread must be an object."],
    ["thread.id", { $gt: "" }, "thread.id must be a string."],
    ["thread.url", "//forum.example/t/1", "thread.url must be a URL"],
    ["thread.tags", "a", "thread.tags must be an array."],
    ["comment", undefined, "comment is missing."],
    ["comment", null, "comment is missing."],
    ["comment.url", "data:text/html,x", "comment.url must be a URL"],
    ["comment.url", `https://x/${"y".repeat(2_048)}`, "comment.url must have at most 2048 characters."],
    ["comment.mentions", "3", "comment.mentions must be an array."],
    ["comment.mentions", [3], "comment.mentions[0] must be a string."],
    ["comment.mentions", [{ $gt: "" }], "comment.mentions[0] must be a string."],
    ["comment.mentions", Array(MAX_MENTIONS + 1).fill("a"), `comment.mentions must have at most ${MAX_MENTIONS} items.`],
    ["comment.quotes", { length: 1 }, "comment.quotes must be an array."],
    ["comment.excerpt", 1, "comment.excerpt must be a string."],
    ["comment.parentAuthor", 12, "comment.parentAuthor must be a string."],
  ])("is refused where %s is %j, with the fault in words", (path, value, message) => {
    expect(refusal(() => parseEvent(withField(path, value)))).toContain(message);
  });

  it.each([null, undefined, 5, "x", true, [], [EXAMPLE]])("is refused where it is %j", (input) => {
    expect(refusal(() => parseEvent(input))).toBe(input === undefined ? "The event is missing." : "The event must be an object.");
  });

  it("never says the faulty value back", () => {
    expect(refusal(() => parseEvent(withField("comment.url", "secret:token")))).not.toContain("token");
  });
});

describe("a direct notification from outside", () => {
  const plain = { to: ["1", "2"], type: "welcome" };

  it("is taken with all its fields", () => {
    const full = {
      ...plain,
      actor: { id: "9" },
      text: "Hello",
      url: "https://forum.example/",
      thread: { id: "4", title: "T" },
      data: { nested: { ok: [1] } },
      key: "k1",
    };
    expect(parseNotification({ ...full, extra: 1 })).toEqual(full);
    expect(parseNotification(plain)).toEqual(plain);
  });

  it.each<[string, unknown, string]>([
    ["to", undefined, "to is missing."],
    ["to", "1", "to must be an array."],
    ["to", [], "to must have at least 1 items."],
    ["to", Array(1_001).fill("a"), "to must have at most 1000 items."],
    ["to", [1], "to[0] must be a string."],
    ["to", [{ $gt: "" }], "to[0] must be a string."],
    ["type", "", "type must have at least 1 characters."],
    ["type", 1, "type must be a string."],
    ["text", "x".repeat(4_001), "text must have at most 4000 characters."],
    ["url", "javascript:alert(1)", "url must be a URL"],
    ["data", [], "data must be an object."],
    ["data", "x", "data must be an object."],
    ["data", { x: "é".repeat(MAX_DATA_BYTES / 2) }, `data must have at most ${MAX_DATA_BYTES} bytes as JSON.`],
    ["data", JSON.parse(`{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`), "data must have at most"],
    ["key", 1, "key must be a string."],
  ])("is refused where %s is wrong", (field, value, message) => {
    expect(refusal(() => parseNotification({ ...plain, [field]: value }))).toContain(message);
  });
});
