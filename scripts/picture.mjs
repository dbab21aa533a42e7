/**
 * Takes the README's picture: two members' windows side by side, from the real service. `npm run build && node scripts/picture.mjs` writes
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

const WINDOW = { width: 580, height: 760 };

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

async function write(page, thread, text, replyTo) {
  const article = page.locator(`#thread-${thread}`);
  if (replyTo)
    await article
      .getByRole("button", { name: `Reply to ${replyTo}` })
      .first()
      .click();
  await article.locator("textarea").fill(text);
  await article.getByRole("button", { name: "Send" }).click();
  await article.locator(".comments .text", { hasText: text }).waitFor();
}

async function announce(page, title, text) {
  await page.locator("#announcing summary").click();
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Text").fill(text);
  await page.getByLabel("Level").selectOption("warning");
  await page.getByRole("button", { name: "Announce as Mia" }).click();
  await page.locator("#announcing:not([open])").waitFor();
}

/** The two windows in frames, on one page. */
function composition(left, right) {
  const frame = (title, picture) => `<figure><figcaption><i></i><i></i><i></i>${title}</figcaption>
    <img src="data:image/png;base64,${picture.toString("base64")}" width="${WINDOW.width}" height="${WINDOW.height}"></figure>`;
  return `<style>
    body { margin: 0; padding: 28px; display: flex; gap: 28px; width: max-content; background: #dcd6c8; font: 13px system-ui, sans-serif; }
    figure { margin: 0; border-radius: 10px; overflow: hidden; box-shadow: 0 1px 2px rgb(60 50 30 / 20%), 0 10px 24px rgb(60 50 30 / 18%); }
    figcaption { display: flex; align-items: center; gap: 6px; padding: 9px 12px; background: #ece7db; color: #6a655b; }
    i { width: 10px; height: 10px; border-radius: 50%; background: #cfc7b6; } i:last-of-type { margin-right: 6px; }
    img { display: block; }
  </style>${frame("Bruno", left)}${frame("Ada", right)}`;
}

async function take(url, browser) {
  const context = await browser.newContext({ viewport: WINDOW, colorScheme: "light", reducedMotion: "reduce" });
  const open = async (member) => {
    const page = await context.newPage();
    await page.goto(`${url}/?as=${member}`);
    await page.locator("#connection", { hasText: "Connected" }).waitFor();
    await page.locator("#thread-keys").waitFor();
    return page;
  };
  const [ada, bruno, chidi] = [await open("ada"), await open("bruno"), await open("chidi")];
  await write(chidi, "keys", "Found them! @Ada, they were in the ringing chamber all along.");
  await write(chidi, "fourth-bell", "Leave it to me, I am up there on Friday anyway.", "Ada");
  await write(bruno, "tuesday-practice", "Then we are six. See you on Tuesday!");
  await announce(bruno, "No practice on Friday", "The tower is closed: the stairs are being painted.");
  await ada.locator("#badge", { hasText: "4" }).waitFor();
  await ada.locator("#bell").click();
  await ada.locator("#notifications .dot").nth(2).waitFor();
  await ada.evaluate("document.activeElement.blur()");
  await bruno.locator("#export").click();
  await bruno.locator("#tasks .percent", { hasText: /[4-9]\d/ }).waitFor();
  await bruno.evaluate("document.activeElement.blur(); scrollTo(0, 0)");
  const [left, right] = [await bruno.screenshot(), await ada.screenshot()];
  const page = await context.newPage();
  await page.setViewportSize({ width: 2 * WINDOW.width + 3 * 28, height: WINDOW.height + 2 * 28 + 33 });
  await page.setContent(composition(left, right));
  await page.screenshot({ path: FILE, fullPage: true });
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
