import { createECDH, randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser, BrowserContext, CDPSession, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.js";
import { call, tokenOf } from "../support/call.js";
import { until } from "../support/member.js";
import { notify } from "../support/notify.js";
import { endpointsOf } from "../support/pushed.js";
import { type Service, startService } from "../support/service.js";

const USER = "ada";
const ENDPOINT = "https://push.example/of-this-browser";

let service: Service;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  service = await startService();
  browser = await launchBrowser({ isWhole: true });
}, 60_000);
beforeEach(async () => {
  context = await browser.newContext();
  const keys = { p256dh: createECDH("prime256v1").generateKeys().toString("base64url"), auth: randomBytes(16).toString("base64url") };
  await context.addInitScript(`${PRETENDED}; pretendSubscriptions(${JSON.stringify({ endpoint: ENDPOINT, keys })})`);
  page = await open();
});
afterEach(() => context.close());
afterAll(async () => {
  await browser?.close();
  await service?.stop();
});

/** Without a network a browser has no push service: it subscribes at one that is pretended, and remembers that as it would. */
const PRETENDED = `
  function pretendSubscriptions({ endpoint, keys }) {
    if (!("PushManager" in globalThis)) return;
    const subscription = (key) => ({
      endpoint,
      options: { applicationServerKey: Uint8Array.from(JSON.parse(key)).buffer },
      toJSON: () => ({ endpoint, expirationTime: null, keys }),
      unsubscribe: async () => localStorage.removeItem("pretended"),
    });
    const current = () => localStorage.getItem("pretended");
    Object.assign(PushManager.prototype, {
      async subscribe({ applicationServerKey }) {
        localStorage.setItem("pretended", JSON.stringify([...applicationServerKey]));
        return subscription(current());
      },
      async getSubscription() {
        return current() === null ? null : subscription(current());
      },
    });
  }`;

/** A page of the service with the module, for the member, as `push`. */
async function open(): Promise<Page> {
  const opened = await context.newPage();
  await opened.goto(`${service.url}/`);
  const settings = `{ url: ${JSON.stringify(service.url)}, token: () => ${JSON.stringify(tokenOf(service, USER))} }`;
  await opened.evaluate(`import("/client/belfry-push.js").then(({ BelfryPush }) => void (globalThis.push = new BelfryPush(${settings})))`);
  return opened;
}

const allow = () => context.grantPermissions(["notifications"], { origin: service.url });
const enable = () => page.evaluate("push.enable()");
const begin = (on = page) => on.evaluate("void push.start()");
const stateOf = () => page.evaluate("push.state()");

/** The browser gets a push of this service. */
async function deliver(data: object): Promise<void> {
  const session: CDPSession = await context.newCDPSession(page);
  const registered = new Promise<string>((resolve) => {
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const [registration] = registrations;
      if (registration !== undefined) resolve(registration.registrationId);
    });
  });
  await session.send("ServiceWorker.enable");
  const registrationId = await registered;
  await session.send("ServiceWorker.deliverPushMessage", { origin: service.url, registrationId, data: JSON.stringify(data) });
}

/** What is on the screen, as the system would show it. */
function shown(): Promise<Array<{ title: string; body: string; tag: string }>> {
  return page.evaluate(`navigator.serviceWorker.ready
    .then((registration) => registration.getNotifications())
    .then((all) => all.map(({ title, body, tag }) => ({ title, body, tag })))`);
}

/** The member clicks on what is shown. (What only a hand may do, open and focus windows, the browser refuses here.) */
async function click(): Promise<void> {
  await context.serviceWorkers()[0]?.evaluate(
    `registration.getNotifications()
        .then(([notification]) => void dispatchEvent(new NotificationEvent("notificationclick", { notification })))`,
  );
}

async function told(text: string): Promise<Record<string, unknown>> {
  const { notified } = await notify(service, [USER], text);
  const id = notified[0]?.id as string;
  const what = { v: 1, id, tag: id, user: USER, title: "Member 7 replied to you", body: text, unread: 1, at: new Date().toISOString() };
  return { ...what, url: `${service.url}/#comment`, reason: "reply", type: "comment" };
}

async function isRead(id: unknown): Promise<boolean> {
  const { body } = await call(service, "GET", "/v1/me/notifications?limit=100", tokenOf(service, USER));
  return (body.items as Array<{ id: string; readAt: string | null }>).some((item) => item.id === id && item.readAt !== null);
}

describe("web push in a browser", () => {
  it("is offered once it can be had, asked for by a click, and registers the browser until it is turned off", async () => {
    expect(await page.evaluate("push.supported")).toBe(true);
    await allow();
    expect(await stateOf()).toBe("off");
    await enable();
    expect(await stateOf()).toBe("on");
    expect(await endpointsOf(service, USER)).toEqual([ENDPOINT]);
    expect(await page.evaluate("push.shouldOffer()")).toBe(false);
    await page.evaluate("push.disable()");
    expect([await stateOf(), await endpointsOf(service, USER)]).toEqual(["off", []]);
  });

  it("is offered by the bell when the member looks at what has come, not before, and not again after a no", async () => {
    await told("something to look at");
    await page.evaluate(`
      Object.defineProperty(Notification, "permission", { configurable: true, get: () => globalThis.answer ?? "default" });
      Notification.requestPermission = async () => (globalThis.answer = "granted");
      import("/client/belfry-bell.js").then(() => {
        const bell = document.createElement("belfry-bell");
        Object.assign(bell, { token: ${JSON.stringify(tokenOf(service, USER))}, push: "", id: "with-push", position: "bottom-end" });
        document.body.append(bell);
      })`);
    const bell = page.locator("#with-push");
    const offer = bell.getByText("Be told on this device when you are away?");
    const toggle = bell.getByRole("button", { name: "Notifications, 1 unread" });
    await toggle.waitFor();
    expect(await offer.count()).toBe(0);
    await toggle.click();
    await bell.getByRole("button", { name: "Not now" }).click();
    expect(await offer.count()).toBe(0);
    await page.keyboard.press("Escape");
    await page.evaluate("localStorage.removeItem('belfry-push:ada')");
    await page.locator("#with-push .bell").click();
    await bell.getByRole("button", { name: "Turn on" }).click();
    await until("the browser is registered", async () => (await endpointsOf(service, USER)).includes(ENDPOINT));
    await offer.waitFor({ state: "detached" });
    await page.evaluate("push.disable()");
  });

  it("has the number on the page's icon follow the bell, so that what pushes have set goes when all is read", async () => {
    await page.evaluate(`
      globalThis.badges = [];
      navigator.setAppBadge = async (count) => void badges.push(count);
      navigator.clearAppBadge = async () => void badges.push(0);
      import("/client/belfry-bell.js").then(() => {
        const bell = document.createElement("belfry-bell");
        Object.assign(bell, { token: ${JSON.stringify(tokenOf(service, "gil"))}, push: "", id: "with-icon" });
        document.body.append(bell);
      })`);
    await until("it is known that nothing is unread", async () => (await page.evaluate("badges.at(-1)")) === 0);
    const { notified } = await notify(service, ["gil"], "one");
    await until("it is one", async () => (await page.evaluate("badges.at(-1)")) === 1);
    await call(service, "POST", "/v1/me/read", tokenOf(service, "gil"), { ids: [notified[0]?.id] });
    await until("it is none", async () => (await page.evaluate("badges.at(-1)")) === 0);
  });

  it("says so where the member has said no, and asks nobody again", async () => {
    await context.clearPermissions();
    const failure = await page.evaluate("push.enable().then(() => null, ({ code }) => code)");
    expect(failure).toBe("denied");
    expect(await endpointsOf(service, USER)).toEqual([]);
  });

  it("registers the browser again by itself on the next page, where it is on", async () => {
    await allow();
    await enable();
    await call(service, "DELETE", "/v1/me/push", tokenOf(service, USER), { endpoint: ENDPOINT });
    const next = await open();
    await begin(next);
    await until("it is registered", async () => (await endpointsOf(service, USER)).includes(ENDPOINT));
    await next.evaluate("push.disable()");
  });

  it("shows a push as text, once for each notification, and leaves others' pushes alone", async () => {
    await allow();
    await enable();
    const payload = await told("<b>not bold</b>");
    await deliver({ title: "of the forum" });
    await deliver(payload);
    await deliver(payload);
    await until("it is shown", async () => (await shown()).length > 0);
    expect(await shown()).toEqual([{ title: "Member 7 replied to you", body: "<b>not bold</b>", tag: payload.id }]);
  });

  it("marks as read what was clicked, by the page that is open", async () => {
    await allow();
    await enable();
    await begin();
    const payload = await told("clicked");
    await deliver(payload);
    await until("it is shown", async () => (await shown()).length > 0);
    await click();
    await until("it is read", () => isRead(payload.id));
    await until("it is gone from the screen", async () => (await shown()).length === 0);
  });

  it("marks as read what was clicked while no page could, by the next that comes", async () => {
    await allow();
    await enable();
    const payload = await told("clicked early");
    await deliver(payload);
    await until("it is shown", async () => (await shown()).length > 0);
    await click();
    await until("it is gone from the screen", async () => (await shown()).length === 0);
    expect(await isRead(payload.id)).toBe(false);
    const next = await open();
    await begin(next);
    await until("it is read", () => isRead(payload.id));
  });
});
