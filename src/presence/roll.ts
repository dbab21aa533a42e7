import { setImmediate as breath } from "node:timers/promises";
import type { Presence } from "./presence.js";

/** Members looked at in one turn of the event loop. Threat: a call that holds everybody up; this many take about a millisecond. */
const STEP = 5_000;

/** Members whose names are looked up at once, where names are searched. */
const BATCH = 500;

/** Members whom one search looks at. Threat: a search that nobody fits, which reads the names of all who are online with each call. */
const MAX_SEARCHED = 5_000;

/** A member who is online. */
export interface OnlineMember {
  user: string;
  /** What they are called, where that is known. */
  name?: string;
  /** Their sessions on the node that is asked, and one for each other node on which they are. */
  sessions: number;
}

/** In the order of ids. `next` is there where a search ended before the page was full: what to ask for as `after`, to search on. */
export interface RollPage {
  items: OnlineMember[];
  more: boolean;
  next?: string;
}

export interface RollQuery {
  /** Only this member. */
  user?: string | undefined;
  /** Members whose ids come after this one. */
  after?: string | undefined;
  limit: number;
  /** Only those whose id or name has this text in it, in whatever case. */
  search?: string | undefined;
}

export interface RollOptions {
  presence: Pick<Presence, "members" | "sessionsOf">;
  /** Names by id; those that are not known are left out. */
  names: (users: string[]) => Promise<Map<string, string>>;
}

/** Calls the roll of all who are online, on whatever node. Errors: those of `names`. */
export class Roll {
  readonly #presence: RollOptions["presence"];
  readonly #names: RollOptions["names"];

  constructor({ presence, names }: RollOptions) {
    this.#presence = presence;
    this.#names = names;
  }

  async page({ user, after, limit, search }: RollQuery): Promise<RollPage> {
    if (user !== undefined) return this.#one(user);
    if (search !== undefined) return this.#search(search.toLowerCase(), after ?? "", limit);
    const users = await this.#next(after ?? "", limit + 1);
    const shown = users.slice(0, limit);
    const names = await this.#names(shown);
    return { items: shown.map((user) => this.#shown(user, names)), more: users.length > limit };
  }

  async #one(user: string): Promise<RollPage> {
    if (this.#presence.sessionsOf(user) === 0) return { items: [], more: false };
    return { items: [this.#shown(user, await this.#names([user]))], more: false };
  }

  async #search(text: string, after: string, limit: number): Promise<RollPage> {
    const items: OnlineMember[] = [];
    let last = after;
    for (let searched = 0; searched < MAX_SEARCHED; searched += BATCH) {
      const users = await this.#next(last, BATCH);
      const names = await this.#names(users);
      for (const user of users) {
        if (!user.toLowerCase().includes(text) && !names.get(user)?.toLowerCase().includes(text)) continue;
        if (items.length === limit) return { items, more: true };
        items.push(this.#shown(user, names));
      }
      if (users.length < BATCH) return { items, more: false };
      last = users.at(-1) ?? last;
    }
    return { items, more: true, next: last };
  }

  /** The first members after that id. */
  async #next(after: string, count: number): Promise<string[]> {
    const first: string[] = [];
    let looked = 0;
    for (const user of this.#presence.members()) {
      if (++looked % STEP === 0) await breath();
      if (user <= after || (first.length === count && user >= (first.at(-1) as string))) continue;
      const place = placeOf(user, first);
      // Whoever has come to another node during a breath may be met there again.
      if (first[place] === user) continue;
      first.splice(place, 0, user);
      if (first.length > count) first.pop();
    }
    return first;
  }

  #shown(user: string, names: Map<string, string>): OnlineMember {
    const name = names.get(user);
    // Whoever has just gone was there when the roll was called.
    return { user, ...(name === undefined ? {} : { name }), sessions: Math.max(1, this.#presence.sessionsOf(user)) };
  }
}

/** Where the text belongs in an ascending list. */
function placeOf(text: string, list: readonly string[]): number {
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((list[middle] as string) < text) from = middle + 1;
    else to = middle;
  }
  return from;
}
