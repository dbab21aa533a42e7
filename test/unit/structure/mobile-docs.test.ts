import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const EXAMPLES = join(ROOT, "examples", "mobile");

/** The code in a Markdown text. */
function blocksOf(markdown: string): string[] {
  return [...markdown.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].map(([, code]) => code as string);
}

describe("docs/MOBILE.md", () => {
  const markdown = readFileSync(join(ROOT, "docs", "MOBILE.md"), "utf8");

  it.each(readdirSync(EXAMPLES))("shows %s as it is, and names the file", (file) => {
    const code = readFileSync(join(EXAMPLES, file), "utf8");
    expect(blocksOf(markdown)).toContain(code);
    expect(markdown).toContain(`(../examples/mobile/${file})`);
  });
});
