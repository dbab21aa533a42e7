import { quantile, type Reading, since, spreadOf, sum } from "./spread.js";
import type { ActivityStore, Counts, MinuteRow } from "./types.js";

const MINUTE_MS = 60_000;

/** Minutes that are told. */
const MINUTES_TOLD = 60;

/** How often a minute that is under way is written, where anything has changed: so late are the other nodes told. Milliseconds. */
const WRITE_EVERY_MS = 5_000;

/** How long rows are kept: longer than they are told, so that a node whose clock is hours ahead deletes nobody's last hour. Milliseconds. */
const KEEP_MS = 24 * 60 * MINUTE_MS;

/** Finished minutes that wait for a store which is away. Threat: memory, in an outage of days. */
const MAX_UNWRITTEN = MINUTES_TOLD;

/** Rows that are read for one answer. Threat: a node that starts again and again, each time with a name of its own. 300 nodes have these. */
const MAX_ROWS = 18_000;

/** What telemetry has counted since the process began. */
export interface Totals extends Omit<Counts, "ingest" | "delivery"> {
  ingest: Reading;
  delivery: Reading;
}

export interface ActivityOptions {
  store: ActivityStore;
  /** Names this process, as no other. */
  process: string;
  totals: () => Totals;
  /** Sessions of this process on `/notifications`. */
  sessions: () => number;
  clock?: () => number;
  /** Called with the first failure of several in a row. */
  onError: (error: unknown) => void;
}

/** Durations of a minute: within how many milliseconds half of them was, and 99 of 100. By the bounds of the metrics' buckets. */
interface Durations {
  p50: number;
  p99: number;
}

/** A minute of all nodes, as told. */
export interface Minute extends Omit<Counts, "ingest" | "delivery"> {
  /** When it began, RFC 3339. */
  at: string;
  sessions: number;
  /** Processes that were there. None: of this minute nothing is known. */
  processes: number;
  /** Null where nothing was timed. */
  ingestMs: Durations | null;
  deliveryMs: Durations | null;
}

/**
 * What all nodes did in the last hour. Each process reads its own metrics every few seconds and writes what is new of the minute to the
 * store; whoever asks adds up all rows. A process that is killed takes the last seconds with it.
 */
export class Activity {
  readonly #options: ActivityOptions;
  readonly #clock: () => number;
  /** What was counted when the present minute began. */
  #before: Counts;
  /** When it began. */
  #at: number;
  /** Minutes that are over and not written. */
  #unwritten: MinuteRow[] = [];
  /** What was written last, as text. */
  #written = "";
  #failing = false;
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: ActivityOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
    this.#before = this.#counted();
    this.#at = minuteOf(this.#clock());
  }

  start(): void {
    this.#schedule();
  }

  /** Writes what is left. To be called when the last session has ended, so that none of them counts. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#writing;
    this.#turn();
    await this.#write();
  }

  /** The last 60 minutes, oldest first; the last one is under way. @throws BelfryError `unavailable` */
  async lastHour(): Promise<Minute[]> {
    this.#turn();
    const end = this.#at;
    const first = end - (MINUTES_TOLD - 1) * MINUTE_MS;
    const minutes = Array.from({ length: MINUTES_TOLD }, (_, index) => first + index * MINUTE_MS);
    const rows = new Map(minutes.map((at) => [at, new Map<string, MinuteRow>()]));
    const stored = await this.#options.store.since(first, MAX_ROWS);
    // What this process knows of itself is newer than what it has written.
    for (const row of [...stored, ...this.#unwritten, this.#row()]) rows.get(row.at)?.set(row.process, row);
    return Array.from(rows, ([at, processes]) => told(at, [...processes.values()]));
  }

  #schedule(): void {
    const now = this.#clock();
    // At the end of a minute in any case, so that what happens after it is not counted to it.
    const wait = Math.min(WRITE_EVERY_MS, minuteOf(now) + MINUTE_MS - now);
    this.#timer = setTimeout(() => void this.#beat(), wait).unref();
  }

  async #beat(): Promise<void> {
    const isNew = this.#turn();
    await this.#write(isNew);
    if (!this.#stopped) this.#schedule();
  }

  /** Where a minute is over the next one begins. */
  #turn(): boolean {
    const at = minuteOf(this.#clock());
    if (at === this.#at) return false;
    this.#unwritten.push(this.#row());
    if (this.#unwritten.length > MAX_UNWRITTEN) this.#unwritten.shift();
    this.#before = this.#counted();
    this.#at = at;
    return true;
  }

  #write(isNew = false): Promise<void> {
    this.#writing ??= this.#save(isNew).finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #save(isNew: boolean): Promise<void> {
    const { store, onError } = this.#options;
    const over = [...this.#unwritten];
    const present = this.#row();
    const text = JSON.stringify(present);
    if (over.length === 0 && text === this.#written) return;
    try {
      await store.save([...over, present]);
      this.#written = text;
      this.#unwritten = this.#unwritten.filter((row) => !over.includes(row));
      if (isNew) await store.forget(this.#at - KEEP_MS);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) onError(error);
      this.#failing = true;
    }
  }

  /** The present minute until now. */
  #row(): MinuteRow {
    const now = this.#counted();
    const before = this.#before;
    return {
      at: this.#at,
      process: this.#options.process,
      sessions: this.#options.sessions(),
      events: now.events - before.events,
      entries: now.entries - before.entries,
      delivered: now.delivered - before.delivered,
      replayed: now.replayed - before.replayed,
      ingest: since(now.ingest, before.ingest),
      delivery: since(now.delivery, before.delivery),
    };
  }

  #counted(): Counts {
    const { ingest, delivery, ...totals } = this.#options.totals();
    return { ...totals, ingest: spreadOf(ingest), delivery: spreadOf(delivery) };
  }
}

function told(at: number, rows: MinuteRow[]): Minute {
  const total = (of: (row: MinuteRow) => number): number => rows.reduce((all, row) => all + of(row), 0);
  return {
    at: new Date(at).toISOString(),
    events: total(({ events }) => events),
    entries: total(({ entries }) => entries),
    delivered: total(({ delivered }) => delivered),
    replayed: total(({ replayed }) => replayed),
    sessions: total(({ sessions }) => sessions),
    processes: rows.length,
    ingestMs: durations(rows.map(({ ingest }) => ingest)),
    deliveryMs: durations(rows.map(({ delivery }) => delivery)),
  };
}

function durations(spreads: MinuteRow["ingest"][]): Durations | null {
  const all = sum(spreads);
  const [p50, p99] = [quantile(all, 0.5), quantile(all, 0.99)];
  return p50 === null || p99 === null ? null : { p50, p99 };
}

function minuteOf(at: number): number {
  return at - (at % MINUTE_MS);
}
