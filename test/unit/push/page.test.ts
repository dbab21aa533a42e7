import type { MessagePort } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { BelfryPush } from "../../../client/push/push.js";
import { until } from "../../support/member.js";

const KEY = Buffer.alloc(65, 4).toString("base64url");
const tokenOf = (user: string) => `e30.${Buffer.from(JSON.stringify({ sub: user })).toString("base64url")}.c2ln`;

interface Call {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** A browser with a service worker and a service, as far as the page's module uses them. */
class FakeBrowser {
  permission: "default" | "granted" | "denied" = "granted";
  /** What the member does with the browser's question. */
  answer: "default" | "granted" | "denied" = "granted";
  /** The application server's key of the subscription that is there. */
  subscribed: string | null = null;
  clicks: Array<{ id: string; user: string }> = [];
  badge: number | null = null;
  /** Calls of the service, as `METHOD path user`. */
  calls: string[] = [];
  /** What the service answers to a call; 200 where nothing is said. */
  status: (path: string, body: string) => number = () => 200;
  stored = new Map<string, string>();
  #taken = new Map<string, PropertyDescriptor | undefined>();

  install(): void {
    const active = {
      postMessage: ({ belfry, ids }: { belfry: string; ids?: string[] }, [port]: MessagePort[] = []) => {
        if (belfry === "clicks") port?.postMessage(this.clicks);
        this.clicks = this.clicks.filter(({ id }) => !ids?.includes(id));
      },
    };
    const registration = {
      active,
      pushManager: { getSubscription: async () => this.#subscription(), subscribe: async () => this.#subscribe() },
    };
    const serviceWorker = {
      register: async () => registration,
      ready: Promise.resolve(registration),
      getRegistration: async () => registration,
      addEventListener: () => {},
      removeEventListener: () => {},
    };
    const browser = this;
    this.#take("navigator", {
      serviceWorker,
      clearAppBadge: async () => {
        this.badge = null;
      },
    });
    this.#take("isSecureContext", true);
    this.#take("PushManager", class {});
    this.#take("location", { href: "https://forum.example/t/1", origin: "https://forum.example" });
    this.#take("localStorage", {
      getItem: (key: string) => this.stored.get(key) ?? null,
      setItem: (key: string, value: string) => void this.stored.set(key, value),
    });
    this.#take("Notification", {
      get permission() {
        return browser.permission;
      },
      requestPermission: async () => {
        if (this.permission === "default") this.permission = this.answer;
        return this.permission;
      },
    });
    this.#take("fetch", async (url: URL, { method = "GET", headers = {}, body = "" }: Call = {}) => {
      const { sub } = JSON.parse(Buffer.from(String(headers.Authorization ?? ".e30").split(".")[1] ?? "", "base64url").toString()) as {
        sub?: string;
      };
      this.calls.push([method, url.pathname, sub].filter(Boolean).join(" "));
      const status = this.status(url.pathname, body);
      return { ok: status < 300, status, json: async () => ({ publicKey: KEY }) };
    });
  }

  restore(): void {
    for (const [name, before] of this.#taken) {
      if (before === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, before);
    }
  }

  #subscription() {
    if (this.subscribed === null) return null;
    return {
      endpoint: "https://push.example/x",
      options: { applicationServerKey: Uint8Array.from(Buffer.from(this.subscribed, "base64url")).buffer },
      toJSON: () => ({ endpoint: "https://push.example/x", keys: {} }),
      unsubscribe: async () => {
        this.subscribed = null;
      },
    };
  }

  #subscribe() {
    this.subscribed = KEY;
    return this.#subscription();
  }

  #take(name: string, value: unknown): void {
    this.#taken.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}

let browser: FakeBrowser;
beforeEach(() => {
  browser = new FakeBrowser();
  browser.install();
});
afterEach(() => browser.restore());

const of = (user: string, read?: (id: string) => unknown) =>
  new BelfryPush({ url: "https://notify.example", token: () => tokenOf(user), ...(read === undefined ? {} : { read }) });
const click = (...ids: string[]) => ids.map((id) => ({ id, user: "ada" }));

describe("what was clicked while no page was open", () => {
  it("is marked, but for what the service does not know any more, which is forgotten", async () => {
    browser.clicks = click("a", "gone", "b");
    browser.status = (_, body) => (body.includes("gone") ? 404 : 200);
    of("ada").start();
    await until("all are settled", () => browser.clicks.length === 0);
    expect(browser.calls).toEqual(Array(3).fill("POST /v1/me/read ada"));
  });

  it("is marked by the page's own function in the same way", async () => {
    const read: string[] = [];
    browser.clicks = click("gone", "a");
    of("ada", async (id) => {
      if (id === "gone") throw Object.assign(new Error("There is no such notification."), { code: "not_found" });
      read.push(id);
    }).start();
    await until("all are settled", () => browser.clicks.length === 0);
    expect(read).toEqual(["a"]);
  });

  it("is marked behind what cannot be marked now, and that is kept for the next page", async () => {
    browser.clicks = click("broken", "a", "b");
    const read: string[] = [];
    of("ada", (id) => {
      if (id === "broken") throw new Error("not now");
      read.push(id);
    }).start();
    await until("the others are settled", () => browser.clicks.length === 1);
    expect([read, browser.clicks]).toEqual([["a", "b"], click("broken")]);
  });

  it("is not marked for another member, and not in their way", async () => {
    browser.clicks = [...click("a"), { id: "b", user: "bruno" }];
    const read: string[] = [];
    of("bruno", (id) => read.push(id)).start();
    await until("the own one is settled", () => browser.clicks.length === 1);
    expect([read, browser.clicks]).toEqual([["b"], click("a")]);
  });
});

describe("a browser that two members share", () => {
  it("is registered for whoever turned it on, and not for the next one, who is shown nothing of it", async () => {
    await of("ada").enable();
    const bruno = of("bruno");
    expect(await bruno.state()).toBe("off");
    bruno.start();
    await until("what was left behind is ended", () => browser.subscribed === null);
    expect(browser.calls).not.toContain("PUT /v1/me/push bruno");
    expect(await bruno.shouldOffer()).toBe(true);
  });

  it("is silent once a member has signed out, and told again when they are back", async () => {
    const ada = of("ada");
    await ada.enable();
    browser.badge = 3;
    await ada.leave();
    expect([browser.subscribed, browser.badge, browser.calls.at(-1)]).toEqual([null, null, "DELETE /v1/me/push ada"]);
    browser.calls = [];
    of("ada").start();
    await until("it is registered", () => browser.calls.includes("PUT /v1/me/push ada"));
    expect(await ada.state()).toBe("on");
  });

  it("stays silent for a member who has turned it off, who is not asked again", async () => {
    const ada = of("ada");
    await ada.enable();
    await ada.disable();
    browser.calls = [];
    ada.start();
    expect([await ada.state(), await ada.shouldOffer()]).toEqual(["off", false]);
    expect(browser.calls).not.toContain("PUT /v1/me/push ada");
    expect(await of("bruno").shouldOffer()).toBe(true);
  });

  it("keeps a push of the forum's own", async () => {
    browser.subscribed = Buffer.alloc(65, 7).toString("base64url");
    of("ada").start();
    await until("the key was compared", () => browser.calls.includes("GET /v1/push"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(browser.subscribed).not.toBeNull();
  });
});

describe("web push", () => {
  it.each([
    ["denied", "denied"],
    ["default", "failed"],
  ] as const)("is not turned on where the browser's question is answered %s: %s", async (answer, code) => {
    Object.assign(browser, { permission: "default", answer });
    await expect(of("ada").enable()).rejects.toMatchObject({ code });
    expect(await of("ada").shouldOffer()).toBe(answer === "default");
  });

  it("is not offered again for a while to a member who has said not now, and to nobody where the service has it off", async () => {
    browser.permission = "default";
    await of("ada").decline();
    expect([await of("ada").shouldOffer(), await of("bruno").shouldOffer()]).toEqual([false, true]);
    browser.status = () => 404;
    expect([await of("bruno").shouldOffer(), await of("bruno").state()]).toEqual([false, "unavailable"]);
  });
});
