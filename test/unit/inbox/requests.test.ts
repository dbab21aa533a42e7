import { describe, expect, it } from "@jest/globals";
import { parseAck, parseHandshake, parseIds, parseList, parseRefresh, parseSync, parseUpTo } from "../../../src/inbox/index.js";

const cursor = { epoch: "e", seq: 0 };

describe("payloads of client events", () => {
  it("are read with their defaults, and without what is not known", () => {
    expect(parseSync({ stream: "inbox", after: { ...cursor, x: 1 }, y: 2 })).toEqual({ stream: "inbox", after: cursor, limit: 100 });
    expect(parseList({})).toEqual({ filter: "all", limit: 50 });
    expect(parseList({ filter: "archived", before: "n", limit: 1 })).toEqual({ filter: "archived", before: "n", limit: 1 });
    expect(parseAck({ stream: "announcements", seq: 3 })).toEqual({ stream: "announcements", seq: 3 });
    expect(parseIds({ ids: ["a", "b", "a"] })).toEqual(["a", "b"]);
    expect([parseUpTo({}), parseUpTo({ upTo: 9 })]).toEqual([undefined, 9]);
    expect(parseRefresh({ token: "t" })).toBe("t");
  });

  it("may say null where there is nothing to say", () => {
    expect(parseSync({ stream: "inbox", after: cursor, limit: null })).toEqual({ stream: "inbox", after: cursor, limit: 100 });
    expect(parseList({ filter: null, before: null, limit: null })).toEqual({ filter: "all", limit: 50 });
    expect(parseUpTo({ upTo: null })).toBeUndefined();
    const empty = { token: "t", cursors: {}, device: null };
    expect(parseHandshake({ token: "t", cursors: null, device: null })).toEqual(empty);
    expect(parseHandshake({ token: "t", cursors: { inbox: null, announcements: null } })).toEqual(empty);
  });

  it.each<[(payload: unknown) => unknown, unknown, RegExp]>([
    [parseSync, undefined, /^The payload must be an object/],
    [parseSync, null, /^The payload/],
    [parseSync, "x", /^The payload/],
    [parseSync, [], /^The payload/],
    [parseSync, { after: cursor }, /^`stream` must be/],
    [parseSync, { stream: "other", after: cursor }, /^`stream` must be/],
    [parseSync, { stream: "__proto__", after: cursor }, /^`stream` must be/],
    [parseSync, { stream: "inbox" }, /^`after` must be an object/],
    [parseSync, { stream: "inbox", after: { epoch: { $gt: "" }, seq: 0 } }, /^`after.epoch` must be a string/],
    [parseSync, { stream: "inbox", after: { epoch: "e", seq: -1 } }, /^`after.seq` must be a whole number/],
    [parseSync, { stream: "inbox", after: { epoch: "e", seq: "1" } }, /^`after.seq`/],
    [parseSync, { stream: "inbox", after: cursor, limit: 101 }, /^`limit` must be a whole number from 1 to 100/],
    [parseSync, { stream: "inbox", after: cursor, limit: Number.NaN }, /^`limit`/],
    [parseList, { limit: 0 }, /^`limit`/],
    [parseList, { filter: "mine" }, /^`filter`/],
    [parseList, { before: 1 }, /^`before` must be a string/],
    [parseAck, { stream: "inbox", seq: 2 ** 53 }, /^`seq`/],
    [parseIds, { ids: [] }, /^`ids` must hold at least one/],
    [parseIds, { ids: ["a", 1] }, /^`ids.1` must be a string/],
    [parseIds, { ids: Array.from({ length: 101 }, String) }, /^`ids` must hold at most 100/],
    [parseUpTo, { upTo: 0 }, /^`upTo`/],
    [parseRefresh, {}, /^`token` must be a string/],
  ])("%p refuses %j, naming the field", (parse, payload, message) => {
    expect(() => parse(payload)).toThrow(expect.objectContaining({ code: "bad_request", message: expect.stringMatching(message) }));
  });
});

describe("a handshake", () => {
  it("needs only a token", () => {
    expect(parseHandshake({ token: "t" })).toEqual({ token: "t", cursors: {}, device: null });
    const full = { token: "t", cursors: { inbox: cursor }, device: "phone" };
    expect(parseHandshake(full)).toEqual(full);
  });

  it.each([undefined, null, {}, { token: "" }, { token: null }, "token", []])("without a token is unauthorized: %j", (auth) => {
    expect(() => parseHandshake(auth)).toThrow(expect.objectContaining({ code: "unauthorized" }));
  });

  it.each([
    { token: 7 },
    { token: { $gt: "" } },
    { token: "x".repeat(8_193) },
    { token: "t", cursors: "all" },
    { token: "t", cursors: { inbox: 7 } },
    { token: "t", cursors: { inbox: { epoch: "", seq: 1 } } },
    { token: "t", device: 7 },
    { token: "t", device: "x".repeat(129) },
  ])("of a wrong form is malformed: %j", (auth) => {
    expect(() => parseHandshake(auth)).toThrow(expect.objectContaining({ code: "bad_request" }));
  });
});
