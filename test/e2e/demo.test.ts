import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { type Service, startService } from "../support/service.js";

const ARTIFACTS = fileURLToPath(new URL("../../artifacts/", import.meta.url));

/** Milliseconds; the service answers in a few, and a page that lost it comes back within five seconds. */
const PATIENCE = 12_000;

let browser: Browser;
let service: Service;
let context: BrowserContext;
let faults: string[];

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  browser = await launchBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  faults = [];
  service = await startService();
  context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  context.setDefaultTimeout(PATIENCE);
});

afterEach(async () => {
  await context.close();
  await service.stop();
});

/** A tab in which a member is signed in and connected. */
async function tabOf(member: string): Promise<Page> {
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    // What the Content Security Policy forbids is reported here too.
    if (message.type() === "error" && !message.text().includes("ERR_CONNECTION_REFUSED")) faults.push(message.text());
  });
  await page.goto(`${service.url}/?as=${member}`);
  await page.locator("#connection", { hasText: "Connected" }).waitFor();
  await page.locator("#thread-keys").waitFor();
  return page;
}

/** Writes through the page: in the thread, or as a reply to the first comment of `replyTo` in it. */
async function write(page: Page, thread: string, text: string, replyTo?: string): Promise<void> {
  const article = page.locator(`#thread-${thread}`);
  if (replyTo !== undefined)
    await article
      .getByRole("button", { name: `Reply to ${replyTo}` })
      .first()
      .click();
  await article.locator("textarea").fill(text);
  await article.getByRole("button", { name: "Send" }).click();
  await article.locator(".comments .text", { hasText: text }).waitFor();
}

/** Writes without a page. */
async function post(member: string, thread: string, text: string): Promise<void> {
  const send = async (path: string, body: object, token?: string): Promise<Response> =>
    fetch(service.url + path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    });
  const { token } = (await (await send("/demo/session", { member })).json()) as { token: string };
  const answer = await send(`/demo/threads/${thread}/comments`, { text }, token);
  expect(answer.status).toBe(201);
}

async function badgeShows(page: Page, count: number): Promise<void> {
  if (count === 0) await page.locator("#badge").waitFor({ state: "hidden" });
  else await page.locator("#badge", { hasText: new RegExp(`^${count}$`) }).waitFor();
}

async function excerptsOf(page: Page): Promise<string[]> {
  await page.locator("#bell").click();
  return page.locator("#notifications .excerpt").allTextContents();
}

describe("the demo forum in a browser", () => {
  it("lets a newcomer sign in and rings the other member's bell at once", async () => {
    const bruno = await context.newPage();
    await bruno.goto(service.url);
    await bruno.getByRole("button", { name: "Sign in as Bruno" }).click();
    const [ada] = await Promise.all([context.waitForEvent("page"), bruno.getByRole("link", { name: "Ada" }).click()]);
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
    const bruno = await tabOf("bruno");
    await post("ada", "fourth-bell", "before");
    await badgeShows(bruno, 1);
    await bruno.close();
    await post("ada", "fourth-bell", "first");
    await post("chidi", "fourth-bell", "second");
    await post("ada", "keys", "@Bruno third");

    const again = await tabOf("bruno");
    await again.locator("#connection", { hasText: "3 missed while away, now here" }).waitFor();
    await badgeShows(again, 4);
    expect(await excerptsOf(again)).toEqual(["@Bruno third", "second", "first", "before"]);
    expect(faults).toEqual([]);
  });

  it("comes back by itself after the service was killed, with what was written meanwhile", async () => {
    const bruno = await tabOf("bruno");
    await post("ada", "fourth-bell", "before");
    await badgeShows(bruno, 1);
    await service.kill9();
    await bruno.locator("#connection", { hasText: /Reconnecting|Trying again/ }).waitFor();
    await bruno.locator("#thread-keys textarea").fill("into the void");
    await bruno.locator("#thread-keys").getByRole("button", { name: "Send" }).click();
    await bruno.locator("#thread-keys form .notice", { hasText: "cannot be reached" }).waitFor();
    expect(await bruno.locator("#thread-keys textarea").inputValue()).toBe("into the void");

    await service.restart();
    await post("ada", "fourth-bell", "after");
    await badgeShows(bruno, 2);
    await bruno.locator("#connection", { hasText: "Connected" }).waitFor();
    expect(await excerptsOf(bruno)).toEqual(["after", "before"]);
  });

  it("comes back after an orderly stop and start, with what was written meanwhile", async () => {
    const bruno = await tabOf("bruno");
    await service.restart();
    await post("ada", "fourth-bell", "after");
    await badgeShows(bruno, 1);
    await bruno.locator("#connection", { hasText: "Connected" }).waitFor();
    expect(await excerptsOf(bruno)).toEqual(["after"]);
  });

  it("shows what members write as text, whatever it looks like", async () => {
    const ada = await tabOf("ada");
    const bruno = await tabOf("bruno");
    const text = `@Ada <img src=x onerror="document.title='taken'"> <b>bold</b> &amp; javascript:alert(1)`;
    await write(bruno, "keys", text);
    await badgeShows(ada, 1);
    await ada.locator("#thread-keys .comments .text", { hasText: text }).waitFor();
    expect(await excerptsOf(ada)).toEqual([text]);
    expect(await ada.locator("#threads img, #panel img").count()).toBe(0);
    expect(await ada.title()).toBe("(1) Belfry");
    expect(faults).toEqual([]);
  });

  it("keeps all tabs of a member in agreement", async () => {
    const ada = await tabOf("ada");
    const second = await tabOf("ada");
    for (const text of ["one", "two"]) await post("bruno", "tuesday-practice", text);
    await Promise.all([badgeShows(ada, 2), badgeShows(second, 2)]);

    await ada.locator("#bell").click();
    await ada.locator("#notifications button", { hasText: "two" }).click();
    await badgeShows(second, 1);
    await second.locator("#bell").click();
    await second.getByRole("button", { name: "Mark all read" }).click();
    await Promise.all([badgeShows(ada, 0), badgeShows(second, 0)]);
    expect(await second.locator("#notifications .unread").count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it("can be used by keyboard alone", async () => {
    await post("bruno", "keys", "@Ada hello");
    const ada = await tabOf("ada");
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
    await post("bruno", "tuesday-practice", `@Ada ${"Longwordwithoutabreak".repeat(8)}`);
    await post("chidi", "keys", "@Ada have you got them?");
    const ada = await tabOf("ada");
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
    expect(faults).toEqual([]);
  });
});
