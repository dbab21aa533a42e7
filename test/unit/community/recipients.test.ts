import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { MAX_RECIPIENTS, recipientsOf } from "../../../src/community/recipients.js";
import type { DomainEvent } from "../../../src/community/types.js";

function event(change: Partial<DomainEvent> = {}): DomainEvent {
  return {
    id: "e",
    act: "created",
    at: "2024-02-13T16:04:47.430Z",
    actor: { id: "actor" },
    thread: { id: "1", author: "starter" },
    comment: { id: "2", parentAuthor: "parent" },
    mentions: ["mentioned"],
    quotes: ["quoted"],
    skipped: [],
    ...change,
  };
}

const user = fc.constantFrom("a", "b", "c", "d", "e");
const anyEvent = fc
  .record({
    act: fc.constantFrom("created" as const, "updated" as const, "deleted" as const, "restored" as const),
    actor: user,
    mentions: fc.array(user),
    quotes: fc.array(user),
    parentAuthor: fc.option(user, { nil: undefined }),
    author: fc.option(user, { nil: undefined }),
    isComment: fc.boolean(),
  })
  .map(({ act, actor, mentions, quotes, parentAuthor, author, isComment }) => {
    const made = event({ act, actor: { id: actor }, mentions, quotes, thread: author === undefined ? { id: "1" } : { id: "1", author } });
    if (!isComment) delete made.comment;
    else made.comment = parentAuthor === undefined ? { id: "2" } : { id: "2", parentAuthor };
    return made;
  });

describe("who is told", () => {
  it("tells everybody whom a comment concerns, in the order mention, reply, quote, comment", () => {
    expect(recipientsOf(event()).told).toEqual([
      { user: "mentioned", reason: "mention" },
      { user: "parent", reason: "reply" },
      { user: "quoted", reason: "quote" },
      { user: "starter", reason: "comment" },
    ]);
  });

  it("tells a member once, with the first reason that fits", () => {
    const all = { mentions: ["x"], quotes: ["x"], comment: { id: "2", parentAuthor: "x" }, thread: { id: "1", author: "x" } };
    expect(recipientsOf(event(all)).told).toEqual([{ user: "x", reason: "mention" }]);
    expect(recipientsOf(event({ ...all, mentions: [] })).told).toEqual([{ user: "x", reason: "reply" }]);
    expect(recipientsOf(event({ ...all, mentions: [], comment: { id: "2" } })).told).toEqual([{ user: "x", reason: "quote" }]);
    expect(recipientsOf(event({ ...all, mentions: [], comment: { id: "2" }, quotes: [] })).told).toEqual([
      { user: "x", reason: "comment" },
    ]);
  });

  it("does not tell the starter of a thread that they started it", () => {
    const started = event({ mentions: [], quotes: [], thread: { id: "1", author: "starter" } });
    delete started.comment;
    expect(recipientsOf(started)).toEqual({ told: [], skipped: [] });
  });

  it("says of the actor that it is their own post, once, and only if they would have had a reason", () => {
    const own = event({ mentions: ["actor"], quotes: ["actor"], comment: { id: "2", parentAuthor: "actor" } });
    expect(recipientsOf(own).skipped).toEqual([{ user: "actor", why: "their own post" }]);
    expect(recipientsOf(event()).skipped).toEqual([]);
  });

  it("tells only those whom an edit mentions", () => {
    expect(recipientsOf(event({ act: "updated" })).told).toEqual([{ user: "mentioned", reason: "mention" }]);
  });

  it("tells nobody of a quiet event, and says why of each", () => {
    const { told, skipped } = recipientsOf(event({ quiet: "the post is hidden" }));
    expect(told).toEqual([]);
    expect(skipped.map(({ user, why }) => `${user}: ${why}`)).toEqual(
      ["mentioned", "parent", "quoted", "starter"].map((user) => `${user}: the post is hidden`),
    );
  });

  it("tells at most the limit of members and names the others", () => {
    const mentions = Array.from({ length: MAX_RECIPIENTS + 2 }, (_, index) => `m${index}`);
    const { told, skipped } = recipientsOf(event({ mentions, quotes: [] }));
    expect(told).toHaveLength(MAX_RECIPIENTS);
    expect(skipped).toHaveLength(4);
    expect(skipped[0]).toEqual({ user: `m${MAX_RECIPIENTS}`, why: "more than 1,000 recipients" });
  });

  it("keeps what a connector could not resolve", () => {
    expect(recipientsOf(event({ skipped: [{ user: "ghost", why: "unknown" }] })).skipped).toEqual([{ user: "ghost", why: "unknown" }]);
  });

  it("holds its rules for any event: nobody twice, never the actor, precedence, deletions silent", () => {
    fc.assert(
      fc.property(anyEvent, (any) => {
        const { told, skipped } = recipientsOf(any);
        const everybody = [...told, ...skipped].map((row) => row.user);
        expect(new Set(everybody).size).toBe(everybody.length);
        expect(told.map((row) => row.user)).not.toContain(any.actor?.id);

        const silent = any.act === "deleted" || any.act === "restored";
        const created = any.act === "created";
        const wanted = new Map<string, string>();
        const add = (id: string | undefined, reason: string) => id !== undefined && !wanted.has(id) && wanted.set(id, reason);
        if (!silent) for (const id of any.mentions) add(id, "mention");
        if (created) add(any.comment?.parentAuthor, "reply");
        if (created) for (const id of any.quotes) add(id, "quote");
        if (created && any.comment !== undefined) add(any.thread?.author, "comment");
        const own = wanted.delete(any.actor?.id ?? "");
        expect(told.map((row) => [row.user, row.reason])).toEqual([...wanted]);
        expect(skipped).toHaveLength(own ? 1 : 0);
      }),
    );
  });
});
