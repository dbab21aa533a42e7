import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  changesOf,
  contentOf,
  type Draft,
  draftOf,
  editDraft,
  forgetDraft,
  forgetEdit,
  isWriting,
  lacksAudience,
  newDraft,
  settleNewDraft,
} from "../../../client/console/drafts.js";
import type { Announcement } from "../../../client/console/shapes.js";
import { parseAnnouncement } from "../../../src/announcements/requests.js";

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

/** The announcement that the service makes of a draft. */
function announced(draft: Draft, id: string): Announcement {
  const { content } = parseAnnouncement(contentOf(draft));
  return { ...(content as Omit<Announcement, "id">), id, createdAt: "2026-11-21T09:32:28.412Z", by: "mia", state: "live" };
}

const written = (fields: Partial<Draft>): Draft => ({ ...newDraft().draft, title: "Maintenance", text: "on Sunday", ...fields });

describe("the draft of a new announcement, once it is answered", () => {
  it("is settled where the service has announced what it says", () => {
    fc.assert(
      fc.property(announcement, (one) => {
        const { joinedAfter, joinedBefore } = one.audience ?? {};
        fc.pre(joinedAfter === undefined || joinedBefore === undefined || joinedAfter < joinedBefore);
        const draft = draftOf(one);
        expect(settleNewDraft({ ...draft, title: ` ${draft.title} ` }, announced(draft, "a-1"))).toBe(true);
        expect(isWriting()).toBe(false);
      }),
    );
  });

  it.each<Partial<Draft>>([
    { title: "Maintenance, again" },
    { url: "https://forum.example/" },
    { putAway: "mandatory" },
    { isForSome: true, roles: "staff" },
  ])("goes on as a change of the first one where %j was written after an answer was lost", (later) => {
    const first = announced(written({}), "a-2");
    const { key } = newDraft();
    const sent = written(later);
    expect(settleNewDraft(sent, first)).toBe(false);
    expect(newDraft().key).not.toBe(key);
    const edit = editDraft(first);
    expect([edit.wasNew, edit.draft]).toEqual([true, sent]);
    expect(Object.keys(changesOf(edit.draft, edit.before))).not.toEqual([]);
    forgetEdit("a-2");
    expect(editDraft(first)).toEqual({ wasNew: false, draft: draftOf(first), before: draftOf(first) });
    forgetEdit("a-2");
  });

  it("asks for no other start of one that is live", () => {
    const first = announced(written({}), "a-3");
    settleNewDraft(written({ startsAt: "2040-01-01T10:00", title: "Later" }), first);
    const { draft, before } = editDraft(first);
    expect(changesOf(draft, before)).toEqual({ title: "Later" });
    forgetEdit("a-3");
  });
});

describe("the draft of a change", () => {
  it("is kept until it is sent, and takes over what others have changed meanwhile", () => {
    const first = announced(written({}), "a-4");
    editDraft(first).draft.text = "on Monday";
    const { draft, before } = editDraft({ ...first, title: "Maintenance!" });
    expect([draft.title, draft.text]).toEqual(["Maintenance!", "on Monday"]);
    expect(changesOf(draft, before)).toEqual({ text: "on Monday" });
    forgetEdit("a-4");
    expect(editDraft(first).draft.text).toBe("on Sunday");
    forgetEdit("a-4");
  });

  it("and that of a new one are all that is being written, where anything is", () => {
    forgetDraft();
    expect(isWriting()).toBe(false);
    newDraft().draft.text = "Half";
    expect(isWriting()).toBe(true);
    forgetDraft();
    newDraft();
    const edit = editDraft(announced(written({}), "a-5"));
    expect(isWriting()).toBe(false);
    edit.draft.title = "Other";
    expect(isWriting()).toBe(true);
    forgetEdit("a-5");
    expect(isWriting()).toBe(false);
  });
});
