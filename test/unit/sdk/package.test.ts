import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const SDK = join(ROOT, "client/sdk");
const run = promisify(execFile);

/** What a command writes. @throws Error with its output where it fails */
async function output(path: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await run(process.execPath, [path, ...args], { cwd: ROOT, env: { ...process.env, NODE_OPTIONS: "" } });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${path} ${args.join(" ")}\n${stdout}\n${stderr}`);
  }
}

/** The packed package, as it would be published, and the folder that it is in. */
let tarball: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belfry-client-"));
  const [packed] = JSON.parse((await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: SDK })).stdout);
  tarball = join(folder, packed.filename);
  expect(packed.files.map(({ path }: { path: string }) => path)).toEqual(
    expect.arrayContaining(["README.md", "LICENSE", "dist/belfry.js", "dist/esm/index.d.ts", "dist/cjs/index.d.ts"]),
  );
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the package belfry-client", () => {
  it("has nothing that publint would mend", async () => {
    const said = await output(join(ROOT, "node_modules/.bin/publint"), "run", tarball, "--strict");
    expect(said).toContain("All good!");
  });

  it("has the right types for every way in which it is imported", async () => {
    const attw = join(ROOT, "node_modules/.bin/attw");
    expect(await output(attw, tarball, "--no-emoji")).toContain("No problems found");
  }, 60_000);

  it("weighs at most 8 KB gzipped, without socket.io-client", async () => {
    const said = await output(join(ROOT, "scripts/client-size.mjs"));
    const [, bytes, most] = /belfry-client: (\d+) bytes gzipped, at most (\d+)/.exec(said) ?? [];
    expect(most).toBe("8192");
    expect(Number(bytes)).toBeLessThanOrEqual(8_192);
    expect(Number(bytes)).toBeGreaterThan(1_000);
  });

  it("works in Node as an ES module, as CommonJS and as a script", async () => {
    const use = `
      const { connect, webAddress, BelfryRefusal } = belfry;
      const store = connect({ url: "ftp://nowhere", token: "x" });
      store.subscribe(() => {
        if (store.status.is !== "stopped") return;
        console.log(store.status.code, webAddress("javascript:alert(1)"), typeof BelfryRefusal);
        store.close();
        process.exit();
      });`;
    const esm = `import * as belfry from "belfry-client"; import { boardsOf } from "belfry-client/boards"; ${use}`;
    const cjs = `const belfry = require("belfry-client"); require("belfry-client/boards").boardsOf; ${use}`;
    const script = `const fs = require("node:fs"); const belfry = (0, eval)(fs.readFileSync("client/sdk/dist/belfry.js", "utf8") + "; Belfry"); ${use}`;
    for (const [kind, code] of [
      ["module", esm],
      ["commonjs", cjs],
      ["commonjs", script],
    ] as const) {
      const { stdout } = await run(process.execPath, [`--input-type=${kind}`, "--eval", code], {
        cwd: ROOT,
        env: { ...process.env, NODE_OPTIONS: "" },
      });
      expect(stdout).toBe("bad_url null function\n");
    }
  });
});
