import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { LEVELS, type Level, type PreferenceChange, SCOPES } from "../../../src/preferences/index.js";
import { Settings, type Where } from "../../../src/preferences/settings.js";

const USERS = ["ada", "bruno", "carla"];
const user = fc.constantFrom(...USERS);
// Few ids, and the same ones in every scope, with characters that a careless key would mix up.
const id = fc.constantFrom("1", "2", "tag:1");
const NOW = 1_000;

const level = fc.record({
  of: fc.constant("level" as const),
  user,
  scope: fc.constantFrom(...SCOPES),
  id,
  level: fc.constantFrom(...LEVELS),
  until: fc.constantFrom(null, NOW - 1, NOW, NOW + 1),
});
const block = fc.record({ of: fc.constant("block" as const), user, other: user, blocked: fc.boolean() });
const changes = fc
  .array(fc.oneof({ weight: 4, arbitrary: level }, block), { maxLength: 30 })
  .map((list) =>
    list.map((one, index) => ({ ...(one.of === "level" && one.scope === "all" ? { ...one, id: "" } : one), version: index + 1 })),
  );
const where = fc.record({ thread: id, tags: fc.array(id, { maxLength: 3 }), category: id }, { requiredKeys: [] });

/** The rule as the contract has it, by looking through everything for every question. */
function expectedLevel(list: PreferenceChange[], of: string, place: Where): Level {
  const latest = (scope: string, wanted: string): Level | undefined => {
    const last = list.filter((one) => one.of === "level" && one.user === of && one.scope === scope && one.id === wanted).at(-1);
    return last?.of === "level" && (last.until === null || last.until > NOW) ? last.level : undefined;
  };
  const byTag = (place.tags ?? []).map((tag) => latest("tag", tag));
  return (
    (place.thread === undefined ? undefined : latest("thread", place.thread)) ??
    (["watching", "muted", "normal"] as const).find((one) => byTag.includes(one)) ??
    (place.category === undefined ? undefined : latest("category", place.category)) ??
    latest("all", "") ??
    "normal"
  );
}

function settingsOf(list: PreferenceChange[]): Settings {
  const settings = new Settings(() => NOW);
  for (const change of list) settings.apply(change);
  return settings;
}

describe("the settings in memory", () => {
  it("give everybody the nearest level that is set and has not run out, and know who watches", () => {
    fc.assert(
      fc.property(changes, where, (list, place) => {
        const settings = settingsOf(list);
        const expected = USERS.map((one) => expectedLevel(list, one, place));
        expect(USERS.map((one) => settings.levelFor(one, place).level)).toEqual(expected);
        const watchers = settings.watchers(place);
        expect(watchers.slice().sort()).toEqual(USERS.filter((_, index) => expected[index] === "watching"));
        expect(settings.mostWatchers(place)).toBeGreaterThanOrEqual(watchers.length);
      }),
      { numRuns: 500 },
    );
  });

  it("name the setting that decides", () => {
    fc.assert(
      fc.property(changes, where, (list, place) => {
        const settings = settingsOf(list);
        for (const one of USERS) {
          const { level: found, scope, id: named } = settings.levelFor(one, place);
          const own = settings.levelsOf(one);
          if (scope === null) expect(found).toBe("normal");
          else expect(own).toContainEqual(expect.objectContaining({ scope, id: named, level: found }));
        }
      }),
    );
  });

  it("know who blocks whom now", () => {
    fc.assert(
      fc.property(changes, (list) => {
        const settings = settingsOf(list);
        for (const one of USERS) {
          const blocked = USERS.filter((other) => {
            const last = list.filter((change) => change.of === "block" && change.user === one && change.other === other).at(-1);
            return last?.of === "block" && last.blocked;
          });
          expect(settings.blocksOf(one)).toEqual(blocked);
          expect(USERS.filter((other) => settings.blocks(one, other))).toEqual(blocked);
        }
      }),
    );
  });
});
