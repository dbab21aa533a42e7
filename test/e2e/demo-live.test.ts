import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { badgeShows, comment, DemoTabs, excerptsIn, isConnected, type Side, turnNetwork, write } from "../support/demo-tabs.js";
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

const banner = (side: Side, title: string) => side.locator("belfry-banner.announcements li", { hasText: title });

async function boardShows(side: Side, ...lines: string[]): Promise<void> {
  let last: string[] = [];
  await until(
    () => `the board ${JSON.stringify(lines)}, not ${JSON.stringify(last)}`,
    async () => {
      last = (await side.locator(".board li").allInnerTexts()).map((line) => line.replace(/\s+/g, " "));
      return lines.every((line, place) => last[place]?.startsWith(line));
    },
  );
}

describe("the demo's live boards, tasks and announcements in a browser", () => {
  it("moves the leaderboard on the other side when somebody comments or takes it back, and counts who is online", async () => {
    const { left, right } = await tabs.pair();
    await boardShows(left, "1 A Ada 1", "1 B Bruno 1", "1 C Chidi 1");
    await left.locator(".online", { hasText: "2 online" }).waitFor();
    const chidi = await tabs.of("chidi");
    await left.locator(".online", { hasText: "3 online" }).waitFor();

    await write(chidi, "keys", "Still not found");
    for (const side of [left, right, chidi]) await boardShows(side, "1 C Chidi 2", "2 A Ada 1", "2 B Bruno 1");
    await comment(chidi, "keys", "Still not found").getByRole("button", { name: "Delete" }).click();
    await chidi.getByRole("button", { name: "Delete", exact: true }).click();
    for (const side of [left, right, chidi]) await boardShows(side, "1 A Ada 1", "1 B Bruno 1", "1 C Chidi 1");
    expect(tabs.faults).toEqual([]);
  });

  it("comes back by itself after the service was killed, with what was written meanwhile", async () => {
    const bruno = await tabs.of("bruno");
    await tabs.post("ada", "fourth-bell", "before");
    await badgeShows(bruno, 1);
    await tabs.service.kill9();
    await bruno.locator(".state[data-is=offline]").waitFor();
    await tabs.service.restart();
    await tabs.post("ada", "fourth-bell", "after");
    await badgeShows(bruno, 2);
    await isConnected(bruno);
    await boardShows(bruno, "1 A Ada 3");
    await comment(bruno, "fourth-bell", "after").waitFor();
    expect(await excerptsIn(bruno)).toEqual(["after", "before"]);
  });

  it("moves a task's bar in all tabs of its member, and rings the bell exactly once when it ends", async () => {
    const [ada, second, bruno] = [await tabs.of("ada"), await tabs.of("ada"), await tabs.of("bruno")];
    await ada.getByRole("button", { name: "Start a long task" }).click();
    // The bell opens by itself: there is the bar.
    await ada.getByRole("progressbar", { name: "Export of the forum" }).waitFor();
    await second.locator("belfry-bell .bell").click();
    const percent = async (page: Page): Promise<number> => Number(await page.getByRole("progressbar").getAttribute("aria-valuenow"));
    const first = await percent(second);
    await until("the bar to move", async () => (await percent(second)) > first);

    await ada.locator("belfry-inbox .row", { hasText: "Export of the forum" }).waitFor();
    expect(await excerptsIn(await tabs.of("ada"))).toEqual(["3 threads with 3 comments."]);
    for (const page of [ada, second]) expect(await page.getByRole("progressbar").count()).toBe(0);
    await badgeShows(bruno, 0);
    expect(tabs.faults).toEqual([]);
  });

  it("tells of a task that a crash of the service has cut off, and takes its bar away", async () => {
    const ada = await tabs.of("ada");
    await ada.getByRole("button", { name: "Start a long task" }).click();
    await ada.getByRole("progressbar").waitFor();
    await tabs.service.kill9();
    await tabs.service.restart();
    // The first visit settles what was left; a page that only waits asks for its token.
    await ada.locator("belfry-inbox .row", { hasText: "The service was restarted meanwhile" }).waitFor();
    expect(await ada.getByRole("progressbar").count()).toBe(0);
  });

  it("shows an announcement on both sides, and takes it away in all of a member's tabs when it is dismissed in one", async () => {
    const { left, right } = await tabs.pair();
    const second = await tabs.of("ada");
    await tabs.announce("Cake", { text: "After practice", level: "warning" });
    for (const side of [left, right, second]) {
      await banner(side, "Cake").waitFor();
      await badgeShows(side, 1);
    }
    await banner(left, "Cake")
      .getByRole("button", { name: /Dismiss/ })
      .click();
    for (const side of [left, second]) {
      await banner(side, "Cake").waitFor({ state: "detached" });
      await badgeShows(side, 0);
    }
    // Bruno's is his own.
    expect(await banner(right, "Cake").count()).toBe(1);
    expect(tabs.faults).toEqual([]);
  });

  it("keeps a mandatory announcement until it is acknowledged, by keyboard too", async () => {
    const [ada, second] = [await tabs.of("ada"), await tabs.of("ada")];
    await tabs.announce("Read this", { text: "All of it", level: "critical", mandatory: true });
    await banner(ada, "Read this").waitFor();
    await ada.reload();
    await banner(ada, "Read this").waitFor();
    await badgeShows(ada, 1);
    const buttons = banner(ada, "Read this").getByRole("button");
    expect(await buttons.count()).toBe(1);
    await buttons.focus();
    await ada.keyboard.press("Enter");
    for (const page of [ada, second]) {
      await banner(page, "Read this").waitFor({ state: "detached" });
      await badgeShows(page, 0);
    }
    await until("the focus on the bell", () => ada.evaluate("document.activeElement?.localName === 'belfry-bell'") as Promise<boolean>);
    expect(tabs.faults).toEqual([]);
  });

  it("has on the side that was cut off what happened meanwhile on all streams", async () => {
    const { left, right } = await tabs.pair();
    await turnNetwork(right, false);
    await tabs.announce("Second");
    await tabs.post("ada", "keys", "@Bruno hello");
    await banner(left, "Second").waitFor();
    await boardShows(left, "1 A Ada 2");
    expect(await banner(right, "Second").count()).toBe(0);
    await turnNetwork(right, true);
    await banner(right, "Second").waitFor();
    await boardShows(right, "1 A Ada 2");
    await comment(right, "keys", "@Bruno hello").waitFor();
    await badgeShows(right, 2);
    expect(tabs.faults).toEqual([]);
  });

  it("shows an announcement as text, and follows web addresses only", async () => {
    const ada = await tabs.of("ada");
    const markup = `<img src=x onerror="document.title='taken'"> <b>bold</b>`;
    await tabs.announce(markup, { text: `${markup} again` });
    await tabs.announce("Linked", { url: "https://forum.example/t/1" });
    await badgeShows(ada, 2);
    expect(await banner(ada, "Linked").getByRole("link").getAttribute("href")).toBe("https://forum.example/t/1");
    await banner(ada, `${markup} again`).waitFor();
    expect(await ada.locator("belfry-banner img, belfry-banner b").count()).toBe(0);
    await until("the title to tell it", async () => (await ada.title()) === "(2) Ada · Belfry");
    expect(tabs.faults).toEqual([]);
  });
});
