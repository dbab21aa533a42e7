import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { badgeShows, inList, openPanel, UiTabs } from "../support/ui-tabs.js";

const ARTIFACTS = fileURLToPath(new URL("../../artifacts/", import.meta.url));

let browser: Browser;
let tabs: UiTabs;

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  browser = await launchBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  tabs = await UiTabs.open(browser);
});

afterEach(() => tabs.close());

/** Something of everything: replies in a thread, a mention, messages, announcements of each level, tasks. */
async function fill(member: string): Promise<void> {
  await tabs.call("POST", "/v1/announcements", {
    title: "New rules of the house",
    text: "Please read them.",
    mandatory: true,
    level: "critical",
  });
  await tabs.call("POST", "/v1/announcements", {
    title: "Maintenance",
    text: "On Sunday from 6 to 7.",
    level: "warning",
    url: `${tabs.origin}/m`,
  });
  await tabs.call("PUT", "/v1/tasks/import", {
    user: member,
    state: "running",
    title: "Import of old threads",
    step: "Page 3 of 10",
    percent: 30,
  });
  await tabs.call("PUT", "/v1/tasks/export", { user: member, state: "completed", title: "Export of the records", text: "1,204 rows" });
  await tabs.call("PUT", "/v1/tasks/rebuild", { user: member, state: "failed", title: "Rebuild of the search", text: "The disk is full." });
  for (const [id, name] of [
    ["8", "Ada Okafor"],
    ["9", "Chidi"],
    ["10", "Dora"],
    ["7", "member7"],
  ]) {
    await tabs.reply(member, "I think so too, because the long splice keeps its shape.", {
      thread: "ropes",
      title: "Rope splices that last",
      actor: { id, name },
    });
  }
  await tabs.reply(member, "Could you take the tenor? I have a cold, and the stairs are many.", {
    title: "Who can ring on Tuesday?",
    actor: { id: "8", name: "Ada Okafor" },
  });
}

/** What axe finds on the page, in words. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate("axe.run()")) as {
    violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[];
  };
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.flat().join(" ")}: ${node.failureSummary}`));
}

/** The name of what has the focus, through all shadow trees. */
function focused(page: Page): Promise<string> {
  return page.evaluate(`(() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return [at?.className.split(" ")[0], at?.getAttribute("aria-label") ?? at?.textContent.trim().replace(/\\s+/g, " ")].filter(Boolean).join(": ");
  })()`);
}

describe("the bell for everybody", () => {
  it("can be used by keyboard alone", async () => {
    for (const text of ["one", "two", "three"]) await tabs.reply("3", text);
    const page = await tabs.of("3");
    await badgeShows(page, 3);
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("bell: Notifications, 3 unread");
    await page.keyboard.press("Enter");
    await page.locator("belfry-inbox .row").nth(2).waitFor();
    expect(await page.locator("belfry-bell .bell").getAttribute("aria-expanded")).toBe("true");
    expect(await focused(page)).toBe("panel: Notifications");

    const tab = async (expected: RegExp): Promise<void> => {
      await page.keyboard.press("Tab");
      expect(await focused(page)).toMatch(expected);
    };
    await tab(/^tool: Close/);
    await tab(/^tab: All/);
    await page.keyboard.press("ArrowRight");
    expect(await focused(page)).toMatch(/^tab: Unread/);
    await page.keyboard.press("ArrowLeft");
    expect(await focused(page)).toMatch(/^tab: All/);
    await tab(/^tool: Mark all as read/);
    await tab(/^main: .*three/);
    await page.keyboard.press("ArrowDown");
    expect(await focused(page)).toMatch(/^main: .*two/);
    await page.keyboard.press("End");
    expect(await focused(page)).toMatch(/^main: .*one/);
    await page.keyboard.press("Home");
    expect(await focused(page)).toMatch(/^main: .*three/);
    await tab(/^tool: Mark as (un)?read/);
    await tab(/^tool: Archive/);
    await page.keyboard.press("Enter");
    await page.locator("belfry-inbox .row", { hasText: "three" }).waitFor({ state: "detached" });
    // Who has archived a row goes on with the next one.
    expect(await focused(page)).toMatch(/^tool: Archive/);
    await page.keyboard.press("Enter");
    await page.locator("belfry-inbox .row", { hasText: "two" }).waitFor({ state: "detached" });
    await page.keyboard.press("Enter");
    await page.getByText("Nothing yet").waitFor();
    expect(await focused(page)).toMatch(/^scroller/);

    await page.keyboard.press("Escape");
    expect(await page.locator("belfry-bell .panel").isHidden()).toBe(true);
    expect(await focused(page)).toBe("bell: Notifications, none unread");
    expect(tabs.faults).toEqual([]);
  });

  it("keeps the focus on its row when others come and change", async () => {
    await tabs.reply("3", "where I stand");
    const page = await tabs.of("3");
    await badgeShows(page, 1);
    await openPanel(page);
    await page.locator("belfry-inbox .row .main").focus();
    for (const text of ["newer", "newest"]) await tabs.reply("3", text);
    await page.locator("belfry-inbox .row").nth(2).waitFor();
    expect(await focused(page)).toMatch(/^main: .*where I stand/);
    await page.getByRole("button", { name: "Mark all as read" }).evaluate((button) => (button as unknown as { click(): void }).click());
    await badgeShows(page, 0);
    expect(await focused(page)).toMatch(/^main: .*where I stand/);
    await page.keyboard.press("ArrowUp");
    expect(await focused(page)).toMatch(/^main: .*newer/);
  });

  it("closes when somebody goes on to the page, by mouse or by keyboard", async () => {
    const page = await tabs.of("3");
    await openPanel(page);
    await page.locator("h1").click();
    await page.locator("belfry-bell .panel").waitFor({ state: "hidden" });
    await openPanel(page);
    await page.locator("#before").focus();
    await page.locator("belfry-bell .panel").waitFor({ state: "hidden" });
    expect(await focused(page)).toBe("A button of the page");
  });

  it("tells those who listen what is new", async () => {
    const page = await tabs.of("3");
    await tabs.reply("3", "listen");
    const region = page.locator("belfry-bell [aria-live=polite][role=log]", { hasText: "New notification" }).first();
    await region.waitFor({ state: "attached" });
    expect(await region.textContent()).toBe("New notification: member7 replied to you in Topic t1");
    expect(await page.locator("[role=log]", { hasText: "New notification" }).count()).toBe(1);
  });

  it.each([
    ["light", { attributes: 'lang="en"' }, "light"],
    ["dark", { attributes: 'lang="en"' }, "dark"],
    ["rtl", { attributes: 'lang="ar" dir="rtl"' }, "light"],
    ["zh", { attributes: 'lang="zh-CN"', bell: 'theme="light"' }, "light"],
    ["forced-dark", { attributes: 'lang="en"', bell: 'theme="dark" position="bottom-end"' }, "light"],
  ] as const)("gives axe nothing to find: %s", async (name, options, colorScheme) => {
    await fill("3");
    const page = await tabs.context.newPage();
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await tabs.show(page, "3", options);
    await badgeShows(page, 9);
    await tabs.reply("3", "A new one, with a toast.", { actor: { id: "9", name: "Chidi" }, title: "Hand bells" });
    await page.locator(".toast").waitFor();
    expect(await findings(page)).toEqual([]);
    await page.screenshot({ path: `${ARTIFACTS}ui-${name}.png` });
    await openPanel(page);
    await page.locator("belfry-inbox .row").nth(2).waitFor();
    expect(await findings(page)).toEqual([]);
    await page.screenshot({ path: `${ARTIFACTS}ui-${name}-panel.png` });
    await page.locator("belfry-inbox [role=tab]").nth(2).click();
    await page.locator("belfry-inbox .empty").waitFor();
    expect(await findings(page)).toEqual([]);
    expect(tabs.faults).toEqual([]);
  });

  it.each(["light", "dark"] as const)("fits a screen of 320 pixels: %s", async (colorScheme) => {
    await fill("3");
    await tabs.reply("3", "Longwordwithoutabreak".repeat(8), { title: "Atitlewithoutabreak".repeat(6) });
    const page = await tabs.context.newPage();
    await page.setViewportSize({ width: 320, height: 640 });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await tabs.show(page, "3");
    await badgeShows(page, 10);
    const overflow = (): Promise<unknown> => page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
    await page.screenshot({ path: `${ARTIFACTS}ui-320-${colorScheme}.png` });
    expect(await overflow()).toBeLessThanOrEqual(0);
    await openPanel(page);
    await page.locator("belfry-inbox .row").nth(1).waitFor();
    await page.screenshot({ path: `${ARTIFACTS}ui-320-${colorScheme}-panel.png` });
    expect(await overflow()).toBeLessThanOrEqual(0);
    expect(await inList(page, "list.scrollWidth - list.clientWidth")).toBeLessThanOrEqual(0);
    expect(await findings(page)).toEqual([]);
    expect(tabs.faults).toEqual([]);
  });
});
