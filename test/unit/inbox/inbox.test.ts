import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Trimmer } from "../../../src/stream/index.js";
import { type Embedded, openEmbedded, tell } from "../../support/embedded.js";

let embedded: Embedded;

beforeEach(async () => {
  embedded = await openEmbedded();
});

afterEach(async () => {
  await embedded.close();
});

async function kinds(user: string): Promise<string[]> {
  const { entries } = await embedded.inbox.sync(user, null, 100);
  return entries.map((entry) => entry.kind);
}

describe("a page of the stream", () => {
  it("holds nothing of what a notification said that was taken back, until it is brought back", async () => {
    const { inbox } = embedded;
    await tell(embedded, "ada", "secret");
    await tell(embedded, "ada", "open");
    const said = async () => JSON.stringify(await inbox.sync("ada", null, 100));
    expect(await said()).toContain('"comment":{"id":"secret"}');
    await inbox.rescind("comment:secret", "delete", "deleted");
    expect(await said()).not.toContain("secret");
    expect(await said()).toContain('"comment":{"id":"open"}');
    const { entries } = await inbox.sync("ada", null, 100);
    expect(entries[0]).toMatchObject({ seq: 1, kind: "notification", unread: 1, data: { seq: 1, reason: "reply", type: "comment" } });
    await inbox.restore("comment:secret", "restore");
    expect((await said()).match(/"comment":\{"id":"secret"\}/g)).toHaveLength(2);
    await inbox.rescind("comment:secret", "delete again", "deleted");
    expect(await said()).not.toContain("secret");
  });
});

describe("marks", () => {
  it("count once however often they are repeated, and a repeat writes no entry", async () => {
    const { inbox } = embedded;
    const { id } = await tell(embedded, "ada", "1");
    await tell(embedded, "ada", "2");
    expect(await inbox.mark("ada", "read", [id])).toEqual({ seq: 3, unread: 1 });
    expect(await inbox.mark("ada", "read", [id, id])).toEqual({ seq: 3, unread: 1 });
    expect(await kinds("ada")).toEqual(["notification", "notification", "read"]);
  });

  it("name only what they changed", async () => {
    const { inbox } = embedded;
    const one = await tell(embedded, "ada", "1");
    const other = await tell(embedded, "ada", "2");
    await inbox.mark("ada", "read", [one.id]);
    await inbox.mark("ada", "read", [one.id, other.id]);
    const { entries } = await inbox.sync("ada", null, 100);
    expect(entries.at(-1)?.data).toEqual({ ids: [other.id] });
  });

  it("refuse another member's id as a whole, and change nothing", async () => {
    const { inbox } = embedded;
    const mine = await tell(embedded, "ada", "1");
    const theirs = await tell(embedded, "bruno", "1");
    await expect(inbox.mark("ada", "read", [mine.id, theirs.id])).rejects.toMatchObject({ code: "not_found" });
    expect(await inbox.list("ada", { filter: "unread", limit: 10 })).toMatchObject({ unread: 1, items: [{ id: mine.id }] });
  });

  it.each(["", "x", "-1", "0", "AAAAAAAAAAA-1", "__proto__"])("refuse the made-up id %j", async (id) => {
    await tell(embedded, "ada", "1");
    await expect(embedded.inbox.mark("ada", "read", [id])).rejects.toMatchObject({ code: "not_found" });
  });

  it("archive reads too, and unread brings back from the archive", async () => {
    const { inbox } = embedded;
    const { id } = await tell(embedded, "ada", "1");
    expect(await inbox.mark("ada", "archive", [id])).toMatchObject({ unread: 0 });
    expect((await inbox.list("ada", { filter: "all", limit: 10 })).items).toEqual([]);
    expect((await inbox.list("ada", { filter: "archived", limit: 10 })).items).toMatchObject([{ id }]);
    expect(await inbox.mark("ada", "unread", [id])).toMatchObject({ unread: 1 });
    expect((await inbox.list("ada", { filter: "archived", limit: 10 })).items).toEqual([]);
    expect((await inbox.list("ada", { filter: "all", limit: 10 })).items).toMatchObject([{ id, readAt: null, archivedAt: null }]);
  });
});

describe("read_all", () => {
  it("reads up to a seq and leaves what came later", async () => {
    const { inbox } = embedded;
    for (let post = 1; post <= 5; post++) await tell(embedded, "ada", String(post));
    expect(await inbox.markUpTo("ada", "read_all", 3)).toEqual({ seq: 6, unread: 2 });
    const unread = await inbox.list("ada", { filter: "unread", limit: 10 });
    expect(unread.items.map((item) => item.seq)).toEqual([5, 4]);
  });

  it("below an earlier one reads what was marked unread since, and no more", async () => {
    const { inbox } = embedded;
    const ids: string[] = [];
    for (let post = 1; post <= 4; post++) ids.push((await tell(embedded, "ada", String(post))).id);
    await inbox.markUpTo("ada", "read_all", undefined);
    await inbox.mark("ada", "unread", [ids[0] as string, ids[3] as string]);
    expect(await inbox.markUpTo("ada", "read_all", 2)).toMatchObject({ unread: 1 });
    expect((await inbox.list("ada", { filter: "unread", limit: 10 })).items).toMatchObject([{ id: ids[3] }]);
  });

  it("writes one entry for 1,000 unread and none when there is nothing to read", async () => {
    const { inbox, log } = embedded;
    await Promise.all(Array.from({ length: 1_000 }, (_, post) => tell(embedded, "ada", String(post))));
    expect(await inbox.markUpTo("ada", "read_all", undefined)).toEqual({ seq: 1_001, unread: 0 });
    expect(await inbox.markUpTo("ada", "read_all", undefined)).toEqual({ seq: 1_001, unread: 0 });
    expect((await log.tail("inbox:ada")).head).toBe(1_001);
    expect((await embedded.stores.inbox.marks("inbox:ada", [1, 500, 1_000])).length).toBe(0);
  });

  it("refuses a seq past the head", async () => {
    await tell(embedded, "ada", "1");
    await expect(embedded.inbox.markUpTo("ada", "read_all", 2)).rejects.toMatchObject({ code: "bad_request" });
  });
});

describe("seen", () => {
  it("moves a mark, leaves the counter, and writes nothing when nothing new was seen", async () => {
    const { inbox } = embedded;
    await tell(embedded, "ada", "1");
    expect(await inbox.markUpTo("ada", "seen", undefined)).toEqual({ seq: 2, unread: 1 });
    expect(await inbox.markUpTo("ada", "seen", undefined)).toEqual({ seq: 2, unread: 1 });
    await tell(embedded, "ada", "2");
    expect(await inbox.markUpTo("ada", "seen", undefined)).toEqual({ seq: 4, unread: 2 });
  });
});

describe("a rescinded notification", () => {
  it("leaves the list and the counter, and comes back as it was", async () => {
    const { inbox } = embedded;
    const { id } = await tell(embedded, "ada", "1");
    await tell(embedded, "ada", "2");
    await inbox.rescind("comment:1", "event-9", "deleted");
    expect(await inbox.list("ada", { filter: "all", limit: 10 })).toMatchObject({ unread: 1, items: [{ seq: 2 }] });
    expect(await inbox.mark("ada", "read", [id])).toMatchObject({ unread: 1 });
    await inbox.restore("comment:1", "event-10");
    const back = await inbox.list("ada", { filter: "all", limit: 10 });
    expect(back).toMatchObject({ unread: 2, items: [{ seq: 2 }, { id, seq: 1, readAt: null }] });
    const { entries } = await inbox.sync("ada", null, 100);
    expect(entries.map((entry) => [entry.kind, entry.unread])).toEqual([
      ["notification", 1],
      ["notification", 2],
      ["notification.rescinded", 1],
      ["notification.updated", 2],
    ]);
    expect(entries[2]?.data).toEqual({ id, why: "deleted" });
    expect(entries[3]?.data).toEqual(entries[0]?.data);
  });

  it("is not rescinded again by a late repeat of the same event", async () => {
    const { inbox } = embedded;
    await tell(embedded, "ada", "1");
    await inbox.rescind("comment:1", "event-9", "deleted");
    await inbox.restore("comment:1", "event-10");
    await inbox.rescind("comment:1", "event-9", "deleted");
    expect(await inbox.list("ada", { filter: "all", limit: 10 })).toMatchObject({ unread: 1, items: [{ seq: 1 }] });
  });

  it("that was read in between by read_all comes back read", async () => {
    const { inbox } = embedded;
    await tell(embedded, "ada", "1");
    await tell(embedded, "ada", "2");
    await inbox.rescind("comment:1", "event-9", "deleted");
    await inbox.markUpTo("ada", "read_all", undefined);
    await inbox.restore("comment:1", "event-10");
    expect(await inbox.list("ada", { filter: "unread", limit: 10 })).toMatchObject({ unread: 0, items: [] });
  });
});

describe("a list", () => {
  it("goes on after `before`, tells whether there is more, and refuses a foreign id", async () => {
    const { inbox } = embedded;
    for (let post = 1; post <= 5; post++) await tell(embedded, "ada", String(post));
    const first = await inbox.list("ada", { filter: "all", limit: 2 });
    expect(first).toMatchObject({ more: true, items: [{ seq: 5 }, { seq: 4 }] });
    const second = await inbox.list("ada", { filter: "all", before: first.items[1]?.id, limit: 3 });
    expect(second).toMatchObject({ more: false, items: [{ seq: 3 }, { seq: 2 }, { seq: 1 }] });
    await expect(inbox.list("bruno", { filter: "all", before: first.items[1]?.id, limit: 3 })).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("trimming", () => {
  it("reads what goes, so that the counter counts what is there; older cursors get a reset", async () => {
    const { inbox, log, stores, clock } = embedded;
    for (let post = 1; post <= 5; post++) await tell(embedded, "ada", String(post));
    const epoch = await log.epoch();
    const trimmer = new Trimmer({
      store: stores.streams,
      keepDays: 0,
      keepEntries: 2,
      clock: () => clock.now,
      trim: (stream, base) => inbox.trim(stream, base),
      forget: [],
      onError: (error) => {
        throw error;
      },
    });
    expect(await trimmer.run()).toBe(1);
    expect(await log.tail("inbox:ada")).toEqual({ head: 6, base: 4, unread: 2 });
    expect(await inbox.snapshot("ada")).toMatchObject({ seq: 6, unread: 2, items: [{ seq: 5 }, { seq: 4 }] });
    await expect(inbox.sync("ada", { epoch, seq: 2 }, 10)).rejects.toMatchObject({ code: "reset" });
    expect((await inbox.sync("ada", { epoch, seq: 3 }, 10)).entries.map((entry) => entry.seq)).toEqual([4, 5, 6]);
  });

  it("by age can take all, and the numbering goes on where it was", async () => {
    const { inbox, log, stores, clock } = embedded;
    await tell(embedded, "ada", "1");
    clock.now += 40 * 24 * 3_600_000;
    const trimmer = new Trimmer({
      store: stores.streams,
      keepDays: 30,
      keepEntries: 0,
      clock: () => clock.now,
      trim: (stream, base) => inbox.trim(stream, base),
      forget: [],
      onError: (error) => {
        throw error;
      },
    });
    await trimmer.run();
    expect(await inbox.snapshot("ada")).toMatchObject({ seq: 2, unread: 0, items: [] });
    clock.now += 40 * 24 * 3_600_000;
    await trimmer.run();
    expect(await log.tail("inbox:ada")).toEqual({ head: 2, base: 3, unread: 0 });
    expect(await tell(embedded, "ada", "2")).toMatchObject({ seq: 3 });
    expect(await inbox.snapshot("ada")).toMatchObject({ seq: 3, unread: 1, items: [{ seq: 3 }] });
  });
});

describe("the fate of a notification", () => {
  it("is what it came from, and whether it was read, archived or rescinded", async () => {
    const { inbox, clock } = embedded;
    const { id, seq } = await tell(embedded, "ada", "1");
    const untouched = { publication: "event:1", readAt: null, archivedAt: null, rescinded: null };
    expect(await inbox.fate("inbox:ada", seq)).toEqual(untouched);
    await inbox.mark("ada", "archive", [id]);
    expect(await inbox.fate("inbox:ada", seq)).toEqual({ ...untouched, readAt: clock.now, archivedAt: clock.now });
    await inbox.mark("ada", "unread", [id]);
    await inbox.rescind("comment:1", "event-9", "deleted");
    expect(await inbox.fate("inbox:ada", seq)).toEqual({ ...untouched, rescinded: "deleted" });
  });

  it("is not known of one that was trimmed, or of what is no notification", async () => {
    const { inbox } = embedded;
    const { id, seq } = await tell(embedded, "ada", "1");
    await inbox.mark("ada", "read", [id]);
    expect(await inbox.fate("inbox:ada", seq + 1)).toBeNull();
    await inbox.trim("inbox:ada", seq + 1);
    expect(await inbox.fate("inbox:ada", seq)).toBeNull();
  });
});
