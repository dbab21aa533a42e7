import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { badgeShows, comment, DemoTabs, excerptsIn, isConnected, turnNetwork, write } from "../support/demo-tabs.js";
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

describe("the demo's two members side by side", () => {
  it("ring the right one's bell, and show the comment there, when the left one writes in the first box there is", async () => {
    const { left, right } = await tabs.pair();
    await left.locator(".composer textarea").first().fill("Have you tried another rope?");
    await left.locator(".composer textarea").first().press("Enter");
    await badgeShows(right, 1);
    await right.locator(".toast", { hasText: "Have you tried another rope?" }).waitFor();
    await comment(right, "fourth-bell", "Have you tried another rope?").waitFor();
    await badgeShows(left, 0);
    // Who has written there hears how it goes on.
    await write(right, "fourth-bell", "Not yet");
    await badgeShows(left, 1);
    expect(tabs.faults).toEqual([]);
  });

  it("bring what the right one missed while cut off: five, in order, each once", async () => {
    const { left, right } = await tabs.pair();
    await write(left, "fourth-bell", "before");
    await badgeShows(right, 1);
    await turnNetwork(right, false);
    await right.locator(".state", { hasText: "Bruno is offline" }).waitFor();
    for (const text of ["first", "second", "third", "fourth", "fifth"]) await write(left, "fourth-bell", text);
    expect(await comment(right, "fourth-bell", "first").count()).toBe(0);
    await badgeShows(right, 1);

    await turnNetwork(right, true);
    await right.locator(".state", { hasText: "5 missed while away, now here" }).waitFor();
    await badgeShows(right, 6);
    await comment(right, "fourth-bell", "fifth").waitFor();
    expect(await excerptsIn(right)).toEqual(["fifth", "fourth", "third", "second", "first", "before"]);
    expect(tabs.faults).toEqual([]);
  });

  it("keep what was written without a network, and say so", async () => {
    const { left, right } = await tabs.pair();
    await turnNetwork(left, false);
    const box = left.locator("#thread-fourth-bell .composer");
    await box.locator("textarea").fill("Into the void");
    await box.getByRole("button", { name: "Send" }).click();
    await box.locator(".notice", { hasText: "cannot be reached" }).waitFor();
    expect(await box.locator("textarea").inputValue()).toBe("Into the void");

    await turnNetwork(left, true);
    await isConnected(left);
    await box.getByRole("button", { name: "Send" }).click();
    await badgeShows(right, 1);
    expect(await comment(right, "fourth-bell", "Into the void").count()).toBe(1);
  });

  it("lose nothing that is typed while a comment is on its way, also where that one fails", async () => {
    const { page, left } = await tabs.pair();
    let answer = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route(/comments$/, async (route) => {
      await held;
      await route.abort();
    });
    const box = left.locator("#thread-fourth-bell .composer");
    await box.locator("textarea").fill("first");
    await box.locator("textarea").press("Enter");
    await box.locator("button[type=submit]:disabled").waitFor();
    await box.locator("textarea").pressSequentially("second");
    answer();
    await box.locator(".notice", { hasText: "cannot be reached" }).waitFor();
    expect(await box.locator("textarea").inputValue()).toBe("first\nsecond");
  });

  it("stand behind tabs where there is no room for both, and the hidden one's tab tells that its bell has rung", async () => {
    const { page, left, right } = await tabs.pair();
    await page.setViewportSize({ width: 600, height: 800 });
    await right.locator("header").waitFor({ state: "hidden" });
    await write(left, "fourth-bell", "Look here");
    await page.getByRole("tab", { name: "Bruno" }).locator(".count", { hasText: "1" }).waitFor();
    await page.getByRole("tab", { name: "Ada" }).press("ArrowRight");
    await comment(right, "fourth-bell", "Look here").waitFor();
    await badgeShows(right, 1);
    await left.locator("header").waitFor({ state: "hidden" });
  });

  it("can be any two of the three, also one member twice: what is read in one is read in the other", async () => {
    const { left, right } = await tabs.pair();
    await left.getByLabel("Signed in as").selectOption("bruno");
    await left.locator("h1", { hasText: "as Bruno" }).waitFor({ state: "attached" });
    await isConnected(left);
    await tabs.post("chidi", "keys", "@Bruno look here");
    await badgeShows(left, 1);
    await badgeShows(right, 1);
    await right.locator("belfry-bell .bell").click();
    await right.getByRole("button", { name: "Mark all as read" }).click();
    await badgeShows(left, 0);
    expect(tabs.faults).toEqual([]);
  });
});

describe("the demo forum", () => {
  it("allows its pages no script that is written into them, and no other site to frame them", async () => {
    for (const path of ["/", "/?as=ada", "/?as=nobody&as=x"]) {
      const { status, headers } = await fetch(tabs.service.url + path);
      expect([path, status]).toEqual([path, 200]);
      const policy = headers.get("content-security-policy")?.split(";") ?? [];
      for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-src 'self'", "frame-ancestors 'self'"]) {
        expect(policy).toContain(rule);
      }
      expect(policy.join()).not.toContain("unsafe");
    }
  });

  it("leads from a notification to the comment, which is read then", async () => {
    const ada = await tabs.of("ada");
    await write(ada, "tuesday-practice", "Thank you for the muffles", "Bruno");
    const bruno = await tabs.of("bruno");
    await badgeShows(bruno, 1);
    await until("the title to tell it", async () => (await bruno.title()) === "(1) Bruno · Belfry");
    await bruno.locator("belfry-bell .bell").click();
    const row = bruno.locator("belfry-inbox .row");
    expect((await row.locator(".sentence").textContent())?.replace(/^unread: /i, "")).toBe(
      "Ada replied to you in Who can ring on Tuesday?",
    );
    await row.locator(".main").click();
    await bruno.locator(".post:focus", { hasText: "Thank you for the muffles" }).waitFor();
    await badgeShows(bruno, 0);
  });

  it("shows an edit to everybody, and tells whoever it calls for the first time", async () => {
    const { left, right } = await tabs.pair();
    await write(left, "keys", "Have you got them?");
    await comment(right, "keys", "Have you got them?").waitFor();
    await comment(left, "keys", "Have you got them?").getByRole("button", { name: "Edit" }).click();
    await left.getByLabel("Your comment").fill("Have you got them, @Bruno?");
    await left.getByRole("button", { name: "Save" }).click();
    for (const side of [left, right]) await comment(side, "keys", "them, @Bruno?").locator(".edited").waitFor();
    await badgeShows(right, 1);
    // Only who has written a comment can change it.
    expect(await comment(right, "keys", "them, @Bruno?").getByRole("button", { name: "Edit" }).count()).toBe(0);
    expect(tabs.faults).toEqual([]);
  });

  it("takes a comment away from everybody, and what it has told them from their bells", async () => {
    const { left, right } = await tabs.pair();
    await write(left, "fourth-bell", "Said too much");
    await badgeShows(right, 1);
    await comment(left, "fourth-bell", "Said too much").getByRole("button", { name: "Delete" }).click();
    await left.getByRole("button", { name: "Keep" }).click();
    await comment(left, "fourth-bell", "Said too much").getByRole("button", { name: "Delete" }).click();
    await left.getByRole("button", { name: "Delete", exact: true }).click();
    for (const side of [left, right]) await comment(side, "fourth-bell", "Said too much").waitFor({ state: "detached" });
    await badgeShows(right, 0);
    expect(tabs.faults).toEqual([]);
  });

  it("shows what members write as text, whatever it looks like", async () => {
    const { page, left, right } = await tabs.pair();
    const text = `@Ada <img src=x onerror="top.document.title='taken'"> <b>bold</b> &amp; javascript:alert(1)`;
    await write(right, "keys", text);
    await badgeShows(left, 1);
    await comment(left, "keys", text).waitFor();
    expect(await excerptsIn(left)).toEqual([text]);
    expect(await left.locator("main img, belfry-bell img, .comments b:not(.mention)").count()).toBe(0);
    expect(await page.title()).toBe("Belfry: try it");
    expect(tabs.faults).toEqual([]);
  });

  it("is read and written by keyboard alone", async () => {
    await tabs.post("bruno", "keys", "@Ada hello");
    const ada = await tabs.of("ada");
    await badgeShows(ada, 1);
    await ada.locator("belfry-bell .bell").press("Enter");
    await ada.locator("belfry-inbox .row .main").press("Enter");
    await ada.locator(".post:focus", { hasText: "@Ada hello" }).waitFor();
    await ada.keyboard.press("Tab");
    await ada.keyboard.press("Enter");
    await ada.locator("#thread-keys .composer textarea:focus").waitFor();
    await ada.keyboard.type("hello yourself");
    await ada.keyboard.press("Enter");
    await comment(ada, "keys", "hello yourself").locator(".to", { hasText: "to Bruno" }).waitFor();
    await ada.getByRole("switch", { name: "Network" }).press("Space");
    await ada.locator(".state[data-is=cut]").waitFor();
    expect(tabs.faults).toEqual([]);
  });
});
