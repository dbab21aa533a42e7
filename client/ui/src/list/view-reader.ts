/** Milliseconds that a row must be visible before it counts as read: long enough to have read it, too long to scroll past it. */
const READ_AFTER_MS = 1_500;

/** How much of a row must be visible. */
const VISIBLE = 0.7;

/** How often it is looked whether somebody is there. Milliseconds. */
const LOOK_MS = 250;

/**
 * Tells which rows have really been seen: visible for a while, on a page that is in front. The time starts anew when the page was left.
 */
export class ViewReader {
  readonly #visible = new Map<Element, number>();
  readonly #done: (rows: Element[]) => void;
  #observer: IntersectionObserver | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  #watched = new Set<Element>();

  /** @param done gets the rows whose time has come; each again only after it was watched anew */
  constructor(done: (rows: Element[]) => void) {
    this.#done = done;
  }

  /** Watches these rows of a scroller, and no others. */
  watch(scroller: Element, rows: Iterable<Element>): void {
    if (this.#observer?.root !== scroller) {
      this.stop();
      this.#observer = new IntersectionObserver((changes) => this.#take(changes), { root: scroller, threshold: [0, VISIBLE] });
      this.#timer = setInterval(() => this.#look(), LOOK_MS);
    }
    const wanted = new Set(rows);
    for (const row of this.#watched) if (!wanted.has(row)) this.#forget(row);
    for (const row of wanted) if (!this.#watched.has(row)) this.#observer.observe(row);
    this.#watched = wanted;
  }

  stop(): void {
    this.#observer?.disconnect();
    this.#observer = null;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#watched = new Set();
    this.#visible.clear();
  }

  #take(changes: IntersectionObserverEntry[]): void {
    for (const { target, intersectionRatio } of changes) {
      if (intersectionRatio < VISIBLE) this.#visible.delete(target);
      else if (!this.#visible.has(target)) this.#visible.set(target, performance.now());
    }
  }

  #look(): void {
    const now = performance.now();
    if (document.visibilityState !== "visible" || !document.hasFocus()) {
      for (const row of this.#visible.keys()) this.#visible.set(row, now);
      return;
    }
    const seen = [...this.#visible].filter(([, since]) => now - since >= READ_AFTER_MS).map(([row]) => row);
    if (seen.length === 0) return;
    for (const row of seen) this.#forget(row);
    this.#done(seen);
  }

  #forget(row: Element): void {
    this.#observer?.unobserve(row);
    this.#watched.delete(row);
    this.#visible.delete(row);
  }
}
