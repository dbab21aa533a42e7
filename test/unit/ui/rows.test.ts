import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Notification } from "../../../client/sdk/src/types.js";
import { KeptUnread } from "../../../client/ui/src/list/kept.js";
import { rowsOf, unreadIn } from "../../../client/ui/src/list/rows.js";
import { fakeItem } from "../../support/ui-fake.js";

const NOBODY = new Set<string>();

/** Notifications newest first, of a few threads on a few days. */
const lists = fc
  .array(fc.record({ thread: fc.integer({ min: 0, max: 3 }), day: fc.integer({ min: 0, max: 2 }), read: fc.boolean() }), { maxLength: 40 })
  .map((all) =>
    all.map(({ thread, day, read }, index): Notification => {
      const createdAt = new Date(Date.UTC(2026, 10, 20 - day, 12)).toISOString();
      const about = thread === 0 ? null : { id: String(thread), title: `Thread ${thread}` };
      return fakeItem(all.length - index, { thread: about, createdAt, readAt: read ? createdAt : null });
    }),
  );

describe("the rows of the list", () => {
  it("hold each notification once, and stand by their newest", () => {
    fc.assert(
      fc.property(lists, (items) => {
        const rows = rowsOf(items, NOBODY);
        expect(rows.flatMap((row) => row.items).sort((a, b) => b.seq - a.seq)).toEqual(items);
        const newest = rows.map((row) => row.items[0].seq);
        expect(newest).toEqual([...newest].sort((a, b) => b - a));
        expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
      }),
    );
  });

  it("put together what is of one thread and one day, and nothing else", () => {
    fc.assert(
      fc.property(lists, (items) => {
        for (const { items: group } of rowsOf(items, NOBODY)) {
          expect(new Set(group.map(({ thread, createdAt, id }) => `${thread?.id ?? id} ${createdAt}`)).size).toBe(1);
        }
      }),
    );
  });

  it("stay the same as their notifications are read, so that nothing moves under somebody's eyes", () => {
    fc.assert(
      fc.property(lists, (items) => {
        const read = items.map((item) => ({ ...item, readAt: item.readAt ?? item.createdAt }));
        expect(rowsOf(read, NOBODY).map(({ key }) => key)).toEqual(rowsOf(items, NOBODY).map(({ key }) => key));
        expect(rowsOf(read, NOBODY).flatMap(unreadIn)).toEqual([]);
      }),
    );
  });

  it("show those of an open group below it", () => {
    const items = [3, 2, 1].map((seq) => fakeItem(seq, { thread: { id: "t" } }));
    const [group] = rowsOf(items, NOBODY);
    const rows = rowsOf(items, new Set([group?.key ?? ""]));
    expect(rows.map(({ isChild, isOpen, items: { length } }) => ({ isChild, isOpen, length }))).toEqual([
      { isChild: false, isOpen: true, length: 3 },
      { isChild: true, isOpen: false, length: 1 },
      { isChild: true, isOpen: false, length: 1 },
      { isChild: true, isOpen: false, length: 1 },
    ]);
  });
});

describe("the list of the unread", () => {
  const [three, two, one] = [3, 2, 1].map((seq) => fakeItem(seq, { readAt: null })) as [Notification, Notification, Notification];
  const read = (item: Notification): Notification => ({ ...item, readAt: item.createdAt });

  it("keeps what is read meanwhile in its place, until one looks anew", () => {
    const kept = new KeptUnread();
    kept.take([three, two, one], { items: [three, two, one], more: false });
    const after = kept.take([three, one], { items: [three, read(two), one], more: false });
    expect(after.map(({ id, readAt }) => [id, readAt !== null])).toEqual([
      ["n-3", false],
      ["n-2", true],
      ["n-1", false],
    ]);
    kept.clear();
    expect(kept.take([three, one], { items: [three, read(two), one], more: false })).toEqual([three, one]);
  });

  it("lets go of what was taken back or archived, and keeps what is older than anything else known", () => {
    const kept = new KeptUnread();
    kept.take([three, two, one], { items: [three, two], more: true });
    const after = kept.take([three], { items: [three], more: true });
    // Of `two` and `one` nothing is known but that they are not unread: they are older than all that is.
    expect(after.map(({ id }) => id)).toEqual(["n-3", "n-2", "n-1"]);
    expect(kept.take([three], { items: [three], more: false }).map(({ id }) => id)).toEqual(["n-3"]);
    kept.take([three, two], { items: [three, two], more: false });
    kept.forget("n-2");
    expect(kept.take([three], { items: [three, read(two)], more: false })).toEqual([three]);
  });
});
