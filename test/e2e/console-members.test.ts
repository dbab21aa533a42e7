import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser } from "playwright-core";
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

const DAY_MS = 24 * 3_600_000;

const comment = (id: string, fields: object = {}) => ({
  id,
  type: "comment.created",
  actor: { id: "zoe" },
  thread: { id: "t", author: "bruno" },
  comment: { id, parentAuthor: "ada", ...fields },
});

describe("members in the console", () => {
  it("are listed while they are online, and found by id and by name", async () => {
    await tabs.watch("ada");
    await tabs.watch("ada");
    await tabs.watch("bruno");
    await tabs.server.register("bruno", { name: "Bruno <b>Ringer</b>" });
    const page = await tabs.of("mia", "members");
    await page.getByText("2 members online").waitFor();
    const rows = async () => (await page.locator("tbody tr").allInnerTexts()).map((text) => text.split(/\s*\t\s*/).join("|"));
    await until("both are listed", async () => (await rows()).join(" ; ") === "ada|–|2 ; bruno|Bruno <b>Ringer</b>|1");
    await page.getByLabel("Search who is online").fill("RINGER");
    await page.getByRole("button", { name: "Search" }).click();
    await until("one is found", async () => (await rows()).join(" ; ") === "bruno|Bruno <b>Ringer</b>|1");
    await page.getByLabel("Search who is online").fill("nobody");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByText("Nobody who is online fits “nobody”.").waitFor();
    await page.getByLabel("Open a member by id").fill("ada");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("heading", { level: 1, name: "ada" }).waitFor();
    await page.locator(".chip", { hasText: "Online" }).waitFor();
    expect(tabs.faults).toEqual([]);
  });

  it("who are banned lose their sessions with the reason, cannot come back, and can once the ban is ended", async () => {
    const ada = await tabs.watch("ada");
    const page = await tabs.of("mia", "members/ada");
    await page.getByRole("radio", { name: "Ban" }).check();
    await page.getByLabel("Reason").fill("Insults in <three> threads");
    await page.getByRole("radio", { name: "1 week" }).check();
    await page.getByRole("button", { name: "Ban", exact: true }).click();
    await until("ada's session has ended", () => ada.goodbyes.length === 1 && !ada.member.connected);
    expect(ada.goodbyes[0]?.code).toBe("banned");
    expect(ada.goodbyes[0]?.message).toContain("Insults in <three> threads");
    const standing = page.locator(".standing", { hasText: "Insults in <three> threads" });
    await standing.waitFor();
    const { body } = await tabs.server.call("GET", "/v1/members/ada");
    const { until: end, by } = body.ban as { until: string; by: string };
    expect(by).toBe("mia");
    expect(Math.abs(Date.parse(end) - Date.now() - 7 * DAY_MS)).toBeLessThan(60_000);
    await page.locator(".chip", { hasText: "not online" }).waitFor();

    ada.member.connect();
    await until("ada is refused", () => ada.member.refusals.some(({ code }) => code === "banned"));
    await standing.getByRole("button", { name: "End the ban" }).click();
    await standing.waitFor({ state: "detached" });
    await (await tabs.watch("ada")).member.ask("list", {});
    await page.locator(".audit .act", { hasText: "ended a ban" }).waitFor();
    expect(tabs.faults).toEqual([]);
  });

  it("are muted until a date and for good, and kicked, each with what they read", async () => {
    const dora = await tabs.watch("dora");
    await tabs.watch("bruno");
    const page = await tabs.of("mia", "members/dora");
    await page.getByLabel("Reason").fill("Shouting");
    await page.getByRole("radio", { name: "until a date" }).check();
    await page.getByLabel("Until", { exact: true }).fill("2040-01-02T03:04");
    await page.getByRole("button", { name: "Mute", exact: true }).click();
    await page.locator(".standing", { hasText: "Shouting" }).waitFor();
    const muted = await tabs.server.call("GET", "/v1/members/dora");
    expect(muted.body.mute).toMatchObject({ until: new Date("2040-01-02T03:04").toISOString(), why: "Shouting" });
    expect(await dora.member.ask("send", { to: "bruno", text: "hello" })).toMatchObject({ ok: false, error: { code: "muted" } });
    await page.getByRole("button", { name: "End the mute" }).click();
    await page.locator(".standing").waitFor({ state: "detached" });
    expect((await dora.member.ask("send", { to: "bruno", text: "hello" })).ok).toBe(true);

    await page.getByRole("radio", { name: "Mute" }).check();
    await page.getByLabel("Reason").fill("Again");
    await page.getByRole("radio", { name: "for good" }).check();
    await page.getByRole("button", { name: "Mute", exact: true }).click();
    await page.locator(".standing", { hasText: "for good" }).waitFor();
    // What holds for the next act shows, and its reason has to be given anew.
    await until("the form is as it was", async () => (await page.getByLabel("Reason").inputValue()) === "");
    expect(await page.getByRole("radio", { name: "Mute" }).isChecked()).toBe(true);
    expect(await page.getByRole("radio", { name: "for good" }).isChecked()).toBe(true);

    await page.getByRole("radio", { name: "Kick" }).check();
    await page.getByLabel("Reason").fill("Read the rules");
    await page.getByRole("button", { name: "Kick", exact: true }).click();
    await until("dora is kicked", () => dora.goodbyes.some(({ code, message }) => code === "kicked" && message.includes("Read the rules")));
    expect(tabs.faults).toEqual([]);
  });

  it("are banned for as long as is said where the moderator's clock is hours off", async () => {
    await tabs.server.register("emil");
    const page = await tabs.of("mia");
    await page.addInitScript("{ const right = Date.now; Date.now = () => right() - 5 * 3_600_000; }");
    await page.reload();
    await tabs.visit(page, "members/emil");
    await page.getByRole("radio", { name: "Ban" }).check();
    await page.getByLabel("Reason").fill("Insults");
    await page.getByRole("radio", { name: "1 hour" }).check();
    await page.getByRole("button", { name: "Ban", exact: true }).click();
    await page.locator(".standing", { hasText: "Insults" }).waitFor();
    const { until: end } = (await tabs.server.call("GET", "/v1/members/emil")).body.ban as { until: string };
    expect(Math.abs(Date.parse(end) - Date.now() - 3_600_000)).toBeLessThan(60_000);
  });

  it("cannot be acted on without a reason, nor one who has become an admin meanwhile, which is said in words", async () => {
    await tabs.server.register("root", { roles: ["admin"] });
    const page = await tabs.of("mia");
    // The page has not heard of the role yet.
    await page.route("**/v1/members/root", async (route) => {
      const known = (await (await route.fetch()).json()) as object;
      await route.fulfill({ json: { ...known, roles: [] } });
    });
    await tabs.visit(page, "members/root");
    const kick = page.getByRole("button", { name: "Kick", exact: true });
    await page.getByRole("radio", { name: "Kick" }).check();
    await kick.click();
    expect(await page.evaluate("document.querySelector('[name=why]').validity.valueMissing")).toBe(true);
    await page.getByLabel("Reason").fill("because");
    await kick.click();
    await page.locator(".notice", { hasText: "You may not do that." }).waitFor();
    await page.locator(".audit", { hasText: "refused:" }).waitFor();
    await tabs.visit(page, "members/nobody");
    await page.getByText("No member with the id “nobody” is known.").waitFor();
  });

  it("on whom every act would be refused have nothing to press: oneself, and an admin for a moderator", async () => {
    await tabs.server.register("root", { roles: ["admin"] });
    await tabs.server.register("lena");
    for (const user of ["root", "lena"]) await tabs.server.must("PUT", `/v1/members/${user}/mute`, { why: "Shouting" });
    const page = await tabs.of("lena", "members/lena");
    for (const [user, text] of [
      ["lena", "This is you"],
      ["root", "This is an admin"],
    ] as const) {
      await tabs.visit(page, `members/${user}`);
      await page.getByText(text).waitFor();
      await page.locator(".standing", { hasText: "Shouting" }).waitFor();
      await page.locator(".audit .act", { hasText: "muted" }).waitFor();
      expect(await page.locator("main").getByRole("button").count()).toBe(0);
    }
    await tabs.visit(page, "audit?target=root");
    await until("only what was done to root is listed", async () => (await page.locator(".audit tbody tr").count()) >= 1);
    expect(await page.getByLabel("On", { exact: true }).inputValue()).toBe("root");
    expect(await page.locator(".audit td.on").allTextContents()).not.toContain("lena");
  });

  it("whose last acts are far back are not said to have none", async () => {
    await tabs.server.register("old");
    const page = await tabs.of("mia");
    const asked: Array<string | null> = [];
    await page.route("**/v1/audit?*", async (route) => {
      const before = new URL(route.request().url()).searchParams.get("before");
      asked.push(before);
      await route.fulfill({ json: { items: [], more: true, next: String(Number(before ?? 90_000) - 10_000) } });
    });
    await tabs.visit(page, "members/old");
    await page.getByText("The search stopped there.").waitFor();
    expect(asked.slice(0, 3)).toEqual([null, "80000", "70000"]);
    await page.unroute("**/v1/audit?*");
    await page.getByRole("link", { name: "Search the audit log further" }).click();
    await page.getByRole("heading", { level: 1, name: "Audit log" }).waitFor();
    expect(await page.getByLabel("On", { exact: true }).inputValue()).toBe("old");
  });

  it("have it explained why they were told, and why not", async () => {
    await tabs.server.must("POST", "/v1/events", comment("c-1", { excerpt: "hello" }));
    const page = await tabs.of("mia", "members/ada");
    await page.getByRole("link", { name: "Why was this member told, or not?" }).click();
    await page.getByRole("heading", { level: 1, name: "Why was this member told" }).waitFor();
    expect(await page.getByLabel("Member id").inputValue()).toBe("ada");
    await page.getByLabel("Event or notification").fill("c-1");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByRole("heading", { name: "ada was told" }).waitFor();
    await page.locator(".verdict", { hasText: "a reply to their post" }).waitFor();
    await page.locator(".verdict li", { hasText: "It has not been read." }).waitFor();

    await page.getByLabel("Member id").fill("zoe");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByRole("heading", { name: "zoe was not told" }).waitFor();
    await page.getByLabel("Event or notification").fill("never");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.locator(".notice", { hasText: "Nothing with this id is known" }).waitFor();
    expect(await page.locator(".verdict").count()).toBe(0);
  });
});
