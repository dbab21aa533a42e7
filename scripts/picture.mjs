/**
 * Takes the README's picture: the demo's two members side by side, from the real service. `npm run build && node scripts/picture.mjs` writes
 * docs/images/demo.png. Needs Chromium (CHROMIUM, or /usr/bin/chromium).
 */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const FILE = fileURLToPath(new URL("../docs/images/demo.png", import.meta.url));
const MAIN = fileURLToPath(new URL("../dist/src/main.js", import.meta.url));

/** Bytes; a README is read over slow connections too. */
const MAX_SIZE = 300 * 1024;

const WINDOW = { width: 1240, height: 800 };

async function startService(dataDir) {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, PORT: "0", HOST: "127.0.0.1", DATA_DIR: dataDir, LOG_LEVEL: "warn" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await new Promise((resolve, reject) => {
    let written = "";
    child.stdout.on("data", (chunk) => {
      written += chunk;
      const address = /listening on (http:\/\/[^\s"]+:\d+)/.exec(written)?.[1];
      if (address) resolve(address);
    });
    child.once("close", (code) => reject(new Error(`The service ended (${code}) before it served.\n${written}`)));
  });
  return { child, url };
}

/** Calls the service as a member of the demo. */
async function call(url, member, path, body) {
  const headers = { "Content-Type": "application/json" };
  const session = await fetch(`${url}/demo/session`, { method: "POST", headers, body: JSON.stringify({ member }) });
  const { token } = await session.json();
  const answer = await fetch(url + path, {
    method: "POST",
    headers: { ...headers, Authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

async function write(side, thread, text, replyTo) {
  const article = side.locator(`#thread-${thread}`);
  if (replyTo)
    await article
      .getByRole("button", { name: `Reply to ${replyTo}` })
      .first()
      .click();
  await article.locator(".composer textarea").fill(text);
  await article.getByRole("button", { name: "Send" }).click();
  await article.locator(".comments .text", { hasText: text }).waitFor();
}

async function take(url, browser) {
  const context = await browser.newContext({ viewport: WINDOW, colorScheme: "light", reducedMotion: "reduce", locale: "en-GB" });
  const page = await context.newPage();
  await call(url, "chidi", "/demo/threads/keys/comments", { text: "Found them! @Ada, they were in the ringing chamber all along." });
  await call(url, "chidi", "/demo/threads/fourth-bell/comments", { text: "Is it worse when it rains?" });
  await page.goto(url);
  const [left, right] = [page.frameLocator("#left iframe"), page.frameLocator("#right iframe")];
  for (const side of [left, right]) await side.locator(".state", { hasText: "Connected" }).waitFor();
  await call(url, "chidi", "/demo/threads/tuesday-practice/comments", { text: "@Bruno, the muffles would be welcome." });
  await call(url, "mia", "/v1/announcements", { title: "No practice on Friday", text: "The stairs are being painted.", level: "warning" });
  await call(url, "bruno", "/demo/exports", {});
  await write(left, "fourth-bell", "Only when it freezes.", "Chidi");
  await write(left, "fourth-bell", "Have you tried another rope, @Bruno?");
  await right.locator("belfry-bell .badge", { hasText: "5" }).waitFor();
  await left.locator("belfry-banner.announcements li").waitFor();
  await left.locator("body").evaluate(() => {
    document.activeElement.blur();
    scrollTo(0, 0);
  });
  await right.locator("belfry-bell .bell").click();
  await right.locator("belfry-tasks", { hasText: /\d\d ?%/ }).waitFor();
  await right.locator("belfry-inbox .row").nth(1).waitFor();
  await page.screenshot({ path: FILE });
}

const dataDir = await mkdtemp(join(tmpdir(), "belfry-picture-"));
const { child, url } = await startService(dataDir);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  await mkdir(fileURLToPath(new URL("../docs/images/", import.meta.url)), { recursive: true });
  await take(url, browser);
  const { size } = await stat(FILE);
  if (size > MAX_SIZE) throw new Error(`${FILE} has ${size} bytes; at most ${MAX_SIZE} are wanted.`);
} finally {
  await browser.close();
  child.kill("SIGTERM");
  await rm(dataDir, { recursive: true, force: true });
}
