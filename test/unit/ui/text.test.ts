import { describe, expect, it } from "@jest/globals";
import type { Notification } from "../../../client/sdk/src/types.js";
import { en } from "../../../client/ui/src/text/en.js";
import { addLanguage, languageFor, watchLanguages } from "../../../client/ui/src/text/language.js";
import { piecesOf } from "../../../client/ui/src/text/message.js";
import { sentenceOf, spoken } from "../../../client/ui/src/text/sentence.js";
import { zh } from "../../../client/ui/src/text/zh.js";
import { fakeItem } from "../../support/ui-fake.js";

const english = languageFor("en-GB");
const chinese = languageFor("zh-Hans-CN");

/** A reply of somebody in one thread. */
function by(name: string, more: Partial<Notification> = {}): Notification {
  return fakeItem(1, { id: name, actor: { id: name, name }, thread: { id: "t", title: "Ropes" }, ...more });
}

function placesOf(message: unknown): string[] {
  const texts = typeof message === "string" ? [message] : Object.values(message as object).map(String);
  const names = texts.flatMap((text) => piecesOf(text).flatMap((piece) => ("place" in piece ? [piece.place] : [])));
  return [...new Set(names)].sort();
}

describe("the words of the elements", () => {
  it("say who has done what, and where", () => {
    expect(spoken([by("Ada")], english)).toBe("Ada replied to you in Ropes");
    expect(spoken([by("Ada", { reason: "mention" })], english)).toBe("Ada mentioned you in Ropes");
    expect(spoken([by("Ada", { reason: "watching", type: "thread" })], english)).toBe("Ada started Ropes");
    expect(spoken([by("Ada", { reason: "direct", type: "message" })], english)).toBe("Ada sent you a message");
    expect(spoken([by("Export", { reason: "direct", type: "task", data: { state: "completed" } })], english)).toBe("Export is complete");
    expect(spoken([by("Export", { reason: "direct", type: "task", data: { state: "failed" } })], english)).toBe("Export has failed");
    expect(spoken([by("Ada")], chinese)).toBe("Ada在Ropes中回复了你");
  });

  it("gather several of a thread: pairs, others, and one who goes on and on", () => {
    expect(spoken([by("Ada"), by("Chidi")], english)).toBe("Ada and Chidi replied to you in Ropes");
    expect(spoken([by("Ada"), by("Chidi"), by("Dora")], english)).toBe("Ada and 2 others replied to you in Ropes");
    expect(spoken([by("Ada"), by("Chidi"), by("Dora"), by("Emil")], english)).toBe("Ada and 3 others replied to you in Ropes");
    expect(spoken([by("Ada"), { ...by("Ada"), id: "2" }, { ...by("Ada"), id: "3" }], english)).toBe("Ada wrote 3 times in Ropes");
    expect(spoken([by("Ada"), by("Chidi", { reason: "mention" })], english)).toBe("Ada and Chidi wrote in Ropes");
    expect(spoken([by("Ada"), by("Chidi"), by("Dora")], chinese)).toBe("Ada和另外 2 人在Ropes中回复了你");
  });

  it("have something to say of whatever comes", () => {
    expect(spoken([by("Ada", { reason: "something new", type: "x" })], english)).toBe("Ada has news for you");
    expect(spoken([by("Ada", { actor: null, thread: null })], english)).toBe("The forum replied to you in a thread");
    expect(spoken([by("Ada", { actor: { id: "31", name: null }, thread: { id: "1", title: null } })], english)).toBe(
      "31 replied to you in a thread",
    );
    expect(spoken([by("Ada", { actor: { id: "system" }, reason: "direct", type: "note" })], english)).toBe("The forum has news for you");
    expect(sentenceOf([], english)).toEqual([]);
  });

  it("keep what somebody has written apart, whatever it looks like", () => {
    const parts = sentenceOf([by("{thread} <b>", { thread: { id: "t", title: "{who}" } })], english);
    expect(parts).toEqual([
      { kind: "who", text: "{thread} <b>" },
      { kind: "text", text: " replied to you in " },
      { kind: "thread", text: "{who}" },
    ]);
  });

  it("have each message in Chinese, with places that English has too", () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      expect({ key, places: placesOf(zh[key]) }).toEqual({ key, places: placesOf(en[key]) });
    }
  });

  it("have the punctuation of Chinese in Chinese", () => {
    const texts = Object.values(zh).flatMap((message) => (typeof message === "string" ? [message] : Object.values(message)));
    expect(texts.filter((text) => /[,?:;!]/.test(text))).toEqual([]);
  });

  it("have words of their own for one, also in a language without a singular", () => {
    expect(chinese.say("arrived", { what: "Ropes" }, 1)).toBe("新通知：Ropes");
    expect(chinese.say("arrived", { what: "Ropes" }, 2)).toBe("2 条新通知");
  });

  it("choose plurals by the language's own rules", () => {
    addLanguage("pl", {
      expand: { one: "{count} powiadomienie", few: "{count} powiadomienia", many: "{count} powiadomień", other: "{count}" },
    });
    const polish = languageFor("pl-PL");
    expect([1, 3, 5, 22].map((count) => polish.say("expand", {}, count))).toEqual([
      "1 powiadomienie",
      "3 powiadomienia",
      "5 powiadomień",
      "22 powiadomienia",
    ]);
    expect(polish.say("close")).toBe("Close");
  });

  it("take up languages that a page adds, also for a region, and tell the elements", () => {
    expect(languageFor("eo").say("archive")).toBe("Archive");
    let told = 0;
    const end = watchLanguages(() => told++);
    addLanguage("eo", { archive: "Arkivigi" });
    end();
    addLanguage("eo", { unarchive: "Malarkivigi" });
    expect(told).toBe(1);
    expect(languageFor("eo").say("archive")).toBe("Arkivigi");
    expect(languageFor("eo-XX").say("unarchive")).toBe("Malarkivigi");
    expect(languageFor("not a language!").say("archive")).toBe("Archive");
  });

  it("say times as the language does, and never that something is still to come", () => {
    const now = Date.parse("2026-11-21T12:00:00Z");
    const ago = (seconds: number): string => english.ago(now - seconds * 1_000, now);
    expect(ago(-7_200)).toBe("just now");
    expect(ago(10)).toBe("just now");
    expect(ago(180)).toMatch(/^3 min\.? ago$/);
    expect(ago(7_200)).toMatch(/^2 (hr\.?|h) ago$/);
    expect(ago(86_400)).toBe("yesterday");
    expect(ago(20 * 86_400)).toBe("1 Nov");
    expect(ago(400 * 86_400)).toMatch(/^17 Oct 2025$/);
    expect(chinese.ago(now - 180_000, now)).toBe("3分钟前");
  });

  it("count days as the calendar does, not by twenty-four hours", () => {
    const at = (day: number, hour: number, minute = 0): number => new Date(2026, 10, day, hour, minute).getTime();
    // 36.5 hours before, and 25.5.
    const [yesterday, dayBefore] = [
      [at(20, 10, 30), at(21, 23)],
      [at(19, 23, 30), at(21, 1)],
    ] as const;
    expect([english.ago(...yesterday), chinese.ago(...yesterday)]).toEqual(["yesterday", "昨天"]);
    expect([english.ago(...dayBefore), chinese.ago(...dayBefore)]).toEqual(["2 days ago", "前天"]);
  });
});
