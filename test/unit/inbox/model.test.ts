import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Notification } from "../../../src/inbox/notification.js";
import { openEmbedded, tell } from "../../support/embedded.js";

/** The plainest thing that could be right: one object a notification, every verb a loop. */
interface Item {
  id: string;
  seq: number;
  read: boolean;
  archived: boolean;
  gone: boolean;
  /** Taken back at least once: whether a read-all of that time reads it is the service's to say. */
  wasGone: boolean;
}

const act = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("tell" as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("mark" as const),
      verb: fc.constantFrom("read" as const, "unread" as const, "archive" as const, "unarchive" as const),
      several: fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("rescind" as const, "restore" as const), which: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("read_all" as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }) },
);

describe("any sequence of notifications, marks, deletions and restorations", () => {
  it("leaves the lists, every counter and a replaying device exactly as a plain model has them", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
        const embedded = await openEmbedded();
        try {
          const { inbox } = embedded;
          const items: Item[] = [];
          for (const [index, one] of acts.entries()) {
            embedded.clock.now += 1_000;
            if (one.do === "tell") {
              const { id, seq } = await tell(embedded, "ada", String(items.length));
              items.push({ id, seq, read: false, archived: false, gone: false, wasGone: false });
            } else if (one.do === "read_all") {
              const { head } = await embedded.log.tail("inbox:ada");
              const upTo = Math.floor(one.part * head);
              if (upTo === 0) continue;
              await inbox.markUpTo("ada", "read_all", upTo);
              for (const item of items) if (item.seq <= upTo) item.read = true;
            } else if (one.do === "mark") {
              const chosen = one.several.map((which) => items[which]).filter((item) => item !== undefined);
              if (chosen.length === 0) continue;
              await inbox.mark("ada", one.verb, [...new Set(chosen.map((item) => item.id))]);
              for (const item of chosen.filter(({ gone }) => !gone)) {
                if (one.verb === "read" || one.verb === "archive") item.read = true;
                if (one.verb === "unread") item.read = false;
                if (one.verb === "archive") item.archived = true;
                if (one.verb === "unarchive" || one.verb === "unread") item.archived = false;
              }
            } else {
              const item = items[one.which];
              await inbox[one.do](`comment:${one.which}`, `event-${index}`, "deleted");
              if (item !== undefined) Object.assign(item, { gone: one.do === "rescind", wasGone: true });
            }
          }
          const list = async (filter: "all" | "unread" | "archived") =>
            (await inbox.list("ada", { filter, limit: 100 })).items.map((item) => item.id).reverse();
          const kept = items.filter(({ gone }) => !gone);
          const steady = new Set(items.filter(({ wasGone }) => !wasGone).map(({ id }) => id));
          expect((await list("unread")).filter((id) => steady.has(id))).toEqual(
            items.filter(({ id, read }) => steady.has(id) && !read).map(({ id }) => id),
          );
          expect(await list("archived")).toEqual(kept.filter(({ archived }) => archived).map(({ id }) => id));
          expect(await list("all")).toEqual(kept.filter(({ archived }) => !archived).map(({ id }) => id));
          const { entries } = await inbox.sync("ada", null, 100);
          const device = replay(entries);
          const snapshot = await inbox.snapshot("ada");
          const shown = [...device.values()].filter((item) => item.archivedAt === null).sort((one, other) => other.seq - one.seq);
          expect(shown).toEqual(snapshot.items);
          expect(entries.at(-1)?.unread ?? 0).toBe(snapshot.unread);
          expect(snapshot.unread).toBe([...device.values()].filter((item) => item.readAt === null).length);
          expect(await list("unread")).toEqual(
            [...device.values()]
              .filter((item) => item.readAt === null)
              .sort((a, b) => a.seq - b.seq)
              .map(({ id }) => id),
          );
        } finally {
          await embedded.close();
        }
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});

/** What a device makes of the entries, by the rules of docs/PROTOCOL.md. */
function replay(entries: Array<{ seq: number; at: string; kind: string; data: Record<string, unknown> }>): Map<string, Notification> {
  const items = new Map<string, Notification>();
  for (const { at, kind, data } of entries) {
    const chosen = ((data.ids as string[] | undefined) ?? []).map((id) => items.get(id)).filter((item) => item !== undefined);
    switch (kind) {
      case "notification":
      case "notification.updated":
        items.set(data.id as string, { ...(data as Notification) });
        break;
      case "notification.rescinded":
        items.delete(data.id as string);
        break;
      case "read":
        for (const item of chosen) item.readAt ??= at;
        break;
      case "unread":
        for (const item of chosen) Object.assign(item, { readAt: null, archivedAt: null });
        break;
      case "archived":
        for (const item of chosen) Object.assign(item, { readAt: item.readAt ?? at, archivedAt: at });
        break;
      case "unarchived":
        for (const item of chosen) item.archivedAt = null;
        break;
      case "read_all":
        for (const item of items.values()) if (item.seq <= (data.upTo as number)) item.readAt ??= at;
        break;
    }
  }
  return items;
}
