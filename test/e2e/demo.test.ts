import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { badgeShows, DemoTabs, write } from "../support/demo-tabs.js";

const ARTIFACTS = fileURLToPath(new URL("../../artifacts/", import.meta.url));

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

async function excerptsOf(page: Page): Promise<string[]> {
  await page.locator("#bell").click();
  return page.locator("#notifications .excerpt").allTextContents();
}

describe("the demo forum in a browser", () => {
  it("lets a newcomer sign in and rings the other member's bell at once", async () => {
    const bruno = await tabs.context.newPage();
    await bruno.goto(tabs.service.url);
    await bruno.getByRole("button", { name: "Sign in as Bruno" }).click();
    const [ada] = await Promise.all([tabs.context.waitForEvent("page"), bruno.getByRole("link", { name: "Ada" }).click()]);
    await ada.locator("#me-name", { hasText: "Ada" }).waitFor();
    await ada.locator("#connection", { hasText: "Connected" }).waitFor();

    await write(ada, "tuesday-practice", "Thank you for the muffles", "Bruno");
    await badgeShows(bruno, 1);
    await bruno.reload();
    await bruno.locator("#me-name", { hasText: "Bruno" }).waitFor();
    await badgeShows(bruno, 1);
    await badgeShows(ada, 0);

    expect(await excerptsOf(bruno)).toEqual(["Thank you for the muffles"]);
    expect(await bruno.locator("#notifications .sentence").textContent()).toBe("Ada replied to you in Who can ring on Tuesday?");
    await bruno.locator("#notifications button").click();
    await bruno.locator(".comments .hit", { hasText: "Thank you for the muffles" }).waitFor();
    await badgeShows(bruno, 0);
  });

  it("brings everything that was missed while the tab was closed, in order", async () => {
    const bruno = await tabs.of("bruno");
    await tabs.post("ada", "fourth-bell", "before");
    await badgeShows(bruno, 1);
    await bruno.close();
    await tabs.post("ada", "fourth-bell", "first");
    await tabs.post("chidi", "fourth-bell", "second");
    await tabs.post("ada", "keys", "@Bruno third");

    const again = await tabs.of("bruno");
    await again.locator("#connection", { hasText: "3 missed while away, now here" }).waitFor();
    await badgeShows(again, 4);
    expect(await excerptsOf(again)).toEqual(["@Bruno third", "second", "first", "before"]);
    expect(tabs.faults).toEqual([]);
  });

  it("comes back by itself after the service was killed, with what was written meanwhile", async () => {
    const bruno = await tabs.of("bruno");
    await tabs.post("ada", "fourth-bell", "before");
    await badgeShows(bruno, 1);
    await tabs.service.kill9();
    await bruno.locator("#connection", { hasText: /Reconnecting|Trying again/ }).waitFor();
    await bruno.locator("#thread-keys textarea").fill("into the void");
    await bruno.locator("#thread-keys").getByRole("button", { name: "Send" }).click();
    await bruno.locator("#thread-keys form .notice", { hasText: "cannot be reached" }).waitFor();
    expect(await bruno.locator("#thread-keys textarea").inputValue()).toBe("into the void");

    await tabs.service.restart();
    await tabs.post("ada", "fourth-bell", "after");
    await badgeShows(bruno, 2);
    await bruno.locator("#connection", { hasText: "Connected" }).waitFor();
    expect(await excerptsOf(bruno)).toEqual(["after", "before"]);
  });

  it("comes back after an orderly stop and start, with what was written meanwhile", async () => {
    const bruno = await tabs.of("bruno");
    await tabs.service.restart();
    await tabs.post("ada", "fourth-bell", "after");
    await badgeShows(bruno, 1);
    await bruno.locator("#connection", { hasText: "Connected" }).waitFor();
    expect(await excerptsOf(bruno)).toEqual(["after"]);
  });

  it("shows what members write as text, whatever it looks like", async () => {
    const ada = await tabs.of("ada");
    const bruno = await tabs.of("bruno");
    const text = `@Ada <img src=x onerror="document.title='taken'"> <b>bold</b> &amp; javascript:alert(1)`;
    await write(bruno, "keys", text);
    await badgeShows(ada, 1);
    await ada.locator("#thread-keys .comments .text", { hasText: text }).waitFor();
    expect(await excerptsOf(ada)).toEqual([text]);
    expect(await ada.locator("#threads img, #panel img").count()).toBe(0);
    expect(await ada.title()).toBe("(1) Belfry");
    expect(tabs.faults).toEqual([]);
  });

  it("keeps all tabs of a member in agreement", async () => {
    const ada = await tabs.of("ada");
    const second = await tabs.of("ada");
    for (const text of ["one", "two"]) await tabs.post("bruno", "tuesday-practice", text);
    await Promise.all([badgeShows(ada, 2), badgeShows(second, 2)]);

    await ada.locator("#bell").click();
    await ada.locator("#notifications button", { hasText: "two" }).click();
    await badgeShows(second, 1);
    await second.locator("#bell").click();
    await second.getByRole("button", { name: "Mark all read" }).click();
    await Promise.all([badgeShows(ada, 0), badgeShows(second, 0)]);
    expect(await second.locator("#notifications .unread").count()).toBe(0);
    expect(tabs.faults).toEqual([]);
  });

  it("can be used by keyboard alone", async () => {
    await tabs.post("bruno", "keys", "@Ada hello");
    const ada = await tabs.of("ada");
    await badgeShows(ada, 1);
    await ada.locator("#bell").focus();
    await ada.keyboard.press("Enter");
    expect(await ada.locator("#bell").getAttribute("aria-expanded")).toBe("true");
    await ada.keyboard.press("Tab");
    await ada.keyboard.press("Tab");
    await ada.keyboard.press("Enter");
    await ada.locator(".comments .post:focus", { hasText: "@Ada hello" }).waitFor();
    await badgeShows(ada, 0);
    await ada.locator("#bell").press("Enter");
    await ada.keyboard.press("Escape");
    expect(await ada.locator("#bell:focus").count()).toBe(1);
    expect(await ada.locator("#panel").isHidden()).toBe(true);
  });

  it("fits a small screen, and a dark one", async () => {
    await tabs.post("bruno", "tuesday-practice", `@Ada ${"Longwordwithoutabreak".repeat(8)}`);
    await tabs.post("chidi", "keys", "@Ada have you got them?");
    const ada = await tabs.of("ada");
    await badgeShows(ada, 2);
    const picture = async (name: string): Promise<void> => {
      await ada.screenshot({ path: `${ARTIFACTS}demo-${name}.png` });
    };
    const overflow = (): Promise<unknown> => ada.evaluate("document.documentElement.scrollWidth - window.innerWidth");
    await picture("1280");
    await ada.locator("#bell").click();
    await picture("1280-panel");
    await ada.emulateMedia({ colorScheme: "dark" });
    await picture("dark-panel");
    await ada.setViewportSize({ width: 320, height: 640 });
    await picture("320-dark-panel");
    expect(await overflow()).toBeLessThanOrEqual(0);
    await ada.emulateMedia({ colorScheme: "light" });
    await ada.keyboard.press("Escape");
    await picture("320");
    expect(await overflow()).toBeLessThanOrEqual(0);
    expect(tabs.faults).toEqual([]);
  });
});
