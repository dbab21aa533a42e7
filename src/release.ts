import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of package.json: one up from the sources, two up from the compiled files. */
export function projectFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

/** The version of the program, as package.json has it. */
export function release(): string {
  const { version } = JSON.parse(readFileSync(join(projectFolder(), "package.json"), "utf8")) as { version: string };
  return version;
}
