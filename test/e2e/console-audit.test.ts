import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { ConsoleTabs } from "../support/console-tabs.js";
import { until } from "../support/member.js";

let browser: Browser;
let tabs: ConsoleTabs;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  tabs = await ConsoleTabs.open(browser);
  for (const user of ["ada", "bruno"]) await tabs.server.register(user);
});

afterEach(() => tabs.close());

const acts = (page: Page) =>
  page
    .locator(".audit tbody tr")
    .evaluateAll((rows: Array<{ querySelector(selector: string): { textContent: string } | null }>) =>
      rows.map((row) => row.querySelector(".act")?.textContent),
    );
const kick = (user: string, why: string) => tabs.server.must("POST", `/v1/members/${user}/kick`, { why });

describe("the audit log in the console", () => {
  it("shows each act as it is done, those that were refused too, and what was done while the service was away", async () => {
    await kick("ada", "first");
    const page = await tabs.of("mia", "audit");
    await until("the first act is there", async () => (await acts(page)).length === 1);
    await kick("bruno", "<i>second</i>");
    await page.locator("tr[data-fresh]", { hasText: "<i>second</i>" }).waitFor();
    expect(await acts(page)).toEqual(["kicked", "kicked"]);
    expect((await tabs.server.call("DELETE", "/v1/members/ada/ban")).status).toBe(404);
    await page.locator("tr[data-refused]", { hasText: "refused: This member has no ban" }).waitFor();
    expect(await page.locator(".audit i").count()).toBe(0);

    await tabs.service.kill9();
    await page.locator(".link", { hasText: "Reconnecting…" }).waitFor();
    await page.locator(".notice.away", { hasText: "cannot be reached" }).waitFor();
    await tabs.service.restart();
    await kick("ada", "third");
    await page.locator(".audit tr", { hasText: "third" }).waitFor();
    await page.locator(".link", { hasText: "Connected" }).waitFor();
    expect(await page.locator(".notice").count()).toBe(0);
    expect(await acts(page)).toEqual(["kicked", "ended a ban", "kicked", "kicked"]);
  });

  it("is searched by act, actor and target, page by page, and new acts that do not fit stay out", async () => {
    for (let count = 0; count < 55; count++) await kick("ada", `kick ${count}`);
    await tabs.server.must("PUT", "/v1/members/bruno/mute", { why: "quiet" });
    const page = await tabs.of("mia", "audit");
    await until("a page is there", async () => (await acts(page)).length === 50);
    await page.getByRole("button", { name: "Show more" }).click();
    await until("all is there", async () => (await acts(page)).length === 56);
    expect(await page.getByRole("button", { name: "Show more" }).count()).toBe(0);

    await page.getByLabel("Act").selectOption({ label: "muted" });
    await page.getByRole("button", { name: "Search" }).click();
    await until("one fits", async () => (await acts(page)).join() === "muted");
    await page.getByLabel("Act").selectOption("");
    await page.getByLabel("On", { exact: true }).fill("bruno");
    await page.getByLabel("By", { exact: true }).fill("server");
    await page.getByRole("button", { name: "Search" }).click();
    await until("one fits", async () => (await acts(page)).join() === "muted");
    await kick("ada", "does not fit");
    await kick("bruno", "fits");
    await until("what fits is there", async () => (await acts(page)).join() === "kicked,muted");
    await page.getByLabel("By", { exact: true }).fill("nobody");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByText("No entry fits.").waitFor();
    await page.getByRole("button", { name: "Clear" }).click();
    await until("all is there again", async () => (await acts(page)).length === 50);
    expect(tabs.faults).toEqual([]);
  });

  it("is exported as CSV and NDJSON, narrowed as it is searched", async () => {
    await kick("ada", "=1+1");
    await tabs.server.must("PUT", "/v1/members/bruno/mute", { why: "quiet" });
    const page = await tabs.of("mia", "audit");
    await until("both are there", async () => (await acts(page)).length === 2);
    const csv = await tabs.saved(page, () => page.getByRole("button", { name: "CSV" }).click());
    expect(csv.name).toBe("audit.csv");
    expect(csv.text.split("\r\n")[0]).toBe("id,at,by,act,target,why,until,refused,from");
    expect(csv.text).toMatch(/,server,kick,ada,'=1\+1,/);
    expect(csv.text).toMatch(/,server,mute,bruno,quiet,/);
    await page.getByLabel("Act").selectOption("mute");
    await page.getByRole("button", { name: "Search" }).click();
    await until("one fits", async () => (await acts(page)).length === 1);
    const { name, text } = await tabs.saved(page, () => page.getByRole("button", { name: "NDJSON" }).click());
    expect(name).toBe("audit.ndjson");
    expect(
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([{ act: "mute", target: "bruno", why: "quiet" }]);
    expect(tabs.faults).toEqual([]);
  });
});
