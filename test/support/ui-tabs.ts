import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build, stop } from "esbuild";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { call, tokenOf } from "./call.js";
import { CutLine } from "./cut-line.js";
import { type Service, startService } from "./service.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Milliseconds; the service answers in a few, and an element that lost it comes back within a few seconds. */
const PATIENCE = 15_000;

/** What a browser reports when a connection is refused or cut, as tests do on purpose. */
const CUT = /net::ERR_|WebSocket|status of 40[13]/;

/** The cookie by which the forum of these tests knows its member. */
const COOKIE = "member";

/**
 * As strict as a careful forum's: styles by attribute, for one, are not allowed. `unsafe-eval` is for the tests' own conditions. The service and
 * lines to it are on this machine.
 */
const POLICY =
  `default-src 'none'; script-src 'self' 'unsafe-eval' http://127.0.0.1:*; style-src 'nonce-forum'; img-src 'self' data:; base-uri 'none';
  connect-src 'self' http://127.0.0.1:* ws://127.0.0.1:*`.replaceAll("\n", "");

/** What stands on a page of the forum, besides the bell. */
const FILLING = "<h1>Forum</h1><p>What members write.</p><p><button id='before'>A button of the page</button></p>";

/** How a page is made. */
export interface PageOptions {
  /** Attributes of `<belfry-bell>`, besides its address and token. */
  bell?: string;
  /** Where the service is, if not where it is. */
  url?: string;
  /** Where the elements come from; by default from the forum itself. */
  script?: string;
  /** The whole body instead of the one with a bell. */
  body?: string;
  /** Of `<html>`. */
  attributes?: string;
}

/** A forum with a page of its own origin, a service that allows it, and a browser whose tabs show its members' bells. */
export class UiTabs {
  /** What the pages complained about. */
  readonly faults: string[] = [];
  readonly #bodies = new Map<string, PageOptions>();
  readonly #scripts = new Map<string, string>();
  readonly #lines: CutLine[] = [];
  #posts = 0;

  private constructor(
    readonly service: Service,
    readonly context: BrowserContext,
    readonly origin: string,
    private readonly forum: Server,
  ) {}

  static async open(browser: Browser, options: BrowserContextOptions = {}): Promise<UiTabs> {
    const forum = createServer();
    await new Promise<void>((resolve) => forum.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${(forum.address() as AddressInfo).port}`;
    const service = await startService({ env: { ALLOWED_ORIGINS: origin } });
    const context = await browser.newContext({ viewport: { width: 900, height: 760 }, locale: "en-GB", ...options });
    context.setDefaultTimeout(PATIENCE);
    const tabs = new UiTabs(service, context, origin, forum);
    forum.on("request", (request, response) => {
      tabs.#answer(new URL(request.url ?? "/", origin), request.headers.cookie ?? "").then(
        ({ status, type, text }) => response.writeHead(status, { "content-type": type, "content-security-policy": POLICY }).end(text),
        (error: Error) => response.writeHead(500).end(error.message),
      );
    });
    return tabs;
  }

  async close(): Promise<void> {
    await this.context.close();
    // esbuild keeps a process of its own, which would outlive the tests.
    await stop();
    for (const line of this.#lines) await line.stop();
    await new Promise((resolve) => this.forum.close(resolve));
    await this.service.stop();
  }

  /** A tab in which a member's bell is connected. */
  async of(member: string, options: PageOptions = {}): Promise<Page> {
    const page = await this.context.newPage();
    await this.show(page, member, options);
    await page.waitForFunction("document.querySelector('belfry-bell').client?.status.synced");
    return page;
  }

  /** The same, over a line of its own to the service, which can be cut and mended. The other tabs keep theirs. */
  async cuttable(member: string): Promise<{ page: Page; line: CutLine }> {
    const line = await CutLine.start(Number(new URL(this.service.url).port));
    this.#lines.push(line);
    return { page: await this.of(member, { url: line.url }), line };
  }

  /** Leads a tab to a page of the forum, without waiting for a connection. */
  async show(page: Page, member: string, options: PageOptions = {}): Promise<void> {
    page.on("pageerror", (error) => this.faults.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" && !CUT.test(message.text())) this.faults.push(message.text());
    });
    const path = `/page-${this.#bodies.size}`;
    this.#bodies.set(path, options);
    await this.context.addCookies([{ name: COOKIE, value: member, url: this.origin }]);
    await page.goto(this.origin + path);
    await page.waitForFunction("customElements.get('belfry-bell') !== undefined");
  }

  /** Serves a module to the pages: TypeScript or JSX with imports, which is bundled. */
  async script(path: string, contents: string): Promise<void> {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: ROOT, loader: "tsx" },
      bundle: true,
      write: false,
      format: "esm",
      target: "es2022",
      jsx: "automatic",
      define: { "process.env.NODE_ENV": '"production"' },
    });
    this.#scripts.set(path, outputFiles[0]?.text ?? "");
  }

  /** Somebody replies to a member, in a thread of its own unless one is given. */
  async reply(to: string, text: string, more: { thread?: string; title?: string; actor?: object; url?: string } = {}): Promise<void> {
    const id = `${++this.#posts}`;
    const thread = more.thread ?? `t${id}`;
    const event = {
      id: `comment-${id}`,
      type: "comment.created",
      at: new Date().toISOString(),
      actor: more.actor ?? { id: "7", name: "member7" },
      thread: { id: thread, title: more.title ?? `Topic ${thread}`, url: `${this.origin}/t/${thread}`, author: "99" },
      comment: { id: `c${id}`, parent: "c0", parentAuthor: to, url: more.url ?? `${this.origin}/t/${thread}/${id}`, excerpt: text },
    };
    await this.call("POST", "/v1/events", event);
  }

  /** Somebody comments in as many threads of a member's, in order. The texts are `comment 0` and on, through all calls. */
  async comments(to: string, count: number): Promise<void> {
    const first = this.#posts;
    this.#posts += count;
    const events = Array.from({ length: count }, (_, n) => ({
      id: `comment-in-${first + n}`,
      type: "comment.created",
      at: new Date(Date.now() - (count - n) * 60_000).toISOString(),
      actor: { id: "7", name: "member7" },
      thread: { id: `in-${first + n}`, title: `Topic ${first + n}`, author: to },
      comment: { id: `in-${first + n}`, excerpt: `comment ${first + n}` },
    }));
    await this.call("POST", "/v1/events", events);
  }

  /** Calls the service as the forum's server. @throws Error where it refuses */
  async call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await call(this.service, method, path, this.service.apiKey, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  async #answer({ pathname }: URL, cookie: string): Promise<{ status: number; type: string; text: string }> {
    const script = this.#scripts.get(pathname);
    if (script !== undefined) return { status: 200, type: "text/javascript", text: script };
    if (pathname === "/belfry-bell.js") {
      return { status: 200, type: "text/javascript", text: await readFile(`${ROOT}client/ui/dist/belfry-bell.js`, "utf8") };
    }
    if (pathname === "/token") {
      const member = new RegExp(`${COOKIE}=(\\w+)`).exec(cookie)?.[1];
      if (member === undefined) return { status: 401, type: "text/plain", text: "sign in" };
      return { status: 200, type: "application/json", text: JSON.stringify({ token: tokenOf(this.service, member) }) };
    }
    return { status: 200, type: "text/html; charset=utf-8", text: this.#page(this.#bodies.get(pathname) ?? {}) };
  }

  #page({ bell = "", url = this.service.url, script = "/belfry-bell.js", body, attributes = 'lang="en"' }: PageOptions): string {
    const own = `<header><strong>Forum</strong><belfry-bell id="bell" url="${url}" token-url="/token" ${bell}></belfry-bell></header>
      <main>${FILLING}</main>`;
    return `<!doctype html><html ${attributes}><head><title>Forum</title><meta name="viewport" content="width=device-width">
      <link rel="icon" href="data:,"><style nonce="forum">
        html { color-scheme: light dark } body { margin: 0; font-family: system-ui; background: Canvas; color: CanvasText }
        header { display: flex; justify-content: space-between; align-items: center; padding: 10px 20px; border-bottom: 1px solid #8886 }
        main { padding: 4px 20px }
      </style><script type="module" src="${script}"></script></head><body>${body ?? own}</body></html>`;
  }
}

/** Waits until a page's badge shows this number. */
export async function badgeShows(page: Page, count: number): Promise<void> {
  const badge = page.locator("belfry-bell .badge");
  if (count === 0) await badge.waitFor({ state: "detached" });
  else await page.locator("belfry-bell .badge", { hasText: new RegExp(`^${count > 99 ? "99\\+" : count}$`) }).waitFor();
}

/** Opens a page's panel. */
export async function openPanel(page: Page): Promise<void> {
  await page.locator("belfry-bell .bell").click();
  await page.locator("belfry-bell belfry-inbox .tabs").waitFor();
}

/** The texts of the rows that are drawn, from the top; waits for the first. */
export async function excerptsOf(page: Page): Promise<string[]> {
  const excerpts = page.locator("belfry-inbox .row .excerpt");
  await excerpts.first().waitFor();
  return excerpts.allTextContents();
}

/** Evaluates an expression about the element that scrolls the rows, which it calls `list`. */
export function inList(page: Page, expression: string): Promise<unknown> {
  return page.evaluate(`((list) => ${expression})((function find(root) {
    return root.querySelector(".scroller") ?? [...root.querySelectorAll("*")].map(({ shadowRoot }) => shadowRoot && find(shadowRoot)).find(Boolean);
  })(document))`);
}
