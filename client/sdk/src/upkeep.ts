import { floorOf, itemsOf, merge, type Page } from "./inbox.js";
import { type Known, NOTHING, take } from "./known.js";
import type { Link } from "./link.js";
import { type BelfryRefusal, OFFLINE } from "./refusal.js";
import type { Filter } from "./types.js";
import type { Entries, StreamName } from "./wire.js";

/** After an answer that does not help. Milliseconds; source: docs/PROTOCOL.md, "The client rule". */
const AGAIN_MS = 1_000;

/** Items of a page that nobody has said the size of; of one that begins anew, the most that the service gives. */
const PAGE = 50;
const WHOLE_PAGE = 100;

const STREAMS: readonly StreamName[] = ["inbox", "announcements"];

/** Asks the service for what is missing: entries behind a gap, older notifications, what has come back. */
export interface Upkeep {
  /** Looks at what is known and asks for what it lacks. Harmless at any time. */
  look(): void;
  /** See `Belfry.more`. */
  more(filter: Filter, limit?: number): Promise<boolean>;
  close(): void;
}

export function upkeepOf(link: () => Link, known: () => Known, change: (known: Partial<Known>) => void): Upkeep {
  /** What is asked for now. */
  const busy = new Map<string, Promise<unknown>>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** Does something of which there is one at a time. */
  function once<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const started = busy.get(name) ?? work().finally(() => busy.delete(name));
    busy.set(name, started);
    return started as Promise<Result>;
  }

  function mend(name: string, work: () => Promise<unknown>): void {
    once(name, work).catch(({ retryAfterMs = AGAIN_MS }: BelfryRefusal) => {
      clearTimeout(timer);
      timer = setTimeout(look, retryAfterMs);
    });
  }

  function look(): void {
    if (link().status.is !== "online") return;
    for (const stream of STREAMS) if (known()[stream].gap) mend(stream, () => fill(stream));
    const { stale, live } = known().inbox;
    // What is listed anew begins with the newest; what is older comes when it is scrolled to.
    if (stale && live) mend("stale", () => list("all", undefined, WHOLE_PAGE, true));
  }

  /** The `catch_up` of the client rule. */
  async function fill(stream: StreamName): Promise<void> {
    for (let more = true; more || known()[stream].gap; ) {
      const { cursor } = known()[stream];
      if (cursor === null) return;
      try {
        const answer = (await link().ask("sync", { stream, after: cursor })) as unknown as Entries & { more: boolean };
        change(take(known(), { type: "entries", stream, epoch: cursor.epoch, entries: answer.entries }));
        more = answer.more;
      } catch (error) {
        if ((error as BelfryRefusal).code !== "reset") throw error;
        change(NOTHING);
        link().reconnect();
        return;
      }
      // What was promised is not there yet.
      if (known()[stream].cursor?.seq === cursor.seq) throw OFFLINE;
    }
  }

  async function list(filter: Filter, before: string | undefined, limit: number, isAnew?: boolean): Promise<boolean> {
    for (;;) {
      const { cursor, turns } = known().inbox;
      if (cursor === null) throw OFFLINE;
      const page = (await link().ask("list", { filter, before, limit })) as unknown as Page;
      const { inbox } = known();
      // Else it may be older than what has changed since.
      if (inbox.turns === turns) {
        const start = isAnew ? { ...inbox, floors: NOTHING.inbox.floors, stale: false } : inbox;
        change({ inbox: merge(start, filter, page) });
        return page.more;
      }
    }
  }

  return {
    look,
    more: (filter, limit = PAGE) =>
      once(filter, async () => {
        const { items, floors } = known().inbox;
        if (floorOf(floors, filter) === 0) return false;
        const held = itemsOf(items, floors, filter);
        return list(filter, held[held.length - 1]?.id, limit);
      }),
    close: () => clearTimeout(timer),
  };
}
