import type { Logger } from "pino";
import { originFields } from "./context.js";
import type { Distribution } from "./distribution.js";
import type { Tally } from "./tally.js";
import type { Origin, Tracing } from "./types.js";

/** An entry, as far as its delivery is concerned. */
interface Delivered {
  seq: number;
  /** Milliseconds since the Unix epoch. */
  at: number;
  kind: string;
  publication: string | null;
  origin?: Origin;
}

/** To whom an entry was written. */
export interface Recipient {
  stream: string;
  user: string;
  /** The id of the session. */
  session: string;
}

/** Looks at each delivery by itself: `way` is `live`, right after it was stored, or `replay`, to a client that was behind. */
export type DeliveryWatcher = (entry: Delivered, recipient: Recipient, way: "live" | "replay") => void;

/** What was written to members' sockets. A *feed* is whatever object stands for one stream of one session. */
export class Deliveries {
  /** Null where nobody looks at single deliveries, so that nothing has to be kept for them. */
  readonly #watcher: DeliveryWatcher | null;
  readonly #recipients = new WeakMap<object, Recipient>();
  readonly #seconds: Distribution;
  readonly #live: Tally;
  readonly #replayed: Tally;

  constructor(options: { seconds: Distribution; live: Tally; replayed: Tally; watcher: DeliveryWatcher | null }) {
    this.#watcher = options.watcher;
    this.#seconds = options.seconds;
    this.#live = options.live;
    this.#replayed = options.replayed;
  }

  /** What was written until now: live with the seconds that it took, and to clients that were behind. */
  get totals(): { live: number; replayed: number; seconds: Distribution } {
    return { live: this.#live.value, replayed: this.#replayed.value, seconds: this.#seconds };
  }

  /** Whose feed this is. */
  know(feed: object, recipient: Recipient): void {
    if (this.#watcher !== null) this.#recipients.set(feed, recipient);
  }

  /** Each of these feeds has just written the entry in its place, right after that was stored. */
  live(feeds: readonly object[], entries: readonly Delivered[]): void {
    const now = Date.now();
    this.#live.add(entries.length);
    // What was stored together has one time and stands together.
    let first = 0;
    for (let index = 1; index <= entries.length; index++) {
      const { at } = entries[first] as Delivered;
      if (index < entries.length && entries[index]?.at === at) continue;
      // The clock of the node that stored it may be ahead.
      this.#seconds.observe(Math.max(0, now - at) / 1000, index - first);
      first = index;
    }
    if (this.#watcher !== null) for (const [index, feed] of feeds.entries()) this.#watch(feed, entries[index] as Delivered, "live");
  }

  /** The feed has written these to a client that was behind. */
  replayed(feed: object, entries: readonly Delivered[]): void {
    this.#replayed.add(entries.length);
    if (this.#watcher !== null) for (const entry of entries) this.#watch(feed, entry, "replay");
  }

  #watch(feed: object, entry: Delivered, way: "live" | "replay"): void {
    const recipient = this.#recipients.get(feed);
    if (recipient !== undefined) this.#watcher?.(entry, recipient, way);
  }
}

/** Logs each delivery at the level `debug`, and ends the trace of what led to it with a span; null where neither is wanted. */
export function watchDeliveries(logger: Logger, tracing: Tracing | null): DeliveryWatcher | null {
  const isDebug = logger.isLevelEnabled("debug");
  if (!isDebug && tracing === null) return null;
  return (entry, { stream, user, session }, way) => {
    const { seq, at, kind, publication, origin = null } = entry;
    if (isDebug) {
      logger.debug({ stream, user, seq, kind, event: publication, session, way, ...originFields(origin) }, "an entry was delivered");
    }
    const parent = origin?.trace ?? null;
    // Without a trace that it belongs to, a delivery tells nothing that the log does not.
    if (tracing === null || parent === null) return;
    const attributes = { "belfry.stream": stream, "belfry.seq": seq, "belfry.session": session, "belfry.age_ms": Date.now() - at };
    tracing.start("deliver", { kind: "consumer", parent, attributes }).end();
  };
}
