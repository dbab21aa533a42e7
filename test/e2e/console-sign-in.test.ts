import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { ConsoleTabs } from "../support/console-tabs.js";

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

const says = (page: Page, text: string) => page.locator(".notice", { hasText: text }).waitFor();
const connected = (page: Page) => page.locator(".link", { hasText: "Connected" }).waitFor();
const soon = () => Math.floor(Date.now() / 1000);

describe("signing in to the console", () => {
  it("lets the demo's moderator in with one click, and the demo's page leads there", async () => {
    // The demo keeps things of its own in the browser's storage.
    const context = await browser.newContext();
    const demo = await context.newPage();
    await demo.goto(tabs.service.url);
    const coming = context.waitForEvent("page");
    await demo.getByRole("link", { name: "Announce as the moderator" }).click();
    await (await coming).getByRole("button", { name: "Continue as the demo" }).waitFor();
    await context.close();
    const page = await tabs.blank();
    await page.getByRole("button", { name: "Continue as the demo" }).click();
    await connected(page);
    await page.locator(".who", { hasText: "Mia" }).waitFor();
    expect(tabs.faults).toEqual([]);
  });

  it.each([
    [{ roles: [], name: "Ada" }, "You are not a moderator", "belongs to Ada"],
    [{ roles: [], name: "Ada" }, "You are not a moderator", "need the role moderator or admin"],
    [{ roles: ["moderator"], exp: 1 }, "Your token has expired", "Get a new one from your forum"],
    [{ roles: ["moderator"], nbf: 4_000_000_000 }, "This token is not accepted", "not valid yet"],
    [{ roles: [], nbf: 4_000_000_000 }, "This token is not accepted", "not valid yet"],
  ])("says in words why a token with %j is refused, and keeps nothing of it", async (claims, title, text) => {
    const page = await tabs.blank();
    await tabs.enter(page, tabs.token("ada", claims));
    await says(page, title);
    await says(page, text);
    expect(await page.getByText("What you were writing").count()).toBe(0);
    expect(await page.locator("nav").count()).toBe(0);
    expect(await page.evaluate("sessionStorage.length + localStorage.length")).toBe(0);
  });

  it.each(["nonsense", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtaWEiLCJyb2xlcyI6WyJtb2RlcmF0b3IiXX0.forged"])(
    "refuses %j",
    async (token) => {
      const page = await tabs.blank();
      await tabs.enter(page, token);
      await says(page, "This token is not accepted");
      expect(await page.locator("nav").count()).toBe(0);
    },
  );

  it("keeps the token in this tab only, over a reload, until it is signed out", async () => {
    const page = await tabs.of("mia", "members");
    await page.reload();
    await connected(page);
    await page.getByRole("heading", { level: 1, name: "Members" }).waitFor();
    expect(await page.evaluate("localStorage.length")).toBe(0);
    expect(await tabs.context.cookies()).toEqual([]);
    const other = await tabs.blank();
    await other.getByLabel("Token").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
    expect(tabs.faults).toEqual([]);
  });

  it("keeps the token over reloads before the connection stands, and where the service is away", async () => {
    const page = await tabs.of("mia", "members");
    await tabs.context.route("**/socket.io/**", (route) => route.abort());
    await page.reload();
    await says(page, "The service cannot be reached");
    await page.reload();
    await says(page, "The service cannot be reached");
    await tabs.context.unrouteAll();
    await page.reload();
    await connected(page);
    await page.getByRole("heading", { level: 1, name: "Members" }).waitFor();
  });

  it("ends with the token, says so, and has the draft again after a new one", async () => {
    const page = await tabs.blank();
    await tabs.enter(page, tabs.token("mia", { roles: ["moderator"], exp: soon() + 4 }));
    await connected(page);
    await tabs.visit(page, "announcements/new");
    await page.getByLabel("Title", { exact: true }).fill("Half written");
    await says(page, "Your token has expired");
    await says(page, "What you were writing is still here");
    await tabs.enter(page, tabs.token("mia"));
    await connected(page);
    expect(await page.getByLabel("Title", { exact: true }).inputValue()).toBe("Half written");
  });

  it("ends when the moderator is banned, with the reason", async () => {
    const page = await tabs.of("nora");
    await tabs.server.must("PUT", "/v1/members/nora/ban", { why: "The role was taken away" });
    await says(page, "You are banned");
    await says(page, "The role was taken away");
    expect(await page.locator("nav").count()).toBe(0);
  });

  it("waits for a service that is away, says so, and goes on when it is back", async () => {
    await tabs.server.register("ada", { name: "Ada" });
    const page = await tabs.of("mia", "members/ada");
    await page.locator(".facts").waitFor();
    await tabs.service.kill9();
    await page.locator(".link", { hasText: "Reconnecting…" }).waitFor();
    await says(page, "The service cannot be reached");
    // What was there can still be read, and there is nothing to add.
    await page.waitForEvent("requestfailed", (request) => request.url().endsWith("/v1/members/ada"));
    expect([await page.locator(".notice").count(), await page.locator(".facts").count()]).toEqual([1, 1]);
    await tabs.service.start();
    await connected(page);
    await page.locator(".notice").waitFor({ state: "detached" });
  });

  it("is on a page that cannot be framed, and runs its own scripts only", async () => {
    const { headers } = await fetch(`${tabs.service.url}/console`);
    const policy = headers.get("content-security-policy") ?? "";
    for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]) {
      expect(policy).toContain(rule);
    }
  });

  it("works where storage is forbidden, and asks again after a reload", async () => {
    await tabs.context.addInitScript(() => {
      for (const name of ["sessionStorage", "localStorage"]) {
        Object.defineProperty(globalThis, name, {
          get() {
            throw new Error("storage is forbidden");
          },
        });
      }
    });
    const page = await tabs.of("mia", "members");
    await page.getByText("members online").waitFor();
    await page.getByLabel("Language").selectOption({ label: "简体中文" });
    await page.getByRole("heading", { level: 1, name: "成员" }).waitFor();
    await page.reload();
    await page.getByLabel("Token").waitFor();
    expect(tabs.faults).toEqual([]);
  });
});

describe("the console in production", () => {
  it("offers no way in as the demo's moderator where the demo is on and has none, nor does the demo's page", async () => {
    const env = { NODE_ENV: "production", DEMO: "on", API_KEYS: "k".repeat(40), JWT_SECRET: "s".repeat(40) };
    const own = await ConsoleTabs.open(browser, { env });
    try {
      const page = await own.context.newPage();
      const [answer] = await Promise.all([page.waitForResponse("**/demo/members"), page.goto(`${own.service.url}/console`)]);
      expect(await answer.json()).toMatchObject({ moderator: null });
      await page.getByLabel("Token").waitFor();
      expect(await page.getByRole("button", { name: "demo" }).count()).toBe(0);
      await page.goto(own.service.url);
      await page.frameLocator("#left iframe").locator("#thread-keys").waitFor();
      expect(await page.getByRole("link").allTextContents()).toEqual(["Console"]);
    } finally {
      await own.close();
    }
  });

  it("is there without the demo, and without its way in", async () => {
    const own = await ConsoleTabs.open(browser, { env: { DEMO: "off" } });
    try {
      const page = await own.blank();
      await own.enter(page, own.token("mia"));
      await connected(page);
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("Token").waitFor();
      expect(await page.getByRole("button", { name: "demo" }).count()).toBe(0);
    } finally {
      await own.close();
    }
  });
});
