import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { badgeShows, inList, openPanel, UiTabs } from "../support/ui-tabs.js";

/** More than a panel shows, with what is drawn ahead; what it has is far more. */
const MOST_ROWS = 30;

let browser: Browser;
let tabs: UiTabs;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  tabs = await UiTabs.open(browser);
});

afterEach(() => tabs.close());

/** A page whose bell has ten thousand notifications, each of a thread of its own, and `more` of them if it is asked. */
async function crowded(): Promise<Page> {
  await tabs.script(
    "/crowd.js",
    `import { fakeBelfry, fakeItem } from "./test/support/ui-fake.ts";
     const own = (seq) => fakeItem(seq, { thread: { id: String(seq), title: "Topic " + seq }, text: "number " + seq });
     window.fake = fakeBelfry({ items: Array.from({ length: 10_000 }, (_, n) => own(10_000 - n)) });
     window.arrive = (seq) => window.fake.arrive(own(seq));
     document.querySelector("belfry-bell").client = window.fake;`,
  );
  const page = await tabs.context.newPage();
  await tabs.show(page, "3", { body: `<belfry-bell></belfry-bell><script type="module" src="/crowd.js"></script>` });
  await badgeShows(page, 5_000);
  return page;
}

const rowsOf = (page: Page): Promise<number> => page.locator("belfry-inbox .row").count();

describe("a bell with very many notifications", () => {
  it("has only those rows in the document that are seen, of ten thousand", async () => {
    const page = await crowded();
    await openPanel(page);
    await page.locator("belfry-inbox .row", { hasText: "number 10000" }).waitFor();
    expect(await rowsOf(page)).toBeLessThan(MOST_ROWS);
    expect(await page.locator("belfry-inbox .row").first().getAttribute("aria-setsize")).toBe("10000");

    for (const share of [0.2, 0.7, 0.4]) {
      await inList(page, `list.scrollTo(0, list.scrollHeight * ${share})`);
      await page.waitForFunction(
        `(() => { const box = document.querySelector("belfry-bell").shadowRoot.querySelector("belfry-inbox").shadowRoot;
          const list = box.querySelector(".scroller").getBoundingClientRect();
          return [...box.querySelectorAll(".row")].filter((row) => { const at = row.getBoundingClientRect(); return at.bottom > list.top && at.top < list.bottom; }).length >= 4; })()`,
      );
      expect(await rowsOf(page)).toBeLessThan(MOST_ROWS);
    }
    expect(tabs.faults).toEqual([]);
  });

  it("goes to the last one and back by keyboard, and keeps the row that has the focus while one scrolls", async () => {
    const page = await crowded();
    await openPanel(page);
    await page.locator("belfry-inbox .row .main").first().focus();
    await page.keyboard.press("End");
    const last = page.locator("belfry-inbox .row", { hasText: /number 1$/m });
    await last.waitFor();
    expect(await last.locator(".main:focus").count()).toBe(1);
    expect(await last.getAttribute("aria-posinset")).toBe("10000");
    await page.keyboard.press("ArrowUp");
    await page.locator("belfry-inbox .row:has(.main:focus)", { hasText: /number 2$/m }).waitFor();
    await inList(page, "list.scrollTo(0, 0)");
    await page.locator("belfry-inbox .row", { hasText: "number 10000" }).waitFor();
    expect(await page.locator("belfry-inbox .row:has(.main:focus)", { hasText: /number 2$/m }).count()).toBe(1);
    await page.keyboard.press("Home");
    await page.locator("belfry-inbox .row:has(.main:focus)", { hasText: "number 10000" }).waitFor();
    expect(await rowsOf(page)).toBeLessThan(MOST_ROWS);
  });

  it("leaves somebody who reads further down where they are when something comes on top", async () => {
    const page = await crowded();
    await openPanel(page);
    await inList(page, "list.scrollTo(0, 3000)");
    const row = page.locator("belfry-inbox .row", { hasText: /number 99(6|7)\d$/m }).first();
    await row.waitFor();
    const text = (await row.locator(".excerpt").textContent()) ?? "";
    const mine = page.locator("belfry-inbox .row", { hasText: text });
    const before = (await mine.boundingBox())?.y ?? 0;
    await page.evaluate("for (let seq = 10_001; seq <= 10_003; seq++) arrive(seq)");
    await page.waitForFunction("fake.notifications.length === 10_003");
    await page.locator("belfry-inbox .row[aria-setsize='10003']").first().waitFor();
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    expect(Math.abs(((await mine.boundingBox())?.y ?? 0) - before)).toBeLessThan(4);
  });

  it("shows a flood in order, with a handful of rows and toasts", async () => {
    const page = await tabs.of("3");
    for (let n = 0; n < 4; n++) await tabs.reply("3", `before ${n}`);
    await badgeShows(page, 4);
    for (let n = 0; n < 20; n++) await tabs.comments("3", 10);
    await badgeShows(page, 204);
    expect(await page.locator(".toast").count()).toBeLessThanOrEqual(3);
    await openPanel(page);
    const rows = page.locator("belfry-inbox .row .excerpt");
    await rows.first().waitFor();
    expect((await rows.allTextContents()).slice(0, 4)).toEqual(["comment 203", "comment 202", "comment 201", "comment 200"]);
    expect(await rowsOf(page)).toBeLessThan(MOST_ROWS);
    expect(await page.locator("belfry-bell .toast").count()).toBe(0);
    expect(tabs.faults).toEqual([]);
  });
});
