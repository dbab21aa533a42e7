import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

/** No sandbox and no GPU: containers have neither. The rest keeps the browser from calling home. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Chromium with all that a desktop's has, and the one without windows, which takes a third less of the processor. Debian packages both. */
const WHOLE = ["chromium", "chromium-browser", "google-chrome"];
const WINDOWLESS = ["chromium-headless-shell", "chrome-headless-shell"];

/** Starts Chromium. `isWhole`: with what only a desktop's has, as push messages. @throws Error that says how to get one. */
export function launchBrowser({ isWhole = false } = {}): Promise<Browser> {
  return chromium.launch({ executablePath: executable(isWhole ? WHOLE : [...WINDOWLESS, ...WHOLE]), args: ARGUMENTS });
}

function executable(names: string[]): string {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = ["/usr/bin", ...(process.env.PATH ?? "").split(delimiter)];
  for (const name of names) {
    for (const folder of folders) {
      if (isExecutable(join(folder, name))) return join(folder, name);
    }
  }
  throw new Error("There is no Chromium. Install it (Debian: apt-get install chromium) or set CHROMIUM to its path.");
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
