// First: what connects afterwards uses the network that it has switched.
import "./network.js";
import { type Belfry, connect } from "belfry-client";
import { boardsOf } from "belfry-client/boards";
import type { OpenEvent } from "belfry-ui";
import { network } from "./network.js";
import "belfry-ui";
import { repeat } from "lit/directives/repeat.js";
import { html, render, type TemplateResult } from "lit/html.js";
import { Forum, type Member, membersOf, signIn } from "./api.js";
import { type Standing, standingsIn } from "./leaderboard.js";
import { Threads } from "./threads.js";
import { header, ribbon } from "./views/frame.js";
import { notice } from "./views/pieces.js";
import { threadCard } from "./views/thread.js";

/** The topic of the leaderboard. It is written whenever a comment has come, changed or gone, so it tells of those too. */
const LEADERBOARD = "demo/leaderboard";

/** For how long it is said that something was caught up on. Milliseconds. */
const CAUGHT_UP_MS = 15_000;

/** From a change of the unread to the title, and the next: a flood must not become one of titles. Milliseconds. */
const CALM_MS = 100;

/** How often "5 min. ago" is written anew. Milliseconds. */
const TIMES_MS = 30_000;

/** From a first visit that failed to the next. Milliseconds. */
const AGAIN_MS = 2_000;

/** The page of one member. */
class Page {
  readonly #client: Belfry;
  readonly #forum: Forum;
  readonly #threads: Threads;
  #standings: readonly Standing[] | null = null;
  #online: number | null = null;
  #problem: string | null = null;
  #notice: string | null = null;
  #caughtUp = 0;
  #forget: ReturnType<typeof setTimeout> | undefined;
  #status: Belfry["status"];
  #unread = -1;
  #isTelling = false;
  #isDrawing = false;

  constructor(
    private readonly members: readonly Member[],
    private readonly me: Member,
  ) {
    this.#client = connect({ url: "", user: me.id, token: () => signIn(me.id) });
    this.#status = this.#client.status;
    this.#forum = new Forum(me.id);
    this.#threads = new Threads({
      forum: this.#forum,
      onChange: () => this.#update(),
      // As in most forums: who takes part hears how it goes on.
      onWritten: (thread) => void this.#client.level({ scope: "thread", id: thread, level: "watching" }),
    });
    this.#client.subscribe(() => this.#follow());
    this.#client.onArrival(({ missed }) => {
      if (missed) this.#missed();
    });
    const boards = boardsOf(this.#client);
    boards.join([LEADERBOARD], ({ data }) => {
      this.#standings = standingsIn(data);
      void this.#threads.refresh();
      this.#update();
    });
    boards.onOnline((users) => {
      this.#online = users;
      this.#update();
    });
    void this.#threads.refresh();
    setInterval(() => this.#update(), TIMES_MS);
    document.addEventListener("belfry-open", (event) => this.#open(event as OpenEvent));
    this.#follow();
    this.#update();
  }

  /** Much that the client tells is the bell's alone. */
  #follow(): void {
    const { status, unread } = this.#client;
    if (status !== this.#status) {
      if (status.is !== "online" && this.#status.is === "online") this.#caughtUp = 0;
      this.#status = status;
      this.#update();
    }
    if (unread === this.#unread || this.#isTelling) return;
    this.#isTelling = true;
    setTimeout(() => this.#tellUnread(), CALM_MS);
  }

  #tellUnread(): void {
    const { unread } = this.#client;
    this.#isTelling = false;
    this.#unread = unread;
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${this.me.name} · Belfry`;
    // Where this page is one of two on another, that one may show only one at a time.
    if (parent !== window) parent.postMessage({ belfry: "unread", member: this.me.id, name: this.me.name, unread }, location.origin);
  }

  #missed(): void {
    this.#caughtUp++;
    clearTimeout(this.#forget);
    this.#forget = setTimeout(() => {
      this.#caughtUp = 0;
      this.#update();
    }, CAUGHT_UP_MS);
    this.#update();
  }

  /** Leads to what a notification is about, which is on this page. */
  #open(event: OpenEvent): void {
    const { comment, thread } = event.notification;
    if (!comment && !thread) return;
    event.preventDefault();
    void this.#threads.show(thread?.id ?? null, comment?.id ?? null).then((isThere) => {
      this.#notice = isThere ? null : "That comment is gone.";
      this.#update();
    });
  }

  readonly #startTask = async (): Promise<void> => {
    try {
      await this.#forum.startExport();
      this.#problem = null;
      // Its bar is in there.
      document.querySelector("belfry-bell")?.show();
    } catch (error) {
      this.#problem = (error as Error).message;
    }
    this.#update();
  };

  #update(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    queueMicrotask(() => {
      this.#isDrawing = false;
      render(this.#view(), document.body);
    });
  }

  #view(): TemplateResult {
    const { members, me } = this;
    const memberOf = (id: string): Member => members.find((member) => member.id === id) ?? { id, name: id, colour: "" };
    const threads = this.#threads;
    return html`
      ${header({
        client: this.#client,
        members,
        me,
        status: this.#status,
        isOn: network.isOn,
        caughtUp: this.#caughtUp,
        isFramed: parent !== window,
        choose: (member) => location.replace(`/?as=${encodeURIComponent(member)}`),
        turn: (on) => {
          network.isOn = on;
          if (on) void threads.refresh();
          this.#update();
        },
      })}
      <main>
        <h1 class="spoken">The ringers’ forum, as ${me.name}</h1>
        ${ribbon(this.#standings, this.#online, { start: this.#startTask, problem: this.#problem }, memberOf)}
        ${notice(this.#notice ?? threads.problem)}
        ${repeat(
          threads.all,
          ({ id }) => id,
          (thread) => threadCard(thread, { members, me: me.id, memberOf, now: Date.now(), ...threads.partsOf(thread) }),
        )}
      </main>
    `;
  }
}

async function open(): Promise<void> {
  try {
    const members = await membersOf();
    const wanted = new URLSearchParams(location.search).get("as");
    const me = members.find(({ id }) => id === wanted) ?? members[0];
    if (me) new Page(members, me);
  } catch {
    render(html`<main>${notice("The forum cannot be reached. It is tried again by itself.")}</main>`, document.body);
    setTimeout(() => void open(), AGAIN_MS);
  }
}

void open();
