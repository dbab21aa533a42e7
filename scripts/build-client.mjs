#!/usr/bin/env node
/**
 * Builds what members and moderators use: the packages under client/ into their own `dist` folders, and the files that the service serves at
 * /client/ into dist/client/. `npm run build` runs it after the server's compiler. To build something new, add it to one of the lists.
 */
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SERVED = join(ROOT, "dist/client");

/** Packages, in the order in which they need each other: modules with their types, each by its own tsconfig.json. */
const PACKAGES = [
  { folder: "client/sdk", formats: ["esm", "cjs"] },
  { folder: "client/ui", formats: ["esm"] },
  { folder: "client/react", formats: ["esm"] },
];

/**
 * Single files. `served`: also at /client/ under the file's name. `options` are esbuild's; what is imported from the packages above is taken
 * from what was built of them.
 */
const BUNDLES = [
  {
    entry: "client/sdk/src/script.ts",
    file: "client/sdk/dist/belfry.js",
    served: true,
    options: { format: "iife", globalName: "Belfry" },
  },
  {
    entry: "client/ui/src/bundle.ts",
    file: "client/ui/dist/belfry-bell.js",
    served: true,
    options: { format: "esm" },
  },
  { entry: "client/console/main.ts", file: "dist/client/console.js", served: false, options: { format: "esm", charset: "utf8" } },
  { entry: "client/console/main.css", file: "dist/client/console.css", served: false, options: {} },
  { entry: "client/demo/pair.ts", file: "dist/client/demo.js", served: false, options: { format: "esm", charset: "utf8" } },
  { entry: "client/demo/looks/pair.css", file: "dist/client/demo.css", served: false, options: {} },
  { entry: "client/demo/member.ts", file: "dist/client/demo-member.js", served: false, options: { format: "esm", charset: "utf8" } },
  { entry: "client/demo/looks/member.css", file: "dist/client/demo-member.css", served: false, options: {} },
];

/** Files that are served as they are, under the names on the right. */
const COPIES = {
  "client/console/index.html": "console.html",
  "client/console/icon.svg": "console.svg",
  "client/demo/pair.html": "demo.html",
  "client/demo/member.html": "demo-member.html",
  "client/demo/icon.svg": "demo.svg",
  "client/push/sw.js": "belfry-sw.js",
  "client/push/push.js": "belfry-push.js",
};

/** What the compiler is told for each kind of module. */
const FORMATS = {
  esm: [],
  cjs: ["--module", "CommonJS", "--moduleResolution", "Bundler"],
};

const TSC = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");

/** @throws Error when the compiler finds faults, which it has printed */
async function compile({ folder, formats }) {
  rmSync(join(ROOT, folder, "dist"), { recursive: true, force: true });
  await Promise.all(
    formats.map(async (format) => {
      const out = join(ROOT, folder, "dist", format);
      const child = spawn(process.execPath, [TSC, "-p", folder, "--outDir", out, ...FORMATS[format]], { cwd: ROOT, stdio: "inherit" });
      const code = await new Promise((resolve) => child.on("close", resolve));
      if (code !== 0) throw new Error(`${folder} does not compile as ${format}`);
      // Says what the .js files of this folder are, whatever the package's own package.json says.
      writeFileSync(join(out, "package.json"), `${JSON.stringify({ type: format === "cjs" ? "commonjs" : "module" })}\n`);
    }),
  );
}

async function bundle({ entry, file, served, options }) {
  await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    minify: true,
    target: "es2022",
    legalComments: "inline",
    logLevel: "warning",
    ...options,
  });
  if (!served) return;
  mkdirSync(SERVED, { recursive: true });
  copyFileSync(join(ROOT, file), join(SERVED, basename(file)));
}

try {
  for (const one of PACKAGES) await compile(one);
  await Promise.all(BUNDLES.map(bundle));
  for (const [file, name] of Object.entries(COPIES)) copyFileSync(join(ROOT, file), join(SERVED, name));
} catch (error) {
  process.stderr.write(`build-client: ${error.message}\n`);
  process.exitCode = 1;
}
