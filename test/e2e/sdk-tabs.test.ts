import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { tokenFor, until } from "../support/member.js";
import { notify } from "../support/notify.js";
import { type Service, startService } from "../support/service.js";

/** The one file for a `<script>` tag, as `npm run build` makes it. */
const SCRIPT = new URL("../../client/sdk/dist/belfry.js", import.meta.url);

const USER = "sdk-tabs";
let browser: Browser;
let service: Service;
let context: BrowserContext;
/** Between the tabs and the service; pages are not asked for through it. */
let proxy: FaultProxy;

beforeAll(async () => {
  [browser, service] = await Promise.all([launchBrowser(), startService()]);
});
afterAll(async () => {
  await browser.close();
  await service.stop();
});
beforeEach(async () => {
  proxy = await FaultProxy.start(Number(new URL(service.url).port));
  context = await browser.newContext();
  const script = await readFile(SCRIPT, "utf8");
  await context.route("**/tab.js", (route) => route.fulfill({ contentType: "text/javascript", body: script }));
  await context.route("**/tab.html", (route) => route.fulfill({ contentType: "text/html", body: '<script src="tab.js"></script>' }));
});
afterEach(async () => {
  await context.close();
  await proxy.stop();
});

/** What a tab shows and has told. */
interface Seen {
  texts: string[];
  unread: number;
  pending: number;
  synced: boolean;
  /** Texts of arrivals: those that were told loudly, and all. */
  loud: string[];
  told: string[];
}

/** A tab with a store for the member. Offline: it never reaches the service. */
class Tab {
  constructor(
    readonly page: Page,
    readonly user: string,
  ) {}

  static async open(user = USER): Promise<Tab> {
    const tab = new Tab(await context.newPage(), user);
    await tab.start();
    return tab;
  }

  async start(): Promise<void> {
    await this.page.goto(`http://127.0.0.1:${proxy.port}/tab.html`);
    await this.begin();
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.begin();
  }

  async begin(): Promise<void> {
    await this.page.evaluate(
      ({ token }) => {
        const page = globalThis as unknown as { Belfry: { connect: (options: object) => unknown }; belfry: never; arrivals: unknown[] };
        page.arrivals = [];
        const belfry = page.Belfry.connect({ url: "", token }) as { onArrival: (listener: (arrival: unknown) => void) => void };
        belfry.onArrival((arrival) => page.arrivals.push(arrival));
        page.belfry = belfry as never;
      },
      { token: tokenFor(service.jwtSecret, { sub: this.user }) },
    );
  }

  see(): Promise<Seen> {
    return this.page.evaluate(() => {
      const { belfry, arrivals } = globalThis as unknown as {
        belfry: { notifications: Array<{ text: string }>; unread: number; pending: number; status: { synced: boolean } };
        arrivals: Array<{ loud: boolean; notification: { text: string } }>;
      };
      return {
        texts: belfry.notifications.map(({ text }) => text),
        unread: belfry.unread,
        pending: belfry.pending,
        synced: belfry.status.synced,
        loud: arrivals.filter(({ loud }) => loud).map(({ notification }) => notification.text),
        told: arrivals.map(({ notification }) => notification.text),
      };
    });
  }

  /** Reads the newest; resolves as soon as it is done here, not when the service has answered. */
  async readNewest(): Promise<void> {
    await this.page.evaluate(() => {
      const { belfry } = globalThis as unknown as { belfry: { notifications: Array<{ id: string }>; read: (id?: string) => void } };
      belfry.read(belfry.notifications[0]?.id);
    });
  }

  async sees(what: string, condition: (seen: Seen) => boolean): Promise<Seen> {
    let seen = await this.see();
    await until(
      () => `the tab to see ${what} (${JSON.stringify(seen)})`,
      async () => {
        seen = await this.see();
        return condition(seen);
      },
    );
    return seen;
  }

  async synced(): Promise<this> {
    await this.sees("the service", ({ synced }) => synced);
    return this;
  }
}

const three = async (user: string): Promise<Tab[]> => {
  const tabs = [await Tab.open(user), await Tab.open(user), await Tab.open(user)];
  await Promise.all(tabs.map((tab) => tab.synced()));
  return tabs;
};

describe("three tabs of one browser", () => {
  it("count the same, and one of them is loud, each time", async () => {
    const tabs = await three("loud");
    for (const text of ["a", "b", "c"]) await notify(service, ["loud"], text);
    const seen = await Promise.all(tabs.map((tab) => tab.sees("all three", ({ told }) => told.length === 3)));
    expect(seen.map(({ unread }) => unread)).toEqual([3, 3, 3]);
    expect(seen.flatMap(({ loud }) => loud).sort()).toEqual(["a", "b", "c"]);
  });

  it("have another loud one when the loud one is closed", async () => {
    const tabs = await three("heir");
    await notify(service, ["heir"], "a");
    const seen = await Promise.all(tabs.map((tab) => tab.sees("it", ({ told }) => told.length === 1)));
    const loud = seen.findIndex((one) => one.loud.length === 1);
    expect(loud).toBeGreaterThanOrEqual(0);
    await (tabs[loud] as Tab).page.close();
    const left = tabs.filter((_, place) => place !== loud);
    // A lock is handed on when the page is gone, which nobody announces.
    await until("one to speak", async () => {
      const text = `to the heir ${Date.now()}`;
      await notify(service, ["heir"], text);
      const both = await Promise.all(left.map((tab) => tab.sees("it", ({ told }) => told.includes(text))));
      const heard = both.filter((one) => one.loud.includes(text)).length;
      expect(heard).toBeLessThanOrEqual(1);
      return heard === 1;
    });
  });

  it("show at once what is read in one of them, also while the browser is offline, and it is sent once it is back", async () => {
    await notify(service, ["reader"], "a");
    await notify(service, ["reader"], "b");
    const tabs = await three("reader");
    await (tabs[0] as Tab).readNewest();
    for (const tab of tabs) await tab.sees("one unread", ({ unread }) => unread === 1);
    await (tabs[0] as Tab).sees("the answer", ({ pending }) => pending === 0);
    proxy.refuse();
    for (const tab of tabs) await tab.sees("that it is offline", ({ synced }) => !synced);
    const [first, second, third] = tabs as [Tab, Tab, Tab];
    await first.page.evaluate(() => {
      const { belfry } = globalThis as unknown as { belfry: { readAll: () => void } };
      belfry.readAll();
    });
    for (const tab of tabs) await tab.sees("none unread", ({ unread }) => unread === 0);
    // What it has not sent, another one takes over.
    await first.page.close();
    await until("another to have taken over", async () => (await second.see()).pending + (await third.see()).pending === 1);
    proxy.heal();
    await until("it to be sent", async () => (await second.see()).pending + (await third.see()).pending === 0);
    const fresh = await Tab.open("reader");
    expect(await fresh.sees("the service", ({ synced }) => synced)).toMatchObject({ unread: 0, texts: ["b", "a"] });
  });

  it("keep cursor and queue over a reload", async () => {
    await notify(service, ["reload"], "a");
    const tab = await (await Tab.open("reload")).synced();
    await until("the state to be kept", () =>
      tab.page.evaluate(() => Object.keys((globalThis as unknown as { localStorage: object }).localStorage).length > 0),
    );
    proxy.refuse();
    await tab.reload();
    await tab.sees("what was kept", ({ texts }) => texts.length === 1);
    await tab.readNewest();
    await notify(service, ["reload"], "b");
    await tab.reload();
    const kept = await tab.sees("what was kept, with what was done", ({ pending }) => pending === 1);
    expect(kept).toMatchObject({ texts: ["a"], unread: 0, synced: false });
    proxy.heal();
    const seen = await tab.sees("the rest", ({ synced, pending }) => synced && pending === 0);
    expect(seen).toMatchObject({ texts: ["b", "a"], unread: 1, told: ["b"] });
  });

  it("notice at once, when the network is back after sleep, that their connection is dead", async () => {
    const tab = await (await Tab.open("sleeper")).synced();
    await notify(service, ["sleeper"], "before");
    await tab.sees("it", ({ told }) => told.length === 1);
    // Those that are there, not those that come.
    let isThere = true;
    proxy.deafen(() => isThere);
    isThere = false;
    await notify(service, ["sleeper"], "while it slept");
    const began = Date.now();
    await tab.page.evaluate(() => (globalThis as unknown as EventTarget).dispatchEvent(new Event("online")));
    const seen = await tab.sees("what it has slept through", ({ told }) => told.length === 2);
    expect(seen.texts).toEqual(["while it slept", "before"]);
    // Sooner than the heartbeat would have told: 15 s and 10 s.
    expect(Date.now() - began).toBeLessThan(15_000);
  });
});
