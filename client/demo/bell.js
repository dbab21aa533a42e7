// @ts-check
import { copyOf, fillDisc, fillTime, find, say } from "./dom.js";
import { countsInWords, sentenceOf } from "./words.js";

/**
 * @typedef {import("./api.js").Member} Member
 * @typedef {import("./inbox.js").Inbox} Inbox
 * @typedef {import("./inbox.js").Notification} Notification
 */

const bell = find("#bell");
const panel = find("#panel");
const badge = find("#badge");
const list = find("#notifications");

/**
 * The bell in the header and the panel under it.
 * @param {object} options
 * @param {Map<string, Member>} options.members
 * @param {(event: string, payload: object) => Promise<void>} options.act sends a mark
 * @param {(item: Notification) => Promise<boolean>} options.show shows what a notification is about; false: it is not there any more
 */
export function createBell({ members, act, show }) {
  /** @param {boolean} open */
  function setOpen(open) {
    panel.hidden = !open;
    bell.setAttribute("aria-expanded", String(open));
    if (open) panel.focus();
    else say(find("#panel-notice"), "");
  }

  /** @param {string} event @param {object} payload */
  function mark(event, payload) {
    say(find("#panel-notice"), "");
    act(event, payload).catch((error) => say(find("#panel-notice"), error.message));
  }

  /** @param {Notification} item */
  async function choose(item) {
    if (item.readAt === null) mark("read", { ids: [item.id] });
    if (await show(item)) setOpen(false);
    else if (item.comment) say(find("#panel-notice"), "That comment is not in the forum any more.");
  }

  /** @param {Notification} item */
  function lineOf(item) {
    const line = copyOf("notification-template");
    const { who, says, where, mark: ending } = sentenceOf(item);
    const disc = find(".disc", line);
    fillDisc(disc, { name: who, ...members.get(item.actor?.id ?? "") });
    if (ending !== undefined) {
      disc.textContent = ending === "done" ? "✓" : "!";
      disc.classList.add(ending);
    }
    const sentence = find(".sentence", line);
    const subject = document.createElement("strong");
    subject.textContent = who;
    sentence.append(subject, ` ${says} `);
    if (where !== undefined) {
      const thread = document.createElement("em");
      thread.textContent = where;
      sentence.append(thread);
    }
    say(find(".excerpt", line), item.text ?? "");
    fillTime(find("time", line), item.createdAt);
    find(".dot", line).hidden = item.readAt !== null;
    line.classList.toggle("unread", item.readAt === null);
    find("button", line).addEventListener("click", () => choose(item));
    return line;
  }

  const abort = new AbortController();
  const { signal } = abort;
  bell.addEventListener("click", () => setOpen(bell.getAttribute("aria-expanded") !== "true"), { signal });
  find("#read-all").addEventListener("click", () => mark("read_all", {}), { signal });
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape" || panel.hidden) return;
      setOpen(false);
      bell.focus();
    },
    { signal },
  );
  document.addEventListener(
    "click",
    (event) => {
      const path = event.composedPath();
      if (!panel.hidden && !path.includes(panel) && !path.includes(bell)) setOpen(false);
    },
    { signal },
  );

  /** @type {Notification[] | null} */
  let drawn = null;

  return {
    /** @param {Inbox} inbox @param {number} announcements how many are not settled: they count too */
    draw(inbox, announcements) {
      const unread = inbox.unread + announcements;
      const words = countsInWords(inbox.unread, announcements);
      const before = badge.hidden ? 0 : Number(badge.dataset.count);
      badge.textContent = unread > 99 ? "99+" : String(unread);
      badge.dataset.count = String(unread);
      badge.hidden = unread === 0;
      bell.setAttribute("aria-label", `Notifications, ${unread} unread`);
      if (find("#count").textContent !== words) find("#count").textContent = words;
      document.title = unread > 0 ? `(${unread}) Belfry` : "Belfry";
      if (unread > before && inbox.live) ring();
      /** @type {HTMLButtonElement} */ (find("#read-all")).disabled = inbox.unread === 0;
      const above = announcements === 1 ? "1 announcement" : `${announcements} announcements`;
      say(find("#panel-announcements"), announcements === 0 ? "" : `${above} at the top of the page`);

      if (drawn === inbox.items) return;
      drawn = inbox.items;
      const shown = inbox.items.filter((item) => item.archivedAt === null);
      // Drawn anew each time: two hundred short lines cost less than keeping them in step would. The focus is put back.
      const focused = document.activeElement?.closest("li")?.dataset.id;
      list.replaceChildren(
        ...shown.map((item) => {
          const line = lineOf(item);
          line.dataset.id = item.id;
          return line;
        }),
      );
      if (focused !== undefined) {
        const again = list.querySelector(`li[data-id="${CSS.escape(focused)}"] button`);
        if (again instanceof HTMLElement) again.focus();
      }
      say(find("#panel-end"), shown.length === 0 ? "Nothing yet. When somebody replies to you or calls you by @name, it is here." : "");
    },

    /** Forgets the member: nothing of one inbox is shown in another. */
    close() {
      abort.abort();
      setOpen(false);
      list.replaceChildren();
      badge.hidden = true;
      document.title = "Belfry";
    },
  };
}

function ring() {
  bell.classList.remove("ringing");
  // Reading a size makes the browser see the class gone, so that the animation starts again.
  void bell.offsetWidth;
  bell.classList.add("ringing");
}
