import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Row } from "./rows.js";
import type { VirtualList } from "./virtual.js";

/** What the keys of a list move by. */
const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 6,
  PageUp: -6,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/**
 * The way through the list by keys: one row at a time is reached by Tab, arrows go from row to row, and who stands on a row that goes away
 * stands on its neighbour.
 */
export class Roving implements ReactiveController {
  readonly #host: ReactiveControllerHost & { readonly renderRoot: HTMLElement | DocumentFragment };
  readonly #list: VirtualList;
  #rows: readonly Row[] = [];
  #key: string | null = null;
  #index = 0;
  /** The control of a row that had the focus before the update; null: the focus was elsewhere. */
  #control: string | null = null;
  /** Set where the focus is to move to the active row. */
  #moves = false;

  constructor(host: ReactiveControllerHost & { readonly renderRoot: HTMLElement | DocumentFragment }, list: VirtualList) {
    this.#host = host;
    this.#list = list;
    host.addController(this);
  }

  /** Takes the rows that are drawn next. @returns the index of the active one, −1 where there is none */
  setRows(rows: readonly Row[]): number {
    this.#rows = rows;
    this.#control = this.#focusedControl();
    const index = this.#key === null ? -1 : rows.findIndex(({ key }) => key === this.#key);
    if (index >= 0) this.#index = index;
    else {
      // It went away: its neighbour takes its place, or the first row where nobody stands there.
      this.#index = this.#control === null ? 0 : Math.max(0, Math.min(this.#index, rows.length - 1));
      this.#key = rows[this.#index]?.key ?? null;
    }
    return rows.length === 0 ? -1 : this.#index;
  }

  readonly onKeydown = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey || this.#rows.length === 0) return;
    event.preventDefault();
    this.#go(Math.max(0, Math.min(this.#rows.length - 1, this.#index + step)));
  };

  readonly onFocusin = (event: FocusEvent): void => {
    const row = rowAt(event.target);
    if (row === null) return;
    const { key, index } = row.dataset;
    if (key === undefined || key === this.#key) return;
    this.#key = key;
    this.#index = Number(index);
    this.#host.requestUpdate();
  };

  /** Puts the focus on the first row. @returns whether there is one */
  enter(): boolean {
    if (this.#rows.length === 0) return false;
    this.#go(this.#index);
    return true;
  }

  hostUpdated(): void {
    if (this.#control === null && !this.#moves) return;
    const root = this.#host.renderRoot;
    const focused = root instanceof ShadowRoot ? root.activeElement : null;
    const row = root.querySelector<HTMLElement>(`li[data-index="${this.#index}"]`);
    const stands = focused !== null && rowAt(focused) === row;
    if (this.#moves || !stands) {
      const control = this.#moves || this.#control === "main" ? null : row?.querySelector<HTMLElement>(`[data-tool="${this.#control}"]`);
      const target = control ?? row?.querySelector<HTMLElement>(".main") ?? root.querySelector<HTMLElement>("[data-rest]");
      target?.focus({ preventScroll: true });
    }
    this.#moves = false;
  }

  #focusedControl(): string | null {
    const root = this.#host.renderRoot;
    const focused = root instanceof ShadowRoot ? root.activeElement : null;
    if (!(focused instanceof HTMLElement) || rowAt(focused) === null) return null;
    return focused.dataset.tool ?? "main";
  }

  #go(index: number): void {
    this.#index = index;
    this.#key = this.#rows[index]?.key ?? null;
    this.#moves = true;
    this.#list.scrollTo(index);
    this.#host.requestUpdate();
  }
}

function rowAt(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>("li[data-key]") : null;
}
