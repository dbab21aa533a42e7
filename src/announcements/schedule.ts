import type { Next, Records } from "./records.js";
import type { AnnouncementRecord, AnnouncementStore } from "./types.js";

/** How often the store is asked for what other nodes have scheduled: one that is to appear sooner than that is late by so much. Milliseconds. */
const REFRESH_MS = 5_000;

export interface ScheduleOptions {
  records: Records;
  store: AnnouncementStore;
  clock: () => number;
  /** Whether this node does what is due, now. Where two do, a record changes once all the same (records.ts). */
  isMine: () => boolean;
  onError: (error: unknown) => void;
}

/**
 * What time brings: scheduled announcements appear, and live ones expire. One node of all does it; all know what is due, so that any of them
 * can go on. A node that has an old time in mind finds the right one in the record.
 */
export class Schedule {
  readonly #records: Records;
  readonly #store: AnnouncementStore;
  readonly #clock: () => number;
  readonly #isMine: () => boolean;
  readonly #onError: (error: unknown) => void;
  /** All that are scheduled or live, by id, and when something is due: milliseconds, or infinity. */
  readonly #due = new Map<string, number>();
  /** Those that are being changed. */
  readonly #happening = new Map<string, Promise<void>>();
  #refreshAt = 0;
  #wasMine = false;

  constructor(options: ScheduleOptions) {
    this.#records = options.records;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#isMine = options.isMine;
    this.#onError = options.onError;
  }

  /** Announcements that are scheduled or live. */
  get size(): number {
    return this.#due.size;
  }

  /** This is how a record is now. */
  note(record: AnnouncementRecord): void {
    const due = dueAt(record);
    if (due === null) this.drop(record.id);
    else this.#due.set(record.id, due);
  }

  /** The announcement is live. `expiresAt`: milliseconds, or infinity. */
  noteLive(id: string, expiresAt: number): void {
    this.#due.set(id, expiresAt);
  }

  /** The announcement has ended. */
  drop(id: string): void {
    this.#due.delete(id);
  }

  /** Does what is due, up to the first failure, where this node is to. Errors go to `onError`; what failed is due still. */
  async run(): Promise<void> {
    const now = this.#clock();
    const isNew = this.#isMine() && !this.#wasMine;
    this.#wasMine = this.#isMine();
    if (isNew || now >= this.#refreshAt) {
      await this.#try(async () => {
        await this.#refresh();
        this.#refreshAt = now + REFRESH_MS;
      });
    }
    for (const [id, at] of this.#due) {
      if (!this.#isMine()) return;
      if (at > now || (await this.#try(() => this.#happen(id)))) continue;
      // A store that is away fails each of them, at its deadline; the next run begins with another.
      const due = this.#due.get(id);
      if (due !== undefined && this.#due.delete(id)) this.#due.set(id, due);
      return;
    }
  }

  /** Does what is due, be it this node's to do or not. Who asks meanwhile waits for the same. @throws what the store throws */
  async catchUp(): Promise<void> {
    const now = this.#clock();
    const due = [...this.#due].filter(([, at]) => at <= now);
    await Promise.all(due.map(([id]) => this.#happen(id)));
  }

  #happen(id: string): Promise<void> {
    let happening = this.#happening.get(id);
    if (happening === undefined) {
      happening = this.#change(id).finally(() => this.#happening.delete(id));
      this.#happening.set(id, happening);
    }
    return happening;
  }

  async #change(id: string): Promise<void> {
    const { record } = await this.#records.change(id, asTimeHasIt(this.#clock()));
    if (record === null) this.drop(id);
    else this.note(record);
  }

  /** What has changed here while the store was read is newer than its answer. */
  async #refresh(): Promise<void> {
    const before = new Map(this.#due);
    const current = new Map((await this.#store.current()).map((record) => [record.id, record]));
    for (const [id, at] of before) {
      if (!current.has(id) && this.#due.get(id) === at) this.drop(id);
    }
    for (const [id, record] of current) {
      if (this.#due.get(id) === before.get(id)) this.note(record);
    }
  }

  /** Whether it went well. */
  async #try(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#onError(error);
      return false;
    }
  }
}

/** When the record is to change by itself, or null where it has ended. */
function dueAt({ state, startsAt, expiresAt }: AnnouncementRecord): number | null {
  if (state === "scheduled") return startsAt ?? 0;
  return state === "live" ? (expiresAt ?? Number.POSITIVE_INFINITY) : null;
}

/** One whose time was over before it appeared never appears. */
function asTimeHasIt(now: number): Next {
  return (old) => {
    if (old === null || dueAt(old) === null) return null;
    if (old.expiresAt !== null && old.expiresAt <= now) {
      return { ...old, revision: old.revision + 1, state: "expired", endedAt: now, why: "expired" };
    }
    if (old.state === "live" || (old.startsAt ?? 0) > now) return null;
    return { ...old, revision: old.revision + 1, state: "live" };
  };
}
