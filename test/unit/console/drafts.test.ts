import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { changesOf, contentOf, draftOf, forgetDraft, lacksAudience, newDraft } from "../../../client/console/drafts.js";
import type { Announcement } from "../../../client/console/shapes.js";

/** In January, when nobody sets clocks: where one goes back, a form's field cannot say which of two hours is meant. */
const time = fc.date({ min: new Date("2020-01-01"), max: new Date("2035-12-31"), noInvalidDate: true }).map((date) => {
  date.setUTCMonth(0);
  return date.toISOString();
});
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,7}$/);
const words = fc.stringMatching(/^[a-z<>&"]{1,12}$/);
const audience = fc
  .record(
    { roles: fc.uniqueArray(name, { minLength: 1 }), users: fc.uniqueArray(name, { minLength: 1 }), joinedAfter: time, joinedBefore: time },
    { requiredKeys: [] },
  )
  .filter((one) => Object.keys(one).length > 0);

const announcement = fc.record(
  {
    id: name,
    title: words,
    text: words,
    url: fc.constant("https://forum.example/t/1"),
    level: fc.constantFrom("info", "warning", "critical"),
    audience,
    startsAt: time,
    expiresAt: time,
    dismissible: fc.boolean(),
    mandatory: fc.boolean(),
    createdAt: time,
    by: name,
    state: fc.constantFrom("scheduled", "live"),
  },
  { requiredKeys: ["id", "title", "text", "level", "dismissible", "mandatory", "createdAt", "by", "state"] },
) as fc.Arbitrary<Announcement>;

/** What an author has decided; one that must be acknowledged cannot be dismissed, whatever it says of that. */
function decided({ id: _id, by: _by, createdAt: _at, state: _state, ...content }: Announcement) {
  return { ...content, dismissible: content.dismissible && !content.mandatory };
}

describe("the draft of an announcement", () => {
  it("says the same as the announcement that it was made of, to the millisecond", () => {
    fc.assert(
      fc.property(announcement, (one) => {
        expect(contentOf(draftOf(one))).toEqual(decided(one));
      }),
    );
  });

  it("that nobody touched changes nothing", () => {
    fc.assert(
      fc.property(announcement, (one) => {
        const before = draftOf(one);
        expect(changesOf({ ...before }, before)).toEqual({});
      }),
    );
  });

  it("sends what was changed, and null for what was taken away", () => {
    const before = draftOf({
      id: "a",
      title: "One",
      text: "Text",
      url: "https://forum.example/",
      level: "info",
      audience: { users: ["ada"] },
      expiresAt: "2030-01-01T10:00:00.000Z",
      dismissible: true,
      mandatory: false,
      createdAt: "2026-11-21T09:32:28.412Z",
      by: "mia",
      state: "live",
    });
    expect(changesOf({ ...before, title: " Two ", url: "", expiresAt: "", isForSome: false, putAway: "mandatory" }, before)).toEqual({
      title: "Two",
      url: null,
      expiresAt: null,
      audience: null,
      dismissible: false,
      mandatory: true,
    });
    expect(changesOf({ ...before, users: "ada， bruno ,,chidi,ada" }, before)).toEqual({ audience: { users: ["ada", "bruno", "chidi"] } });
  });

  it.each([{}, { users: " , " }, { roles: "，", users: "\n" }])(
    "for a part of the members that %j does not name is for nobody",
    (named) => {
      const unnamed = { ...newDraft().draft, isForSome: true, ...named };
      expect(lacksAudience(unnamed)).toBe(true);
      // The service refuses an empty list; an empty audience, or none, would be everybody.
      expect(contentOf(unnamed).audience).toEqual({ users: [] });
    },
  );

  it("whose only role or member is taken away does not become one for everybody", () => {
    fc.assert(
      fc.property(announcement, (one) => {
        const before = draftOf(one);
        const emptied = { ...before, roles: "", users: " ,", joinedAfter: "", joinedBefore: "" };
        const hadAudience = one.audience !== undefined;
        expect([lacksAudience(before), lacksAudience(emptied)]).toEqual([false, hadAudience]);
        expect(changesOf(emptied, before)).toEqual(hadAudience ? { audience: { users: [] } } : {});
      }),
    );
  });

  it.each([{ roles: "staff" }, { users: "ada" }, { joinedAfter: "2026-01-01T00:00" }, { joinedBefore: "2026-01-01T00:00" }])(
    "for a part of the members that %j names lacks nothing",
    (named) => {
      expect(lacksAudience({ ...newDraft().draft, isForSome: true, ...named })).toBe(false);
    },
  );

  it("for everybody lacks nothing, whatever was written of a part before", () => {
    expect(lacksAudience({ ...newDraft().draft, users: "," })).toBe(false);
  });

  it("is kept with its key until it is sent", () => {
    const first = newDraft();
    first.draft.title = "Half written";
    expect(newDraft()).toBe(first);
    forgetDraft();
    const second = newDraft();
    expect([second.draft.title, second.key === first.key]).toEqual(["", false]);
  });
});
