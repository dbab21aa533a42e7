import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Listing } from "../api.js";
import { asRefusal, type Desk, every, Loaded, type Page } from "../desk.js";
import type { OnlineMember } from "../shapes.js";
import { number, say, sayCount } from "../words/index.js";
import { empty, failureNotice, field, icon, loading, memberLink, pageHead, textOf } from "./pieces.js";

/** How often the first page is asked for. Milliseconds. */
const REFRESH_MS = 5_000;

interface Online extends Listing<OnlineMember> {
  users: number;
}

/** Who is online, and the way to any member. */
export class Members implements Page {
  readonly #desk: Desk;
  readonly #first: Loaded<Online>;
  readonly #stops: Array<() => void>;
  #search = "";
  /** What the pages after the first brought, and how to go on. */
  #further: { items: OnlineMember[]; more: boolean; after: string | undefined } | null = null;

  constructor(desk: Desk) {
    this.#desk = desk;
    this.#first = new Loaded(
      async () => {
        const search = this.#search;
        const [{ users }, page] = await Promise.all([
          desk.api.get<Pick<Online, "users">>("/v1/online"),
          desk.api.get<Listing<OnlineMember>>("/v1/online/members", { search }),
        ]);
        return { ...page, users };
      },
      () => desk.update(),
    );
    void this.#first.run();
    // Whoever reads further down is not disturbed.
    const again = () => {
      if (this.#further === null) void this.#first.refresh();
    };
    this.#stops = [every(REFRESH_MS, again), desk.onReturn(again)];
  }

  title(): string {
    return say("members.title");
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  view(): TemplateResult {
    const { value, failure } = this.#first;
    return html`${pageHead(say("members.title"), value === null ? "" : sayCount("members.sub", value.users))}
      <div class="searches">
        <form role="search" @submit=${(event: Event) => this.#find(event)}>
          ${field(say("members.search"), html`<input name="search" type="search" maxlength="128" dir="auto" />`)}
          <button type="submit">${say("members.go")}</button>
        </form>
        <form @submit=${(event: Event) => this.#open(event)}>
          ${field(say("members.open"), html`<input name="user" type="text" maxlength="128" required dir="auto" autocapitalize="off" />`)}
          <button type="submit">${say("members.openGo")}</button>
        </form>
      </div>
      ${failureNotice(failure, () => void this.#first.run())}
      ${value === null ? (failure === null ? loading() : nothing) : this.#list(value)}`;
  }

  #find(event: Event): void {
    event.preventDefault();
    this.#search = textOf(event.currentTarget as HTMLFormElement, "search");
    this.#further = null;
    void this.#first.run();
  }

  #open(event: Event): void {
    event.preventDefault();
    const user = textOf(event.currentTarget as HTMLFormElement, "user");
    if (user !== "") this.#desk.go(`/members/${encodeURIComponent(user)}`);
  }

  #list(first: Online): TemplateResult {
    const further = this.#further;
    const items = [...first.items, ...(further?.items ?? [])];
    const more = further?.more ?? first.more;
    const after = further === null ? (first.next ?? first.items.at(-1)?.user) : further.after;
    const isSearch = this.#search !== "";
    return html`${
      items.length === 0
        ? html`<div class="blank card">
            ${icon("people")}${empty(isSearch ? say("members.noMatch", { text: this.#search }) : say("members.empty"))}
          </div>`
        : table(items)
    }
    ${
      more
        ? html`<button type="button" class="quiet" @click=${() => void this.#more(after)}>
            ${say(isSearch && items.length === 0 ? "members.further" : "more")}
          </button>`
        : nothing
    }`;
  }

  async #more(after: string | undefined): Promise<void> {
    try {
      const page = await this.#desk.api.get<Listing<OnlineMember>>("/v1/online/members", { search: this.#search, after });
      const before = this.#further?.items ?? [];
      this.#further = { items: [...before, ...page.items], more: page.more, after: page.next ?? page.items.at(-1)?.user };
    } catch (error) {
      this.#first.failure = asRefusal(error);
    }
    this.#desk.update();
  }
}

function table(items: OnlineMember[]): TemplateResult {
  return html`<div class="scroll card" tabindex="0" role="region" aria-label=${say("members.title")}>
    <table>
      <thead>
        <tr>
          <th scope="col">${say("members.member")}</th>
          <th scope="col">${say("members.name")}</th>
          <th scope="col" class="number">${say("members.sessions")}</th>
        </tr>
      </thead>
      <tbody>
        ${items.map(
          ({ user, name, sessions }) =>
            html`<tr>
              <th scope="row">${memberLink(user)}</th>
              <td><bdi>${name ?? say("none")}</bdi></td>
              <td class="number">${number(sessions)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
