import { describe, expect, it } from "@jest/globals";
import type { Notification } from "../../../client/demo/words.js";
import { countsInWords, sentenceOf } from "../../../client/demo/words.js";

const PLAIN: Notification = { id: "n", seq: 1, reason: "direct", type: "invitation", createdAt: "", readAt: null, archivedAt: null };
const ADA = { id: "ada", name: "Ada" };

describe("the words of the demo page's bell", () => {
  it("say what happened in a thread", () => {
    const reply = { ...PLAIN, reason: "reply", type: "comment", actor: ADA, thread: { id: "t", title: "Keys" } };
    expect(sentenceOf(reply)).toEqual({ who: "Ada", says: "replied to you in", where: "Keys" });
    expect(sentenceOf({ ...PLAIN, reason: "mention", type: "comment", actor: ADA })).toMatchObject({ where: "a thread" });
  });

  it("say who wrote a message, and how a task has ended", () => {
    expect(sentenceOf({ ...PLAIN, type: "message", actor: ADA })).toEqual({ who: "Ada", says: "wrote to you:" });
    const task = { ...PLAIN, type: "task", actor: { id: "system" } };
    expect(sentenceOf({ ...task, actor: { id: "system", name: "Export" }, data: { task: "t", state: "completed" } })).toEqual({
      who: "Export",
      says: "is complete",
      mark: "done",
    });
    expect(sentenceOf({ ...task, data: { task: "t", state: "failed" } })).toEqual({ who: "A task", says: "has failed", mark: "failed" });
  });

  it("name the one who acted as well as they can", () => {
    expect(sentenceOf(PLAIN)).toEqual({ who: "Belfry", says: "has news for you" });
    expect(sentenceOf({ ...PLAIN, actor: { id: "system" } }).who).toBe("Belfry");
    expect(sentenceOf({ ...PLAIN, actor: { id: "7" } }).who).toBe("7");
  });

  it("count what the badge counts", () => {
    expect(countsInWords(0, 0)).toBe("0 unread notifications");
    expect(countsInWords(1, 1)).toBe("1 unread notification and 1 announcement");
    expect(countsInWords(2, 3)).toBe("2 unread notifications and 3 announcements");
  });
});
