import type { Item } from "./device-screen.js";
import { type Entry, tokenFor } from "./member.js";
import type { ServiceKeys } from "./service.js";

/** A replica set may still be electing when all faults are healed: reads are tried for so long. Milliseconds. */
const READ_WITHIN_MS = 20_000;
const AGAIN_MS = 50;

/** What the store holds of a member, as one node tells it over HTTP. */
export interface StoredInbox {
  entries: Entry[];
  /** All notifications that are not archived, newest first. */
  items: Item[];
  archived: Item[];
  unread: number;
}

export interface StoredAnnouncements {
  items: Item[];
  unread: number;
}

/** Reads over HTTP from one node. */
export class StoreReader {
  constructor(
    private readonly url: string,
    private readonly keys: ServiceKeys,
  ) {}

  async inbox(user: string): Promise<StoredInbox> {
    const entries: Entry[] = [];
    for (let epoch = "", more = true; more; ) {
      const after = epoch === "" ? "" : `?after=${encodeURIComponent(`${epoch}:${entries.at(-1)?.seq ?? 0}`)}`;
      const page = (await this.#get(`/v1/me/stream${after}`, user)) as { epoch: string; entries: Entry[]; more: boolean };
      entries.push(...page.entries);
      ({ epoch, more } = page);
    }
    const { items, unread } = await this.#list(user, "all");
    const { items: archived } = await this.#list(user, "archived");
    return { entries, items, archived, unread };
  }

  async head(user: string): Promise<number> {
    return ((await this.#get("/v1/me/stream?limit=1", user)) as { head: number }).head;
  }

  async announcements(user: string): Promise<StoredAnnouncements> {
    return (await this.#get("/v1/me/announcements", user)) as unknown as StoredAnnouncements;
  }

  /** A topic's value; undefined where it was never written. */
  async topic(name: string): Promise<unknown> {
    return ((await this.#get(`/v1/topics/${encodeURIComponent(name)}`)) as { data: unknown }).data;
  }

  async online(): Promise<{ users: number; sessions: number }> {
    return (await this.#get("/v1/online")) as { users: number; sessions: number };
  }

  async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/ready`, { signal: AbortSignal.timeout(AGAIN_MS * 40) })).ok;
    } catch {
      return false;
    }
  }

  async #list(user: string, filter: string): Promise<{ items: Item[]; unread: number }> {
    const items: Item[] = [];
    for (;;) {
      const before = items.length === 0 ? "" : `&before=${items.at(-1)?.id}`;
      const page = await this.#get(`/v1/me/notifications?filter=${filter}&limit=100${before}`, user);
      items.push(...(page.items as Item[]));
      if (page.more !== true) return { items, unread: page.unread as number };
    }
  }

  /** As a member, or else as a server. @throws Error when there is no success in time. */
  async #get(path: string, user?: string): Promise<Record<string, unknown>> {
    const credential = user === undefined ? this.keys.apiKey : tokenFor(this.keys.jwtSecret, { sub: user });
    const end = Date.now() + READ_WITHIN_MS;
    for (;;) {
      const fault = await this.#try(path, credential);
      if (typeof fault === "object") return fault;
      if (Date.now() > end) throw new Error(`GET ${path} at ${this.url}: ${fault}`);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  async #try(path: string, credential: string): Promise<Record<string, unknown> | string> {
    try {
      const response = await fetch(`${this.url}${path}`, {
        headers: { authorization: `Bearer ${credential}` },
        signal: AbortSignal.timeout(READ_WITHIN_MS),
      });
      const text = await response.text();
      return response.ok ? (JSON.parse(text) as Record<string, unknown>) : `${response.status} ${text}`;
    } catch (error) {
      return String(error);
    }
  }
}
