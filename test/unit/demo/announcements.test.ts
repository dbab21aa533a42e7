import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Announcement, Announcements, Entry, StreamEvent } from "../../../client/demo/announcements.js";
import { applyToAnnouncements, emptyAnnouncements, MAX_ITEMS, onScreen, unreadOf } from "../../../client/demo/announcements.js";
import type { Inbox } from "../../../client/demo/inbox.js";
import { apply, emptyInbox } from "../../../client/demo/inbox.js";

const AT = "2026-11-21T09:32:28.412Z";

/** A page's two streams. */
interface Known {
  inbox: Inbox;
  announcements: Announcements;
}

function announcement(id: string, more: Partial<Announcement> = {}): Announcement {
  return { id, title: `title ${id}`, text: "", level: "info", dismissible: true, mandatory: false, ...more };
}

function entry(seq: number, kind: string, data: unknown): Entry {
  return { seq, at: AT, kind, data };
}

function entries(stream: string, ...list: Entry[]): StreamEvent {
  return { type: "entries", stream, epoch: "e1", entries: list };
}

const posted = (...list: Entry[]) => entries("announcements", ...list);
const settled = (...list: Entry[]) => entries("inbox", ...list);

function snapshot(items: Announcement[], seq = 0, unread = items.length, more = false): StreamEvent {
  return { type: "snapshot", stream: "announcements", epoch: "e1", seq, unread, items, more };
}

function take({ inbox, announcements }: Known, event: StreamEvent): Known {
  const after = apply(inbox, event);
  return { inbox: after, announcements: applyToAnnouncements(announcements, event, after.settled) };
}

const INBOX: StreamEvent = { type: "snapshot", stream: "inbox", epoch: "e1", seq: 0, unread: 0, items: [] };

function after(...events: StreamEvent[]): Known {
  return [INBOX, ...events].reduce(take, { inbox: emptyInbox(), announcements: emptyAnnouncements() });
}

const shownOn = ({ inbox, announcements }: Known) => onScreen(announcements, inbox.settled);
const idsOn = (known: Known): string[] => shownOn(known).map(({ id }) => id);
const unreadIn = ({ inbox, announcements }: Known): number => unreadOf(announcements, inbox.settled);

describe("the demo page's announcements", () => {
  it("starts from a snapshot, without what was settled on another device", () => {
    const known = after(snapshot([announcement("b"), announcement("a", { dismissedAt: AT })], 2));
    expect(idsOn(known)).toEqual(["b"]);
    expect(unreadIn(known)).toBe(1);
  });

  it("shows a new one on top, replaces an edited one in its place and takes a rescinded one away", () => {
    let known = after(snapshot([announcement("a")], 1), posted(entry(2, "announcement", announcement("b"))));
    expect(idsOn(known)).toEqual(["b", "a"]);
    known = take(known, posted(entry(3, "announcement.updated", announcement("a", { title: "edited" }))));
    expect(shownOn(known).map(({ title }) => title)).toEqual(["title b", "edited"]);
    known = take(known, posted(entry(4, "announcement.rescinded", { id: "b", why: "expired" }), entry(5, "a kind of a later version", {})));
    expect(idsOn(known)).toEqual(["a"]);
    expect([unreadIn(known), known.announcements.cursor?.seq]).toEqual([1, 5]);
  });

  it("takes one away that an edit no longer shows this member, and shows one that an edit has brought to them", () => {
    let known = after(snapshot([announcement("a")], 1), posted(entry(2, "announcement", { id: "b", hidden: true })));
    expect(idsOn(known)).toEqual(["a"]);
    known = take(known, posted(entry(3, "announcement.updated", { id: "a", hidden: true })));
    known = take(known, posted(entry(4, "announcement.updated", announcement("b"))));
    expect(idsOn(known)).toEqual(["b"]);
    expect(unreadIn(known)).toBe(1);
  });

  it("keeps an edited one dismissed", () => {
    const known = after(
      snapshot([announcement("a", { dismissedAt: AT })], 1),
      posted(entry(2, "announcement.updated", announcement("a", { title: "edited" }))),
    );
    expect([idsOn(known), unreadIn(known)]).toEqual([[], 0]);
  });

  it("asks to dismiss what can be dismissed and to acknowledge the rest, and keeps what must stay", () => {
    const fixed = announcement("fixed", { dismissible: false });
    const mandatory = announcement("mandatory", { mandatory: true });
    let known = after(snapshot([announcement("plain"), fixed, mandatory], 3));
    expect(shownOn(known).map(({ ask }) => ask)).toEqual(["dismiss", "acknowledge", "acknowledge"]);
    const settle = (seq: number, kind: string, id: string) => settled(entry(seq, kind, { announcement: id }));
    for (const event of [settle(1, "dismissed", "plain"), settle(2, "acknowledged", "fixed")]) known = take(known, event);
    expect(shownOn(known).map(({ id, ask }) => [id, ask])).toEqual([
      ["fixed", null],
      ["mandatory", "acknowledge"],
    ]);
    expect(unreadIn(known)).toBe(1);
    known = take(known, settle(3, "acknowledged", "mandatory"));
    expect([idsOn(known), unreadIn(known)]).toEqual([["fixed"], 0]);
  });

  it("brings one back that was dismissed before it became mandatory, and does not count it again", () => {
    const known = after(
      snapshot([announcement("a", { dismissedAt: AT })], 1),
      posted(entry(2, "announcement.updated", announcement("a", { mandatory: true }))),
    );
    expect([idsOn(known), unreadIn(known)]).toEqual([["a"], 0]);
  });

  it("counts those that a snapshot had no room for, by the service's number", () => {
    const items = [announcement("b"), announcement("a", { acknowledgedAt: AT })];
    const synced: StreamEvent = { type: "synced", stream: "announcements", epoch: "e1", seq: 9, unread: 8 };
    const known = after(snapshot(items, 9, 8, true), synced);
    expect(unreadIn(known)).toBe(8);
    expect(unreadIn(take(known, settled(entry(1, "dismissed", { announcement: "b" }))))).toBe(7);
    expect(unreadIn(after(snapshot(items, 9, 1), { ...synced, unread: 1 }))).toBe(1);
  });

  it("asks for what is missing, and holds what came early", () => {
    const gap = after(snapshot([]), posted(entry(2, "announcement", announcement("b"))));
    expect(gap.announcements).toMatchObject({ gap: true, cursor: { seq: 0 }, items: [] });
    const whole = take(gap, posted(entry(1, "announcement", announcement("a"))));
    expect(whole.announcements).toMatchObject({ gap: false, cursor: { seq: 2 } });
    expect(idsOn(whole)).toEqual(["b", "a"]);
    const behind: StreamEvent = { type: "synced", stream: "announcements", epoch: "e1", seq: 4, unread: 4 };
    expect(take(whole, behind).announcements.gap).toBe(true);
  });

  it("ignores what is of another history or of the inbox, and stays bounded", () => {
    const known = after(snapshot([announcement("a")], 1));
    const foreign: StreamEvent = {
      type: "entries",
      stream: "announcements",
      epoch: "e2",
      entries: [entry(2, "announcement", announcement("b"))],
    };
    expect(take(known, foreign)).toEqual(known);
    expect(take(known, INBOX).announcements).toEqual(known.announcements);
    const many = Array.from({ length: 300 }, (_, i) => entry(i + 2, "announcement", announcement(`n${i}`)));
    expect(take(known, posted(...many)).announcements.items).toHaveLength(MAX_ITEMS);
  });

  it("ends in the same screen and the same count however the two streams are mixed", () => {
    const board = [
      entry(1, "announcement", announcement("a")),
      entry(2, "announcement", announcement("b", { mandatory: true })),
      entry(3, "announcement", announcement("c")),
      entry(4, "announcement.updated", announcement("a", { title: "edited" })),
      entry(5, "announcement.rescinded", { id: "c", why: "over" }),
      entry(6, "announcement", announcement("d")),
    ].map((one) => posted(one));
    const marks = [
      entry(1, "dismissed", { announcement: "a" }),
      entry(2, "acknowledged", { announcement: "b" }),
      entry(3, "dismissed", { announcement: "c" }),
    ].map((one) => settled(one));
    fc.assert(
      fc.property(fc.shuffledSubarray([...board.keys(), ...marks.map(() => -1)], { minLength: board.length + marks.length }), (order) => {
        const waiting = { board: [...board], marks: [...marks] };
        const events = order.map((turn) => (turn < 0 ? waiting.marks.shift() : waiting.board.shift()) as StreamEvent);
        const known = after(snapshot([]), ...events);
        expect([idsOn(known), unreadIn(known)]).toEqual([["d"], 1]);
      }),
    );
  });
});
