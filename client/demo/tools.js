// @ts-check
import { announce } from "./announce.js";
import { startExport } from "./api.js";
import { copyOf, find, say } from "./dom.js";

/**
 * What else can be tried: a long task, and an announcement.
 * @param {string} me
 */
export function createTools(me) {
  const list = find("#tasks");
  const problem = find("#export-problem");
  /** @type {Map<string, HTMLElement>} */
  const bars = new Map();
  const abort = new AbortController();
  connectAnnouncing(abort.signal);

  find("#export").addEventListener(
    "click",
    async () => {
      say(problem, "");
      // Once more while one runs is that one again, so nothing has to be locked meanwhile.
      await startExport(me).catch((error) => say(problem, error.message));
    },
    { signal: abort.signal },
  );

  /** @param {import("./tasks.js").Progress} progress */
  function fill({ task, title, step, percent }) {
    const item = bars.get(task) ?? copyOf("task-template");
    if (!bars.has(task)) list.append(item);
    bars.set(task, item);
    const bar = /** @type {HTMLProgressElement} */ (find("progress", item));
    const name = title ?? "A task";
    find(".title", item).textContent = name;
    bar.setAttribute("aria-label", name);
    if (percent === undefined) bar.removeAttribute("value");
    else bar.value = percent;
    say(find(".percent", item), percent === undefined ? "" : `${Math.round(percent)} %`);
    say(find(".step", item), step ?? "");
  }

  return {
    /** @param {readonly import("./tasks.js").Progress[]} tasks those that run */
    draw(tasks) {
      const kept = new Set(tasks.map(({ task }) => task));
      for (const [task, item] of bars) {
        if (kept.has(task)) continue;
        item.remove();
        bars.delete(task);
      }
      tasks.forEach(fill);
    },

    close() {
      abort.abort();
      list.replaceChildren();
      bars.clear();
    },
  };
}

/** @param {AbortSignal} signal takes the form out of use */
function connectAnnouncing(signal) {
  const drawer = /** @type {HTMLDetailsElement} */ (find("#announcing"));
  const form = /** @type {HTMLFormElement} */ (find("form", drawer));
  const send = /** @type {HTMLButtonElement} */ (find("button", form));
  const problem = find(".notice", form);
  /** Of the draft; a new one for the next. */
  let key = newKey();

  form.addEventListener(
    "input",
    () => {
      key = newKey();
    },
    { signal },
  );
  form.addEventListener(
    "submit",
    async (event) => {
      event.preventDefault();
      if (send.disabled) return;
      send.disabled = true;
      say(problem, "");
      const given = new FormData(form);
      try {
        await announce({
          title: String(given.get("title")).trim(),
          text: String(given.get("text")).trim(),
          level: String(given.get("level")),
          mandatory: given.has("mandatory"),
          key,
        });
        form.reset();
        key = newKey();
        drawer.open = false;
        find("summary", drawer).focus();
      } catch (error) {
        say(problem, /** @type {Error} */ (error).message);
      } finally {
        send.disabled = false;
      }
    },
    { signal },
  );
}

/** Not `randomUUID`, which a page that was opened over plain HTTP by another name than localhost does not have. */
function newKey() {
  return `demo-${[...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("")}`;
}
