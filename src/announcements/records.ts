import { isDeepStrictEqual } from "node:util";
import { BelfryError } from "../errors.js";
import type { Decision, StreamLog } from "../stream/index.js";
import type { AnnouncementChange, AnnouncementRecord, AnnouncementStore } from "./types.js";

/** The stream that all members share. */
export const ANNOUNCEMENTS_STREAM = "announcements";

/** What this room needs of the log. */
export type AnnouncementLog = Pick<StreamLog<AnnouncementChange>, "epoch" | "tail" | "headsAfter" | "page" | "subscribe" | "transact">;

/** Others who may be faster in a row before a change is given up. Threat: a request that never ends. */
const MAX_TRIES = 8;

/** What a record becomes; null where it stays as it is. May run several times and may throw; null is given where there is none. */
export type Next = (old: AnnouncementRecord | null) => AnnouncementRecord | null;

/**
 * The announcements as stored, and the one way in which they change: a record's next revision, together with an entry where members see
 * the difference. The revision and the entry's key let each change happen once, whichever nodes try it.
 */
export class Records {
  readonly #log: AnnouncementLog;
  readonly #store: AnnouncementStore;

  constructor(log: AnnouncementLog, store: AnnouncementStore) {
    this.#log = log;
    this.#store = store;
  }

  /**
   * Makes of the record what `next` says. `before` runs once, right before the first attempt to store anything. Resolves with the record as
   * it is then, and whether this call has changed it.
   */
  async change(id: string, next: Next, before?: () => Promise<void>): Promise<{ record: AnnouncementRecord | null; changed: boolean }> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const old = await this.#store.find(id);
      const wanted = next(old);
      if (wanted === null) return { record: old, changed: false };
      if (tries === 0) await before?.();
      const stored = kindOf(old, wanted) === null ? await this.#save(wanted) : await this.#append(id, next);
      if (stored !== null) return { record: stored, changed: true };
    }
    throw new BelfryError("unavailable", "This announcement is being changed by too many at once; nothing was stored, try again.");
  }

  async #save(record: AnnouncementRecord): Promise<AnnouncementRecord | null> {
    return (await this.#store.save(record)) ? record : null;
  }

  /** Null where somebody else was faster, so that the whole decision is to be taken again. */
  async #append(id: string, next: Next): Promise<AnnouncementRecord | null> {
    const made: { record: AnnouncementRecord | null } = { record: null };
    const { repeated } = await this.#log.transact(ANNOUNCEMENTS_STREAM, async (_tail, seq) => {
      made.record = null;
      const old = await this.#store.find(id);
      const wanted = next(old);
      const kind = wanted === null ? null : kindOf(old, wanted);
      if (wanted === null || kind === null) return null;
      made.record = kind === "announcement" ? { ...wanted, seq } : wanted;
      return entryOf(kind, made.record);
    });
    if (!repeated || made.record === null) return made.record;
    // The revision was there already: another's, or our own from an attempt whose answer was lost.
    const stored = await this.#store.find(id);
    return isDeepStrictEqual({ ...stored, seq: null }, { ...made.record, seq: null }) ? stored : null;
  }
}

/** The kind of entry by which members learn of a change; null where they see no difference. */
function kindOf(old: AnnouncementRecord | null, record: AnnouncementRecord): string | null {
  const wasLive = old?.state === "live";
  if (record.state === "live") return wasLive ? "announcement.updated" : "announcement";
  return wasLive ? "announcement.rescinded" : null;
}

function entryOf(kind: string, record: AnnouncementRecord): Decision<AnnouncementChange> {
  const { id, revision, announcement, why } = record;
  const { audience } = announcement;
  const own = kind === "announcement.rescinded" ? { id, why, ...(audience === undefined ? {} : { audience }) } : announcement;
  return {
    draft: { key: `announcement:${id}:${revision}`, kind, own: JSON.stringify(own), count: 0 },
    companion: { of: "announcement", record },
  };
}
