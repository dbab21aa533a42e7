import { BelfryError } from "../errors.js";
import { parseLevel, parseUser } from "./requests.js";
import { type LevelHere, Settings, type Where } from "./settings.js";
import type { LevelSetting, PreferenceStore } from "./types.js";

/** Places that a member watches or mutes at once. Threat: memory of every node for ever, and events that are told to whoever watches all. */
const MAX_LEVELS = 2_000;

/** Places for which a member ever sets a level. Threat: one who sets and unsets, each time another, fills the store and the memory. */
const MAX_PLACES = 10_000;

/** Members whom a member blocks. Threat: memory, as above. */
const MAX_BLOCKS = 1_000;

/** Changes read from the store in one call. Threat: a first read that holds up the event loop or fills a message. */
const CHANGES_A_READ = 1_000;

/** A level as members see it. `id` is left out for `all`; `until` is RFC 3339, or null where it is for good. */
export interface LevelItem {
  scope: LevelSetting["scope"];
  id?: string;
  level: LevelSetting["level"];
  until: string | null;
}

/**
 * What members want to be told: the store's settings, and all of them in memory for those who ask at every event. `levelFor`, `watchers` and
 * `blocks` say what was known at the last `load` or `refresh`. Errors: those of the store (`unavailable`).
 */
export class Preferences {
  readonly #store: PreferenceStore;
  readonly #members: { require(user: string): Promise<unknown> };
  readonly #clock: () => number;
  readonly #settings: Settings;
  /** All changes up to this version are in `#settings`. */
  #version = 0;
  /** Counts the moments at which the store may have gone ahead unseen, the start being the first; and those of them that a read has settled. */
  #doubts = 1;
  #settled = 0;
  /** The read under way, which never rejects, and the one that starts after it. */
  #reading: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(options: { store: PreferenceStore; members: { require(user: string): Promise<unknown> }; clock?: () => number }) {
    this.#store = options.store;
    this.#members = options.members;
    this.#clock = options.clock ?? Date.now;
    this.#settings = new Settings(this.#clock);
  }

  /** Reads everything; to be awaited at the start. */
  load(): Promise<void> {
    return this.#catchUp();
  }

  /** Null where all that is stored is known already. Otherwise resolves when all that was stored before this call is. */
  refresh(): Promise<void> | null {
    return this.#store.exclusive && this.#settled === this.#doubts ? null : this.#catchUp();
  }

  /**
   * Sets a level from `{ scope, id?, level, until? }` and answers what was written.
   * @throws BelfryError `bad_request`, also where the member has too many.
   */
  async setLevel(user: string, payload: unknown): Promise<LevelItem> {
    const setting: LevelSetting = { user, ...parseLevel(payload, this.#clock()) };
    await this.refresh();
    this.#admitLevel(setting);
    await this.#write(() => this.#store.setLevel(setting));
    return itemOf(setting);
  }

  /**
   * Blocks a member, or ends that. @throws BelfryError `bad_request` for oneself or one too many, `not_found` for a member who is not known
   */
  async setBlock(user: string, other: unknown, blocked: boolean): Promise<{ user: string; blocked: boolean }> {
    const whom = parseUser(other);
    if (whom === user) throw new BelfryError("bad_request", "You cannot block yourself: name another member.");
    await this.#members.require(whom);
    await this.refresh();
    if (blocked && !this.blocks(user, whom) && this.#settings.blocksOf(user).length >= MAX_BLOCKS) {
      throw tooMany(`You block ${MAX_BLOCKS.toLocaleString("en")} members, which is the most: unblock one first.`);
    }
    await this.#write(() => this.#store.setBlock({ user, other: whom, blocked }));
    return { user: whom, blocked };
  }

  /** The member's levels that have not run out, nearest scope first. */
  async levelsOf(user: string): Promise<{ items: LevelItem[] }> {
    await this.refresh();
    return { items: this.#settings.levelsOf(user).map(itemOf) };
  }

  /** Whom the member blocks, in order of their ids. */
  async blocksOf(user: string): Promise<{ items: Array<{ user: string }> }> {
    await this.refresh();
    return { items: this.#settings.blocksOf(user).map((other) => ({ user: other })) };
  }

  /** What the member wants to be told at a place: the nearest level that is set and has not run out, `normal` where there is none. */
  levelFor(user: string, where: Where): LevelHere {
    return this.#settings.levelFor(user, where);
  }

  /** The members whose level there is `watching`. */
  watchers(where: Where): string[] {
    return this.#settings.watchers(where);
  }

  /** As many as `watchers` has, or more; cheap. */
  mostWatchers(where: Where): number {
    return this.#settings.mostWatchers(where);
  }

  /** Whether `user` blocks `other`. */
  blocks(user: string, other: string): boolean {
    return this.#settings.blocks(user, other);
  }

  #admitLevel({ user, scope, id, level }: LevelSetting): void {
    const places = this.#settings.placesOf(user);
    if (!places.has(scope, id) && places.count >= MAX_PLACES) {
      throw tooMany(`You have set ${MAX_PLACES.toLocaleString("en")} levels, which is the most: change one of those.`);
    }
    if (level === "normal" || places.count < MAX_LEVELS) return;
    const others = this.#settings.levelsOf(user).filter((one) => one.level !== "normal" && (one.scope !== scope || one.id !== id));
    if (others.length >= MAX_LEVELS) {
      throw tooMany(`You watch or mute ${MAX_LEVELS.toLocaleString("en")} places, which is the most: set one of them to \`normal\` first.`);
    }
  }

  /** The store first. What it has is then read back, so that of changes made at once the last one stored is the last one known. */
  async #write(write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
      await this.#catchUp();
    } catch (error) {
      this.#doubts += 1;
      throw error;
    }
  }

  /** A read that starts after this call: one under way may have missed what the caller knows to be stored. Those who wait share the next. */
  #catchUp(): Promise<void> {
    this.#next ??= this.#reading.then(() => {
      this.#next = null;
      const reading = this.#read();
      this.#reading = reading.catch(() => {});
      return reading;
    });
    return this.#next;
  }

  async #read(): Promise<void> {
    const doubts = this.#doubts;
    let more = (await this.#store.version()) > this.#version;
    while (more) {
      const changes = await this.#store.changesSince(this.#version, CHANGES_A_READ);
      for (const change of changes) {
        this.#settings.apply(change);
        this.#version = change.version;
      }
      more = changes.length === CHANGES_A_READ;
    }
    this.#settled = doubts;
  }
}

function itemOf({ scope, id, level, until }: LevelSetting): LevelItem {
  const end = until === null ? null : new Date(until).toISOString();
  return scope === "all" ? { scope, level, until: end } : { scope, id, level, until: end };
}

function tooMany(message: string): BelfryError {
  return new BelfryError("bad_request", message);
}
