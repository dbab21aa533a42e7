import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Refusal } from "../../../client/console/refusal.js";
import { Rows } from "../../../client/console/rows.js";
import type { Listing } from "../../../client/console/shapes.js";

/** Rows of a page. */
const PAGE = 3;

/** A log of numbers that grows at its head, read newest first, whose further pages come when the test says so. */
class Log {
  head: number;
  readonly asked: string[] = [];
  readonly #waiting: Array<() => void> = [];
  readonly rows = new Rows<number>({
    idOf: String,
    load: (after) => {
      this.asked.push(after);
      return new Promise((resolve, reject) => {
        this.#waiting.push(() => (this.away ? reject(new Refusal("unreachable", "away")) : resolve(this.page(Number(after)))));
      });
    },
    changed: () => {},
  });
  away = false;

  constructor(head: number) {
    this.head = head;
    this.rows.first(this.page());
  }

  page(before = this.head + 1): Listing<number> {
    const items = Array.from({ length: Math.min(PAGE, before - 1) }, (_, index) => before - 1 - index);
    return { items, more: before - 1 > PAGE };
  }

  async answer(): Promise<void> {
    for (const go of this.#waiting.splice(0)) go();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async readOn(): Promise<void> {
    void this.rows.readOn();
    await this.answer();
  }
}

const countdown = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, index) => from - index);

describe("a list of the console", () => {
  it("has each further page once, however often it is asked for", async () => {
    const log = new Log(8);
    for (let n = 0; n < 3; n++) void log.rows.readOn();
    await log.answer();
    expect([log.asked, log.rows.items, log.rows.more]).toEqual([["6"], countdown(8, 3), true]);
    await log.readOn();
    expect([log.rows.items, log.rows.more]).toEqual([countdown(8, 1), false]);
  });

  it("loses no row between its first page and what follows when there are new ones", async () => {
    const log = new Log(8);
    await log.readOn();
    log.head = 10;
    log.rows.first(log.page());
    expect(log.rows.items).toEqual(countdown(10, 3));
  });

  it("loses none either where the new ones come while a further page is on its way", async () => {
    const log = new Log(8);
    void log.rows.readOn();
    log.head = 10;
    log.rows.first(log.page());
    await log.answer();
    expect(log.rows.items).toEqual(countdown(10, 3));
  });

  it("begins anew where so much is new that the two do not meet, and takes nothing of what was on its way", async () => {
    const log = new Log(8);
    await log.readOn();
    void log.rows.readOn();
    log.head = 20;
    log.rows.first(log.page());
    await log.answer();
    expect([log.rows.items, log.rows.more]).toEqual([countdown(20, 18), true]);
    await log.readOn();
    expect(log.rows.items).toEqual(countdown(20, 15));
  });

  it("is always the newest rows, each once and with none left out, whatever happens in which order", async () => {
    const step = fc.oneof(
      fc.record({ does: fc.constant("grow" as const), by: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ does: fc.constantFrom("poll" as const, "more" as const, "answer" as const, "fail" as const, "told" as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 12 }), fc.array(step, { maxLength: 30 }), async (head, steps) => {
        const log = new Log(head);
        for (const one of steps) {
          if (one.does === "grow") log.head += one.by;
          if (one.does === "poll") log.rows.first(log.page());
          if (one.does === "more") void log.rows.readOn();
          if (one.does === "answer" || one.does === "fail") {
            log.away = one.does === "fail";
            await log.answer();
          }
          // Rows are told one by one, and none is missed while one is connected.
          if (one.does === "told" && (log.rows.items[0] ?? 0) === log.head) log.rows.prepend(++log.head, 5);
          const { items, more } = log.rows;
          const top = items[0] ?? 0;
          expect(items).toEqual(countdown(top, top - items.length + 1));
          if (!more) expect(items).toHaveLength(top);
        }
      }),
    );
  });

  it("follows its first page in everything while there is no more of it", () => {
    const rows = new Rows<string>({ idOf: String, load: async () => ({ items: [], more: false }), changed: () => {} });
    rows.first({ items: ["ada", "bruno"], more: true });
    rows.first({ items: ["ada", "chidi"], more: true });
    expect(rows.items).toEqual(["ada", "chidi"]);
    expect(rows.isExtended).toBe(false);
  });

  it("says why a page could not be had, until it is asked for again", async () => {
    const log = new Log(8);
    log.away = true;
    await log.readOn();
    expect([log.rows.failure?.code, log.rows.items, log.rows.more]).toEqual(["unreachable", countdown(8, 6), true]);
    log.away = false;
    await log.readOn();
    expect([log.rows.failure, log.rows.items]).toEqual([null, countdown(8, 3)]);
  });

  it("goes on where a search stopped, also where nothing was found so far", async () => {
    const asked: string[] = [];
    const pages: Array<Listing<string>> = [
      { items: [], more: true, next: "700" },
      { items: ["650"], more: true },
      { items: [], more: false },
    ];
    const load = async (after: string) => {
      asked.push(after);
      return pages.shift() ?? { items: [], more: false };
    };
    const rows = new Rows<string>({ idOf: String, load, changed: () => {} });
    rows.first({ items: [], more: true, next: "900" });
    for (let n = 0; n < 3; n++) await rows.readOn();
    expect([asked, rows.items, rows.more]).toEqual([["900", "700", "650"], ["650"], false]);
  });

  it("keeps as many of what it is told as it may, and can be read on behind them", async () => {
    const log = new Log(5);
    await log.readOn();
    for (let n = 0; n < 4; n++) log.rows.prepend(++log.head, 6);
    expect(log.rows.prepend(log.head, 6)).toBe(false);
    expect([log.rows.items, log.rows.more]).toEqual([countdown(9, 4), true]);
    await log.readOn();
    expect([log.rows.items, log.rows.more]).toEqual([countdown(9, 1), false]);
  });
});
