import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { Announcer } from "./announcing.js";
import { type Entry, Member, tokenFor } from "./member.js";
import { type Service, startService } from "./service.js";

/** Milliseconds; the service answers in a few, and a page that lost it comes back within fifteen seconds. */
const PATIENCE = 20_000;

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** A member's device that also notes what it hears of announcements and at its end. */
export interface Watcher {
  member: Member;
  /** Entries of the announcements, oldest first. */
  announcements: Entry[];
  goodbyes: Array<{ code: string; message: string }>;
}

/** A service of its own, and a browser's tabs in which the console is open. */
export class ConsoleTabs {
  /** What the pages complained about; also what the Content Security Policy forbids. */
  readonly faults: string[] = [];
  readonly #watchers: Member[] = [];

  private constructor(
    readonly service: Service,
    readonly context: BrowserContext,
    /** The service as a server asks it. */
    readonly server: Announcer,
  ) {}

  static async open(browser: Browser, options: { env?: Record<string, string>; browser?: Parameters<Browser["newContext"]>[0] } = {}) {
    const service = await startService(options.env === undefined ? {} : { env: options.env });
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB", ...options.browser });
    context.setDefaultTimeout(PATIENCE);
    return new ConsoleTabs(service, context, new Announcer(service));
  }

  /** Closes all tabs and devices; the service goes on with what it has. */
  async clear(): Promise<void> {
    for (const member of this.#watchers.splice(0)) member.disconnect();
    for (const page of this.context.pages()) await page.close();
    this.faults.length = 0;
  }

  async close(): Promise<void> {
    await this.clear();
    await this.context.close();
    await this.service.stop();
  }

  token(user: string, claims: Record<string, unknown> = { roles: ["moderator"] }): string {
    return tokenFor(this.service.jwtSecret, { sub: user, ...claims });
  }

  /** A tab with the console as it is before anybody has signed in. */
  async blank(): Promise<Page> {
    const page = await this.context.newPage();
    page.on("pageerror", (error) => this.faults.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") this.faults.push(message.text());
    });
    await page.goto(`${this.service.url}/console`);
    return page;
  }

  /** Pastes a token and signs in, whatever comes of it. */
  async enter(page: Page, token: string): Promise<void> {
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
  }

  /** A tab in which a moderator is signed in, at a place such as `audit`. */
  async of(user: string, place = "overview"): Promise<Page> {
    const page = await this.blank();
    await this.enter(page, this.token(user, { roles: ["moderator"], name: `Moderator ${user}` }));
    await page.locator(".link", { hasText: "Connected" }).waitFor();
    await this.visit(page, place);
    return page;
  }

  async visit(page: Page, place: string): Promise<void> {
    await page.evaluate(`location.hash = ${JSON.stringify(`#/${place}`)}`);
    await page.locator("main h1").waitFor();
  }

  /** A connected device of a member. */
  async watch(user: string): Promise<Watcher> {
    const member = new Member(user, { url: this.service.url, secret: this.service.jwtSecret });
    this.#watchers.push(member);
    const watcher: Watcher = { member, announcements: [], goodbyes: [] };
    member.connect();
    member.socket.on("entries", ({ stream, entries }: { stream: string; entries: Entry[] }) => {
      if (stream === "announcements") watcher.announcements.push(...entries);
    });
    member.socket.on("goodbye", (farewell: { code: string; message: string }) => watcher.goodbyes.push(farewell));
    await member.ready();
    return watcher;
  }

  /** The text of the file that a click has the browser save. */
  async saved(page: Page, click: () => Promise<void>): Promise<{ name: string; text: string }> {
    const coming = page.waitForEvent("download");
    await click();
    const download = await coming;
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    return { name: download.suggestedFilename(), text: Buffer.concat(chunks).toString("utf8") };
  }
}

/** What axe finds on the page, in words. */
export async function findings(page: Page): Promise<string[]> {
  // What a page's policy forbids to its own scripts is not forbidden to this.
  await page.evaluate(`${await readFile(AXE, "utf8")}; void 0`);
  const { violations } = (await page.evaluate("axe.run()")) as {
    violations: Array<{ id: string; nodes: Array<{ target: string[][]; failureSummary: string }> }>;
  };
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.flat().join(" ")}: ${node.failureSummary}`));
}
