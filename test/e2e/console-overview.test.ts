import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { ConsoleTabs, findings } from "../support/console-tabs.js";
import { until } from "../support/member.js";

const ARTIFACTS = fileURLToPath(new URL("../../artifacts/", import.meta.url));

let browser: Browser;
let tabs: ConsoleTabs;

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
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

describe("the console's looks", () => {
  /** Something of everything. */
  async function fill(): Promise<string> {
    for (const [user, name] of [
      ["ada", "Ada Okafor"],
      ["bruno", "Bruno"],
      ["omar", "عمر"],
    ] as const) {
      await tabs.server.register(user, { name });
      await tabs.watch(user);
    }
    const { id } = await tabs.server.announce({
      title: "Maintenance on Sunday",
      text: "Read-only from 6 to 7.",
      level: "warning",
      mandatory: true,
    });
    await tabs.server.announce({ title: "New bells", level: "info", startsAt: new Date(Date.now() + 86_400_000).toISOString() });
    const wrong = await tabs.server.announce({ title: "Wrong date", level: "critical" });
    await tabs.server.rescind(wrong.id, "the date was wrong");
    await tabs.server.must("PUT", "/v1/members/bruno/mute", { why: "Shouting in the tower thread" });
    await tabs.server.must("PUT", "/v1/members/bruno/ban", { why: "Insults", until: new Date(Date.now() + 86_400_000).toISOString() });
    await tabs.server.call("DELETE", "/v1/members/ada/ban");
    await tell(40, ["ada", "omar"]);
    return id;
  }

  const places = (id: string): Array<[name: string, place: string, mark: string]> => [
    ["overview", "overview", ".charts"],
    ["announcements", "announcements", ".rows li"],
    ["announcement", `announcements/${id}`, ".steps"],
    ["editor", "announcements/new", ".preview-side"],
    ["members", "members", "tbody tr"],
    ["member", "members/bruno", ".standing"],
    ["audit", "audit", ".audit tbody tr"],
    ["trace", "trace?user=ada&event=never", ".notice"],
  ];

  it.each([
    ["light", { width: 1280, height: 900 }, "light", "ltr"],
    ["dark", { width: 1280, height: 900 }, "dark", "ltr"],
    ["320", { width: 320, height: 720 }, "light", "ltr"],
    ["320-rtl", { width: 320, height: 720 }, "dark", "rtl"],
  ] as const)(
    "are accessible and nothing is cut off: %s",
    async (look, viewport, colorScheme, direction) => {
      const id = await fill();
      const page = await tabs.blank();
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.evaluate(`document.documentElement.dir = "${direction}"`);
      const check = async (name: string): Promise<void> => {
        await page.screenshot({ path: `${ARTIFACTS}console-${look}-${name}.png`, fullPage: true });
        expect([name, await findings(page)]).toEqual([name, []]);
        expect([name, await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")]).toEqual([name, 0]);
      };
      await page.getByRole("button", { name: "Continue as the demo" }).waitFor();
      await check("sign-in");
      await tabs.enter(page, tabs.token("mia", { roles: ["moderator"], name: "Mia" }));
      await page.locator(".link[data-is=online]").waitFor();
      for (const [name, place, mark] of places(id)) {
        await tabs.visit(page, place);
        await page.locator(mark).first().waitFor();
        await check(name);
      }
    },
    120_000,
  );

  it("is worked by keyboard alone, and each page's title has the focus when it opens", async () => {
    const page = await tabs.blank();
    await page.getByRole("button", { name: "Continue as the demo" }).focus();
    await page.keyboard.press("Enter");
    await page.locator("h1:focus", { hasText: "Overview" }).waitFor();
    await page.reload();
    await page.locator(".charts").waitFor();
    await page.keyboard.press("Tab");
    await page.locator(".skip:focus").waitFor();
    await page.keyboard.press("Enter");
    await page.locator("main:focus").waitFor();
    await page.getByRole("link", { name: "Announcements" }).focus();
    await page.keyboard.press("Enter");
    await page.locator("h1:focus", { hasText: "Announcements" }).waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator("h1:focus", { hasText: "Write an announcement" }).waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.type("By keyboard");
    await page.keyboard.press("Enter");
    await page.locator("h1:focus", { hasText: "By keyboard" }).waitFor();
    expect(tabs.faults).toEqual([]);
  });

  it("speaks 简体中文 to whoever reads it, and English again when that is chosen", async () => {
    const page = await tabs.of("mia");
    await page.getByLabel("Language").selectOption({ label: "简体中文" });
    await page.getByRole("heading", { level: 1, name: "概览" }).waitFor();
    expect(await page.evaluate("document.documentElement.lang")).toBe("zh-CN");
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "概览" }).waitFor();
    await page.getByLabel("语言").selectOption({ label: "English" });
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    expect(tabs.faults).toEqual([]);
  });
});
