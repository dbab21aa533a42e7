import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { ConsoleTabs, findings } from "../support/console-tabs.js";

const ARTIFACTS = fileURLToPath(new URL("../../artifacts/", import.meta.url));

let browser: Browser;
let tabs: ConsoleTabs;
/** An announcement that some have been reached by. */
let announcement: string;

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  browser = await launchBrowser();
  tabs = await ConsoleTabs.open(browser);
  announcement = await fill();
});

afterEach(() => tabs.clear());

afterAll(async () => {
  await tabs.close();
  await browser.close();
});

const NAMES = [
  ["ada", "Ada Okafor"],
  ["bruno", "Bruno"],
  ["omar", "عمر"],
] as const;

/** Something of everything. */
async function fill(): Promise<string> {
  for (const [user, name] of NAMES) {
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
  const notification = { to: ["ada", "omar"], type: "hello", text: "It works." };
  await Promise.all(Array.from({ length: 40 }, () => tabs.server.must("POST", "/v1/notifications", notification)));
  return id;
}

describe("the console's looks", () => {
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
      for (const user of ["ada", "omar"]) await tabs.watch(user);
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
      for (const [name, place, mark] of places(announcement)) {
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
