import { html, render, type TemplateResult } from "lit/html.js";
import { Api, request } from "./api.js";
import type { Desk, Page } from "./desk.js";
import { isWriting } from "./drafts.js";
import { type Ending, endingOf } from "./endings.js";
import { Link, type LinkState } from "./link.js";
import { moderates } from "./ranks.js";
import { asRefusal, type Refusal } from "./refusal.js";
import { pageOf, placeOf } from "./routes.js";
import type { AuditEntry } from "./shapes.js";
import { type Claims, claimsOf, keptToken } from "./token.js";
import { frame, languageChoice } from "./views/frame.js";
import { icons } from "./views/icons.js";
import { loading } from "./views/pieces.js";
import { signIn } from "./views/sign-in.js";
import { chooseLanguage, currentLanguage } from "./words/index.js";

/** How long it is said that something was done. Milliseconds. */
const DONE_MS = 6_000;

/** Who moderates, as long as they are signed in. */
interface Session {
  me: Claims;
  desk: Desk;
  link: Link;
  listeners: { audit: Set<(entry: AuditEntry) => void>; back: Set<() => void> };
}

let session: Session | null = null;
let state: LinkState = { is: "connecting" };
/** Whether this token was ever let in: before, its refusal is one of signing in. */
let wasIn = false;
let ending: Ending | null = null;
/** Whom the demo lets anybody moderate as: a member's id; null where there is nobody. */
let demoModerator: string | null = null;
let open: { section: string; page: Page } | null = null;
let done: string | null = null;
let doneTimer: ReturnType<typeof setTimeout> | undefined;
let isDrawing = false;

function update(): void {
  if (isDrawing) return;
  isDrawing = true;
  queueMicrotask(() => {
    isDrawing = false;
    draw();
  });
}

function draw(): void {
  document.documentElement.lang = currentLanguage();
  document.title = `${open !== null && wasIn ? `${open.page.title()} · ` : ""}Belfry`;
  const wasOnTitle = document.activeElement?.matches("main h1") === true;
  render(html`${icons()}${shown()}`, document.body);
  // What has arrived may have brought another title in its place.
  if (wasOnTitle && document.activeElement === document.body) focusTitle();
}

function focusTitle(): void {
  document.querySelector<HTMLElement>("main h1")?.focus();
}

function shown(): TemplateResult {
  const languages = languageChoice((language) => {
    chooseLanguage(language);
    update();
  });
  // A token that was kept is tried without a word.
  if (session !== null && !wasIn && ending === null) return html`<main class="waiting">${loading()}</main>`;
  if (session === null || !wasIn) {
    return signIn({
      ending,
      hasDemo: demoModerator !== null,
      isBusy: session !== null,
      signIn: (token) => enter(token),
      signInToDemo: () => void enterDemo(),
      languages,
    });
  }
  const { me } = session;
  const { section, page } = open ?? { section: "", page: null };
  return frame({ me, link: state, section, page: page?.view() ?? html``, done, signOut: () => leave(null), languages });
}

/** Tries a token: the service decides whether it moderates. `byHand`: somebody has just given it, and is not coming back to the page. */
function enter(token: string, byHand = true): void {
  const me = claimsOf(token);
  if (me === null) {
    leave({ title: "sign.wrong", texts: ["sign.notToken"], detail: null });
    return;
  }
  end(null);
  const listeners: Session["listeners"] = { audit: new Set(), back: new Set() };
  const add = <T>(set: Set<T>, one: T) => {
    set.add(one);
    return () => set.delete(one);
  };
  const desk: Desk = {
    api: new Api(token, refused),
    me,
    update,
    go: (path) => {
      location.hash = path;
    },
    done: sayDone,
    onAudit: (listener) => add(listeners.audit, listener),
    onReturn: (listener) => add(listeners.back, listener),
  };
  const link = new Link({
    token,
    onState: (now) => moved(token, byHand, now),
    onAudit: (entry) => {
      for (const listener of [...listeners.audit]) listener(entry);
    },
  });
  session = { me, desk, link, listeners };
  update();
}

/** It stands otherwise with the service. */
function moved(token: string, byHand: boolean, now: LinkState): void {
  const before = state;
  state = now;
  if (now.is === "stopped") {
    void stopped(token, now);
  } else if (now.is === "online" && session !== null) {
    if (!wasIn) {
      wasIn = true;
      ending = null;
      keptToken.set(token);
      visit(byHand);
    } else if (before.is !== "online") {
      for (const listener of [...session.listeners.back]) listener();
    }
  } else if (now.is === "away" && !wasIn) {
    ending = { title: "link.away", texts: ["link.awayText"], detail: null };
  }
  update();
}

/** A call was refused: where it is the token's fault, there is no going on with it. */
function refused({ code, message }: Refusal): void {
  if (code === "unauthorized" || code === "token_expired" || code === "banned") dismiss(code, message, false);
}

/** The connection is refused or ended, and will not come back by itself. */
async function stopped(token: string, { code = "", message = "" }: LinkState): Promise<void> {
  const mine = session;
  // A connection is refused with one code for a token that is not good and for one without the role.
  const mayLackRole = code === "unauthorized" && mine !== null && !wasIn && !moderates(mine.me);
  const lacksRole = mayLackRole && (await isRefusedForRoles(token));
  if (session === mine) dismiss(code, message, lacksRole);
}

/** Whether the token is good and only its roles are not: HTTP has codes of their own for the two. */
async function isRefusedForRoles(token: string): Promise<boolean> {
  try {
    await request("GET", "/v1/online", token);
    return false;
  } catch (error) {
    return asRefusal(error).code === "forbidden";
  }
}

function dismiss(code: string, message: string, lacksRole: boolean): void {
  const { name, user } = session?.me ?? { name: null, user: "" };
  leave(endingOf(code, message, { user: name ?? user, lacksRole, wasIn, isWriting: isWriting() }));
}

/** Signs out, or is told for good that this token is not let in (`why`): it is not tried again. */
function leave(why: Ending | null): void {
  keptToken.set(null);
  end(why);
}

/** Ends what there is of a session. A token that is kept stays so: a page that is left while it is tried can try it again. */
function end(why: Ending | null): void {
  session?.link.close();
  open?.page.close?.();
  session = null;
  open = null;
  wasIn = false;
  state = { is: "connecting" };
  ending = why;
  update();
}

async function enterDemo(): Promise<void> {
  try {
    const response = await request("POST", "/demo/session", null, { body: { member: demoModerator } });
    const { token } = (await response.json()) as { token: string };
    enter(token);
  } catch (error) {
    const { code, message } = asRefusal(error);
    leave({ title: `error.${code}`, texts: [], detail: message });
  }
}

/** Opens the page that the address names. `isNews`: to whoever cannot see that it is another page, its title is said. */
function visit(isNews: boolean): void {
  if (session === null || !wasIn) return;
  open?.page.close?.();
  open = pageOf(placeOf(location.hash), session.desk);
  draw();
  scrollTo(0, 0);
  // On a narrow screen the sections are a row that is wider than it.
  document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (isNews) focusTitle();
}

function sayDone(text: string): void {
  done = text;
  clearTimeout(doneTimer);
  doneTimer = setTimeout(() => {
    done = null;
    update();
  }, DONE_MS);
  update();
}

async function lookForDemo(): Promise<void> {
  try {
    const response = await request("GET", "/demo/members", null);
    const { moderator } = (await response.json()) as { moderator: { id: string } | null };
    demoModerator = moderator?.id ?? null;
    update();
  } catch {
    // There is no demo.
  }
}

addEventListener("hashchange", () => visit(true));
const kept = keptToken.get();
if (kept === null) update();
else enter(kept, false);
void lookForDemo();
