import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { until } from "../support/member.js";
import { badgeShows, UiTabs } from "../support/ui-tabs.js";

let browser: Browser;
let tabs: UiTabs;
let pages = 0;

beforeAll(async () => {
  browser = await launchBrowser();
  tabs = await UiTabs.open(browser);
});

afterAll(async () => {
  await tabs.close();
  await browser.close();
});

beforeEach(() => {
  tabs.faults.length = 0;
});

afterEach(() => {
  expect(tabs.faults).toEqual([]);
});

/** A page with these elements, all of which show `client`: a store as `script` makes it. `item` and `announcement` make what is in it. */
async function pageWith(body: string, script: string): Promise<Page> {
  const path = `/parts-${pages++}.js`;
  await tabs.script(
    path,
    `import { fakeBelfry, fakeItem } from "./test/support/ui-fake.ts";
     const ORIGIN = ${JSON.stringify(tabs.origin)};
     globalThis.item = (seq, more) => fakeItem(seq, { url: ORIGIN + "/t/" + seq, thread: { id: "t" + seq, title: "Topic" }, ...more });
     globalThis.announcement = (id, more) => ({ id, title: id, text: "", level: "info", dismissible: true, mandatory: false, createdAt: "",
       ask: "dismiss", dismissedAt: null, acknowledgedAt: null, ...more });
     ${script}
     globalThis.client = client;
     for (const element of document.querySelectorAll("belfry-bell, belfry-inbox, belfry-banner")) element.client = client;`,
  );
  const page = await tabs.context.newPage();
  await tabs.show(page, "3", { body: `${body}<script type="module" src="${path}"></script>` });
  await page.waitForFunction("globalThis.client !== undefined");
  return page;
}

/** What the live regions of an element have said, in order: elements that were added, as a screen reader takes them. */
async function listenTo(page: Page, element: string): Promise<() => Promise<string[]>> {
  await page.evaluate(`(() => {
    globalThis.said = [];
    const region = document.querySelector("${element}").shadowRoot.querySelector("[role=log]");
    if (region.getClientRects().length === 0) throw new Error("the region is hidden");
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const node of addedNodes) if (node.nodeType === 1) said.push(node.textContent);
    }).observe(region, { childList: true });
  })()`);
  return async () => (await page.evaluate("said")) as string[];
}

describe("the elements", () => {
  it("go on with what they do by default when attributes are taken away, or make no sense", async () => {
    const page = await pageWith(
      `<belfry-bell hide="banner toasts"></belfry-bell><belfry-inbox filter="archived"></belfry-inbox><belfry-banner max="1"></belfry-banner>`,
      `const client = fakeBelfry({ items: [item(2), item(1)], announcements: [announcement("First"), announcement("Second")] });`,
    );
    await page.locator("body > belfry-banner li").waitFor();
    await page.locator("body > belfry-inbox .empty").waitFor();
    await page.evaluate(`for (const [name, attribute] of Object.entries({ bell: "hide", inbox: "filter", banner: "max" }))
      document.querySelector("body > belfry-" + name).removeAttribute(attribute);`);
    await page.locator("body > belfry-banner li").nth(1).waitFor();
    await page.locator("body > belfry-inbox .row").nth(1).waitFor();
    await page.locator("belfry-bell .floating belfry-banner li").first().waitFor();
    await page.evaluate(`document.querySelector("body > belfry-inbox").filter = "everything"`);
    await page.evaluate(`client.set({ items: [item(3), item(2), item(1)] })`);
    await page.locator("body > belfry-inbox .row").nth(2).waitFor();
    await page.close();
  });

  it("say the same words again where the same happens again", async () => {
    const page = await pageWith("<belfry-bell></belfry-bell>", "const client = fakeBelfry();");
    const said = await listenTo(page, "belfry-bell");
    for (let count = 1; count <= 2; count++) {
      await page.evaluate(
        `client.arrive(item(${count}, { readAt: null, thread: { id: "t", title: "Ropes" }, actor: { id: "a", name: "Ada" } }))`,
      );
      await until("the words", async () => (await said()).length === count);
    }
    expect(await said()).toEqual(Array(2).fill("New notification: Ada replied to you in Ropes"));
    await page.close();
  });

  it.each([
    ["by the bell", "<belfry-bell></belfry-bell>", "belfry-bell"],
    [
      "by the banner where the bell has none",
      `<belfry-bell hide="banner"></belfry-bell><belfry-banner></belfry-banner>`,
      "body > belfry-banner",
    ],
  ])("tell those who listen of the first announcement too, %s", async (_by, body, speaker) => {
    const page = await pageWith(body, `const client = fakeBelfry();`);
    const said = await listenTo(page, speaker);
    await page.evaluate(`client.set({ announcements: [announcement("New rules", { level: "critical" })] })`);
    await until("the words", async () => (await said()).length > 0);
    expect(await said()).toEqual(["Important New rules"]);
    expect(await page.locator("[role=log] p").allTextContents()).toEqual(["Important New rules"]);
    await page.close();
  });

  it("leave out what is over while nobody says so, and believe the service where it does", async () => {
    const page = await pageWith(
      "<belfry-bell></belfry-bell><belfry-banner></belfry-banner>",
      `const client = fakeBelfry({ announcements: [announcement("Over", { expiresAt: "2020-01-01T00:00:00.000Z" })] });`,
    );
    await page.locator("body > belfry-banner li", { hasText: "Over" }).waitFor();
    await page.evaluate(`client.set({ status: { is: "offline", since: 0, synced: false } })`);
    await page.locator("body > belfry-banner li").waitFor({ state: "detached" });
    await page.locator("belfry-bell .floating").waitFor({ state: "hidden" });
    await page.close();
  });
});

describe("the list", () => {
  it("says above itself what the service has refused, until that is put away, and loads on", async () => {
    const page = await pageWith(
      "<belfry-inbox></belfry-inbox>",
      `const client = fakeBelfry({ items: [item(2), item(1)] });
       client.archive = () => Promise.reject(new Error("Not now."));
       client.more = () => { client.set({ items: [item(2), item(1), item(0)], endless: false }); return Promise.resolve(false); };`,
    );
    await page.locator("belfry-inbox .row").first().hover();
    await page.locator("belfry-inbox .row").first().getByRole("button", { name: "Archive" }).click();
    const notice = page.locator("belfry-inbox .notice[role=alert]", { hasText: "Not now." });
    await notice.waitFor();
    expect(await notice.evaluate((element) => (element as { nextElementSibling?: { id: string } }).nextElementSibling?.id)).toBe("list");
    await page.evaluate(`client.set({ endless: true })`);
    await page.locator("belfry-inbox .row").nth(2).waitFor();
    await notice.getByRole("button", { name: "Dismiss" }).click();
    await notice.waitFor({ state: "detached" });
    await page.close();
  });

  it("leaves a click for another tab to the browser, and marks as read", async () => {
    const page = await pageWith(
      "<belfry-inbox></belfry-inbox>",
      `const client = fakeBelfry({ items: [item(1, { readAt: null })] });
       globalThis.opened = 0;
       document.addEventListener("belfry-open", (event) => { event.preventDefault(); opened++; });`,
    );
    const link = page.locator("belfry-inbox .row .main");
    const [other] = await Promise.all([tabs.context.waitForEvent("page"), link.click({ modifiers: ["Control"] })]);
    await other.waitForURL(`${tabs.origin}/t/1`);
    expect(await page.evaluate("[opened, client.calls]")).toEqual([0, ["read n-1"]]);
    await other.close();
    await link.click();
    expect(await page.evaluate("opened")).toBe(1);
    await page.close();
  });

  it("says what was seen once it is all here, and again for what comes after", async () => {
    const page = await pageWith(
      "<belfry-inbox></belfry-inbox>",
      `const client = fakeBelfry({ status: { is: "online", since: 0, synced: false } });
       globalThis.seen = [];
       client.seen = () => { seen.push(client.notifications[0]?.seq); return Promise.resolve(); };`,
    );
    await page.evaluate(`client.set({ items: [item(1)] })`);
    await page.locator("belfry-inbox .row").waitFor();
    expect(await page.evaluate("seen")).toEqual([]);
    await page.evaluate(`client.set({ status: { is: "online", since: 0, synced: true } })`);
    await page.waitForFunction("seen.length === 1");
    await page.evaluate(`client.arrive(item(2))`);
    await page.waitForFunction("seen.length === 2");
    await page.evaluate(`client.set({ items: [item(1)] })`);
    await page.locator("belfry-inbox .row").nth(1).waitFor({ state: "detached" });
    expect(await page.evaluate("seen")).toEqual([1, 2]);
    await page.close();
  });

  it("does not say that all is read while it does not know", async () => {
    const page = await pageWith(
      `<belfry-inbox filter="unread"></belfry-inbox>`,
      `const client = fakeBelfry({ status: { is: "offline", since: 0, synced: false } });`,
    );
    await page.locator("belfry-inbox .empty").waitFor();
    expect(await page.getByText("All caught up").count()).toBe(0);
    await page.evaluate(`client.set({ items: [item(2)] })`);
    await page.getByText("All caught up").waitFor();
    await page.close();
  });
});

describe("the bell of React", () => {
  it("gets its token from the address it is given, without a provider, and opens its panel when it is told to", async () => {
    await tabs.script(
      "/bell.js",
      `import { useState } from "react";
       import { createRoot } from "react-dom/client";
       import { Bell } from "./client/react/src/index.ts";
       function App() {
         const [open, setOpen] = useState(false);
         return <><Bell lang="en" url={${JSON.stringify(tabs.service.url)}} tokenUrl="/token" open={open} /><button onClick={() => setOpen(true)}>Open it</button></>;
       }
       createRoot(document.querySelector("#root")).render(<App />);`,
    );
    const page = await tabs.context.newPage();
    await tabs.show(page, "3", { body: `<div id="root"></div><script type="module" src="/bell.js"></script>` });
    await page.waitForFunction("document.querySelector('belfry-bell')?.client?.status.synced");
    await tabs.reply("3", "for React");
    await badgeShows(page, 1);
    await page.getByRole("button", { name: "Open it" }).click();
    await page.locator("belfry-bell belfry-inbox .row", { hasText: "for React" }).waitFor();
    await page.close();
  });
});
