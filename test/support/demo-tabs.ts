import { expect } from "@jest/globals";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { type Service, startService } from "./service.js";

/** Milliseconds; the service answers in a few, and a page that lost it comes back within five seconds. */
const PATIENCE = 12_000;

/** What a browser reports when a connection is refused or cut, as tests do on purpose. */
const CUT = /ERR_CONNECTION_REFUSED|ERR_FAILED|WebSocket is closed/;

/** A service of its own, and a browser's tabs in which the demo's members are signed in. */
export class DemoTabs {
  /** What the pages complained about; also what the Content Security Policy forbids. */
  readonly faults: string[] = [];

  private constructor(
    readonly service: Service,
    readonly context: BrowserContext,
  ) {}

  static async open(browser: Browser): Promise<DemoTabs> {
    const service = await startService();
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    context.setDefaultTimeout(PATIENCE);
    return new DemoTabs(service, context);
  }

  async close(): Promise<void> {
    await this.context.close();
    await this.service.stop();
  }

  /** A tab in which a member is signed in and connected. */
  async of(member: string): Promise<Page> {
    return this.#signIn(await this.context.newPage(), member);
  }

  /** The same, with a way to cut its connection, and to let it come back. The other tabs keep theirs. */
  async cuttable(member: string): Promise<{ page: Page; cut: () => Promise<void>; mend: () => void }> {
    const page = await this.context.newPage();
    const open = new Set<{ close: () => Promise<void> }>();
    let isCut = false;
    await page.route(/\/socket\.io\/\?/, (route) => (isCut ? route.abort() : route.continue()));
    await page.routeWebSocket(/\/socket\.io\/\?/, async (socket) => {
      if (isCut) await socket.close();
      else {
        socket.connectToServer();
        open.add(socket);
      }
    });
    await this.#signIn(page, member);
    return {
      page,
      async cut() {
        isCut = true;
        for (const socket of open) await socket.close();
        open.clear();
        await page.locator("#connection", { hasText: /Reconnecting|Trying again/ }).waitFor();
      },
      mend() {
        isCut = false;
      },
    };
  }

  /** Calls the service as a member of the demo. */
  async call(member: string, path: string, body: object): Promise<Response> {
    const send = (to: string, content: object, token?: string): Promise<Response> =>
      fetch(this.service.url + to, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
        body: JSON.stringify(content),
      });
    const { token } = (await (await send("/demo/session", { member })).json()) as { token: string };
    return send(path, body, token);
  }

  /** Comments without a page. */
  async post(member: string, thread: string, text: string): Promise<void> {
    expect((await this.call(member, `/demo/threads/${thread}/comments`, { text })).status).toBe(201);
  }

  async #signIn(page: Page, member: string): Promise<Page> {
    page.on("pageerror", (error) => this.faults.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" && !CUT.test(message.text())) this.faults.push(message.text());
    });
    await page.goto(`${this.service.url}/?as=${member}`);
    await page.locator("#connection", { hasText: "Connected" }).waitFor();
    await page.locator("#thread-keys").waitFor();
    return page;
  }
}

/** Writes through the page: in the thread, or as a reply to the first comment of `replyTo` in it. */
export async function write(page: Page, thread: string, text: string, replyTo?: string): Promise<void> {
  const article = page.locator(`#thread-${thread}`);
  if (replyTo !== undefined)
    await article
      .getByRole("button", { name: `Reply to ${replyTo}` })
      .first()
      .click();
  await article.locator("textarea").fill(text);
  await article.getByRole("button", { name: "Send" }).click();
  await article.locator(".comments .text", { hasText: text }).waitFor();
}

export async function badgeShows(page: Page, count: number): Promise<void> {
  if (count === 0) await page.locator("#badge").waitFor({ state: "hidden" });
  else await page.locator("#badge", { hasText: new RegExp(`^${count}$`) }).waitFor();
}
