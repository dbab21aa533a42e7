/**
 * The page with two members side by side. Each is a page of its own in a frame, with a network of its own, as on two devices. Where there is
 * no room for both, one is shown at a time, and the tab of the other tells that its bell has rung.
 */

import { hasModerator } from "./api.js";

/** What a member's page says of itself. */
interface Word {
  readonly belfry: "unread";
  readonly member: string;
  readonly name: string;
  readonly unread: number;
}

interface Side {
  readonly tab: HTMLElement;
  readonly pane: HTMLElement;
  readonly frame: HTMLIFrameElement;
}

function find<Found extends HTMLElement>(selector: string, within: ParentNode = document): Found {
  const found = within.querySelector<Found>(selector);
  if (found === null) throw new Error(`There is no ${selector}.`);
  return found;
}

const sides: readonly Side[] = ["left", "right"].map((name) => {
  const pane = find(`#${name}`);
  return { pane, tab: find(`#tab-${name}`), frame: find<HTMLIFrameElement>("iframe", pane) };
});

function choose(chosen: Side): void {
  for (const side of sides) {
    const isChosen = side === chosen;
    side.tab.setAttribute("aria-selected", String(isChosen));
    side.tab.tabIndex = isChosen ? 0 : -1;
    side.pane.classList.toggle("chosen", isChosen);
  }
}

function tell(side: Side, { name, unread }: Word): void {
  find(".name", side.tab).textContent = name;
  const count = find(".count", side.tab);
  count.hidden = unread === 0;
  count.textContent = unread > 99 ? "99+" : String(unread);
  count.setAttribute("aria-label", `${unread} unread`);
  side.pane.setAttribute("aria-label", `${name}’s side`);
  side.frame.title = `${name}’s page`;
}

for (const [index, side] of sides.entries()) {
  side.tab.addEventListener("click", () => choose(side));
  side.tab.addEventListener("keydown", ({ key }) => {
    const other = sides[1 - index];
    if (other === undefined || (key !== "ArrowLeft" && key !== "ArrowRight")) return;
    choose(other);
    other.tab.focus();
  });
}

addEventListener("message", ({ origin, source, data }: MessageEvent<Word>) => {
  const side = sides.find(({ frame }) => frame.contentWindow === source);
  if (origin === location.origin && side !== undefined && data.belfry === "unread") tell(side, data);
});

const [first] = sides;
if (first !== undefined) choose(first);

/** A way that ends in a refusal is not shown: where real members are, nobody is the moderator by a click. */
async function showModeratorsWay(): Promise<void> {
  find("#announce").hidden = !(await hasModerator());
}

// Where it cannot be asked, the members' pages say so.
showModeratorsWay().catch(() => {});
