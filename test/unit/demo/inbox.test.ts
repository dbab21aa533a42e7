import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Entry, Inbox, InboxEvent, Notification } from "../../../client/demo/inbox.js";
import { apply, emptyInbox, fromStored, MAX_ITEMS, toStored } from "../../../client/demo/inbox.js";
import { MAX_HELD } from "../../../client/demo/stream.js";

const AT = "2024-02-13T16:04:47.430Z";

function notification(seq: number): Notification {
  return { id: `n${seq}`, seq, reason: "reply", type: "comment", text: `text ${seq}`, createdAt: AT, readAt: null, archivedAt: null };
}

function created(seq: number, unread: number): Entry {
  return { seq, at: AT, kind: "notification", unread, data: notification(seq) };
}

function entries(...list: Entry[]): InboxEvent {
  return { type: "entries", stream: "inbox", epoch: "e1", entries: list };
}

function snapshot(seq: number, items: Notification[], unread = items.length): InboxEvent {
  return { type: "snapshot", stream: "inbox", epoch: "e1", seq, unread, items };
}

function welcome(resume: string): InboxEvent {
  return { type: "welcome", streams: { inbox: { resume } } };
}

function synced(seq: number, unread: number): InboxEvent {
  return { type: "synced", stream: "inbox", epoch: "e1", seq, unread };
}

function after(...events: InboxEvent[]): Inbox {
  return events.reduce(apply, emptyInbox());
}

const idsOf = (inbox: Inbox): string[] => inbox.items.map((item) => item.id);

describe("the demo page's inbox", () => {
  it("starts from a snapshot, newest first", () => {
    const inbox = after(welcome("snapshot"), snapshot(2, [notification(2), notification(1)]), synced(2, 2));
    expect(inbox).toMatchObject({ cursor: { epoch: "e1", seq: 2 }, unread: 2, live: true, gap: false, missed: 0 });
    expect(idsOf(inbox)).toEqual(["n2", "n1"]);
  });

  it("applies the next entry, drops a repeated one and takes the count that the entry carries", () => {
    const inbox = after(snapshot(0, []), entries(created(1, 1)), entries(created(1, 9), created(2, 2)));
    expect(inbox).toMatchObject({ cursor: { seq: 2 }, unread: 2, gap: false });
    expect(idsOf(inbox)).toEqual(["n2", "n1"]);
  });

  it("holds an entry from beyond a gap, asks for what is missing and applies both in order", () => {
    const gap = after(snapshot(0, []), entries(created(3, 3)));
    expect(gap).toMatchObject({ cursor: { seq: 0 }, gap: true, unread: 0, items: [] });
    const whole = apply(gap, entries(created(1, 1), created(2, 2)));
    expect(whole).toMatchObject({ cursor: { seq: 3 }, gap: false, unread: 3, held: [] });
    expect(idsOf(whole)).toEqual(["n3", "n2", "n1"]);
  });

  it("asks for what is missing when the service says that it has sent everything and it is not here", () => {
    expect(after(welcome("exact"), snapshot(1, [notification(1)]), synced(4, 4))).toMatchObject({ gap: true, cursor: { seq: 1 } });
  });

  it("ignores entries of another history and of other streams", () => {
    const inbox = after(snapshot(0, []));
    expect(apply(inbox, { type: "entries", stream: "inbox", epoch: "e2", entries: [created(1, 1)] })).toEqual(inbox);
    expect(apply(inbox, { type: "entries", stream: "announcements", epoch: "e1", entries: [created(1, 1)] })).toEqual(inbox);
  });

  it("counts what was missed while away, and not what happens live or what a snapshot brings", () => {
    const kept = fromStored(toStored(after(snapshot(1, [notification(1)]))));
    const back = [welcome("exact"), entries(created(2, 2)), entries(created(3, 3)), synced(3, 3), entries(created(4, 4))].reduce(
      apply,
      kept,
    );
    expect(back).toMatchObject({ missed: 2, unread: 4, cursor: { seq: 4 } });
    expect(after(welcome("reset"), snapshot(5, [notification(5)]), synced(5, 1)).missed).toBe(0);
  });

  it("follows every mark", () => {
    const mark = (seq: number, kind: string, data: unknown, unread: number): InboxEvent => entries({ seq, at: AT, kind, unread, data });
    let inbox = after(snapshot(2, [notification(2), notification(1)]));
    inbox = apply(inbox, mark(3, "read", { ids: ["n1"] }, 1));
    expect(inbox.items.map((item) => item.readAt)).toEqual([null, AT]);
    inbox = apply(inbox, mark(4, "unread", { ids: ["n1"] }, 2));
    expect(inbox.items.map((item) => item.readAt)).toEqual([null, null]);
    inbox = apply(inbox, mark(5, "archived", { ids: ["n2"] }, 1));
    expect(inbox.items[0]).toMatchObject({ readAt: AT, archivedAt: AT });
    inbox = apply(inbox, mark(6, "unarchived", { ids: ["n2"] }, 1));
    expect(inbox.items[0]).toMatchObject({ readAt: AT, archivedAt: null });
    inbox = apply(inbox, mark(7, "read_all", { upTo: 2 }, 0));
    expect(inbox.items.every((item) => item.readAt === AT)).toBe(true);
    inbox = apply(inbox, mark(8, "notification.rescinded", { id: "n2", why: "deleted" }, 0));
    expect(idsOf(inbox)).toEqual(["n1"]);
    inbox = apply(inbox, mark(9, "notification.updated", { ...notification(2), text: "again" }, 1));
    expect(inbox.items[0]).toMatchObject({ id: "n2", text: "again" });
    inbox = apply(inbox, mark(10, "a kind of a later version", {}, 1));
    expect(inbox).toMatchObject({ cursor: { seq: 10 }, unread: 1 });
  });

  it("remembers what the member has settled of the announcements, the latest two hundred", () => {
    const settle = (seq: number, kind: string, announcement: string): Entry => ({ seq, at: AT, kind, unread: 0, data: { announcement } });
    const inbox = after(
      snapshot(0, []),
      entries(settle(1, "dismissed", "a"), settle(2, "acknowledged", "b"), settle(3, "acknowledged", "a")),
    );
    expect([...inbox.settled]).toEqual([
      ["b", { acknowledgedAt: AT }],
      ["a", { dismissedAt: AT, acknowledgedAt: AT }],
    ]);
    expect(inbox).toMatchObject({ cursor: { seq: 3 }, unread: 0, items: [] });
    const many = Array.from({ length: 400 }, (_, i) => settle(i + 4, "dismissed", `c${i}`));
    const ids = [...apply(inbox, entries(...many)).settled.keys()];
    expect([ids.length, ids.at(-1)]).toEqual([200, "c399"]);
  });

  it("stays bounded, whatever is sent", () => {
    const many = Array.from({ length: 700 }, (_, i) => created(i + 1, i + 1));
    expect(after(snapshot(0, []), entries(...many)).items).toHaveLength(MAX_ITEMS);
    expect(after(snapshot(0, []), entries(...many.slice(1))).held).toHaveLength(MAX_HELD);
  });

  it("keeps cursor and items together, and keeps nothing of a text that is not whole", () => {
    const inbox = after(snapshot(1, [notification(1)]));
    expect(fromStored(toStored(inbox))).toEqual(inbox);
    expect(toStored(emptyInbox())).toBeNull();
    const noItems = '{"version":1,"cursor":{"epoch":"e","seq":4},"unread":1}';
    for (const text of [null, "", "null", "{", "[]", '{"version":1}', noItems]) expect(fromStored(text)).toEqual(emptyInbox());
  });

  it("ends in the same inbox in whatever order, with whatever repeats and losses, entries arrive", () => {
    const all = Array.from({ length: 12 }, (_, i) => created(i + 1, i + 1));
    const inOrder = after(snapshot(0, []), entries(...all));
    fc.assert(
      fc.property(fc.array(fc.array(fc.integer({ min: 0, max: 11 }), { maxLength: 6 }), { maxLength: 20 }), (deliveries) => {
        let inbox = after(snapshot(0, []));
        for (const delivery of deliveries) {
          inbox = apply(inbox, entries(...delivery.map((i) => all[i] as Entry)));
          if (inbox.gap) inbox = apply(inbox, entries(...all.slice(inbox.cursor?.seq)));
          expect(inbox.gap).toBe(false);
        }
        inbox = apply(inbox, entries(...all.slice(inbox.cursor?.seq)));
        expect(inbox).toEqual(inOrder);
      }),
    );
  });
});
