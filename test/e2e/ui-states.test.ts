import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { tokenOf } from "../support/call.js";
import { tokenFor } from "../support/member.js";
import { badgeShows, openPanel, UiTabs } from "../support/ui-tabs.js";

let browser: Browser;
let tabs: UiTabs;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  tabs = await UiTabs.open(browser);
});

afterEach(() => tabs.close());

/** What a bell says that cannot connect, opened on a page of its own. */
async function stateOf(bell: string): Promise<string> {
  const page = await tabs.context.newPage();
  await tabs.show(page, "3", { body: `<belfry-bell ${bell}></belfry-bell>` });
  await page.locator("belfry-bell .bell").click();
  const notice = page.locator("belfry-inbox .notice, belfry-bell .panel .empty");
  await notice.first().waitFor();
  return (await notice.first().textContent()) ?? "";
}

describe("the states of the bell", () => {
  it("says on the screen that a ban has ended the session, and why", async () => {
    const page = await tabs.of("3");
    await tabs.reply("3", "before the ban");
    await badgeShows(page, 1);
    await tabs.call("PUT", "/v1/members/3/ban", { why: "Advertising in three threads" });
    const notice = page.locator(".toast.stopped");
    await notice.waitFor();
    expect(await notice.textContent()).toMatch(/Your session has ended\s*.*Advertising in three threads/);
    await notice.getByRole("button", { name: "Dismiss" }).click();
    await page.locator("belfry-bell .bell.stopped").waitFor();
    await openPanel(page);
    expect(await page.locator("belfry-inbox .notice").textContent()).toContain("Advertising in three threads");
    await page.locator("belfry-inbox .row", { hasText: "before the ban" }).waitFor();

    await page.reload();
    await page.locator(".toast.stopped", { hasText: "Advertising in three threads" }).waitFor();
    expect(tabs.faults).toEqual([]);
  });

  it("comes back when a ban is over and the member asks for it", async () => {
    const page = await tabs.of("3");
    await tabs.call("PUT", "/v1/members/3/ban", { why: "A day off" });
    await openPanel(page);
    await page.locator("belfry-inbox .notice").waitFor();
    await tabs.call("DELETE", "/v1/members/3/ban");
    await page.getByRole("button", { name: "Connect again" }).click();
    await page.locator("belfry-inbox .notice").waitFor({ state: "detached" });
    await tabs.reply("3", "welcome back");
    await badgeShows(page, 1);
  });

  it("has clear words for whatever keeps it from connecting", async () => {
    const { url } = tabs.service;
    expect(await stateOf("")).toContain("The bell is not set up");
    expect(await stateOf(`url="${url}" token="rubbish"`)).toContain("You are signed out");
    expect(await stateOf(`url="${url}" token="${tokenFor("the key of another service entirely", { sub: "3" })}"`)).toContain(
      "You are signed out",
    );
    expect(await stateOf(`url="${url}" token="${tokenFor(tabs.service.jwtSecret, { sub: "3", exp: 1_700_000_000 })}"`)).toContain(
      "You are signed out",
    );
    expect(await stateOf(`url="http://127.0.0.1:9" token="${tokenOf(tabs.service, "3")}"`)).toContain("No connection to the service");
    expect(await stateOf(`url="${tabs.origin}" token="${tokenOf(tabs.service, "3")}"`)).toMatch(/No connection|Notifications have stopped/);
    expect(await stateOf(`url="not an address" token="${tokenOf(tabs.service, "3")}"`)).toContain("The bell is not set up");
    expect(await stateOf(`url="${url}" token-url="/nothing-here"`)).toMatch(/gives no token/);
  });

  it("works without storage, and with rubbish in it", async () => {
    await tabs.context.addInitScript(`
      if (location.hash === "#forbidden") Object.defineProperty(window, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } });
      else if (location.hash === "#full") Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };
      else for (const key of Object.keys(localStorage)) localStorage.setItem(key, "{rubbish");
    `);
    for (const hash of ["#forbidden", "#full", "", ""]) {
      const page = await tabs.context.newPage();
      await tabs.show(page, "3", {});
      await page.goto(`${page.url()}${hash}`);
      await page.reload();
      await page.waitForFunction("document.querySelector('belfry-bell').client?.status.synced");
      await page.close();
    }
    const page = await tabs.of("3");
    await tabs.reply("3", "here all the same");
    await badgeShows(page, 1);
  });

  it.each([-5, 5])("works on a device whose clock is %i hours off", async (hours) => {
    await tabs.context.addInitScript(`const now = Date.now; Date.now = () => now() + ${hours * 3_600_000};`);
    const page = await tabs.of("3");
    await tabs.reply("3", "in time");
    await badgeShows(page, 1);
    await openPanel(page);
    expect(await page.locator("belfry-inbox .row time").textContent()).toMatch(hours < 0 ? /just now/ : /5 hr/);
    expect(tabs.faults).toEqual([]);
  });

  it("shows what others write as text, wherever it stands, and makes links of web addresses only", async () => {
    const evil = `<img src=x onerror="document.title='taken'"><b>bold</b>`;
    const page = await tabs.of("3");
    await tabs.reply("3", evil, { title: evil, actor: { id: evil, name: evil } });
    const direct = { to: ["3"], type: evil, actor: { id: "8", name: evil }, text: evil, data: { html: evil } };
    await tabs.call("POST", "/v1/notifications", direct);
    await tabs.call("POST", "/v1/announcements", { title: evil, text: evil });
    await tabs.call("PUT", "/v1/tasks/evil", { user: "3", state: "running", title: evil, step: evil, text: evil, percent: 10 });
    await badgeShows(page, 3);
    expect(await page.locator(".toast .excerpt").first().textContent()).toBe(evil);
    await openPanel(page);
    expect(await page.locator("belfry-inbox .row .excerpt").allTextContents()).toEqual([evil, evil]);
    expect(await page.locator("belfry-inbox .row bdi.thread").textContent()).toBe(evil);
    expect(await page.locator(".panel belfry-banner h3").textContent()).toContain(evil);
    expect(await page.locator("belfry-tasks .name").textContent()).toContain(evil);
    expect(await page.locator("belfry-bell img, belfry-bell b").count()).toBe(0);
    expect(await page.title()).toBe("Forum");
    expect(tabs.faults).toEqual([]);
  });

  it("follows no address but http and https, even where a service has let one through", async () => {
    await tabs.script(
      "/fake.js",
      `import { fakeBelfry, fakeItem } from "./test/support/ui-fake.ts";
       const bad = "javascript:document.title='taken'";
       const item = { url: bad, comment: { id: "1", url: bad }, thread: { id: "1", title: "T", url: bad }, actor: { id: "2", name: "A", avatar: bad } };
       document.querySelector("belfry-bell").client = fakeBelfry({
         items: [fakeItem(1, { readAt: null, ...item })],
         announcements: [{ id: "a", title: "A", text: "", url: bad, level: "info", dismissible: true, mandatory: false, createdAt: "", ask: "dismiss", dismissedAt: null, acknowledgedAt: null }],
         tasks: [{ task: "t", state: "running", title: "T", url: bad, at: "" }],
       });`,
    );
    const page = await tabs.context.newPage();
    await tabs.show(page, "3", { body: `<belfry-bell></belfry-bell><script type="module" src="/fake.js"></script>` });
    await badgeShows(page, 2);
    await openPanel(page);
    expect(await page.locator("belfry-bell a, belfry-bell img").count()).toBe(0);
    await page.locator("belfry-inbox .row .main").click();
    expect(await page.title()).toBe("Forum");
    expect(tabs.faults).toEqual([]);
  });
});
