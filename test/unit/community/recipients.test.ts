import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Where, Wishes } from "../../../src/community/ports.js";
import { MAX_RECIPIENTS, MAX_SKIPPED, mostConcerned, recipientsOf } from "../../../src/community/recipients.js";
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

interface Table {
  watching?: string[];
  /** By member, what they muted: the scope and its id. */
  muted?: Record<string, [scope: "thread" | "tag" | "category" | "all", id: string]>;
  /** Member and the one whom they block. */
  blocks?: Array<[user: string, other: string]>;
  /** What the rule asked for. */
  asked?: Where[];
}

/** Wishes from a table: they are the same everywhere. */
function wishes({ watching = [], muted = {}, blocks = [], asked = [] }: Table = {}): Wishes {
  return {
    levelFor(user, where) {
      asked.push(where);
      const setting = Object.hasOwn(muted, user) ? muted[user] : undefined;
      if (setting !== undefined) return { level: "muted", scope: setting[0], id: setting[1] };
      return { level: watching.includes(user) ? "watching" : "normal", scope: null, id: "" };
    },
    watchers: () => watching.filter((user) => !Object.hasOwn(muted, user)),
    mostWatchers: () => watching.length,
    blocks: (user, other) => blocks.some(([one, blocked]) => one === user && blocked === other),
  };
}
const NOTHING_SET = wishes();

const user = fc.constantFrom("a", "b", "c", "d", "e");
const anyTable = fc.record({
  watching: fc.uniqueArray(user),
  muted: fc.dictionary(
    user,
    fc.constantFrom(["thread", "1"] as const, ["tag", "x"] as const, ["category", "7"] as const, ["all", ""] as const),
  ),
  blocks: fc.array(fc.tuple(user, user)),
}) as fc.Arbitrary<Required<Omit<Table, "asked">>>;
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
    expect(recipientsOf(event(), NOTHING_SET).told).toEqual([
      { user: "mentioned", reason: "mention" },
      { user: "parent", reason: "reply" },
      { user: "quoted", reason: "quote" },
      { user: "starter", reason: "comment" },
    ]);
  });

  it("tells a member once, with the first reason that fits", () => {
    const all = { mentions: ["x"], quotes: ["x"], comment: { id: "2", parentAuthor: "x" }, thread: { id: "1", author: "x" } };
    expect(recipientsOf(event(all), NOTHING_SET).told).toEqual([{ user: "x", reason: "mention" }]);
    expect(recipientsOf(event({ ...all, mentions: [] }), NOTHING_SET).told).toEqual([{ user: "x", reason: "reply" }]);
    expect(recipientsOf(event({ ...all, mentions: [], comment: { id: "2" } }), NOTHING_SET).told).toEqual([{ user: "x", reason: "quote" }]);
    expect(recipientsOf(event({ ...all, mentions: [], comment: { id: "2" }, quotes: [] }), NOTHING_SET).told).toEqual([
      { user: "x", reason: "comment" },
    ]);
  });

  it("does not tell the starter of a thread that they started it", () => {
    const started = event({ mentions: [], quotes: [], thread: { id: "1", author: "starter" } });
    delete started.comment;
    expect(recipientsOf(started, NOTHING_SET)).toEqual({ told: [], skipped: [] });
  });

  it("says of the actor that it is their own post, once, and only if they would have had a reason", () => {
    const own = event({ mentions: ["actor"], quotes: ["actor"], comment: { id: "2", parentAuthor: "actor" } });
    expect(recipientsOf(own, NOTHING_SET).skipped).toEqual([{ user: "actor", why: "their own post" }]);
    expect(recipientsOf(event(), NOTHING_SET).skipped).toEqual([]);
  });

  it("tells only those whom an edit mentions", () => {
    expect(recipientsOf(event({ act: "updated" }), NOTHING_SET).told).toEqual([{ user: "mentioned", reason: "mention" }]);
  });

  it("tells nobody of a quiet event, and says why of each", () => {
    const { told, skipped } = recipientsOf(event({ quiet: "the post is hidden" }), NOTHING_SET);
    expect(told).toEqual([]);
    expect(skipped.map(({ user, why }) => `${user}: ${why}`)).toEqual(
      ["mentioned", "parent", "quoted", "starter"].map((user) => `${user}: the post is hidden`),
    );
  });

  it("tells at most the limit of members, those who only watch last, and names some of the others", () => {
    const watching = Array.from({ length: MAX_RECIPIENTS + MAX_SKIPPED + 7 }, (_, index) => `w${index}`);
    const { told, skipped } = recipientsOf(event(), wishes({ watching }));
    expect(told).toHaveLength(MAX_RECIPIENTS);
    expect(told.slice(0, 5).map(({ reason }) => reason)).toEqual(["mention", "reply", "quote", "comment", "watching"]);
    expect(skipped).toHaveLength(MAX_SKIPPED + 1);
    expect(skipped[0]).toEqual({ user: `w${MAX_RECIPIENTS - 4}`, why: "more than 10,000 recipients" });
    expect(skipped.at(-1)).toEqual({ user: "11 more members", why: "more than 2,000 are skipped" });
    expect(mostConcerned(event(), wishes({ watching }))).toBe(MAX_RECIPIENTS);
  });

  it("tells those who watch there of a new comment and a new thread, with the last of the reasons", () => {
    const table = wishes({ watching: ["actor", "quoted", "watcher"] });
    expect(recipientsOf(event(), table).told.map((row) => `${row.user} ${row.reason}`)).toEqual([
      "mentioned mention",
      "parent reply",
      "quoted quote",
      "starter comment",
      "watcher watching",
    ]);
    const started = event({ mentions: [], quotes: [] });
    delete started.comment;
    expect(recipientsOf(started, table)).toEqual({
      told: [
        { user: "quoted", reason: "watching" },
        { user: "watcher", reason: "watching" },
      ],
      skipped: [],
    });
  });

  it("does not tell those who watch of an edit, nor of what tells nobody", () => {
    const table = wishes({ watching: ["watcher"] });
    expect(recipientsOf(event({ act: "updated" }), table).told).toEqual([{ user: "mentioned", reason: "mention" }]);
    const quiet = recipientsOf(event({ quiet: "a private message" }), table);
    expect(quiet.skipped.map((row) => row.user)).toEqual(["mentioned", "parent", "quoted", "starter"]);
  });

  it("spares those who muted the place, whatever the reason, and says where", () => {
    const muted = { mentioned: ["thread", "497"], parent: ["tag", "x"], quoted: ["category", "7"], starter: ["all", ""] } as const;
    const table = wishes({ muted: muted as unknown as NonNullable<Table["muted"]> });
    expect(recipientsOf(event(), table)).toEqual({
      told: [],
      skipped: [
        { user: "mentioned", why: "muted the thread 497" },
        { user: "parent", why: "muted the tag x" },
        { user: "quoted", why: "muted the category 7" },
        { user: "starter", why: "muted everything" },
      ],
    });
    expect(recipientsOf(event({ act: "updated" }), table).skipped).toEqual([{ user: "mentioned", why: "muted the thread 497" }]);
  });

  it("spares those who block the author, watchers too, and names nobody as blocked", () => {
    const blocks: Array<[string, string]> = ["mentioned", "parent", "quoted", "starter", "watcher"].map((one) => [one, "actor"]);
    const { told, skipped } = recipientsOf(event(), wishes({ watching: ["watcher"], blocks: [...blocks, ["actor", "mentioned"]] }));
    expect(told).toEqual([]);
    expect(skipped).toEqual(blocks.map(([one]) => ({ user: one, why: "blocked the author" })));
  });

  it("judges levels by what the event names of the place", () => {
    const asked: Where[] = [];
    recipientsOf(event({ thread: { id: "1", tags: ["x", "y"], category: "7" }, quotes: [] }), wishes({ asked }));
    recipientsOf(event({ act: "updated", thread: { id: "1" } }), wishes({ asked }));
    expect(asked[0]).toEqual({ thread: "1", tags: ["x", "y"], category: "7" });
    expect(asked.at(-1)).toEqual({ thread: "1" });
  });

  it("keeps what a connector could not resolve", () => {
    expect(recipientsOf(event({ skipped: [{ user: "ghost", why: "unknown" }] }), NOTHING_SET).skipped).toEqual([
      { user: "ghost", why: "unknown" },
    ]);
  });

  it("holds its rules for any event and any wishes: nobody twice, never the actor, precedence, deletions silent", () => {
    fc.assert(
      fc.property(anyEvent, anyTable, (any, table) => {
        const { told, skipped } = recipientsOf(any, wishes(table));
        const silent = any.act === "deleted" || any.act === "restored";
        const created = any.act === "created";
        const wanted = new Map<string, string>();
        const add = (id: string | undefined, reason: string) => id !== undefined && !wanted.has(id) && wanted.set(id, reason);
        if (!silent) for (const id of any.mentions) add(id, "mention");
        if (created) add(any.comment?.parentAuthor, "reply");
        if (created) for (const id of any.quotes) add(id, "quote");
        if (created && any.comment !== undefined) add(any.thread?.author, "comment");
        const named = wanted.has(any.actor?.id ?? "");
        wanted.delete(any.actor?.id ?? "");
        if (created) for (const id of table.watching) if (id !== any.actor?.id && !Object.hasOwn(table.muted, id)) add(id, "watching");

        const refused = [...wanted.keys()].filter(
          (id) => Object.hasOwn(table.muted, id) || table.blocks.some(([one, other]) => one === id && other === any.actor?.id),
        );
        for (const id of refused) wanted.delete(id);
        expect(told.map((row) => [row.user, row.reason])).toEqual([...wanted]);
        expect(skipped.map((row) => row.user).sort()).toEqual([...refused, ...(named ? [any.actor?.id] : [])].sort());
        expect(mostConcerned(any, wishes(table))).toBeGreaterThanOrEqual(silent ? 0 : told.length);
      }),
      { numRuns: 500 },
    );
  });
});
