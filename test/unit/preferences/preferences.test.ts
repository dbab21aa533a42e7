import { beforeEach, describe, expect, it } from "@jest/globals";
import { BelfryError } from "../../../src/errors.js";
import { Preferences } from "../../../src/preferences/index.js";
import { MemoryPreferenceStore } from "./memory-store.js";

const NOW = Date.parse("2026-01-01T00:00:00Z");

let clock: { now: number };

beforeEach(() => {
  clock = { now: NOW };
});

/** Everybody is known but the ghost. */
const members = {
  async require(user: string): Promise<void> {
    if (user === "ghost") throw new BelfryError("not_found", "No such member.");
  },
};

async function open(store = new MemoryPreferenceStore(true)): Promise<{ store: MemoryPreferenceStore; preferences: Preferences }> {
  const preferences = new Preferences({ store, members, clock: () => clock.now });
  await preferences.load();
  store.calls.length = 0;
  return { store, preferences };
}

describe("a level", () => {
  it("is answered as it was written, and holds from then on, also after a restart", async () => {
    const { preferences, store } = await open();
    const until = "2026-01-02T01:00:00+01:00";
    expect(await preferences.setLevel("ada", { scope: "thread", id: "497", level: "muted", until })).toEqual({
      scope: "thread",
      id: "497",
      level: "muted",
      until: "2026-01-02T00:00:00.000Z",
    });
    expect(await preferences.setLevel("ada", { scope: "all", level: "watching" })).toEqual({
      scope: "all",
      level: "watching",
      until: null,
    });
    for (const one of [preferences, (await open(store)).preferences]) {
      expect(one.levelFor("ada", { thread: "497" })).toEqual({ level: "muted", scope: "thread", id: "497" });
      expect(one.levelFor("ada", { thread: "1" })).toEqual({ level: "watching", scope: "all", id: "" });
      expect(one.watchers({ thread: "1" })).toEqual(["ada"]);
      expect(one.watchers({ thread: "497" })).toEqual([]);
      expect(one.levelFor("bruno", { thread: "497" })).toEqual({ level: "normal", scope: null, id: "" });
    }
  });

  it("runs out at its end, and is then no longer listed", async () => {
    const { preferences } = await open();
    await preferences.setLevel("ada", { scope: "tag", id: "x", level: "muted", until: "2026-01-02T00:00:00Z" });
    await preferences.setLevel("ada", { scope: "category", id: "7", level: "watching" });
    clock.now = Date.parse("2026-01-02T00:00:00Z") - 1;
    expect(preferences.levelFor("ada", { tags: ["x"] }).level).toBe("muted");
    expect((await preferences.levelsOf("ada")).items.map(({ scope }) => scope)).toEqual(["tag", "category"]);
    clock.now += 1;
    expect(preferences.levelFor("ada", { tags: ["x"], category: "7" }).level).toBe("watching");
    expect(await preferences.levelsOf("ada")).toEqual({ items: [{ scope: "category", id: "7", level: "watching", until: null }] });
    expect(await preferences.levelsOf("bruno")).toEqual({ items: [] });
  });

  it.each([
    [null, "The level"],
    [{ id: "1", level: "muted" }, "scope is missing"],
    [{ scope: "forum", id: "1", level: "muted" }, "scope must be one of thread, tag, category, all"],
    [{ scope: "thread", level: "muted" }, "id is missing"],
    [{ scope: "thread", id: "", level: "muted" }, "id must be 1 to 128 characters"],
    [{ scope: "thread", id: 497, level: "muted" }, "id must be a string"],
    [{ scope: "all", id: "1", level: "muted" }, "id must be left out"],
    [{ scope: "all", level: "loud" }, "level must be one of watching, normal, muted"],
    [{ scope: "all", level: "muted", until: "tomorrow" }, "until must be a time"],
    [{ scope: "all", level: "muted", until: "2026-01-01T00:00:00Z" }, "until must be in the future"],
  ])("is refused as %j, and nothing is stored", async (payload, message) => {
    const { preferences, store } = await open();
    await expect(preferences.setLevel("ada", payload)).rejects.toMatchObject({
      code: "bad_request",
      message: expect.stringContaining(message),
    });
    expect(store.calls).toEqual([]);
  });

  it("is refused past the limit of places, until one of them is set back to normal", async () => {
    const { preferences } = await open();
    const set = (id: number, level: string) => preferences.setLevel("ada", { scope: "thread", id: String(id), level });
    await Promise.all(Array.from({ length: 2_000 }, (_, id) => set(id, "muted")));
    await expect(set(2_000, "watching")).rejects.toMatchObject({ code: "bad_request" });
    expect(preferences.watchers({ thread: "2000" })).toEqual([]);
    await set(1_999, "watching");
    await set(2_000, "normal");
    await set(7, "normal");
    await set(2_000, "watching");
    await preferences.setLevel("bruno", { scope: "thread", id: "2001", level: "watching" });
  });

  it("is refused for one more place where thousands were set and set back", async () => {
    const { preferences } = await open();
    const set = (id: number) => preferences.setLevel("ada", { scope: "tag", id: String(id), level: "normal" });
    await Promise.all(Array.from({ length: 10_000 }, (_, id) => set(id)));
    await expect(set(10_000)).rejects.toMatchObject({ code: "bad_request" });
    await set(9_999);
  });
});

describe("a block", () => {
  it("holds until it is ended, for one member and not the other way round", async () => {
    const { preferences, store } = await open();
    expect(await preferences.setBlock("ada", "zoe", true)).toEqual({ user: "zoe", blocked: true });
    await preferences.setBlock("ada", "bruno", true);
    expect([preferences.blocks("ada", "bruno"), preferences.blocks("bruno", "ada")]).toEqual([true, false]);
    expect(await preferences.blocksOf("ada")).toEqual({ items: [{ user: "bruno" }, { user: "zoe" }] });
    expect(await preferences.setBlock("ada", "zoe", false)).toEqual({ user: "zoe", blocked: false });
    for (const one of [preferences, (await open(store)).preferences]) {
      expect([one.blocks("ada", "bruno"), one.blocks("ada", "zoe")]).toEqual([true, false]);
    }
  });

  it.each([
    ["ada", "bad_request"],
    ["ghost", "not_found"],
    ["", "bad_request"],
    [{ user: "bruno" }, "bad_request"],
    [undefined, "bad_request"],
  ])("of %j is refused with %s, and nothing is stored", async (other, code) => {
    const { preferences, store } = await open();
    for (const blocked of [true, false]) {
      await expect(preferences.setBlock("ada", other, blocked)).rejects.toMatchObject({ code });
    }
    expect(store.calls).toEqual([]);
  });

  it("is refused past the limit, until another is ended", async () => {
    const { preferences } = await open();
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => preferences.setBlock("ada", `m${index}`, true)));
    await expect(preferences.setBlock("ada", "one more", true)).rejects.toMatchObject({ code: "bad_request" });
    await preferences.setBlock("ada", "m0", true);
    await preferences.setBlock("ada", "m0", false);
    await preferences.setBlock("ada", "one more", true);
    expect((await preferences.blocksOf("ada")).items).toHaveLength(1_000);
  });
});

describe("what is known of the store", () => {
  it("is everything from the start, however much it is", async () => {
    const store = new MemoryPreferenceStore(true);
    for (let index = 0; index < 2_500; index++) {
      void store.setLevel({ user: `m${index}`, scope: "thread", id: "497", level: "watching", until: null });
    }
    const { preferences } = await open(store);
    expect(preferences.watchers({ thread: "497" })).toHaveLength(2_500);
  });

  it("needs no look where nobody else writes", async () => {
    const { preferences, store } = await open();
    expect(preferences.refresh()).toBeNull();
    await preferences.setLevel("ada", { scope: "all", level: "muted" });
    expect(preferences.refresh()).toBeNull();
    expect(store.calls.filter((call) => call === "write")).toHaveLength(1);
  });

  it("is in doubt until it was read where a write failed half-way, and then it is known", async () => {
    const { preferences, store } = await open();
    store.failures = 1;
    await expect(preferences.setLevel("ada", { scope: "all", level: "muted" })).rejects.toThrow("the settings are away");
    store.failures = 1;
    await expect(preferences.refresh()).rejects.toThrow("the settings are away");
    await preferences.refresh();
    expect(preferences.levelFor("ada", {}).level).toBe("muted");
    expect(preferences.refresh()).toBeNull();
  });

  it("takes one small read where others write too, and the changes only where there are any", async () => {
    const { preferences, store } = await open(new MemoryPreferenceStore(false));
    const other = (await open(store)).preferences;
    await preferences.refresh();
    expect(store.calls).toEqual(["version"]);
    await other.setBlock("ada", "bruno", true);
    store.calls.length = 0;
    expect(preferences.blocks("ada", "bruno")).toBe(false);
    await preferences.refresh();
    expect(preferences.blocks("ada", "bruno")).toBe(true);
    expect(store.calls).toEqual(["version", "changesSince 0"]);
    expect((await other.blocksOf("ada")).items).toHaveLength(1);
  });

  it("comes from a read that started after the question, and many questions share one", async () => {
    const { preferences, store } = await open(new MemoryPreferenceStore(false));
    const early = preferences.refresh();
    while (store.calls.length === 0) await Promise.resolve();
    // The read under way has its answer, and this change is not in it.
    void store.setLevel({ user: "ada", scope: "all", id: "", level: "muted", until: null });
    const late = Array.from({ length: 50 }, () => preferences.refresh());
    await early;
    expect(preferences.levelFor("ada", {}).level).toBe("normal");
    await late[0];
    expect(preferences.levelFor("ada", {}).level).toBe("muted");
    await Promise.all(late);
    expect(store.calls.filter((call) => call === "version")).toHaveLength(2);
  });

  it("fails for those who asked where the store is away, and for nobody later", async () => {
    const { preferences, store } = await open(new MemoryPreferenceStore(false));
    store.failures = 1;
    await expect(Promise.all([preferences.refresh(), preferences.refresh()])).rejects.toThrow("the settings are away");
    await preferences.refresh();
  });

  it("is the last change stored of several made at once", async () => {
    const { preferences, store } = await open(new MemoryPreferenceStore(false));
    const levels = ["muted", "watching", "normal", "watching"];
    await Promise.all(levels.map((level) => preferences.setLevel("ada", { scope: "thread", id: "1", level })));
    expect(preferences.levelFor("ada", { thread: "1" }).level).toBe("watching");
    expect((await open(store)).preferences.watchers({ thread: "1" })).toEqual(["ada"]);
  });
});
