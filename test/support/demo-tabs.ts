import { expect } from "@jest/globals";
import type { Browser, BrowserContext, FrameLocator, Page } from "playwright-core";
import { type Service, startService } from "./service.js";

/** Milliseconds; the service answers in a few, and a page that lost it comes back within a few seconds. */
const PATIENCE = 15_000;

/** What a browser reports when a connection is refused or cut, as tests do on purpose. */
const CUT = /net::ERR_|WebSocket/;

/** A member's page: in a tab of its own, or beside another one. */
export type Side = Page | FrameLocator;

/** Two members on one page. */
export interface Pair {
  page: Page;
  left: FrameLocator;
  right: FrameLocator;
}

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
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: "en-GB" });
    context.setDefaultTimeout(PATIENCE);
    return new DemoTabs(service, context);
  }

  async close(): Promise<void> {
    await this.context.close();
    await this.service.stop();
  }

  /** Ada on the left and Bruno on the right, both connected. */
  async pair(): Promise<Pair> {
    const page = await this.#visit("/");
    const [left, right] = [page.frameLocator("#left iframe"), page.frameLocator("#right iframe")];
    await isConnected(left);
    await isConnected(right);
    return { page, left, right };
  }

  /** A tab in which a member is signed in and connected. */
  async of(member: string): Promise<Page> {
    const page = await this.#visit(`/?as=${member}`);
    await isConnected(page);
    return page;
  }

  /** Calls the service as a member of the demo. */
  async call(member: string, path: string, body?: object, method = "POST"): Promise<Response> {
    const send = (how: string, to: string, content?: object, token?: string): Promise<Response> =>
      fetch(this.service.url + to, {
        method: how,
        headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
        ...(content && { body: JSON.stringify(content) }),
      });
    const { token } = (await (await send("POST", "/demo/session", { member })).json()) as { token: string };
    return send(method, path, body, token);
  }

  /** Comments without a page. Returns the comment's id. */
  async post(member: string, thread: string, text: string): Promise<string> {
    const answer = await this.call(member, `/demo/threads/${thread}/comments`, { text });
    expect(answer.status).toBe(201);
    return ((await answer.json()) as { comment: { id: string } }).comment.id;
  }

  /** Announces as the moderator. */
  async announce(title: string, more: object = {}): Promise<void> {
    expect((await this.call("mia", "/v1/announcements", { title, text: "", ...more })).status).toBe(201);
  }

  async #visit(path: string): Promise<Page> {
    const page = await this.context.newPage();
    page.on("pageerror", (error) => this.faults.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" && !CUT.test(message.text())) this.faults.push(message.text());
    });
    await page.goto(this.service.url + path);
    return page;
  }
}

export async function isConnected(side: Side): Promise<void> {
  await side.locator(".state[data-is=online]").waitFor();
  await side.locator("#thread-keys").waitFor();
  await side.locator(".board li").first().waitFor();
}

/** Turns a side's network off, or on again. */
export async function turnNetwork(side: Side, on: boolean): Promise<void> {
  await side.getByRole("switch", { name: "Network" }).click();
  await side.locator(on ? ".state:not([data-is=cut])" : ".state[data-is=cut]").waitFor();
}

/** Writes through the page: in the thread, or as a reply to the first comment of `replyTo` in it. */
export async function write(side: Side, thread: string, text: string, replyTo?: string): Promise<void> {
  const article = side.locator(`#thread-${thread}`);
  if (replyTo !== undefined)
    await article
      .getByRole("button", { name: `Reply to ${replyTo}` })
      .first()
      .click();
  await article.locator(".composer textarea").fill(text);
  await article.getByRole("button", { name: "Send" }).click();
  await comment(side, thread, text).waitFor();
}

/** A comment by what it says. */
export function comment(side: Side, thread: string, text: string | RegExp) {
  return side.locator(`#thread-${thread} .comments .post`).filter({ has: side.locator(".text", { hasText: text }) });
}

export async function badgeShows(side: Side, count: number): Promise<void> {
  if (count === 0) await side.locator("belfry-bell .badge").waitFor({ state: "detached" });
  else await side.locator("belfry-bell .badge", { hasText: new RegExp(`^${count}$`) }).waitFor();
}

/** The texts in the bell's panel, those of groups one by one, newest first. Opens the panel, and its groups. */
export async function excerptsIn(side: Side): Promise<string[]> {
  await side.locator("belfry-bell .bell").click();
  await side.locator("belfry-inbox .row .excerpt").first().waitFor();
  const closed = side.locator("belfry-inbox .expand[aria-expanded=false]");
  while ((await closed.count()) > 0) await closed.first().click();
  return side.locator("belfry-inbox .row:not(:has(.expand)) .excerpt").allTextContents();
}
