import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Notification } from "../../../src/inbox/index.js";
import { MAX_PAYLOAD_BYTES } from "../../../src/push/limits.js";
import { encodePayload } from "../../../src/push/payload.js";

const AT = "2026-11-21T09:32:28.412Z";

function notification(over: Record<string, unknown> = {}): Notification {
  return {
    id: "Zt0v8oYxQ2s-1l",
    seq: 57,
    reason: "reply",
    type: "comment",
    actor: { id: "7", name: "Member 7", avatar: "https://forum.example/a/7.png" },
    thread: { id: "497", title: "Topic 497", url: "https://forum.example/t/497" },
    comment: { id: "1531", url: "https://forum.example/t/497/2" },
    text: "I think so too, because …",
    url: "https://forum.example/t/497/2",
    createdAt: AT,
    readAt: null,
    archivedAt: null,
    ...over,
  };
}

const payloadOf = (over: Record<string, unknown> = {}) => JSON.parse(encodePayload("31", notification(over), 3, AT));

describe("the message to a device", () => {
  it("says who did what and where, in words and in fields", () => {
    expect(payloadOf()).toEqual({
      v: 1,
      id: "Zt0v8oYxQ2s-1l",
      tag: "Zt0v8oYxQ2s-1l",
      user: "31",
      title: "Member 7 replied to you",
      body: "I think so too, because …",
      url: "https://forum.example/t/497/2",
      unread: 3,
      at: AT,
      reason: "reply",
      type: "comment",
      actor: { id: "7", name: "Member 7" },
      thread: { id: "497", title: "Topic 497" },
    });
  });

  it.each([
    ["mention", {}, "Member 7 mentioned you"],
    ["quote", {}, "Member 7 quoted you"],
    ["comment", {}, "Member 7 wrote in your thread “Topic 497”"],
    ["watching", {}, "Member 7 wrote in “Topic 497”"],
    ["watching", { thread: undefined }, "Member 7 wrote in a thread that you watch"],
    ["comment", { actor: { id: "7" } }, "7 wrote in your thread “Topic 497”"],
    ["reply", { actor: undefined }, "Somebody replied to you"],
    ["direct", { type: "message" }, "Member 7 sent you a message"],
    ["direct", { type: "task", actor: { id: "system", name: "Export" } }, "Export"],
    ["direct", { type: "hello", actor: { id: "system" } }, "A notification for you"],
    ["__proto__", { type: "toString" }, "Member 7"],
  ])("has words for the reason %s (%j)", (reason, over, title) => {
    expect(payloadOf({ reason, ...over }).title).toBe(title);
  });

  it("leads to the nearest place that is known, and says the thread where there is no text", () => {
    expect(payloadOf({ url: undefined }).url).toBe("https://forum.example/t/497/2");
    expect(payloadOf({ url: undefined, comment: { id: "1" }, text: undefined })).toMatchObject({
      url: "https://forum.example/t/497",
      body: "Topic 497",
    });
    expect(payloadOf({ url: undefined, comment: undefined, thread: undefined, text: undefined })).toMatchObject({ body: "" });
  });

  it("gives up names, then the place, where not all of it fits, and never what it is", () => {
    const long = `https://forum.example/${"ü".repeat(1_000)}`;
    const crowded = payloadOf({ url: long, text: "🔔".repeat(4_000), actor: { id: "ß".repeat(128), name: "🦉".repeat(300) } });
    expect(crowded).not.toHaveProperty("url");
    expect(crowded).toMatchObject({ id: "Zt0v8oYxQ2s-1l", unread: 3, reason: "reply" });
    expect(crowded.body.length).toBeGreaterThan(100);
    expect(payloadOf({ url: `https://forum.example/${"x".repeat(1_900)}`, text: "🔔".repeat(4_000) })).not.toHaveProperty("actor");
  });

  it("is JSON of at most 3 KiB, whatever it is about", () => {
    const text = (maxLength: number) => fc.string({ maxLength, unit: "binary" });
    const anything = fc.record(
      {
        reason: fc.constantFrom("reply", "mention", "direct", "watching"),
        type: text(64),
        text: text(4_000),
        url: text(2_048),
        actor: fc.record({ id: text(128), name: text(300) }),
        thread: fc.record({ id: text(128), title: text(300), url: text(2_048) }),
      },
      { requiredKeys: ["reason", "type"] },
    );
    fc.assert(
      fc.property(text(128), anything, (user, over) => {
        const encoded = encodePayload(user, notification(over), 1, AT);
        expect(Buffer.byteLength(encoded)).toBeLessThanOrEqual(MAX_PAYLOAD_BYTES);
        expect(JSON.parse(encoded)).toMatchObject({ v: 1, user, reason: over.reason });
      }),
      { numRuns: 300 },
    );
  });
});
