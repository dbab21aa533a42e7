import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";

const SCRIPT = fileURLToPath(new URL("../../../scripts/check-rooms.mjs", import.meta.url));

/** A small house without fault: what the tests below break one thing of. */
const CLEAN: Record<string, string> = {
  "src/errors.ts": "export class BelfryError extends Error {}\n",
  "src/main.ts": 'import { serve } from "./http/index.js";\nimport { open } from "./storage/index.js";\nserve(open());\n',
  "src/stream/types.ts": "export interface Entry {\n  seq: number;\n}\n",
  "src/stream/index.ts": 'export * from "./types.js";\nexport { append } from "./append.js";\n',
  "src/stream/append.ts":
    'import { BelfryError } from "../errors.js";\nexport const append = (): never => {\n  throw new BelfryError();\n};\n',
  "src/inbox/index.ts": 'export { append as add } from "../stream/index.js";\n',
  "src/inbox/requests.ts": "export const limit = 100;\n",
  "src/storage/index.ts": 'import type { Entry } from "../stream/types.js";\nexport const open = (): Entry => ({ seq: 1 });\n',
  "src/config/types.ts": "export interface Config {\n  port: number;\n}\n",
  "src/config/index.ts": "export const load = (): null => null;\n",
  "src/http/index.ts":
    'import type { Config } from "../config/types.js";\nimport { limit } from "../inbox/requests.js";\nexport const serve = (_: unknown, __?: Config): number => limit;\n',
};

describe("the check of the house", () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "check-rooms-"));
    await write(CLEAN);
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  async function write(files: Record<string, string>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
  }

  /** Exit status and what was printed, without the closing line. */
  function check(): Promise<{ status: number; findings: string[] }> {
    return new Promise((done) => {
      execFile(process.execPath, [SCRIPT, root], (error, stdout, stderr) => {
        const status = error === null ? 0 : Number(error.code);
        done({ status, findings: `${stdout}${stderr}`.trim().split("\n").slice(0, -1) });
      });
    });
  }

  async function findingsWith(files: Record<string, string>): Promise<string[]> {
    await write(files);
    const { status, findings } = await check();
    expect(status).toBe(findings.length === 0 ? 0 : 1);
    return findings;
  }

  it("passes a house in which every room keeps to its rule", async () => {
    expect(await check()).toEqual({ status: 0, findings: [] });
  });

  it("names the file, the line and the reason when a room imports one that it may not know", async () => {
    const [finding, ...others] = await findingsWith({
      "src/stream/bad.ts": '// why\n\nimport { open } from "../storage/index.js";\nexport const x = open;\n',
    });
    expect(others).toEqual([]);
    expect(finding).toMatch(/^src\/stream\/bad\.ts:3 imports "\.\.\/storage\/index\.js", which the room stream may not .*the core knows/);
  });

  it.each([
    ["an import of a type", 'import type { open } from "../storage/index.js";\nexport type X = typeof open;\n'],
    ["a re-export", 'export { open } from "../storage/index.js";\n'],
    ["a re-export of everything", 'export * from "../storage/index.js";\n'],
    ["a dynamic import", 'export const x = await import("../storage/index.js");\n'],
    ["the type of an import", 'export type X = typeof import("../storage/index.js");\n'],
    ["an import for its effect", 'import "../storage/index.js";\n'],
  ])("sees %s", async (_, text) => {
    expect(await findingsWith({ "src/inbox/bad.ts": text })).toEqual([expect.stringContaining("src/inbox/bad.ts:1 imports")]);
  });

  it("is not misled by comments and strings that look like imports", async () => {
    const text = '/* import "../storage/index.js"; */\nexport const x = `import y from "../storage/index.js"`;\n';
    expect(await findingsWith({ "src/inbox/fine.ts": text })).toEqual([]);
  });

  it("lets another room in by the door and the types only", async () => {
    expect(await findingsWith({ "src/inbox/bad.ts": 'export { append } from "../stream/append.js";\n' })).toEqual([
      expect.stringContaining("which is inside the room stream: another room comes in by its door"),
    ]);
  });

  it("holds commands and the top files to the doors as well", async () => {
    const findings = await findingsWith({
      "src/cli/tool.ts":
        'export { append } from "../stream/append.js";\nexport { open } from "../storage/index.js";\nexport * from "../app.js";\n',
      "src/app.ts": 'export { append } from "./stream/append.js";\n',
    });
    expect(findings).toEqual([expect.stringContaining("src/app.ts:1"), expect.stringContaining("src/cli/tool.ts:1")]);
  });

  it("tells the types of a room from its code where only the types are allowed", async () => {
    const findings = await findingsWith({
      "src/auth/index.ts":
        'import type { load } from "../config/index.js";\nexport type Load = typeof load;\nexport * from "../config/types.js";\n',
      "src/auth/bad.ts": 'export { load } from "../config/index.js";\n',
    });
    expect(findings).toEqual([expect.stringMatching(/^src\/auth\/bad\.ts:1 .*only the types \(config\/types\.js\)/)]);
  });

  it("asks for a rule when a room has none", async () => {
    expect(await findingsWith({ "src/attic/index.ts": "export const x = 1;\n" })).toEqual([
      expect.stringMatching(/^src\/attic:1 is a room without a rule/),
    ]);
  });

  it("keeps the packages of a database out of the core", async () => {
    expect(await findingsWith({ "src/stream/bad.ts": 'import { connect } from "mongoose";\nexport const x = connect;\n' })).toEqual([
      expect.stringContaining('src/stream/bad.ts:1 imports "mongoose", a package that only storage may know'),
    ]);
  });

  it("finds files that import each other in a circle, once each", async () => {
    const findings = await findingsWith({
      "src/stream/a.ts": 'export * from "./b.js";\n',
      "src/stream/b.ts": 'export * from "./c.js";\n',
      "src/stream/c.ts": 'export * from "./a.js";\n',
    });
    expect(findings).toEqual([
      expect.stringContaining("circle of imports: src/stream/a.ts → src/stream/b.ts → src/stream/c.ts → src/stream/a.ts"),
    ]);
  });

  it("counts the lines of code files: 350 pass, 351 do not", async () => {
    const findings = await findingsWith({
      "test/fits.ts": "export {};\n".repeat(350),
      "test/long.ts": "export {};\n".repeat(351),
      "docs/long.md": "text\n".repeat(351),
    });
    expect(findings).toEqual([expect.stringContaining("test/long.ts:351 has 351 lines")]);
  });

  it.each([
    ["a folder beside the clone", ["See ..", "shared", "notes.md"].join("/")],
    ["a path of one machine", ["run /", "/main/run.sh"].join("work")],
    ["a package registry", `npm config set registry https://${["registry", "npmjs", "org"].join(".")}`],
  ])("finds a mention of %s in any text file", async (_, text) => {
    expect(await findingsWith({ "docs/notes.md": `first line\n${text}\n` })).toEqual([
      expect.stringMatching(/^docs\/notes\.md:2 mentions /),
    ]);
  });

  it("leaves out what is built, installed or binary", async () => {
    const text = ["registry", "npmjs", "org"].join(".");
    expect(await findingsWith({ "dist/x.js": text, "node_modules/x/y.js": text, "picture.png": `\0${text}` })).toEqual([]);
  });

  it("reports a file that cannot be parsed instead of passing over it", async () => {
    expect(await findingsWith({ "src/stream/broken.ts": "export const = ;\n" })).toEqual([
      expect.stringContaining("src/stream/broken.ts:1 cannot be parsed"),
    ]);
  });
});
