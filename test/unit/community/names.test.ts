import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Community, type DomainEvent } from "../../../src/community/index.js";
import { MemoryAcquaintances, MemoryInbox, MemoryPreferences, MemoryPublisher, MemorySubjects } from "../../support/community-ports.js";

function setUp() {
  const publisher = new MemoryPublisher();
  const inbox = new MemoryInbox();
  const subjects = new MemorySubjects();
  const preferences = new MemoryPreferences();
  const acquaintances = new MemoryAcquaintances();
  return { publisher, community: new Community({ publisher, inbox, subjects, preferences, acquaintances, clock: () => 0 }) };
}

function event(id: string, change: Partial<DomainEvent> = {}): DomainEvent {
  return { id, act: "created", at: "2026-01-01T00:00:00.000Z", comment: { id }, mentions: ["3"], quotes: [], skipped: [], ...change };
}

const NAMESPACES = ["direct", "message", "task"] as const;

/** Names that look like those of other kinds, however deep. */
const name = fc
  .tuple(fc.array(fc.constantFrom("direct:", "message:", "task:", "escaped:", "event:"), { maxLength: 3 }), fc.constantFrom("9", "k", ""))
  .map(([prefixes, rest]) => `${prefixes.join("")}${rest}`)
  .filter((made) => made !== "");

describe("the ids of events and the keys of notifications", () => {
  it("never meet, in whatever order they come, and each is answered with its own id", async () => {
    const key = fc.record({ namespace: fc.constantFrom(...NAMESPACES), key: name });
    const act = fc.constantFrom("created" as const, "deleted" as const);
    const call = fc.oneof(fc.record({ id: name, act }), key);
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 20 }), async (calls) => {
        const { community } = setUp();
        const known = new Set<string>();
        for (const one of calls) {
          const isEvent = "id" in one;
          const id = isEvent ? one.id : `${one.namespace}:${one.key}`;
          const identity = `${isEvent ? "event" : "notification"} ${id}`;
          const answer = isEvent
            ? await community.handle(event(one.id, { act: one.act }))
            : await community.notify({ to: ["1"], type: "x", key: one.key }, one.namespace);
          expect(answer).toMatchObject({ id, duplicate: known.has(identity) });
          known.add(identity);
        }
      }),
    );
  });

  it("never meet under an alias either, which is known again", async () => {
    for (const namespace of NAMESPACES) {
      const { community } = setUp();
      await community.handle(event("e1", { alias: `${namespace}:9` }));
      expect(await community.notify({ to: ["1"], type: "x", key: "9" }, namespace)).toMatchObject({ duplicate: false });
      expect(await community.handle(event("e2", { alias: `${namespace}:9` }))).toMatchObject({ id: "e1", duplicate: true });
      expect(await community.handle(event(`${namespace}:9`, { act: "deleted" }))).toMatchObject({ id: "e1", duplicate: true });
    }
  });

  it("are stored as they are where nothing else could have them", async () => {
    const { community, publisher } = setUp();
    for (const id of ["e1", "event:1", "tasks:9", "discourse:forum:post_created:1:1"]) {
      await community.handle(event(id));
      expect(await publisher.publication(id)).toMatchObject({ id });
    }
  });
});

describe("what was told under a key", () => {
  it("is the data of the first notification with it, and of no event", async () => {
    const { community } = setUp();
    await community.handle(event("task:t"));
    expect(await community.told("t", "task")).toBeNull();
    await community.notify({ to: ["1"], type: "task", key: "t", data: { state: "completed" } }, "task");
    await community.notify({ to: ["1"], type: "task", key: "t", data: { state: "failed" } }, "task");
    expect(await community.told("t", "task")).toEqual({ state: "completed" });
    expect(await community.told("t", "direct")).toBeNull();
    await community.notify({ to: ["1"], type: "x", key: "t" });
    expect(await community.told("t", "direct")).toBeNull();
  });
});
