// @ts-check
import { onScreen, unreadOf } from "./announcements.js";
import { getMembers } from "./api.js";
import { createBanner } from "./banner.js";
import { createBell } from "./bell.js";
import { createBoard } from "./board.js";
import { openConnection } from "./connection.js";
import { copyOf, fillDisc, find, refreshTimes, say, webAddress } from "./dom.js";
import { openLive } from "./live.js";
import { runningTasks } from "./tasks.js";
import { createThreads } from "./threads.js";
import { createTools } from "./tools.js";

/** Of this tab alone, so that two tabs are two members. */
const SESSION_KEY = "belfry-demo:member";

/** Milliseconds between updates of "5 min ago". */
const TIMES_REFRESH = 30_000;

/** @typedef {import("./api.js").Member} Member */

/**
 * @param {Map<string, Member>} members
 * @param {Member} me
 */
function showForum(members, me) {
  sessionStorage.setItem(SESSION_KEY, me.id);
  find("#sign-in").hidden = true;
  find("#forum").hidden = false;
  find("#member").hidden = false;
  fillDisc(find("#me"), me);
  find("#me-name").textContent = me.name;
  find("#me-tip").textContent = me.name;
  const others = [...members.values()].filter(({ id }) => id !== me.id);
  find("#others").replaceChildren(...others.flatMap((other, index) => (index === 0 ? [linkTo(other)] : [" or ", linkTo(other)])));

  const threads = createThreads(members, me.id);
  const line = find("#connection");
  const bell = createBell({
    members,
    act: (event, payload) => connection.act(event, payload),
    show: async (item) => {
      if (item.comment && (await threads.showComment(item.comment.id))) return true;
      const url = item.comment ? null : webAddress(item.url);
      if (url) window.open(url, "_blank", "noopener");
      return url !== null;
    },
  });
  const banner = createBanner((event, payload) => connection.act(event, payload));
  const board = createBoard(members, me.id);
  const tools = createTools(me.id);
  const connection = openConnection(me.id, ({ inbox, announcements, tasks, status }, before) => {
    bell.draw(inbox, unreadOf(announcements, inbox.settled));
    banner.draw(onScreen(announcements, inbox.settled));
    tools.draw(runningTasks(tasks, inbox.items));
    line.dataset.is = status.is;
    const missed = status.is === "connected" && inbox.live && inbox.missed > 0 ? ` · ${inbox.missed} missed while away, now here` : "";
    if (line.textContent !== status.text + missed) line.textContent = status.text + missed;
    if (inbox.items !== before.inbox.items || (inbox.live && !before.inbox.live)) void threads.refresh();
  });
  const leaveLive = openLive(connection.manager, me.id, board);

  find("#sign-out").onclick = () => {
    sessionStorage.removeItem(SESSION_KEY);
    leaveLive();
    connection.close();
    for (const part of [bell, banner, board, tools, threads]) part.close();
    showSignIn(members);
  };
}

/** @param {Member} member */
function linkTo(member) {
  const link = document.createElement("a");
  link.href = `/?as=${encodeURIComponent(member.id)}`;
  link.target = "_blank";
  // Also keeps the new tab from inheriting this tab's sessionStorage.
  link.rel = "noopener";
  link.textContent = member.name;
  return link;
}

/** @param {Map<string, Member>} members */
function showSignIn(members) {
  find("#forum").hidden = true;
  find("#member").hidden = true;
  find("#sign-in").hidden = false;
  find("#members").replaceChildren(
    ...[...members.values()].map((member) => {
      const item = copyOf("member-template");
      fillDisc(find(".disc", item), member);
      find(".name", item).textContent = member.name;
      find("button", item).addEventListener("click", () => showForum(members, member));
      return item;
    }),
  );
}

/** The member that the address or this tab names. */
function chosenMember() {
  const address = new URL(location.href);
  const asked = address.searchParams.get("as");
  if (asked === null) return sessionStorage.getItem(SESSION_KEY);
  address.searchParams.delete("as");
  history.replaceState(null, "", address);
  return asked;
}

async function start() {
  try {
    const members = new Map((await getMembers()).map((member) => [member.id, member]));
    const me = members.get(chosenMember() ?? "");
    if (me) showForum(members, me);
    else showSignIn(members);
  } catch (error) {
    say(find("#page-notice"), `${/** @type {Error} */ (error).message} Reload the page to try again.`);
  }
  setInterval(refreshTimes, TIMES_REFRESH);
}

await start();
