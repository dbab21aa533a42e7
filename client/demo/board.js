// @ts-check
import { copyOf, fillDisc, find, keepsStill, say } from "./dom.js";
import { rowsOf } from "./leaderboard.js";

/** Milliseconds for a line to reach its new place. */
const MOVE = 600;

/**
 * The leaderboard. Its lines stay what they are and glide to their places when ranks change.
 * @param {Map<string, import("./api.js").Member>} members
 * @param {string} me
 */
export function createBoard(members, me) {
  const list = find("#board");
  /** @type {Map<string, HTMLElement>} */
  const lines = new Map();

  /** @param {import("./leaderboard.js").Row} row */
  function lineOf({ id, name, comments, rank, share }) {
    const line = lines.get(id) ?? copyOf("rank-template");
    lines.set(id, line);
    const count = find(".count", line);
    const isNew = count.textContent === "";
    const isMore = !isNew && Number(count.textContent) < comments;
    find(".rank", line).textContent = String(rank);
    fillDisc(find(".disc", line), { name, ...members.get(id) });
    find(".name", line).textContent = name;
    count.textContent = String(comments);
    find(".unit", line).textContent = comments === 1 ? " comment" : " comments";
    line.style.setProperty("--share", String(share));
    line.style.setProperty("--who", members.get(id)?.colour ?? "");
    line.classList.toggle("me", id === me);
    if (isMore && !keepsStill())
      count.animate([{ scale: 1.5, color: "var(--bell)" }, { scale: 1 }], { duration: MOVE, easing: "ease-out" });
    return line;
  }

  return {
    /** @param {unknown} data the topic's value */
    onBoard(data) {
      const rows = rowsOf(data);
      // Where they are seen now, also in the middle of a movement, so that nothing jumps.
      const before = new Map([...lines].map(([id, line]) => [id, line.getBoundingClientRect().top]));
      for (const [id, line] of lines) {
        if (rows.some((row) => row.id === id)) continue;
        line.remove();
        lines.delete(id);
      }
      list.append(...rows.map(lineOf));
      if (keepsStill()) return;
      for (const [id, line] of lines) {
        for (const animation of line.getAnimations()) animation.cancel();
        const from = before.get(id);
        const way = from === undefined ? 0 : from - line.getBoundingClientRect().top;
        if (Math.abs(way) < 1) continue;
        // Who rises passes in front.
        line.classList.toggle("rising", way > 0);
        line.animate([{ translate: `0 ${way}px` }, { translate: "0 0" }], { duration: MOVE, easing: "cubic-bezier(0.3, 0.9, 0.3, 1)" });
      }
    },

    /** @param {number | null} users */
    onOnline(users) {
      say(find("#online"), users === null ? "" : users === 1 ? "1 member online" : `${users} members online`);
    },

    close() {
      list.replaceChildren();
      lines.clear();
    },
  };
}
