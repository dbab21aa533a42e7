// @ts-check
import { getThreads, postComment } from "./api.js";
import { copyOf, fillDisc, fillTime, find, keepsStill, say } from "./dom.js";

/**
 * @typedef {import("./api.js").Member} Member
 * @typedef {import("./api.js").Comment} Comment
 * @typedef {import("./api.js").Thread} Thread
 */

/** Milliseconds between looks at the forum while the page is visible; the bell does not wait for them. */
const POLL = 3_000;

/**
 * The threads, kept in step with the service without touching a box that somebody is writing in.
 * @param {Map<string, Member>} members
 * @param {string} me
 */
export function createThreads(members, me) {
  const root = find("#threads");
  const notice = find("#page-notice");
  /** @type {Map<string, HTMLElement>} */
  const threadElements = new Map();
  /** @type {Map<string, HTMLElement>} */
  const commentElements = new Map();
  /** @type {Map<string, Comment>} */
  const comments = new Map();
  /** @type {Promise<void> | null} */
  let loading = null;
  let closed = false;

  /** @param {string} id */
  const memberOf = (id) => members.get(id) ?? { id, name: id, colour: "" };

  /** @param {HTMLElement} post @param {{ author: string, text: string, at: string }} content */
  function fillPost(post, { author, text, at }) {
    fillDisc(find(".disc", post), memberOf(author));
    find(".by strong", post).textContent = memberOf(author).name;
    fillTime(find("time", post), at);
    fillText(find(".text", post), text);
  }

  /**
   * The text, with the members called by `@name` in it set apart.
   * @param {HTMLElement} place @param {string} text
   */
  function fillText(place, text) {
    const names = new Set([...members.values()].map(({ name }) => `@${name.toLowerCase()}`));
    for (const part of text.split(/((?<![\p{L}\p{N}_])@[\p{L}\p{N}_]+)/u)) {
      if (!names.has(part.toLowerCase())) {
        place.append(part);
        continue;
      }
      const name = document.createElement("b");
      name.className = part.slice(1).toLowerCase() === memberOf(me).name.toLowerCase() ? "mention me" : "mention";
      name.textContent = part;
      place.append(name);
    }
  }

  /** @param {Thread} thread */
  function threadElement(thread) {
    const element = copyOf("thread-template");
    element.id = `thread-${thread.id}`;
    find("h2", element).textContent = thread.title;
    fillPost(find(".post", element), thread);
    const others = [...members.values()].filter(({ id }) => id !== me).map(({ name }) => `@${name}`);
    find(".hint", element).textContent = `Write ${others.join(" or ")} to call somebody.`;
    connectForm(element, thread);
    return element;
  }

  /** @param {HTMLElement} element @param {Thread} thread */
  function connectForm(element, thread) {
    const form = /** @type {HTMLFormElement} */ (find("form", element));
    const box = /** @type {HTMLTextAreaElement} */ (find("textarea", form));
    const send = /** @type {HTMLButtonElement} */ (find("button[type=submit]", form));
    const problem = find(".notice", form);
    box.setAttribute("aria-label", `Comment on ${thread.title}`);
    box.addEventListener("focus", () => form.classList.add("open"));
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    find(".replying button", form).addEventListener("click", () => {
      answer(form, null);
      box.focus();
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (box.value.trim() === "" || send.disabled) return;
      send.disabled = true;
      say(problem, "");
      try {
        await postComment(me, thread.id, box.value, form.dataset.parent ?? null);
        box.value = "";
        answer(form, null);
        await refresh();
      } catch (error) {
        say(problem, /** @type {Error} */ (error).message);
      } finally {
        send.disabled = false;
      }
    });
  }

  /** Says in the form whom the comment will answer. @param {HTMLElement} form @param {Comment | null} comment */
  function answer(form, comment) {
    if (comment === null) delete form.dataset.parent;
    else form.dataset.parent = comment.id;
    find(".replying", form).hidden = comment === null;
    find(".replying span", form).textContent = comment === null ? "" : `Replying to ${memberOf(comment.author).name}`;
  }

  /** @param {Comment} comment @param {HTMLElement} form */
  function commentElement(comment, form) {
    const element = copyOf("comment-template");
    element.id = `comment-${comment.id}`;
    fillPost(element, comment);
    const parent = comment.parent === null ? undefined : comments.get(comment.parent);
    say(find(".to", element), parent ? `to ${memberOf(parent.author).name}` : "");
    find(".reply", element).setAttribute("aria-label", `Reply to ${memberOf(comment.author).name}`);
    find(".reply", element).addEventListener("click", () => {
      answer(form, comment);
      find("textarea", form).focus();
    });
    return element;
  }

  /** @param {Thread[]} threads */
  function draw(threads) {
    const first = threadElements.size === 0;
    for (const thread of threads) {
      let element = threadElements.get(thread.id);
      if (!element) {
        element = threadElement(thread);
        threadElements.set(thread.id, element);
        root.append(element);
      }
      drawComments(element, thread, first);
    }
    const kept = new Set(threads.flatMap((thread) => thread.comments.map(({ id }) => id)));
    for (const [id, element] of commentElements) {
      if (kept.has(id)) continue;
      element.remove();
      commentElements.delete(id);
      comments.delete(id);
    }
  }

  /** @param {HTMLElement} element @param {Thread} thread @param {boolean} first */
  function drawComments(element, thread, first) {
    for (const comment of thread.comments) {
      if (commentElements.has(comment.id)) continue;
      comments.set(comment.id, comment);
      const line = commentElement(comment, find("form", element));
      if (!first && comment.author !== me) line.classList.add("fresh");
      commentElements.set(comment.id, line);
      find(".comments", element).append(line);
    }
  }

  /** Looks at the forum now; calls that come together share one look. */
  function refresh() {
    loading ??= getThreads()
      .then((threads) => {
        if (closed) return;
        draw(threads);
        say(notice, "");
      })
      .catch((error) => {
        if (!closed && threadElements.size === 0) say(notice, `The forum cannot be shown. ${error.message}`);
      })
      .finally(() => {
        loading = null;
      });
    return loading;
  }

  const poll = setInterval(() => {
    if (document.visibilityState === "visible") void refresh();
  }, POLL);
  void refresh();

  return {
    refresh,

    /**
     * Scrolls to a comment and marks it for a moment.
     * @param {string} id
     * @returns {Promise<boolean>} false: it is not there
     */
    async showComment(id) {
      if (!commentElements.has(id)) await refresh();
      const element = commentElements.get(id);
      if (!element) return false;
      element.classList.remove("hit");
      element.scrollIntoView({ block: "center", behavior: keepsStill() ? "auto" : "smooth" });
      element.focus({ preventScroll: true });
      element.classList.add("hit");
      return true;
    },

    close() {
      closed = true;
      clearInterval(poll);
      root.replaceChildren();
    },
  };
}
