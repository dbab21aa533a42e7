/** The service as it is built. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Runs `npm run build` unless dist/ is newer than every source file. */
export function ensureBuilt() {
  const built = join(ROOT, "dist/src/main.js");
  const sources = readdirSync(join(ROOT, "src"), { recursive: true }).filter((name) => name.endsWith(".ts"));
  const newest = Math.max(...sources.map((name) => statSync(join(ROOT, "src", name)).mtimeMs));
  if (existsSync(built) && statSync(built).mtimeMs >= newest) return;
  execFileSync("npm", ["run", "build"], { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
}
