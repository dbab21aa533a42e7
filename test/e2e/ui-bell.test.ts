import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { until } from "../support/member.js";
import { badgeShows, excerptsOf, inList, openPanel, UiTabs } from "../support/ui-tabs.js";

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

describe("the bell on a forum's page", () => {
  it("shows a reply within a second of its being written", async () => {
    const page = await tabs.of("3");
    const took: number[] = [];
    for (let count = 1; count <= 5; count++) {
      const from = performance.now();
      await tabs.reply("3", `reply ${count}`);
      await badgeShows(page, count);
      took.push(performance.now() - from);
    }
    expect(took.sort((a, b) => a - b)[2]).toBeLessThan(1_000);
    await openPanel(page);
    expect(await page.locator("belfry-inbox .row .sentence").first().textContent()).toContain("member7 replied to you in Topic t5");
    expect(tabs.faults).toEqual([]);
  });

  it("needs no more on a page than the service's file and its tag", async () => {
    const page = await tabs.of("3", { script: `${tabs.service.url}/client/belfry-bell.js` });
    await tabs.reply("3", "two lines");
    await badgeShows(page, 1);
    expect(tabs.faults).toEqual([]);
  });

  it("makes a sound where the page wants one, and else none", async () => {
    await tabs.context.addInitScript(`
      globalThis.sounds = 0;
      const start = OscillatorNode.prototype.start;
      OscillatorNode.prototype.start = function (...when) { globalThis.sounds++; return start.apply(this, when); };
    `);
    const loud = await tabs.of("3", { bell: "sound" });
    await loud.locator("#before").click();
    await tabs.reply("3", "ding");
    await loud.waitForFunction("sounds > 0");
    await loud.close();
    const silent = await tabs.of("4");
    await tabs.reply("4", "hush");
    await silent.locator(".toast").waitFor();
    expect(await silent.evaluate("sounds")).toBe(0);
    expect(tabs.faults).toEqual([]);
  });

  it("has all that was written while the network was cut: in order, each once", async () => {
    const { page, line } = await tabs.cuttable("3");
    await tabs.reply("3", "before");
    await badgeShows(page, 1);
    line.cut();
    await page.locator("belfry-bell .bell.offline").waitFor();
    for (let n = 1; n <= 5; n++) await tabs.reply("3", `missed ${n}`);
    await openPanel(page);
    await page.locator("belfry-inbox .notice", { hasText: "No connection to the service" }).waitFor();
    expect(await excerptsOf(page)).toEqual(["before"]);

    line.mend();
    await page.locator("belfry-inbox .row").nth(5).waitFor();
    expect(await excerptsOf(page)).toEqual(["missed 5", "missed 4", "missed 3", "missed 2", "missed 1", "before"]);
    await page.locator("belfry-inbox .notice").waitFor({ state: "detached" });
    expect(tabs.faults).toEqual([]);
  });

  it("counts the same in all tabs: what is read in one is read in the others", async () => {
    const [first, second, third] = [await tabs.of("3"), await tabs.of("3"), await tabs.of("3")];
    // More than are seen at once, and so read by being seen.
    await tabs.comments("3", 40);
    await Promise.all([first, second, third].map((page) => badgeShows(page, 40)));

    await openPanel(first);
    const row = first.locator("belfry-inbox .row", { hasText: "comment 38" });
    await row.hover();
    await row.getByRole("button", { name: "Archive" }).click();
    await first.getByRole("button", { name: "Mark all as read" }).click();
    await Promise.all([first, second, third].map((page) => badgeShows(page, 0)));

    await openPanel(third);
    expect((await excerptsOf(third)).slice(0, 2)).toEqual(["comment 39", "comment 37"]);
    await third.getByRole("tab", { name: "Archived" }).click();
    await third.locator("belfry-inbox .row", { hasText: "comment 38" }).waitFor();
    expect(await excerptsOf(third)).toEqual(["comment 38"]);
    expect(tabs.faults).toEqual([]);
  });

  it("shows a toast in one of three tabs", async () => {
    const pages = [await tabs.of("3"), await tabs.of("3"), await tabs.of("3")];
    for (let n = 1; n <= 3; n++) {
      await tabs.reply("3", `reply ${n}`);
      await Promise.all(pages.map((page) => badgeShows(page, n)));
      const shown = async (): Promise<number> =>
        (await Promise.all(pages.map((page) => page.locator(".toast", { hasText: `reply ${n}` }).count()))).reduce((a, b) => a + b);
      await until("a toast", async () => (await shown()) > 0);
      // All tabs have drawn the count, and so whatever else they draw of it.
      await Promise.all(
        pages.map((page) => page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")),
      );
      expect(await shown()).toBe(1);
    }
  });

  it("marks as read what was really seen, and lets it stay in the list of the unread", async () => {
    const page = await tabs.of("3");
    await tabs.reply("3", "seen");
    await badgeShows(page, 1);
    await openPanel(page);
    await page.getByRole("tab", { name: "Unread" }).click();
    expect(await page.locator("belfry-inbox .row.unread").count()).toBe(1);
    await badgeShows(page, 0);
    expect(await page.locator("belfry-inbox .row:not(.unread)").count()).toBe(1);
    await page.getByRole("tab", { name: "All" }).click();
    await page.getByRole("tab", { name: "Unread" }).click();
    await page.getByText("All caught up").waitFor();
  });

  it("marks as read what was clicked, and leads there", async () => {
    const page = await tabs.of("3");
    await tabs.reply("3", "come and see", { thread: "keys" });
    await badgeShows(page, 1);
    await openPanel(page);
    await page.locator("belfry-inbox .row .main").click();
    await page.waitForURL(`${tabs.origin}/t/keys/1`);
    await badgeShows(page, 0);
  });

  it("gathers the replies of a thread, opens them, and marks all of them at once", async () => {
    const page = await tabs.of("3");
    for (const [id, name] of Object.entries({ 7: "member7", 8: "Ada", 9: "Chidi", 10: "Dora" })) {
      await tabs.reply("3", `from ${name}`, { thread: "ropes", title: "Ropes", actor: { id, name } });
    }
    await badgeShows(page, 4);
    await openPanel(page);
    const row = page.locator("belfry-inbox .row").first();
    expect(await row.locator(".sentence").textContent()).toContain("Dora and 3 others replied to you in Ropes");
    await page.getByRole("button", { name: "Show all 4" }).click();
    await page.locator("belfry-inbox .row.child").nth(3).waitFor();
    expect(await page.locator("belfry-inbox .row.child .excerpt").allTextContents()).toEqual([
      "from Dora",
      "from Chidi",
      "from Ada",
      "from member7",
    ]);
    await row.hover();
    await row.getByRole("button", { name: "Mark as read" }).click();
    await badgeShows(page, 0);
  });

  it("loads older ones as one scrolls down", async () => {
    await tabs.comments("3", 230);
    const page = await tabs.of("3");
    await openPanel(page);
    await page.locator("belfry-inbox .row").first().waitFor();
    await until("the oldest", async () => {
      await inList(page, "list.scrollBy(0, 4000)");
      return (await page.locator("belfry-inbox .row", { hasText: "comment 0" }).count()) === 1;
    });
    expect(await page.locator("belfry-inbox .row").count()).toBeLessThan(40);
    expect(tabs.faults).toEqual([]);
  });

  it("keeps a mandatory announcement until it is acknowledged, and lets others be dismissed", async () => {
    const [page, other] = [await tabs.of("3"), await tabs.of("3")];
    await tabs.call("POST", "/v1/announcements", { title: "New rules", text: "Please read them.", level: "critical", mandatory: true });
    await tabs.call("POST", "/v1/announcements", { title: "Maintenance", text: "On Sunday.", level: "warning" });
    await Promise.all([badgeShows(page, 2), badgeShows(other, 2)]);

    const rules = page.locator("belfry-banner li", { hasText: "New rules" });
    await rules.waitFor();
    expect(await rules.getByRole("button", { name: "Dismiss" }).count()).toBe(0);
    await page.locator("belfry-banner li", { hasText: "Maintenance" }).getByRole("button", { name: "Dismiss" }).click();
    await badgeShows(other, 1);
    await page.reload();
    await rules.getByRole("button", { name: "I have read this" }).click();
    await Promise.all([badgeShows(page, 0), badgeShows(other, 0)]);
    await other.locator("belfry-banner li").waitFor({ state: "detached" });
    expect(tabs.faults).toEqual([]);
  });

  it("shows how far a task is, and how it has ended", async () => {
    const page = await tabs.of("3");
    const report = { user: "3", state: "running", title: "Import", step: "Page 3 of 10", percent: 30 };
    await tabs.call("PUT", "/v1/tasks/import", report);
    await openPanel(page);
    const bar = page.getByRole("progressbar", { name: "Import" });
    await bar.waitFor();
    expect(await bar.getAttribute("aria-valuenow")).toBe("30");
    await tabs.call("PUT", "/v1/tasks/import", { user: "3", state: "completed", title: "Import", text: "All here" });
    await bar.waitFor({ state: "detached" });
    await page.locator("belfry-inbox .row", { hasText: "Import is complete" }).waitFor();
  });

  it("lends its client to parts that stand elsewhere on the page, also above it", async () => {
    const bell = `<belfry-bell id="bell" hide="banner tasks" url="${tabs.service.url}" token-url="/token"></belfry-bell>`;
    const page = await tabs.of("3", {
      body: `<belfry-banner for="bell"></belfry-banner><belfry-tasks for="bell"></belfry-tasks>${bell}<belfry-inbox for="bell"></belfry-inbox>`,
    });
    await tabs.call("POST", "/v1/announcements", { title: "News", text: "All well." });
    await tabs.call("PUT", "/v1/tasks/import", { user: "3", state: "running", title: "Import" });
    await tabs.reply("3", "in the page");
    await page.locator("body > belfry-banner li", { hasText: "News" }).waitFor();
    await page.locator("body > belfry-tasks [role=progressbar]").waitFor();
    await page.locator("body > belfry-inbox .row", { hasText: "in the page" }).waitFor();
    expect(await page.locator("belfry-banner").count()).toBe(1);
    expect(tabs.faults).toEqual([]);
  });

  it("goes on when it is moved in the page, follows another member, and leaves with the page's consent", async () => {
    const page = await tabs.of("3");
    await tabs.reply("3", "for three");
    await badgeShows(page, 1);
    await page.evaluate("document.querySelector('main').append(bell)");
    await tabs.reply("3", "after the move");
    await badgeShows(page, 2);
    await tabs.context.addCookies([{ name: "member", value: "4", url: tabs.origin }]);
    await page.evaluate("bell.setAttribute('token-url', '/token?of=4')");
    await badgeShows(page, 0);
    await tabs.reply("4", "for four");
    await badgeShows(page, 1);
    await openPanel(page);
    expect(await excerptsOf(page)).toEqual(["for four"]);
    const left = await page.evaluate(
      "(() => { const { client } = bell; bell.remove(); return new Promise((done) => setTimeout(() => done(client.status), 0)); })()",
    );
    expect(left).toMatchObject({ is: "stopped", code: "closed" });
    expect(tabs.faults).toEqual([]);
  });
});
