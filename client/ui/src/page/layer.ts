/** Pixels between what floats and the window's edges. */
const MARGIN = 8;

/** Pixels: a narrower window has the panel from edge to edge. */
const NARROW = 480;

/** Pixels of a panel that has all the room it wants. */
const WIDTH = 408;
const HEIGHT = 640;

/** Pixels between the bell and its panel. */
const GAP = 8;

/** Puts an element with `popover="manual"` above everything else; where the browser has no such layer, its `z-index` does. */
export function raise(element: HTMLElement): void {
  if (typeof element.showPopover === "function" && element.isConnected && !element.matches(":popover-open")) element.showPopover();
}

/** Takes it down again. */
export function lower(element: HTMLElement): void {
  if (typeof element.hidePopover === "function" && element.isConnected && element.matches(":popover-open")) element.hidePopover();
}

/** Places a panel at its bell: where there is room, and never beyond the window. */
export function placeAt(panel: HTMLElement, bell: Element): void {
  const at = bell.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  const height = window.innerHeight;
  const below = height - at.bottom - GAP - MARGIN;
  const above = at.top - GAP - MARGIN;
  const isBelow = below >= Math.min(HEIGHT, 360) || below >= above;
  const isNarrow = width < NARROW;
  const panelHeight = Math.max(Math.min(HEIGHT, isBelow ? below : above), Math.min(240, height - 2 * MARGIN));
  const panelWidth = isNarrow ? width - 2 * MARGIN : Math.min(WIDTH, width - 2 * MARGIN);
  const isAtRight = at.left + at.width / 2 > width / 2;
  const left = isNarrow ? MARGIN : isAtRight ? at.right - panelWidth : at.left;
  const top = isBelow ? at.bottom + GAP : at.top - GAP - panelHeight;
  Object.assign(panel.style, {
    inlineSize: `${panelWidth}px`,
    blockSize: `${panelHeight}px`,
    left: `${Math.max(MARGIN, Math.min(left, width - panelWidth - MARGIN))}px`,
    top: `${Math.max(MARGIN, Math.min(top, height - panelHeight - MARGIN))}px`,
  });
}

/** Places what floats over the page: below a bell that stands at the window's top, so that it can still be reached, else at the top. */
export function placeBelow(floating: HTMLElement, bell: Element): void {
  const { top, bottom } = bell.getBoundingClientRect();
  const isAtTop = bottom > 0 && top < window.innerHeight / 4;
  floating.style.top = `${isAtTop ? Math.max(bottom + GAP, MARGIN) : MARGIN}px`;
}
