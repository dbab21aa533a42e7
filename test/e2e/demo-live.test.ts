import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { badgeShows, DemoTabs, write } from "../support/demo-tabs.js";
import { until } from "../support/member.js";

let browser: Browser;
let tabs: DemoTabs;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  tabs = await DemoTabs.open(browser);
});

afterEach(() => tabs.close());

const namesOn = (page: Page): Promise<string[]> => page.locator("#board .name").allTextContents();
const banners = (page: Page, title: string) => page.locator("#announcements li", { hasText: title });

async function boardShows(page: Page, ...lines: string[]): Promise<void> {
  const shown = async () => (await page.locator("#board li").allInnerTexts()).map((line) => line.replace(/\s+/g, " "));
  let last: string[] = [];
  await until(
    () => `the board ${JSON.stringify(lines)}, not ${JSON.stringify(last)}`,
    async () => {
      last = await shown();
      return lines.every((line, place) => last[place]?.startsWith(line));
    },
  );
}

/** Announces through the page's form. */
async function announce(page: Page, title: string, text: string, options: { level?: string; mandatory?: boolean } = {}): Promise<void> {
  await page.locator("#announcing summary").click();
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Text").fill(text);
  if (options.level !== undefined) await page.getByLabel("Level").selectOption(options.level);
  if (options.mandatory) await page.getByLabel("Stays until").check();
  await page.getByRole("button", { name: "Announce as Mia" }).click();
  await page.locator("#announcing:not([open])").waitFor();
  await banners(page, title).waitFor();
}

describe("the demo's live boards, tasks and announcements in a browser", () => {
  it("moves the leaderboard in the other tab when somebody comments, and counts who is online", async () => {
    const ada = await tabs.of("ada");
    await boardShows(ada, "1 A Ada 1", "1 B Bruno 1", "1 C Chidi 1");
    await ada.locator("#online", { hasText: "1 member online" }).waitFor();
    const chidi = await tabs.of("chidi");
    await tabs.of("chidi");
    await ada.locator("#online", { hasText: "2 members online" }).waitFor();

    await write(chidi, "keys", "Still not found");
    await boardShows(ada, "1 C Chidi 2", "2 A Ada 1", "2 B Bruno 1");
    await boardShows(chidi, "1 C Chidi 2", "2 A Ada 1", "2 B Bruno 1");
    expect(tabs.faults).toEqual([]);
  });

  it("keeps the leaderboard over a crash of the service, and shows what was written after it", async () => {
    const ada = await tabs.of("ada");
    await tabs.post("chidi", "keys", "one");
    await boardShows(ada, "1 C Chidi 2");
    await tabs.service.kill9();
    await tabs.service.restart();
    for (const text of ["two", "three"]) await tabs.post("bruno", "keys", text);
    await boardShows(ada, "1 B Bruno 3", "2 C Chidi 2", "3 A Ada 1");
    expect(await namesOn(await tabs.of("bruno"))).toEqual(["Bruno", "Chidi", "Ada"]);
    expect(tabs.faults).toEqual([]);
  });

  it("moves a task's bar in all tabs of its member, and rings the bell exactly once when it ends", async () => {
    const [ada, second, bruno] = [await tabs.of("ada"), await tabs.of("ada"), await tabs.of("bruno")];
    await ada.getByRole("button", { name: "Start a long task" }).click();
    // Again while it runs: it is the same one.
    await ada.getByRole("button", { name: "Start a long task" }).click();
    const percent = async (page: Page): Promise<number> => Number(await page.locator("#tasks progress").getAttribute("value"));
    const first = await percent(second);
    await until("the bar to move", async () => (await percent(second)) > first);
    const late = await tabs.of("ada");
    await late.getByRole("progressbar", { name: "Export of the forum" }).waitFor();

    await Promise.all([badgeShows(ada, 1), badgeShows(second, 1), badgeShows(late, 1)]);
    await ada.locator("#bell").click();
    expect(await ada.locator("#notifications .sentence").allTextContents()).toEqual(["Export of the forum is complete "]);
    expect(await ada.locator("#notifications .excerpt").textContent()).toBe("3 threads with 3 comments.");
    for (const page of [ada, second, late]) expect(await page.locator("#tasks li").count()).toBe(0);
    await badgeShows(bruno, 0);
    expect(tabs.faults).toEqual([]);
  });

  it("tells of a task that a crash of the service has cut off, and takes its bar away", async () => {
    const ada = await tabs.of("ada");
    await ada.getByRole("button", { name: "Start a long task" }).click();
    await ada.locator("#tasks li").waitFor();
    await tabs.service.kill9();
    await tabs.service.restart();
    await badgeShows(ada, 1);
    expect(await ada.locator("#tasks li").count()).toBe(0);
    await ada.locator("#bell").click();
    expect(await ada.locator("#notifications .sentence").allTextContents()).toEqual(["Export of the forum has failed "]);
  });

  it("shows an announcement in all tabs, and takes it away in all when it is dismissed in one", async () => {
    const [ada, second, bruno] = [await tabs.of("ada"), await tabs.of("ada"), await tabs.of("bruno")];
    await tabs.post("chidi", "keys", "@Ada hello");
    await announce(bruno, "Cake", "After practice", { level: "warning" });
    for (const page of [ada, second]) {
      await banners(page, "Cake").waitFor();
      expect(await banners(page, "Cake").getAttribute("data-level")).toBe("warning");
      await badgeShows(page, 2);
    }
    await badgeShows(bruno, 1);
    await ada.getByRole("button", { name: "Dismiss: Cake" }).click();
    for (const page of [ada, second]) {
      await banners(page, "Cake").waitFor({ state: "detached" });
      await badgeShows(page, 1);
    }
    // Bruno's is his own.
    expect(await banners(bruno, "Cake").count()).toBe(1);
    const later = await tabs.of("ada");
    await badgeShows(later, 1);
    expect(await banners(later, "Cake").count()).toBe(0);
    expect(tabs.faults).toEqual([]);
  });

  it("keeps a mandatory announcement until it is acknowledged, by keyboard too", async () => {
    const [ada, second] = [await tabs.of("ada"), await tabs.of("ada")];
    await announce(ada, "Read this", "All of it", { level: "critical", mandatory: true });
    await ada.reload();
    await banners(ada, "Read this").waitFor();
    await badgeShows(ada, 1);
    expect(await ada.getByRole("button", { name: "Dismiss" }).count()).toBe(0);
    await ada.getByRole("button", { name: "Got it: Read this" }).focus();
    await ada.keyboard.press("Enter");
    for (const page of [ada, second]) {
      await banners(page, "Read this").waitFor({ state: "detached" });
      await badgeShows(page, 0);
    }
    await ada.locator("#bell:focus").waitFor();
    expect(tabs.faults).toEqual([]);
  });

  it("agrees with the other tabs again after its connection was cut", async () => {
    const second = await tabs.of("ada");
    const { page: ada, cut, mend } = await tabs.cuttable("ada");
    await announce(second, "First", "Goes while the other is away");
    await banners(ada, "First").waitFor();
    await cut();
    await second.getByRole("button", { name: "Dismiss: First" }).click();
    await announce(second, "Second", "Comes while the other is away");
    await second.getByRole("button", { name: "Start a long task" }).click();
    await tabs.post("bruno", "keys", "@Ada hello");
    await badgeShows(second, 3);
    expect(await banners(ada, "First").count()).toBe(1);

    mend();
    await banners(ada, "Second").waitFor();
    await banners(ada, "First").waitFor({ state: "detached" });
    await boardShows(ada, "1 B Bruno 2");
    await Promise.all([badgeShows(ada, 3), badgeShows(second, 3)]);
    await ada.locator("#bell").click();
    expect(await ada.locator("#notifications .sentence strong").allTextContents()).toEqual(["Export of the forum", "Bruno"]);
    expect(tabs.faults).toEqual([]);
  });

  it("shows a message and an announcement as text, and follows web addresses only", async () => {
    const ada = await tabs.of("ada");
    const markup = `<img src=x onerror="document.title='taken'"> <b>bold</b>`;
    const sent = await tabs.call("bruno", "/v1/messages", { to: "ada", text: markup });
    expect(sent.status).toBe(200);
    await announce(ada, markup, `${markup} again`);
    const linked = await tabs.call("mia", "/v1/announcements", { title: "Linked", text: "", url: "https://forum.example/t/1" });
    expect(linked.status).toBe(201);
    await badgeShows(ada, 3);
    expect(await banners(ada, "Linked").getByRole("link").getAttribute("href")).toBe("https://forum.example/t/1");
    expect(await banners(ada, markup).locator(".text").textContent()).toBe(`${markup} again`);
    await ada.locator("#bell").click();
    expect(await ada.locator("#notifications .sentence").textContent()).toBe("Bruno wrote to you: ");
    expect(await ada.locator("#notifications .excerpt").textContent()).toBe(markup);
    expect(await ada.locator("#announcements img, #panel img, #announcements b").count()).toBe(0);
    expect(await ada.title()).toBe("(3) Belfry");
    expect(tabs.faults).toEqual([]);
  });

  it("says in the form why an announcement was not taken, and keeps what was written", async () => {
    const ada = await tabs.of("ada");
    await tabs.service.kill9();
    await ada.locator("#announcing summary").click();
    await ada.getByLabel("Title").fill("Into the void");
    await ada.getByLabel("Text").fill("Nobody hears this");
    await ada.getByRole("button", { name: "Announce as Mia" }).click();
    await ada.locator("#announcing .notice", { hasText: "cannot be reached" }).waitFor();
    expect(await ada.getByLabel("Title").inputValue()).toBe("Into the void");
    await tabs.service.restart();
    await ada.getByRole("button", { name: "Announce as Mia" }).click();
    await banners(ada, "Into the void").waitFor();
    await badgeShows(ada, 1);
  });
});
