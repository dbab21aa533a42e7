import { html, nothing, type TemplateResult } from "lit/html.js";
import { type Desk, every, type Page } from "../desk.js";
import { Loaded } from "../loaded.js";
import { Rows } from "../rows.js";
import type { Listing, OnlineMember } from "../shapes.js";
import { number, say, sayCount } from "../words/index.js";
import { empty, failureNotice, field, icon, loading, memberLink, moreButton, pageHead, textOf } from "./pieces.js";

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
  readonly #rows: Rows<OnlineMember>;
  #search = "";

  constructor(desk: Desk) {
    this.#desk = desk;
    this.#rows = new Rows({
      idOf: ({ user }) => user,
      load: (after) => desk.api.get("/v1/online/members", { search: this.#search, after }),
      changed: () => desk.update(),
    });
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
      (page) => this.#rows.first(page),
    );
    void this.#first.run();
    // Whoever reads further down is not disturbed: members come and go, and rows would move away under their eyes.
    const again = () => {
      if (!this.#rows.isExtended) void this.#first.poll();
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
      ${value === null ? (failure === null ? loading() : nothing) : this.#list()}`;
  }

  #find(event: Event): void {
    event.preventDefault();
    this.#search = textOf(event.currentTarget as HTMLFormElement, "search");
    this.#rows.forget();
    void this.#first.run();
  }

  #open(event: Event): void {
    event.preventDefault();
    const user = textOf(event.currentTarget as HTMLFormElement, "user");
    if (user !== "") this.#desk.go(`/members/${encodeURIComponent(user)}`);
  }

  #list(): TemplateResult {
    const { items } = this.#rows;
    const isSearch = this.#search !== "";
    return html`${
      items.length === 0
        ? html`<div class="blank card">
            ${icon("people")}${empty(isSearch ? say("members.noMatch", { text: this.#search }) : say("members.empty"))}
          </div>`
        : table(items)
    }
    ${moreButton(this.#rows, say(isSearch && items.length === 0 ? "members.further" : "more"))}`;
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
