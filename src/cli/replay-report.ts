import { REASONS, type Reason } from "../community/types.js";
import type { Sent } from "./replay-sender.js";

/** Faults that are printed one by one; the summary counts all. */
const MAX_FAULTS_SHOWN = 20;
const BAR_WIDTH = 30;
/** Between two states of the bar, and between two lines where there is no terminal. Milliseconds. */
const BAR_EVERY_MS = 100;
const LINE_EVERY_MS = 5_000;

interface Output {
  isTTY?: boolean;
  write(text: string): unknown;
}

const number = (value: number): string => value.toLocaleString("en");

/** Counts what became of the hooks, and shows it: a bar on a terminal, now and then a line elsewhere. */
export class Report {
  failed = 0;
  #posts = 0;
  #duplicates = 0;
  #known = 0;
  #skipped = 0;
  #retries = 0;
  readonly #reasons = new Map<Reason, number>(REASONS.map((reason) => [reason, 0]));
  readonly #total: number;
  readonly #output: Output;
  readonly #clock: () => number;
  readonly #started: number;
  #shown: number;

  /** @param total how many lines there are to send. */
  constructor(total: number, output: Output, clock: () => number = () => performance.now()) {
    this.#total = total;
    this.#output = output;
    this.#clock = clock;
    this.#started = clock();
    this.#shown = this.#started;
  }

  /** Takes the result of a line into account. */
  add(line: number, sent: Sent): void {
    this.#posts += 1;
    this.#retries += sent.retries;
    if (!sent.ok) this.#fail(line, sent.fault);
    else {
      const { duplicate = false, notified = [], skipped = [] } = sent.answer;
      this.#skipped += skipped.length;
      if (duplicate) {
        this.#duplicates += 1;
        this.#known += notified.length;
      } else for (const { reason } of notified) this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
    }
    this.#show();
  }

  /** The closing summary. `stopped` says why the run ended before the file did, or is null. */
  close(stopped: string | null): void {
    const seconds = (this.#clock() - this.#started) / 1_000;
    const told = [...this.#reasons].filter(([, count]) => count > 0);
    const total = told.reduce((sum, [, count]) => sum + count, 0);
    const rows = [
      ["posts", `${number(this.#posts)} in ${seconds.toFixed(1)} s, ${number(Math.round(this.#posts / Math.max(seconds, 0.001)))}/s`],
      ["notifications", [number(total), ...told.map(([reason, count]) => `${reason} ${number(count)}`)].join("  ")],
      ["duplicates", this.#duplicates === 0 ? "0" : `${number(this.#duplicates)}, with ${number(this.#known)} notifications made before`],
      ["skipped", number(this.#skipped)],
      ["retries", number(this.#retries)],
      ["failures", number(this.failed)],
    ];
    this.#clearBar();
    for (const [name, value] of rows) this.#output.write(`${`${name}:`.padEnd(15)}${value}\n`);
    if (stopped !== null) this.#output.write(`Stopped before the end: ${stopped}\n`);
  }

  #fail(line: number, fault: string): void {
    this.failed += 1;
    if (this.failed > MAX_FAULTS_SHOWN) return;
    this.#clearBar();
    this.#output.write(`line ${line}: ${fault}\n`);
    if (this.failed === MAX_FAULTS_SHOWN) this.#output.write("Further failures are only counted.\n");
  }

  #show(): void {
    const now = this.#clock();
    const isTTY = this.#output.isTTY === true;
    if (now - this.#shown < (isTTY ? BAR_EVERY_MS : LINE_EVERY_MS)) return;
    this.#shown = now;
    const rate = Math.round((this.#posts * 1_000) / (now - this.#started));
    const done = this.#posts / this.#total;
    const state = `${Math.floor(done * 100)} %  ${number(this.#posts)} of ${number(this.#total)} posts  ${number(rate)}/s`;
    const filled = Math.round(done * BAR_WIDTH);
    this.#output.write(isTTY ? `\r[${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}] ${state}\x1b[K` : `${state}\n`);
  }

  #clearBar(): void {
    if (this.#output.isTTY === true) this.#output.write("\r\x1b[K");
  }
}
