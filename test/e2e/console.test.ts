import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser, Page, Route } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { ConsoleTabs } from "../support/console-tabs.js";
import { until } from "../support/member.js";

let browser: Browser;
let tabs: ConsoleTabs;

beforeAll(async () => {
  browser = await launchBrowser();
  tabs = await ConsoleTabs.open(browser);
});

afterEach(() => tabs.clear());

afterAll(async () => {
  await tabs.close();
  await browser.close();
});

/** A moment from now as a form's field takes it, in the browser's zone, which is this machine's. */
function local(ms: number): string {
  const at = new Date(Date.now() + ms);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const write = async (page: Page, title: string, text: string): Promise<void> => {
  await page.getByLabel("Title", { exact: true }).fill(title);
  await page.getByLabel("Text", { exact: true }).fill(text);
};

const option = (page: Page, name: string) => page.getByRole("radio", { name });
const status = (page: Page, text: string) => page.locator(".done", { hasText: text }).waitFor();

describe("announcements in the console", () => {
  it("look in the preview as they are written, as text, and reach a member's device when they are announced", async () => {
    const ada = await tabs.watch("ada");
    const page = await tabs.of("mia", "announcements");
    await page.getByRole("link", { name: "New announcement" }).click();
    const preview = page.locator(".preview-side belfry-banner li");
    const markup = `<img src=x onerror="document.title='taken'"> & <b>bold</b>`;
    await write(page, "Maintenance on Sunday", markup);
    await page.getByLabel("Link").fill("https://forum.example/t/812");
    await option(page, "Critical").check();
    await option(page, "Must be acknowledged").check();
    // The last choice shows last.
    await page.locator(".preview-side belfry-banner li.critical button", { hasText: "I have read this" }).waitFor();
    await preview.getByText("Maintenance on Sunday").waitFor();
    expect(await preview.locator(".text").textContent()).toBe(markup);
    expect(await preview.locator("a").getAttribute("href")).toBe("https://forum.example/t/812");
    expect(await preview.locator("img, b").count()).toBe(0);
    expect(ada.announcements).toEqual([]);

    await page.getByRole("button", { name: "Announce now" }).click();
    await status(page, "Announced.");
    await until("ada's device has it", () => ada.announcements.length === 1);
    expect(ada.announcements[0]).toMatchObject({
      kind: "announcement",
      data: {
        title: "Maintenance on Sunday",
        text: markup,
        level: "critical",
        mandatory: true,
        by: "mia",
        url: "https://forum.example/t/812",
      },
    });
    await page.getByRole("heading", { level: 1, name: "Maintenance on Sunday" }).waitFor();
    // Its preview is to be looked at: nothing of it is on the keyboard's way, and what it says is there all the same.
    await page.locator("belfry-banner button").waitFor();
    expect(await page.locator("[inert] belfry-banner").count()).toBe(1);
    expect(await page.locator("p.spoken").textContent()).toBe(markup);
    await page.locator(".facts", { hasText: "https://forum.example/t/812" }).waitFor();
    await tabs.visit(page, "announcements/new");
    expect(await page.getByLabel("Title", { exact: true }).inputValue()).toBe("");
    expect(tabs.faults).toEqual([]);
  });

  it("never lead to a script, and keep what was written when the service refuses it", async () => {
    const page = await tabs.of("mia", "announcements/new");
    await write(page, "Look", "here");
    await page.getByLabel("Link").fill("javascript:alert(1)");
    await page.locator(".preview-side belfry-banner li", { hasText: "Look" }).waitFor();
    expect(await page.locator(".preview-side belfry-banner a").count()).toBe(0);
    await page.getByRole("button", { name: "Announce now" }).click();
    await page.locator(".notice", { hasText: "url" }).waitFor();
    expect(await page.getByLabel("Title", { exact: true }).inputValue()).toBe("Look");
    await tabs.visit(page, "audit");
    await tabs.visit(page, "announcements/new");
    expect(await page.getByLabel("Title", { exact: true }).inputValue()).toBe("Look");
  });

  it("can be scheduled for a part of the members, and edited before and after they appear", async () => {
    const [ada, bruno] = [await tabs.watch("ada"), await tabs.watch("bruno")];
    const page = await tabs.of("mia", "announcements/new");
    await write(page, "Practice", "Half past seven");
    await page.getByLabel("empty: at once").fill(local(3 * 3_600_000));
    await page.getByLabel("empty: stays").fill(local(5 * 3_600_000));
    await option(page, "A part").check();
    await page.getByLabel("Member ids").fill("ada, bruno");
    await page.getByRole("button", { name: "Schedule" }).click();
    await status(page, "Scheduled.");
    await page.locator(".chip", { hasText: "scheduled" }).waitFor();
    await page.locator(".facts", { hasText: "members ada, bruno" }).waitFor();

    await page.getByRole("link", { name: "Edit", exact: true }).click();
    await page.getByLabel("Member ids").fill("bruno");
    await page.getByLabel("empty: at once").fill("");
    await page.getByRole("button", { name: "Save the changes" }).click();
    await status(page, "The change is saved.");
    await until("bruno's device has it", () => bruno.announcements.length === 1);
    expect(bruno.announcements[0]?.data).toMatchObject({ title: "Practice", text: "Half past seven" });
    await until("ada's device knows that there is something else", () => ada.announcements.length === 1);
    expect(ada.announcements[0]?.data).toMatchObject({ hidden: true });

    await page.locator(".page-head .chip", { hasText: "live" }).waitFor();
    await page.getByRole("link", { name: "Edit", exact: true }).click();
    expect(await page.getByLabel("empty: at once").isDisabled()).toBe(true);
    await page.getByLabel("Text", { exact: true }).fill("Eight o'clock");
    await page.getByRole("button", { name: "Save the changes" }).click();
    await until("bruno's device has the change", () => bruno.announcements.length === 2);
    expect(bruno.announcements[1]).toMatchObject({ kind: "announcement.updated", data: { text: "Eight o'clock" } });
    expect(tabs.faults).toEqual([]);
  });

  it("for a part that nobody has named are not sent to everybody, neither as new ones nor when they are changed", async () => {
    const ada = await tabs.watch("ada");
    const page = await tabs.of("mia", "announcements/new");
    await write(page, "For the staff", "only");
    await option(page, "A part").check();
    await page.getByLabel("Member ids").fill(" , ");
    await page.getByRole("button", { name: "Announce now" }).click();
    await page.locator(".notice", { hasText: "Say which part" }).waitFor();
    expect(await page.locator("input[name=roles][aria-invalid=true]:focus").count()).toBe(1);
    await page.getByLabel("Member ids").fill("ada");
    await page.locator(".notice").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Announce now" }).click();
    await until("ada's device has it", () => ada.announcements.length === 1);

    await page.getByRole("link", { name: "Edit", exact: true }).click();
    await page.getByLabel("Member ids").fill("");
    await page.getByRole("button", { name: "Save the changes" }).click();
    await page.locator(".notice", { hasText: "Say which part" }).waitFor();
    const { body } = await tabs.server.call("GET", "/v1/announcements");
    expect((body.items as object[])[0]).toMatchObject({ title: "For the staff", audience: { users: ["ada"] } });
    expect(tabs.faults).toEqual([]);
  });

  it("that were announced before an answer was lost are said to be, and go on as a change of what members see", async () => {
    const ada = await tabs.watch("ada");
    const page = await tabs.of("mia", "announcements/new");
    await write(page, "Maintenence", "on Sunday");
    const lose = async (route: Route): Promise<void> => {
      await route.fetch();
      await route.abort();
    };
    await page.route("**/v1/announcements", lose, { times: 1 });
    await page.getByRole("button", { name: "Announce now" }).click();
    await page.locator(".notice", { hasText: "cannot be reached" }).waitFor();
    await page.getByLabel("Title", { exact: true }).fill("Maintenance");
    await page.getByRole("button", { name: "Announce now" }).click();
    await page.locator(".notice", { hasText: "This was announced already" }).waitFor();
    expect(await page.locator(".done").textContent()).not.toContain("Announced.");
    expect(await page.getByLabel("Title", { exact: true }).inputValue()).toBe("Maintenance");
    await page.getByRole("button", { name: "Save the changes" }).click();
    await until("ada's device has the change", () => ada.announcements.length === 2);
    expect(ada.announcements.map(({ data }) => data?.title)).toEqual(["Maintenence", "Maintenance"]);
  });

  it("are taken back with a reason, after a question, and are gone from the devices", async () => {
    const ada = await tabs.watch("ada");
    const { id } = await tabs.server.announce({ title: "Wrong date" });
    const page = await tabs.of("mia", `announcements/${id}`);
    await page.getByRole("button", { name: "Rescind" }).click();
    expect(ada.announcements).toHaveLength(1);
    await page.getByLabel("Reason").fill("the date was wrong");
    await page.locator("form").getByRole("button", { name: "Rescind" }).click();
    await page.locator(".chip", { hasText: "rescinded" }).waitFor();
    await until("ada's device has taken it away", () => ada.announcements.length === 2);
    expect(ada.announcements[1]).toMatchObject({ kind: "announcement.rescinded", data: { id, why: "the date was wrong" } });
    await page.locator(".facts", { hasText: "the date was wrong" }).waitFor();
    expect(await page.getByRole("button", { name: "Rescind" }).count()).toBe(0);
    expect(tabs.faults).toEqual([]);
  });

  it("have a report that follows who was reached, has seen and has acknowledged, also as a file", async () => {
    const [ada] = [await tabs.watch("ada"), await tabs.watch("bruno")];
    const { id } = await tabs.server.announce({ title: "Read this", mandatory: true, audience: { users: ["ada", "bruno"] } });
    const page = await tabs.of("mia", `announcements/${id}`);
    const numbers = async () => (await page.locator(".steps strong").allTextContents()).map(Number);
    await until("both are reached", async () => (await numbers()).join() === "2,2,0,0");
    expect((await ada.member.ask("acknowledge", { announcement: id })).ok).toBe(true);
    await until("the acknowledgement shows", async () => (await numbers()).join() === "2,2,1,1");
    const row = page.locator(".report tbody tr", { hasText: "ada" });
    expect(await row.locator("time").count()).toBe(3);
    expect(await page.locator(".report tbody tr", { hasText: "bruno" }).locator("time").count()).toBe(1);

    const file = await tabs.saved(page, () => page.getByRole("button", { name: "Download CSV" }).click());
    expect(file.name).toBe(`announcement-${id}.csv`);
    expect(file.text).toMatch(/^user,reachedAt,seenAt,acknowledgedAt\r\nada,2\d{3}-[^,]+,2[^,]+,2[^,]+\r\nbruno,2[^,]+,,\r\n$/);
    expect(tabs.faults).toEqual([]);
  });
});
