import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { AuditEntry, AuditPage, AuditQuery } from "../../../src/moderation/types.js";
import type { Companion } from "../../../src/storage/types.js";
import type { StoredEntry, StreamStore } from "../../../src/stream/types.js";
import { until } from "../../support/member.js";
import { ADMIN, MOD, NOBODY, openRig, type Rig, refusalOf, SERVER } from "./rig.js";

let rig: Rig;

beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

async function exported(): Promise<AuditEntry[]> {
  const all: AuditEntry[] = [];
  for await (const entry of rig.moderation.export()) all.push(entry);
  return all;
}

/** Every page of a query, one after the other. */
async function walk(query: AuditQuery): Promise<AuditPage[]> {
  const pages: AuditPage[] = [];
  for (let before = query.before; ; ) {
    const page = await rig.moderation.audit({ ...query, before });
    pages.push(page);
    if (!page.more) return pages;
    before = page.next ?? page.items.at(-1)?.id;
  }
}

describe("the audit log", () => {
  it("is heard of live: every act of every node, in order, and every refused one", async () => {
    const heard: AuditEntry[] = [];
    await rig.moderation.kick(MOD, "ada", { why: "before" });
    await rig.moderation.start();
    const stopFaulty = rig.moderation.onAct(() => {
      throw new Error("a screen failed");
    });
    const stop = rig.moderation.onAct((entry) => heard.push(entry));
    await rig.moderation.ban(MOD, "ada", { why: "spam" });
    expect(heard).toEqual([{ id: "2", at: expect.any(String), by: "mod", act: "ban", target: "ada", why: "spam", from: "198.51.100.7" }]);
    await refusalOf(rig.moderation.unban(NOBODY, "ada"));
    await rig.node().moderation.unban(ADMIN, "ada");
    await until("the other node's act", () => heard.length === 3);
    expect(heard).toEqual((await exported()).slice(1));
    expect(heard[1]).toMatchObject({ act: "unban", refused: expect.stringContaining("role") });
    expect(rig.errors).toHaveLength(3);
    stopFaulty();
    stop();
    await rig.moderation.kick(MOD, "ada", { why: "after" });
    expect(heard).toHaveLength(3);
  });

  it("can be read in pages of any size, newest first, narrowed to an actor, an act and a target", async () => {
    const users = ["ada", "bruno", "root"];
    for (let n = 0; n < 60; n++) {
      rig.clock.now += 1_000;
      const user = users[n % 3];
      await rig.moderation[n % 2 === 0 ? "mute" : "kick"]([MOD, ADMIN, SERVER][n % 5] ?? SERVER, user, { why: "w" }).catch(() => {});
    }
    const newestFirst = (await exported()).reverse();
    const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    const query = fc.record({
      limit: fc.integer({ min: 1, max: 100 }),
      by: some(fc.constantFrom("mod", "root", "server", "ada", "stranger")),
      act: some(fc.constantFrom("mute", "kick", "ban", "nothing")),
      target: some(fc.constantFrom("ada", "bruno", "root")),
    });
    await fc.assert(
      fc.asyncProperty(query, async ({ limit, ...filter }) => {
        const fitting = newestFirst.filter((entry) =>
          (["by", "act", "target"] as const).every((field) => filter[field] === undefined || entry[field] === filter[field]),
        );
        const pages = await walk({ limit, ...filter });
        expect(pages.flatMap(({ items }) => items)).toEqual(fitting);
        expect(pages.slice(0, -1).every(({ items }) => items.length === limit)).toBe(true);
        expect(pages.some((page) => "next" in page)).toBe(false);
      }),
    );
  });

  it("begins a page before an entry, and is empty before the first", async () => {
    expect((await rig.moderation.audit({ before: "3", limit: 10 })).items.map(({ id }) => id)).toEqual(["2", "1"]);
    expect(await rig.moderation.audit({ before: "1", limit: 10 })).toEqual({ items: [], more: false });
    expect((await rig.moderation.audit({ before: "999999999999999", limit: 1 })).items).toEqual((await exported()).slice(-1));
  });

  it.each(["", "0", "-1", "1.5", "abc", "1e3", "9".repeat(16), " 1"])("knows no entry %j to begin before", async (before) => {
    expect(await refusalOf(rig.moderation.audit({ before, limit: 1 }))).toMatchObject({ code: "bad_request" });
  });

  it("of 10,000 acts and more is looked through in bounded steps, and exported whole", async () => {
    const entries = Array.from({ length: 10_100 }, (_, index): StoredEntry => {
      const act = index === 49 ? { by: "mod", act: "ban", target: "bruno" } : { by: "server", act: "kick", target: "ada" };
      return { seq: index + 1, at: 0, kind: "act", unread: 0, own: JSON.stringify(act), publication: null, shared: null };
    });
    const { moderation } = rig.node(long(rig.stores.streams, entries));
    const query = { target: "bruno", limit: 10 };
    expect(await moderation.audit(query)).toEqual({ items: [], more: true, next: "101" });
    expect(await moderation.audit({ ...query, before: "101" })).toMatchObject({ items: [{ id: "50", act: "ban" }], more: false });

    const ids: string[] = [];
    for await (const { id } of moderation.export()) ids.push(id);
    expect(ids).toEqual(entries.map(({ seq }) => String(seq)));
  });

  it("is exported as it was at the beginning, whatever is done meanwhile", async () => {
    const before = await exported();
    const ids: string[] = [];
    for await (const { id } of rig.moderation.export()) {
      await rig.moderation.kick(SERVER, "ada", { why: "meanwhile" });
      ids.push(id);
    }
    expect(ids).toEqual(before.map(({ id }) => id));
  });
});

/** The store, with these entries as the audit log; writing them one after the other would take longer than reading them. */
function long(store: StreamStore<Companion>, entries: StoredEntry[]): StreamStore<Companion> {
  const reads: Partial<StreamStore<Companion>> = {
    tails: async ([stream = ""]) => new Map([[stream, { head: entries.length, base: 1, unread: 0 }]]),
    read: async (_stream, after, upTo, limit) => entries.slice(after, Math.min(upTo, after + limit)),
    readBack: async (_stream, _kind, from, before, limit) => entries.slice(Math.max(from, before - limit) - 1, before - 1).reverse(),
  };
  return new Proxy(store, { get: (target, name) => Reflect.get(reads, name) ?? Reflect.get(target, name) });
}
