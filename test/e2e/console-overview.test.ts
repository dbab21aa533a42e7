import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { ConsoleTabs } from "../support/console-tabs.js";
import { until } from "../support/member.js";

let browser: Browser;
let tabs: ConsoleTabs;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  tabs = await ConsoleTabs.open(browser);
});

afterEach(() => tabs.close());

const tell = (count: number, to: string[]) =>
  Promise.all(Array.from({ length: count }, () => tabs.server.must("POST", "/v1/notifications", { to, type: "hello", text: "It works." })));

/** What the table of a chart adds up to, by the heads of its columns. */
async function sums(page: Page, chart: string): Promise<Record<string, number>> {
  return page
    .locator("figure", { hasText: chart })
    .evaluate((figure: { querySelectorAll(selector: string): Iterable<{ textContent: string | null }> }) => {
      const texts = (selector: string) => Array.from(figure.querySelectorAll(selector), ({ textContent }) => (textContent ?? "").trim());
      const heads = texts("thead th").slice(1);
      const cells = texts("tbody td").map((text) => Number(text.replaceAll(",", "")) || 0);
      return Object.fromEntries(
        heads.map((head, index) => [head, cells.reduce((sum, cell, at) => sum + (at % heads.length === index ? cell : 0), 0)]),
      );
    });
}

describe("the console's overview", () => {
  it("shows who is online, what was sent and delivered, and how fast, also after a restart", async () => {
    const [ada] = [await tabs.watch("ada"), await tabs.watch("bruno")];
    const page = await tabs.of("mia");
    const figure = (name: string) => page.locator(".figure", { hasText: name });
    await until("two are online", async () => (await figure("Members online").locator("strong").textContent()) === "2");
    await tell(7, ["ada", "carla"]);
    await until("the member has them", () => ada.member.unread === 7);
    await until("the charts have them", async () => (await sums(page, "Ingest")).events === 7);
    expect((await sums(page, "Ingest"))["entries stored"]).toBeGreaterThanOrEqual(14);
    expect((await sums(page, "Delivery")).live).toBe(7);
    expect((await sums(page, "Time to deliver"))["99 of 100"]).toBeGreaterThan(0);
    expect((await sums(page, "Sessions")).sessions).toBeGreaterThanOrEqual(2);
    await figure("Slowest minute")
      .locator("strong", { hasText: /^≤ \d+ ms$/ })
      .waitFor();

    await tabs.service.restart();
    await page.locator(".link", { hasText: "Connected" }).waitFor();
    await tell(2, ["ada"]);
    await until("what was before the restart counts too", async () => (await sums(page, "Ingest")).events === 9);
  });

  it("says the numbers of the minute that is pointed at", async () => {
    await tell(3, ["ada"]);
    const page = await tabs.of("mia");
    const ingest = page.locator("figure", { hasText: "Ingest" });
    await until("the chart has them", async () => (await sums(page, "Ingest")).events === 3);
    expect(await ingest.locator(".pointed").textContent()).toBe("now");
    const box = await ingest.locator("svg").boundingBox();
    if (box === null) throw new Error("the chart is not to be seen");
    await page.mouse.move(box.x + 3, box.y + box.height / 2);
    await ingest.locator(".pointed", { hasText: /^\d\d:\d\d$/ }).waitFor();
    expect(await ingest.locator(".key b").allTextContents()).toEqual(["–", "–"]);
    await page.mouse.move(0, 0);
    await ingest.locator(".pointed", { hasText: "now" }).waitFor();
    expect(await ingest.locator("svg").getAttribute("aria-label")).toMatch(/^Ingest, the last 60 minutes\. Highest: events \d/);
    expect(tabs.faults).toEqual([]);
  });
});
