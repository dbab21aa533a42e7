import { elementScroll, observeElementOffset, observeElementRect, type VirtualItem, Virtualizer } from "@tanstack/virtual-core";
import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Rows beyond the edges that are there already when they are scrolled to. */
const OVERSCAN = 4;

/** Pixels of a row before it was measured: a sentence, an excerpt of one line and the time. */
const ESTIMATE = 92;

/** So far from the top, somebody reads there: what comes on top must not push it away. */
const AT_TOP = 8;

/** Keeps only those rows in the document that are seen, and the one that has the focus. */
export class VirtualList implements ReactiveController {
  readonly #virtualizer: Virtualizer<HTMLElement, HTMLElement>;
  readonly #host: ReactiveControllerHost;
  readonly #scroller: () => HTMLElement | null;
  #keys: readonly string[] = [];
  #kept = -1;
  #leave: (() => void) | null = null;

  /** @param scroller the element that scrolls, once it is there; its rows carry `data-index` */
  constructor(host: ReactiveControllerHost, scroller: () => HTMLElement | null) {
    this.#host = host;
    this.#scroller = scroller;
    this.#virtualizer = new Virtualizer(this.#options());
    host.addController(this);
  }

  /** The rows there are now, by keys, and the index of the one to keep wherever it is; −1: none. */
  setRows(keys: readonly string[], kept: number): void {
    this.#keys = keys;
    this.#kept = kept;
    this.#virtualizer.setOptions(this.#options());
  }

  /** The rows to draw, and the height of all together in pixels. */
  get drawn(): { items: readonly VirtualItem[]; height: number } {
    return { items: this.#virtualizer.getVirtualItems(), height: this.#virtualizer.getTotalSize() };
  }

  scrollTo(index: number): void {
    this.#virtualizer.scrollToIndex(index, { align: "auto" });
  }

  toTop(): void {
    this.#virtualizer.scrollToOffset(0);
  }

  hostConnected(): void {
    this.#leave = this.#virtualizer._didMount();
  }

  hostUpdated(): void {
    this.#virtualizer._willUpdate();
    const { elementsCache } = this.#virtualizer;
    for (const row of this.#scroller()?.querySelectorAll<HTMLElement>("[data-index]") ?? []) {
      const key = this.#keys[Number(row.dataset.index)];
      if (key !== undefined && elementsCache.get(key) !== row) this.#virtualizer.measureElement(row);
    }
    this.#virtualizer.measureElement(null);
  }

  hostDisconnected(): void {
    this.#leave?.();
    this.#leave = null;
  }

  #options(): ConstructorParameters<typeof Virtualizer<HTMLElement, HTMLElement>>[0] {
    const keys = this.#keys;
    const kept = this.#kept;
    return {
      count: keys.length,
      getScrollElement: this.#scroller,
      estimateSize: () => ESTIMATE,
      getItemKey: (index) => keys[index] ?? index,
      overscan: OVERSCAN,
      anchorTo: (this.#scroller()?.scrollTop ?? 0) > AT_TOP ? "end" : "start",
      rangeExtractor: ({ startIndex, endIndex, overscan, count }) => {
        const indexes = new Set<number>();
        for (let i = Math.max(0, startIndex - overscan); i <= Math.min(count - 1, endIndex + overscan); i++) indexes.add(i);
        if (kept >= 0 && kept < count) indexes.add(kept);
        return [...indexes].sort((a, b) => a - b);
      },
      scrollToFn: elementScroll,
      observeElementRect,
      observeElementOffset,
      onChange: () => void this.#host.updateComplete.then(() => this.#host.requestUpdate()),
    };
  }
}
