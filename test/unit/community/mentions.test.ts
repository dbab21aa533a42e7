import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { mentionedIn, splitQuotes } from "../../../src/community/mentions.js";

// The patterns of the rule, with Python's classes spelled out. They define the result; they are too slow for hostile text.
const S = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const QUOTE = new RegExp(`\\[quote="([^",\\]]+),${S}*post:(\\p{Nd}+),${S}*topic:(\\p{Nd}+)[^\\]]*"\\](.*?)\\[/quote\\]`, "gsu");
const MENTION = /(?<![\p{L}\p{N}_/.@])@([A-Za-z0-9_][A-Za-z0-9_.-]*[A-Za-z0-9_]|[A-Za-z0-9_])/gu;

function byPattern(raw: string) {
  const outside = raw.replace(QUOTE, " ");
  return {
    outside,
    quoted: Array.from(raw.matchAll(QUOTE), (match) => match[1]),
    mentioned: Array.from(outside.matchAll(MENTION), (match) => match[1]),
  };
}

function byScanner(raw: string) {
  const { outside, quoted } = splitQuotes(raw);
  return { outside, quoted, mentioned: mentionedIn(outside) };
}

const FORMS = [
  '[quote="a, post:1, topic:1"]x[/quote]',
  '[quote="',
  "a, post:1, topic:2",
  ", post:",
  ", topic:",
  '"]',
  "]",
  '"',
  "[/quote]",
  "12",
  "٣",
  "\u2003",
  "\u001c",
  "\n",
  "@",
  "@bob",
  "@a.b-c_",
  ".",
  "-",
  "/",
  "é",
  "ñ@x",
  "𝒳",
  "𝒳@y",
  "😀@z",
  "\ud800",
  "½@h",
];
const forumText = fc
  .array(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...FORMS) }, { weight: 1, arbitrary: fc.string() }))
  .map((parts) => parts.join(""));

describe("who is named in a post", () => {
  it.each<[string, string[]]>([
    ["@bob and @Alice.", ["bob", "Alice"]],
    ["(@bob), @bob-, @a.b-c_", ["bob", "bob", "a.b-c_"]],
    ["mail@example.org x/@bob .@bob @@bob é@bob 字@bob _@bob", []],
    ["-@bob 😀@eve", ["bob", "eve"]],
    ["@ @. @- @é", []],
    ["@a.@b @a-@b", ["a", "a", "b"]],
    ["@x", ["x"]],
  ])("finds the mentions in %j", (text, names) => {
    expect(mentionedIn(text)).toEqual(names);
  });

  it("finds quotes and leaves what they say out of the text", () => {
    const raw = 'one [quote="Bob, post:1, topic:2, full:true"]\n@eve said\n[/quote] two [quote="al,post:3,topic:4"]x[/quote]@zoe';
    expect(splitQuotes(raw)).toEqual({ outside: "one   two  @zoe", quoted: ["Bob", "al"] });
  });

  it.each([
    '[quote="a, post:1, topic:1"] never closed @bob',
    '[quote="a"]x[/quote]',
    '[quote="a, post:x, topic:1"]x[/quote]',
    "[quote]x[/quote]",
  ])("takes %j as plain text", (raw) => {
    expect(splitQuotes(raw)).toEqual({ outside: raw, quoted: [] });
  });

  it("finds exactly what the patterns find", () => {
    fc.assert(
      fc.property(forumText, (raw) => {
        expect(byScanner(raw)).toEqual(byPattern(raw));
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ["opened quotes without an end", '[quote="a, post:1, topic:1"'],
    ["opened and closed heads without an end", '[quote="a, post:1, topic:1"]'],
    ["quote starts", '[quote="'],
    ["at signs", "@"],
    ["one endless name", "a.a.a."],
    ["names that end in dots", "@a......"],
    ["white space in a head", '[quote="a,                                   '],
    ["ends of quotes", '"][/quote]'],
  ])("reads 5 MB of %s in linear time", (_, unit) => {
    const raw = `@${unit.repeat(Math.ceil(5_000_000 / unit.length))}`;
    const time = (text: string) => {
      const start = performance.now();
      byScanner(text);
      return performance.now() - start;
    };
    // Quadratic work would take minutes here; the bound leaves room for a busy machine.
    expect(time(raw)).toBeLessThan(5_000);
    expect(time(`${raw}]`)).toBeLessThan(5_000);
    expect(time(`${raw.replaceAll("]", ")")}"]x[/quote]`)).toBeLessThan(5_000);
  });
});
