import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { connectBy } from "../../../client/sdk/src/connect.js";
import type { Belfry, Filter } from "../../../client/sdk/src/index.js";
import { MemoryStorage } from "../../support/sdk.js";
import { ServiceModel } from "../../support/sdk-model.js";
import { type Fate, Wire } from "../../support/sdk-wire.js";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const some = fc.nat({ max: 12 });
const fate = fc.constantFrom<Fate>("arrives", "arrives", "lost", "doubled", "late");

/** What happens at the service, on the way, or on the device. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("come" as const), fate }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("elsewhere" as const),
      event: fc.constantFrom("read", "unread", "archive", "unarchive", "read_all"),
      n: some,
      fate,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("rescind" as const, "restore" as const), n: some, fate }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("announce" as const, "withdraw" as const, "settle" as const),
      n: fc.nat({ max: 3 }),
      flag: fc.boolean(),
      fate,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("act" as const),
      event: fc.constantFrom("read", "markUnread", "archive", "unarchive", "readAll", "seen", "dismiss", "acknowledge"),
      n: some,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("more" as const), filter: fc.constantFrom<Filter>("all", "unread", "archived") }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("deliver" as const),
      way: fc.constantFrom("down" as const, "up" as const, "answers" as const),
      n: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("cut" as const, "wait" as const, "setBack" as const, "reopen" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("refuse" as const),
      code: fc.constantFrom("forbidden", "rate_limited", "unavailable", "internal"),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** More than a snapshot has. */
const BEFORE = Array.from({ length: 9 }, (): Step => ({ do: "come", fate: "arrives" }));
const AT_SERVICE = ["come", "elsewhere", "rescind", "restore", "announce", "withdraw", "settle"];

/** A store on a model of the service. */
class Play {
  readonly model = new ServiceModel();
  fate: Fate = "arrives";
  readonly wire = new Wire(this.model, () => this.fate);
  readonly storage = new MemoryStorage();
  belfry: Belfry;

  /** @param before what happens at the service while nobody is connected */
  constructor(before: readonly Step[] = []) {
    this.belfry = this.#connect();
    this.belfry.close();
    for (const one of before) this.run(one);
    this.belfry = this.#connect();
  }

  #connect(): Belfry {
    return connectBy(this.wire.io as never, {
      url: "http://belfry.test",
      token: () => "x",
      user: "ada",
      storage: this.storage,
      onWarning: () => {},
    });
  }

  run(one: Step): void {
    this.fate = "fate" in one ? one.fate : "arrives";
    const id = "n" in one ? `n${one.n}` : "";
    if (one.do === "come") this.model.come();
    else if (one.do === "elsewhere") this.model.ask(one.event, { ids: [id], upTo: Math.min(one.n, this.model.head("inbox")) });
    else if (one.do === "rescind") this.model.rescind(id);
    else if (one.do === "restore") this.model.restore(id);
    else if (one.do === "announce") this.model.announce(`a${one.n}`, one.flag);
    else if (one.do === "withdraw") this.model.withdraw(`a${one.n}`, one.flag);
    else if (one.do === "settle") this.model.ask(one.flag ? "dismiss" : "acknowledge", { announcement: `a${one.n}` });
    else if (one.do === "act") this.#act(one.event, one.n);
    else if (one.do === "more") void this.belfry.more(one.filter, 4);
    else if (one.do === "deliver") this.wire.deliver(one.way, one.n);
    else if (one.do === "cut") this.wire.cut();
    else if (one.do === "refuse") this.wire.refusals.push(one.code);
    else if (one.do === "setBack") {
      this.model.setBack();
      this.wire.cut();
    } else if (one.do === "reopen") {
      this.belfry.close();
      this.belfry = this.#connect();
    }
    this.fate = "arrives";
  }

  #act(event: string, n: number): void {
    if (event === "readAll" || event === "seen") void this.belfry[event]();
    else if (event === "dismiss" || event === "acknowledge") void this.belfry[event](`a${n % 4}`);
    else void this.belfry[event as "read"](`n${n}`);
  }

  /** Until nothing is on the way and nothing waits. */
  async calm(): Promise<void> {
    for (let i = 0; i < 200; i++) {
      this.wire.deliver();
      await jest.advanceTimersByTimeAsync(500);
      if (this.wire.isQuiet && this.belfry.status.synced && this.belfry.pending === 0 && i > 10) return;
    }
    throw new Error(`not calm: ${JSON.stringify(this.belfry.status)}, ${this.belfry.pending} pending`);
  }

  /** What is shown is what the service has. */
  compare(): void {
    const { belfry, model } = this;
    for (const filter of ["all", "unread", "archived"] as const) {
      const { items, more } = belfry.view(filter);
      const there = model.list(filter);
      expect(items).toEqual(there.slice(0, items.length));
      if (!more) expect(items).toHaveLength(there.length);
    }
    expect(belfry.unreadNotifications).toBe(model.unread);
    expect(belfry.unreadAnnouncements).toBe(model.unreadAnnouncements);
    const standing = [...model.announcements.values()].filter(({ mandatory, dismissedAt, acknowledgedAt }) =>
      mandatory ? acknowledgedAt === null : dismissedAt === null && acknowledgedAt === null,
    );
    expect(new Set(belfry.announcements.map(({ id, title }) => `${id} ${title}`))).toEqual(
      new Set(standing.map(({ id, title }) => `${id} ${title}`)),
    );
  }
}

describe("a store of the SDK", () => {
  it("ends as the service has it, whatever is lost, doubled, late, cut, refused, set back or done meanwhile", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.array(step, { maxLength: 60 }), async (before, steps) => {
        const play = new Play([...BEFORE, ...before.filter(({ do: what }) => AT_SERVICE.includes(what))]);
        try {
          for (const one of steps) {
            play.run(one);
            await jest.advanceTimersByTimeAsync(one.do === "wait" ? 3_000 : 1);
          }
          play.wire.refusals = [];
          await play.calm();
          // What was lost last is noticed when the next comes, or by the next connection.
          play.model.come();
          play.model.announce("a9", false);
          await play.calm();
          play.compare();
          play.wire.cut();
          await play.calm();
          play.compare();
        } finally {
          play.belfry.close();
        }
      }),
      { numRuns: 300 },
    );
  }, 120_000);

  it("shows an action before anything has travelled, and the confirmed state again after a refusal", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("read", "archive", "unarchive", "markUnread", "readAll"), { minLength: 1, maxLength: 6 }),
        some,
        async (events, n) => {
          const play = new Play();
          try {
            for (let i = 0; i < 5; i++) play.model.come();
            await play.calm();
            const id = `n${(n % 5) + 1}`;
            const before = play.belfry.notifications;
            const results: Array<Promise<string>> = [];
            for (const event of events) {
              play.wire.refusals.push("forbidden");
              const done = event === "readAll" ? play.belfry.readAll() : play.belfry[event as "read"](id);
              results.push(
                done.then(
                  () => "done",
                  ({ code }: { code: string }) => code,
                ),
              );
              const shown = play.belfry.notifications.find((item) => item.id === id);
              if (event === "read" || event === "readAll") expect(shown?.readAt ?? "archived").not.toBeNull();
              if (event === "markUnread") expect(shown).toMatchObject({ readAt: null, archivedAt: null });
              if (event === "archive") expect(shown).toBeUndefined();
              if (event === "unarchive") expect(shown).toBeDefined();
              // All are held, so the number is that of those that are shown as unread.
              expect(play.belfry.unread).toBe(play.belfry.view("unread").items.length);
            }
            await play.calm();
            expect(await Promise.all(results)).toEqual(events.map(() => "forbidden"));
            expect(play.belfry.notifications).toEqual(before);
            expect(play.belfry.unread).toBe(5);
          } finally {
            play.belfry.close();
          }
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});
