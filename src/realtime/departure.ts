import { DRAIN_EACH_MS, DRAIN_SPREAD_MS, LAST_ANSWERS_MS } from "./limits.js";
import { draining, type Farewell } from "./outlet.js";

/** A session, as far as it can be sent elsewhere. */
export interface Leaver {
  /** What it came on; several sessions can have one in common. */
  readonly connection: object;
  /** Resolves when what was asked until now is answered. */
  settled(): Promise<void>;
  /** Harmless when it has ended. */
  end(farewell: Farewell): void;
}

/**
 * Sends the sessions of a stopping node elsewhere, one connection after the other, in an order of chance. That spreads their return also
 * where clients come back at once; whoever has not been told yet is served on.
 */
export class Departure {
  readonly #sessions: () => Iterable<Leaver>;
  readonly #told = new WeakSet<Leaver>();

  /** `sessions`: those of all namespaces. */
  constructor(sessions: () => Iterable<Leaver>) {
    this.#sessions = sessions;
  }

  /** Tells all, spread over a time. Resolves when all are told, those too who came meanwhile. */
  async spread(): Promise<void> {
    for (let groups = this.#untold(); groups.length > 0; groups = this.#untold()) {
      const each = Math.min(DRAIN_EACH_MS, DRAIN_SPREAD_MS / groups.length);
      const began = performance.now();
      const told: Array<Promise<void>> = [];
      for (const [index, group] of shuffled(groups).entries()) {
        const due = index * each - (performance.now() - began);
        if (due >= 1) await new Promise((resolve) => setTimeout(resolve, due));
        told.push(tell(group));
      }
      await Promise.all(told);
    }
  }

  /** Tells those who have come since. */
  rest(): void {
    for (const group of this.#untold()) void tell(group);
  }

  /** By connection, those whom nobody has told; they count as told from now on. */
  #untold(): Leaver[][] {
    const groups = new Map<object, Leaver[]>();
    for (const session of this.#sessions()) {
      if (this.#told.has(session)) continue;
      this.#told.add(session);
      const group = groups.get(session.connection);
      if (group === undefined) groups.set(session.connection, [session]);
      else group.push(session);
    }
    return [...groups.values()];
  }
}

/** Sessions of one connection leave together, once what they asked is answered. */
async function tell(group: Leaver[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LAST_ANSWERS_MS);
  });
  await Promise.race([enough, Promise.allSettled(group.map((session) => session.settled()))]);
  clearTimeout(timer);
  const farewell = draining();
  for (const session of group) session.end(farewell);
}

/** In an order of chance (Fisher and Yates). */
function shuffled<T>(items: T[]): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [items[last], items[other]] = [items[other] as T, items[last] as T];
  }
  return items;
}
