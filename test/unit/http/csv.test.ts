import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { csvLine } from "../../../src/http/csv.js";

describe("a line of CSV", () => {
  it.each<[string, Array<string | null | undefined>, string]>([
    ["joins cells with commas", ["a", "b c", "é"], "a,b c,é"],
    ["leaves cells of nothing empty", [null, "", undefined, "x"], ",,,x"],
    ["quotes commas, quotes and line ends", ["a,b", 'say "hi"', "one\ntwo", "one\r\ntwo"], '"a,b","say ""hi""","one\ntwo","one\r\ntwo"'],
    ["makes formulas harmless", ["=1+1", "+1", "-1", "@a", "\tx"], "'=1+1,'+1,'-1,'@a,\"'\tx\""],
    ["quotes what spreadsheets of other countries separate by", ["x;=HYPERLINK(A1)", "a\tb"], '"x;=HYPERLINK(A1)","a\tb"'],
    ["makes quoted formulas harmless", ['=cmd|"/c"', "\r=1", "\n=1"], '"\'=cmd|""/c""","\'\r=1","\'\n=1"'],
    ["leaves these signs alone inside a cell", ["a=1", "1-2", "a@b.example"], "a=1,1-2,a@b.example"],
  ])("%s", (_what, cells, line) => {
    expect(csvLine(cells)).toBe(`${line}\r\n`);
  });

  it("says what its cells say, and no cell begins a formula", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("a", '"', ",", "=", "-", "\r", "\n", "\t", "'") }), { minLength: 1 }),
        (cells) => {
          const read = readCsv(csvLine(cells));
          expect(read.map((cell, index) => (cell === cells[index] ? cell : cell.slice(1)))).toEqual(cells);
          for (const cell of read) expect(cell).not.toMatch(/^[=+\-@\t\r\n]/);
        },
      ),
    );
  });
});

/** The cells of one line, as RFC 4180 has it. */
function readCsv(line: string): string[] {
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n$)/gy;
  return [...line.matchAll(cell)].map(([, quoted, plain = ""]) => quoted?.replaceAll('""', '"') ?? plain);
}
