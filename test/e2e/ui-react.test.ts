import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { tokenOf } from "../support/call.js";
import { openPanel, UiTabs } from "../support/ui-tabs.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A page of a forum in React: every hook, and the elements. */
const APP = `
  import { Banner, Bell, BelfryProvider, Inbox, Tasks, Toasts, useAnnouncements, useBelfry, useNotifications, useStatus, useTask, useUnread } from "belfry-react";
  import { StrictMode, useState } from "react";

  function Numbers() {
    const { items, more, loadMore } = useNotifications();
    const unread = useUnread();
    const task = useTask("import");
    const status = useStatus();
    const announcements = useAnnouncements();
    const client = useBelfry();
    globalThis.renders = (globalThis.renders ?? 0) + 1;
    return (
      <section id="numbers">
        <output id="unread">{unread}</output>
        <output id="status">{status.is}</output>
        <output id="newest">{items[0]?.text}</output>
        <output id="more">{String(more)}</output>
        <output id="task">{task === null ? "none" : task.state + " " + task.percent}</output>
        <output id="announcements">{announcements.map(({ title }) => title).join()}</output>
        <button onClick={() => void client?.readAll()}>Read all</button>
        <button onClick={() => void loadMore()}>Older</button>
      </section>
    );
  }

  export function App({ url, token }) {
    const [chosen, choose] = useState("");
    const [signedIn, sign] = useState(true);
    return (
      <StrictMode>
        <BelfryProvider url={url} token={signedIn ? token : null}>
          <Bell lang="en" theme="light" hide="banner" onOpen={(event) => { event.preventDefault(); choose(event.notification.text); }} />
          <Banner />
          <Tasks />
          <Inbox filter="unread" />
          <Toasts />
          <Numbers />
          <output id="chosen">{chosen}</output>
          <button onClick={() => sign(!signedIn)}>Sign in or out</button>
        </BelfryProvider>
      </StrictMode>
    );
  }
`;

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

/** The page as a server of the forum renders it, by Node and the packages as they are published. */
async function rendered(): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      "--input-type=module",
      "--eval",
      `import { createElement as h } from "react";
       import { renderToString } from "react-dom/server";
       import { Banner, Bell, BelfryProvider, Inbox, Tasks, Toasts, useUnread } from "belfry-react";
       const Count = () => h("output", { id: "unread" }, useUnread());
       process.stdout.write(renderToString(h(BelfryProvider, { url: "https://notify.example", token: () => "" },
         h(Bell, { lang: "zh", theme: "dark", position: "top-end" }), h(Banner), h(Tasks), h(Inbox), h(Toasts), h(Count))));`,
    ],
    { cwd: ROOT },
  );
  return stdout;
}

describe("the packages for React", () => {
  it("follow the member by hooks and elements, in strict mode", async () => {
    await tabs.script(
      "/react.js",
      `${APP}
       import { createRoot } from "react-dom/client";
       createRoot(document.querySelector("#root")).render(<App url={${JSON.stringify(tabs.service.url)}} token={() => ${JSON.stringify(
         tokenOf(tabs.service, "3"),
       )}} />);`,
    );
    const page = await tabs.context.newPage();
    await tabs.call("PUT", "/v1/tasks/import", { user: "3", state: "running", title: "Import", percent: 30 });
    await tabs.show(page, "3", { body: `<div id="root"></div><script type="module" src="/react.js"></script>` });
    await page.locator("#status", { hasText: "online" }).waitFor();
    await page.locator("#task", { hasText: "running 30" }).waitFor();
    await page.locator("belfry-tasks [role=progressbar]").waitFor();

    await tabs.reply("3", "for React");
    await page.locator("#unread", { hasText: /^1$/ }).waitFor();
    await page.locator("#newest", { hasText: "for React" }).waitFor();
    await tabs.call("POST", "/v1/announcements", { title: "News", text: "All well." });
    await page.locator("#announcements", { hasText: "News" }).waitFor();
    await page.locator("belfry-banner", { hasText: "News" }).getByRole("button", { name: "Dismiss" }).click();
    await page.locator("#announcements", { hasText: /^$/ }).waitFor({ state: "attached" });

    await openPanel(page);
    await page.locator("belfry-bell belfry-inbox .row .main").click();
    await page.locator("#chosen", { hasText: "for React" }).waitFor();
    expect(page.url()).toMatch(/\/page-0$/);
    await page.locator("#unread", { hasText: /^0$/ }).waitFor();

    const renders = (await page.evaluate("renders")) as number;
    expect(renders).toBeLessThan(40);
    await page.getByRole("button", { name: "Sign in or out" }).click();
    await page.locator("#newest", { hasText: /^$/ }).waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Sign in or out" }).click();
    await page.locator("#newest", { hasText: "for React" }).waitFor();
    expect(tabs.faults).toEqual([]);
  });

  it("are rendered by a server, and taken over in the browser as they are", async () => {
    const html = await rendered();
    expect(html).toContain('<belfry-bell lang="zh" theme="dark" position="top-end"></belfry-bell>');
    expect(html).toContain('<output id="unread">0</output>');

    await tabs.script(
      "/hydrate.js",
      `import { createElement as h } from "react";
       import { hydrateRoot } from "react-dom/client";
       import { Banner, Bell, BelfryProvider, Inbox, Tasks, Toasts, useUnread } from "belfry-react";
       const Count = () => h("output", { id: "unread" }, useUnread());
       hydrateRoot(document.querySelector("#root"), h(BelfryProvider, { url: ${JSON.stringify(tabs.service.url)}, token: () => ${JSON.stringify(
         tokenOf(tabs.service, "3"),
       )} },
         h(Bell, { lang: "zh", theme: "dark", position: "top-end" }), h(Banner), h(Tasks), h(Inbox), h(Toasts), h(Count)),
         { onRecoverableError: (error) => console.error("hydration: " + error.message) });`,
    );
    const page = await tabs.context.newPage();
    await tabs.show(page, "3", { body: `<div id="root">${html}</div><script type="module" src="/hydrate.js"></script>` });
    await page.waitForFunction("document.querySelector('belfry-bell').client?.status.synced");
    await tabs.reply("3", "after the server");
    await page.locator("#unread", { hasText: /^1$/ }).waitFor();
    await page.locator("belfry-bell .badge", { hasText: /^1$/ }).waitFor();
    expect(tabs.faults).toEqual([]);
  });
});
