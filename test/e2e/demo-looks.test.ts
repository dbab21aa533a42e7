import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { badgeShows, DemoTabs, turnNetwork, write } from "../support/demo-tabs.js";

const ARTIFACTS = fileURLToPath(new URL("../../artifacts/", import.meta.url));
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let browser: Browser;
let tabs: DemoTabs;

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  browser = await launchBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  tabs = await DemoTabs.open(browser);
});

afterEach(() => tabs.close());

/** What axe finds on the page and in its frames, of which each is asked by itself: a hidden one has nothing to say. */
async function findings(page: Page): Promise<string[]> {
  const found: string[] = [];
  const axe = await readFile(AXE, "utf8");
  for (const frame of page.frames()) {
    // What a page's policy forbids to its own scripts is not forbidden to this.
    await frame.evaluate(`${axe}; void 0`);
    const { violations } = (await frame.evaluate("axe.run({ iframes: false })")) as {
      violations: Array<{ id: string; nodes: Array<{ target: string[][]; failureSummary: string }> }>;
    };
    for (const { id, nodes } of violations) {
      for (const { target, failureSummary } of nodes) found.push(`${frame.url()} ${id}: ${target.flat().join(" ")}: ${failureSummary}`);
    }
  }
  return found;
}

async function overflows(page: Page): Promise<unknown[]> {
  return Promise.all(page.frames().map((frame) => frame.evaluate("Math.max(0, document.documentElement.scrollWidth - window.innerWidth)")));
}

describe("the demo's looks", () => {
  it.each(["light", "dark"] as const)(
    "are accessible and nothing is cut off, side by side and at 320 px: %s",
    async (colorScheme) => {
      await tabs.announce("No practice on Friday", { text: "The stairs are being painted.", level: "warning" });
      await tabs.post("chidi", "fourth-bell", `${"Longwordwithoutabreak".repeat(6)}`);
      const { page, left, right } = await tabs.pair();
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const check = async (name: string): Promise<void> => {
        const file = colorScheme === "dark" ? name.replace("1280", "dark").replace(/^320/, "320-dark") : name;
        await page.screenshot({ path: `${ARTIFACTS}demo-${file}.png` });
        expect([name, await findings(page)]).toEqual([name, []]);
        expect([name, await overflows(page)]).toEqual([name, page.frames().map(() => 0)]);
      };
      await write(left, "fourth-bell", "Have you tried another rope, @Bruno?");
      await badgeShows(right, 3);
      await left.getByRole("button", { name: "Edit: Have you tried" }).click();
      await check("1280");
      await turnNetwork(right, false);
      await write(left, "tuesday-practice", "Then we are six", "Chidi");
      await left.getByRole("button", { name: "Delete: Then we are six" }).click();
      await right.locator("belfry-bell .bell").click();
      await check("1280-panel");
      await page.setViewportSize({ width: 320, height: 640 });
      await check("320");
      await page.getByRole("tab", { name: "Bruno" }).click();
      await check("320-panel");
      const alone = await tabs.of("chidi");
      await alone.emulateMedia({ colorScheme });
      await alone.screenshot({ path: `${ARTIFACTS}demo-alone-${colorScheme}.png` });
      await alone.setViewportSize({ width: 320, height: 640 });
      await alone.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      expect([await findings(alone), await overflows(alone)]).toEqual([[], [0]]);
      expect(tabs.faults).toEqual([]);
    },
    120_000,
  );
});
