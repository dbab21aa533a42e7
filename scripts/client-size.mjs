#!/usr/bin/env node
/** Measures what the packages under client/ weigh on a page, `npm run size`. Fails if one is heavier than it may be. */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** Minified as one ES module and gzipped, without what is `external`. Bytes. */
const PACKAGES = [{ name: "belfry-client", entry: "client/sdk/dist/esm/index.js", external: ["socket.io-client"], most: 8_192 }];

for (const { name, entry, external, most } of PACKAGES) {
  const { outputFiles } = await build({
    absWorkingDir: fileURLToPath(new URL("..", import.meta.url)),
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external,
    write: false,
  });
  const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
  process.stdout.write(`${name}: ${bytes} bytes gzipped, at most ${most}\n`);
  if (bytes > most) process.exitCode = 1;
}
